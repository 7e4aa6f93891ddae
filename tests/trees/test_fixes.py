# SPDX-License-Identifier: GPL-2.0-or-later
"""The changes of docs/findings/fixes: they apply, and mend what they are for, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import lazymmu
from lazymmu.snapshot.snapshots import Patched, WorkTree
from lazymmu.verbs.given import Input
from lazymmu.witness.finding import Severity
from tools.fixes_table import SHOWN, rows_of

from .conftest import Found

FIXES = Path(__file__).parents[2] / "docs" / "findings" / "fixes"
PATCHES = sorted(FIXES.glob("*.patch"))
RELEASE = "7.3"


def test_there_is_a_fix_for_each_finding_of_the_newest_page():
    """Six of the tool's, and that of the machine."""
    assert len(PATCHES) == 7
    table = (FIXES / "README.md").read_text("utf-8")
    assert all(f"| {one.name[:4]} |" in table for one in PATCHES)


def test_no_fix_brings_a_finding_on_any_tree_that_takes_it():
    """The table has each on the newest release; all but that of the machine's take one away."""
    rows = list(rows_of((FIXES / "checked.md").read_text("utf-8")))
    assert {number for release, number, *_ in rows if release.startswith(RELEASE)} == set(SHOWN)
    for release, number, _, new, fixed, machine in rows:
        assert new == "0", (release, number)
        mended = machine.endswith("violated, then holds") if number == "0001" else fixed != "0"
        assert mended, (release, number)


@pytest.mark.parametrize("file", sorted(FIXES.glob("*.[pt]*t*")), ids=lambda one: one.name)
def test_a_mail_is_as_lists_take_it(file: Path):
    """Plain text: ASCII, and its words not longer than lines are on lists."""
    text = file.read_bytes().decode("ascii")
    body, _, _ = text.partition("\n---\n")
    said = [line for line in body.splitlines() if not line.startswith(("Fixes:", "Subject:"))]
    assert max(map(len, said)) <= 75, [line for line in said if len(line) > 75]


def test_with_all_of_them_nothing_is_left_of_the_findings(
    kernel_tree: Callable[[str], Path], found: Callable[[str], Found]
) -> None:
    """All patches apply, one over the other; what was found before is gone, and nothing comes."""
    assert found(RELEASE).findings
    laid = Patched(
        WorkTree(str(kernel_tree(RELEASE))), b"".join(one.read_bytes() for one in PATCHES)
    )
    with laid.opened() as tree:
        left = Found(lazymmu.check(tree, jobs=2)).findings
    assert [one for one in left if one.severity is not Severity.INFORMATION] == []


def test_the_machine_holds_where_the_switch_does_not_count(kernel_tree: Callable[[str], Path]):
    """`verify --tree --diff` of the first: a forked task can use the mode."""
    asked = lazymmu.VerifyRequest(
        scenarios=["fork-outside-section"],
        arches=["x86"],
        tree=str(kernel_tree(RELEASE)),
        diff=Input(PATCHES[0].read_bytes(), PATCHES[0].name),
        jobs=1,
    )
    said = {one.release: str(one.verdict) for one in lazymmu.verify(asked).verdicts}
    before = next(name for name in said if "(before)" in name)
    assert said.pop(before) == "violated"
    assert list(said.values()) == ["holds"]


def test_the_small_configuration_has_what_shows_the_findings():
    """Xen PV, a console, userfaultfd, more than one CPU, and what a recording needs."""
    lines = (FIXES / "small.config").read_text("utf-8").splitlines()
    wanted = ("XEN", "USERFAULTFD", "SMP", "SERIAL_8250_CONSOLE", "KPROBES", "PCI", "DEVTMPFS")
    assert [name for name in wanted if f"CONFIG_{name}=y" not in lines] == []
    # It is what `make savedefconfig` leaves: what it does not say is the default.
    assert all(line.startswith(("#", "CONFIG_")) for line in lines)
