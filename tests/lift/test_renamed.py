# SPDX-License-Identifier: GPL-2.0-or-later
"""No release number and no name of a hook is read, on any architecture."""

from __future__ import annotations

import pytest

import lazymmu
from tests.lift.conftest import EXAMPLES, rows
from tests.lift.renaming import own_names, renamed

SCENARIOS = ("vmap-pfn-preempted", "cleared-after-section", "section-inside-section")
MACHINES = [
    (name, arch)
    for name in ("linux-old", "linux-new")
    for arch in ("x86", "powerpc", "sparc", "arm64")
    if (name, arch) != ("linux-old", "arm64")  # it has no mode there
]


def answer(tree: object, arch: str) -> lazymmu.VerifyAnswer:
    """What the scenarios come to on a tree's own C."""
    request = lazymmu.VerifyRequest(scenarios=SCENARIOS, arches=[arch], tree=tree, jobs=1)
    return lazymmu.verify(request)


@pytest.mark.parametrize(("name", "arch"), MACHINES, ids="-".join)
def test_version_9_9_0_with_all_hooks_renamed_gives_the_same_answer(name, arch):
    """Whatever is lifted and is no word of the kernel's API is called otherwise throughout."""
    before = answer(EXAMPLES / name, arch)
    names = own_names(before, arch)
    assert names
    after = answer(renamed(EXAMPLES / name, names), arch)
    assert after.lifted[0].refused == ""
    assert {f"zz_{one}_zz" for one in names} <= {one for one, _ in after.lifted[0].functions}
    assert rows(after) == rows(before) != []
