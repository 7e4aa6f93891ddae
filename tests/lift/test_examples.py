# SPDX-License-Identifier: GPL-2.0-or-later
"""The example trees on every machine that can be lifted."""

from __future__ import annotations

import pytest

from tests.lift.conftest import Asked

TREES = ("linux-old", "linux-new")


@pytest.mark.parametrize("name", TREES)
@pytest.mark.parametrize("arch", ["x86", "powerpc", "sparc"])
def test_an_example_is_lifted_on_each_architecture_that_has_hooks(name, arch):
    """What ends at the hardware there has the names that the kernel has for it."""
    answer = Asked(name)("cleared-after-section", arch=arch)
    assert answer.lifted[0].refused == ""
    assert answer.verdicts[0].states > 1


def test_an_architecture_that_has_no_mode_yet_says_so():
    """arm64 of the old example takes the generic hooks, which do nothing."""
    (lifted,) = Asked("linux-old")("cleared-after-section", arch="arm64").lifted
    assert "the architecture has no such mode here" in lifted.refused
    assert Asked()("cleared-after-section", arch="arm64").lifted[0].refused == ""
