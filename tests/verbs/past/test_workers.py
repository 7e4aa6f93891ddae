# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes of this machine that look, some of which are killed."""

from __future__ import annotations

import functools
import os
import signal
import threading
import time

import pytest

from lazymmu.processes import may_fork
from lazymmu.verbs.past.workers import LocalWorkers, NoWorkersError, workers_at


def squared(number, folder, deadly):
    """A square; the process that first works on a deadly number is killed at it."""
    mark = folder / str(number)
    if number in deadly and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.01)
    return number * number


def always_killed(number):
    """No process comes back from it."""
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


@pytest.fixture(autouse=True)
def other_processes():
    """A process with other threads is not forked: what is killed here would be the tests'."""
    left = [one for one in threading.enumerate() if one is not threading.current_thread()]
    for thread in left:
        thread.join(10)
    assert may_fork(), threading.enumerate()


@pytest.mark.parametrize("deadly", [(), (0,), (7,)])
def test_a_process_that_is_killed_loses_and_doubles_nothing(tmp_path, deadly):
    """What it was at is begun again, and each item comes once, with what it came to."""
    work = functools.partial(squared, folder=tmp_path, deadly=deadly)
    told = list(LocalWorkers(2).run(work, range(8)))
    assert sorted(told) == [(number, number * number) for number in range(8)]


def test_an_item_that_kills_whoever_is_at_it_ends_the_run_with_the_rest_told(tmp_path):
    """What had come by then has come, each once."""
    told = []
    with pytest.raises(NoWorkersError, match="killed from outside"):
        told.extend(LocalWorkers(2).run(always_killed, range(8)))  # keeps what came before it
    assert len({place for place, _ in told}) == len(told)
    assert all(result == place * place for place, result in told)


def test_local_is_this_machine():
    """As is no address at all."""
    assert isinstance(workers_at("local"), LocalWorkers)
    assert isinstance(workers_at(None, 1), LocalWorkers)
