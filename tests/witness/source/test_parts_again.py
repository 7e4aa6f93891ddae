# SPDX-License-Identifier: GPL-2.0-or-later
"""What was computed to see whether an analysis holds is what the next one comes to itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.witness.source.edits import Files, checked, text
from tests.witness.source.watched import Watched

LOOPS = "mm/right_loops.c"
BEGIN = b"lazy_mmu_mode_enable();\n"
ODD = b"\tODD({ ((\n"


def with_helper(body: bytes) -> Files:
    """A section that sleeps and then calls a helper of the file."""
    source = text(LOOPS)
    helper = b"\nstatic void helper(void)\n{\n%s}\n\nstatic" % body
    source = source.replace(b"\nstatic", helper, 1)
    return {LOOPS: source.replace(BEGIN, BEGIN + b"\thelper();\n", 1)}


@pytest.mark.parametrize(
    ("then", "now"),
    [
        (b"\tbarrier();\n", b"\tcond_resched();\n"),
        (b"\tcond_resched();\n", b"\tbarrier();\n"),
        (b"\tbarrier();\n", b"\tcond_resched();\n" + ODD),
        (ODD, b"\tcond_resched();\n"),
        (b"\tbarrier();\n", b"\tlazy_mmu_mode_disable();\n\tcond_resched();\n"),
        (b"\tbarrier();\n", b"\tnobody_knows_it();\n\tcond_resched();\n"),
    ],
)
def test_a_helper_that_comes_to_something_else_is_told_as_by_a_cold_run(
    tmp_path: Path, then: bytes, now: bytes
) -> None:
    """Also what of it could not be read before, or cannot be now, is told or not told alike."""
    before, after = with_helper(then), with_helper(now)
    cold = checked(after, None)
    checked(before, tmp_path)
    assert checked(after, tmp_path) == cold


def test_a_walk_that_showed_that_the_whole_does_not_hold_is_not_done_again(
    store: Path, tmp_path: Path, watched: Watched
) -> None:
    """It is what the analysis that begins anew would come to."""
    files: Files = {LOOPS: text(LOOPS).replace(BEGIN, BEGIN + b"\tcond_resched();\n", 1)}
    cold = checked(files, None)
    watched.roots.clear()
    assert checked(files, shutil.copytree(store, tmp_path / "store")) == cold
    assert watched.again > 0
    assert not watched.roots[False]


def test_a_new_function_of_a_header_that_begins_for_its_callers_is_of_the_api(
    store: Path, tmp_path: Path
) -> None:
    """Nobody asked for its name before: only who finds the API anew comes to know of it."""
    header = "include/linux/percpu.h"
    files: Files = {header: b"void GPL(void)\n{\n\tlazy_mmu_mode_enable();\n}\n" + text(header)}
    assert checked(files, shutil.copytree(store, tmp_path / "store")) == checked(files, None)
