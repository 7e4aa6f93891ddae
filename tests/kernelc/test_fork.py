# SPDX-License-Identifier: GPL-2.0-or-later
"""Work in a second process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lazymmu.kernelc.fork import KilledError, Task


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


def wait(*_: object) -> None:
    """Go on for ever."""
    while True:
        time.sleep(60)


def runs(process: int) -> bool:
    """Whether a process is there, and is no corpse that nobody has asked for."""
    try:
        return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc")
def test_a_task_that_nobody_waits_for_is_ended() -> None:
    """After Ctrl-C, or an error elsewhere: its child is not left behind."""
    task = Task(True, wait)
    child = task._child
    assert runs(child)
    del task
    assert not runs(child)


LEFT = """
import sys, time
sys.path[:0] = sys.argv[1:]
from lazymmu.kernelc.fork import Task

def wait():
    while True:
        time.sleep(60)

tasks = [Task(True, wait) for _ in range(3)]
print(*(task._child for task in tasks))
keep = [tasks]
keep.append(keep)
"""


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc")
def test_no_task_goes_on_when_the_program_has_ended() -> None:
    """Also one that the interpreter does not destroy at its end."""
    done = subprocess.run(
        [sys.executable, "-c", LEFT], capture_output=True, text=True, check=True, timeout=60
    )
    children = [int(word) for word in done.stdout.split()]
    assert len(children) == 3
    assert not any(runs(child) for child in children)


def kill() -> str:
    """Be killed, as by the kernel for memory."""
    os.kill(os.getpid(), signal.SIGKILL)
    return "alive"


def test_what_killed_a_child_is_not_tried_again() -> None:
    """The parent says so: it would be killed by the same."""
    task = Task(True, kill)
    with pytest.raises(KilledError, match="killed by signal SIGKILL"):
        task.result()
