# SPDX-License-Identifier: GPL-2.0-or-later
"""Skeletons of reproducers: programs that can be run, and what they leave to do."""

from __future__ import annotations

import ast
import os
import sys

import pytest

from lazymmu.litmus import shipped
from lazymmu.litmus.read import read
from lazymmu.problem import Problem
from lazymmu.verbs.skeleton import skeleton


def made(name: str) -> str:
    """The skeleton of a scenario that ships."""
    return skeleton(read(shipped.text(name), name))


WITHHELD = {"table-unlinked-twice", "table-unlinked-twice-pt-reclaim"}


@pytest.mark.parametrize("name", sorted({*shipped.names()} - WITHHELD))
def test_each_scenario_becomes_a_program(name):
    """It is Python, has a thread for each task, and says what it is for."""
    scenario = read(shipped.text(name), name)
    program = ast.parse(made(name))
    there = {one.name for one in program.body if isinstance(one, ast.FunctionDef)}
    assert {f"task_{one.name}" for one in scenario.tasks} <= there
    assert name in (ast.get_docstring(program) or "")


@pytest.mark.parametrize("name", sorted(WITHHELD))
def test_a_program_that_is_withheld_is_not_made(name):
    """By what it would do, not by its name."""
    text = shipped.text(name).replace(f"litmus {name}", "litmus mine")
    with pytest.raises(Problem, match="mine: a program of it would be table-freed-twice"):
        skeleton(read(text, "mine"))


def test_operations_become_system_calls_and_the_rest_is_left_to_do():
    """What is called inside of the kernel alone is a line of words."""
    zapped = made("swap-entry-zapped")
    assert "memory.madvise(mmap.MADV_DONTNEED, 0 * PAGE, PAGE)" in zapped
    assert "MADV_PAGEOUT; needs swap" in zapped
    assert "os.sched_setaffinity(0, {0})" in zapped
    assert "os.ftruncate(file, 0)" in made("file-swap-entry-zapped")
    assert "# to do: lazy_mmu_mode_enable, which no system call does alone" in made(
        "section-inside-section"
    )


def test_tasks_that_share_a_cpu_take_turns_with_a_load():
    """So that they are preempted there."""
    assert "for cpu in [0]]" in made("rt-nested-section-preempted")
    assert "for cpu in []]" in made("swap-entry-zapped")


@pytest.mark.skipif(sys.platform != "linux", reason="a program for Linux")
def test_a_skeleton_of_plain_system_calls_runs(tmp_path):
    """Here, too, where it shows nothing."""
    import subprocess

    file = tmp_path / "one.py"
    file.write_text(made("file-swap-entry-zapped").replace("ROUNDS = 1000", "ROUNDS = 3"))
    first = str(min(os.sched_getaffinity(0)))
    file.write_text(file.read_text().replace("affinity(0, {0})", f"affinity(0, {{{first}}})"))
    done = subprocess.run([sys.executable, file], capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, b"file_swap_entry_zapped: done\n"), done.stderr
