# SPDX-License-Identifier: GPL-2.0-or-later
"""Work in a second process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from lazymmu.processes import KilledError, Pool, Task, may_fork


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
from lazymmu.processes import Task

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


def square(number: int) -> int:
    """Small numbers are quick, and large ones an error."""
    if number > 90:
        raise LookupError(str(number))
    return number * number


def test_a_pool_works_on_each_item_once_and_elsewhere() -> None:
    """Whoever is free takes the next; each result is there when its index is told."""
    pool = Pool(2, lambda number: (os.getpid(), square(number)))
    told = []
    for index in pool.run(range(50)):
        told.append(index)
        assert pool.done[index][1] == square(index)
    pool.end()
    assert sorted(told) == list(range(50))
    assert os.getpid() not in {process for process, _ in pool.done.values()}
    assert len({process for process, _ in pool.done.values()}) <= 2


def test_what_the_function_of_a_pool_raises_is_raised_here() -> None:
    """What was ready until then is kept."""
    pool = Pool(1, square)
    with pytest.raises(LookupError, match="99"):
        for _ in pool.run([1, 2, 99, 3]):
            pass
    pool.end()
    assert pool.done == {0: 1, 1: 4}


def test_a_child_of_a_pool_that_is_killed_is_one_sentence() -> None:
    """The rest of the pool is ended by who made it."""
    pool = Pool(2, lambda _: kill())
    with pytest.raises(KilledError, match="ended from outside"):
        list(pool.run(range(4)))
    pool.end()


def test_a_pool_gives_what_is_ready_in_the_time_there_is_and_leaves_nobody_behind() -> None:
    """After Ctrl-C: the quick one has answered, and the one that hangs is ended."""
    pool = Pool(2, lambda number: wait() if number else number)
    assert next(pool.run([0, 1, 1])) == 0
    children = list(pool._children.values())
    pool.drain(0.2)
    pool.end()
    assert pool.done == {0: 0}
    assert not any(runs(child) for child in children)


def test_a_result_that_cannot_be_sent_is_an_error_and_no_silence() -> None:
    """A result that cannot be sent, as a function cannot, is an error and not silence."""
    pool = Pool(1, lambda _: lambda: 0)
    with pytest.raises(RuntimeError, match="cannot be sent"):
        list(pool.run([0]))
    pool.end()


def test_a_process_with_other_threads_is_not_forked() -> None:
    """A lock that another thread holds would be held for ever in the child."""
    gate = threading.Event()
    thread = threading.Thread(target=gate.wait)
    thread.start()
    try:
        assert not may_fork()
        assert Task(True, large, 1).result()[0] == os.getpid()
    finally:
        gate.set()
        thread.join()
    assert may_fork()
