# SPDX-License-Identifier: GPL-2.0-or-later
"""Frames of all that is called lie in one piece."""

from __future__ import annotations

import resource
import sys

import pytest

from lazymmu.one_stack import SLOTS, in_one_stack

DEEPER = 200
"""Frames of some hundred bytes each: some of them begin a piece of 16 kB."""


def faults() -> int:
    """Pages that this process was given so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def leaf(_value: int) -> None:
    """Do nothing, in a frame of its own."""


def called_from(depth: int) -> int:
    """Most pages given in one of the calls of `leaf` from any depth, a hundred at each."""
    before = faults()
    for _ in range(100):
        leaf(depth)
    here = faults() - before
    return max(here, called_from(depth - 1)) if depth else here


def test_what_a_function_does_is_not_changed() -> None:
    """Arguments, results and errors go through, and the name stays."""

    @in_one_stack
    def divided(number: int, *, by: int) -> int:
        """Say it."""
        return number // by

    assert divided(7, by=2) == 3
    assert divided.__name__ == "divided"
    assert divided.__doc__ == "Say it."
    with pytest.raises(ZeroDivisionError):
        divided(7, by=0)


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="other interpreters' frames")
def test_no_call_from_any_depth_asks_for_memory_again_and_again() -> None:
    """Outside of it, calls from the end of a piece do: one page for each, and two system calls."""
    in_one_stack(called_from)(DEEPER)  # what is needed once is there
    assert in_one_stack(called_from)(DEEPER) < 100
    assert SLOTS * 8 > 1 << 19
