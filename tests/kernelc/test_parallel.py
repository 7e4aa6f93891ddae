# SPDX-License-Identifier: GPL-2.0-or-later
"""Work in a second process."""

from __future__ import annotations

import os

import pytest

from lazymmu.kernelc.parallel import Task


def large(count: int) -> tuple[int, list[str]]:
    """Say which process works, and give more than a pipe holds."""
    return os.getpid(), ["word" * 10] * count


def fail() -> None:
    """Fail where it is called."""
    raise LookupError("no")


def die(parent: int) -> str:
    """Die without a word in any process but the given one."""
    if os.getpid() != parent:
        os._exit(0)
    return "done here"


def test_a_task_works_elsewhere() -> None:
    """The result comes from another process, whole."""
    process, words = Task(True, large, 100_000).result()
    assert process != os.getpid()
    assert len(words) == 100_000


def test_without_a_fork_the_work_is_done_here() -> None:
    """The same result, by this process, when it is asked for."""
    assert Task(False, large, 1).result() == (os.getpid(), ["word" * 10])


def test_an_error_is_raised_where_the_result_is_wanted() -> None:
    """What fails in the child is done again here, and fails here."""
    task = Task(True, fail)
    with pytest.raises(LookupError):
        task.result()


def test_a_child_that_dies_costs_time_only() -> None:
    """When the child ends without a result, the parent computes it."""
    assert Task(True, die, os.getpid()).result() == "done here"
