# SPDX-License-Identifier: GPL-2.0-or-later
"""Tasks that get the pid of one that has ended: each has its own counters, mistakes and end."""

from __future__ import annotations

import io

import pytest

from lazymmu.witness.trace.check import check_trace

from .simulator import HEAD, Sim, Simulation

SITES = frozenset({"en", "di", "pa", "re", "ge"})


def kernel(*seen: str, late: bool = False) -> Simulation:
    """One whose pids are given again at once, and of which so much is recorded."""
    return Simulation(False, False, frozenset(seen), late=late, again=True)


def told(made: Simulation) -> list[tuple[str, tuple[int, int]]]:
    """Rules that were broken, and by which task."""
    text = made.text("7.3.4")
    before = len(HEAD.splitlines()) + 1
    answer = check_trace("made", io.BytesIO(text.encode()))
    return [(one.rule, made.whose(one.pid, one.location.line - before)) for one in answer.findings]


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("more", [(), ("sw_out",), ("sw_out", "ex"), tuple(SITES)])
def test_a_pause_that_is_left_shows_at_the_last_switch(late, more) -> None:
    """The counters at a task's last switch are those that it ends with, and it is told once."""
    made = kernel("sw", "sched", *more, late=late)
    made.switch(0)
    made.call(0, "pause")
    made.exit(0)
    made.switch(0)
    made.switch(0)
    assert told(made) == [("unbalanced-pause", (1000, 0))]


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("release", ["7.3.4", "7.0.13"])
def test_what_another_task_shows_first_takes_no_end_away(late, release) -> None:
    """A task's last switch is judged, also if the next to go shows its counters before it goes."""
    made = kernel("sw", "sched", "new", *SITES, late=late)
    for name in ("switch", "leak pause", "exit", "fork", "switch", "switch", "switch"):
        made.move(0, name)
    answer = check_trace("made", io.BytesIO(made.text(release).encode()))
    assert [one.rule for one in answer.findings] == ["unbalanced-pause"]


def test_the_next_with_a_pid_is_another_task_on_whatever_cpu() -> None:
    """The CPU on which the first one ended has had no switch since: its end counts all the same."""
    made = kernel("sw", "sched", *SITES, late=True)
    made.switch(0)
    made.switch(1)
    made.call(1, "pause")
    made.exit(1)
    made.fork(0)
    made.waiting = made.waiting[-1:]
    made.switch(0)
    made.call(0, "enable")
    made.switch(0)
    assert told(made) == [("unbalanced-pause", (1001, 0)), ("sleep-in-section", (1001, 1))]


def test_who_returns_to_user_mode_after_an_end_is_another_task() -> None:
    """So what was told of the first one explains nothing of it."""
    made = kernel("ex", "ur")
    made.switch(0)
    made.call(0, "enable")
    child = Sim("t0", 1000, ec=1)
    made.exit(0)
    made.running[0] = child
    made.settled(0, "ur", "__probestub_sys_exit")
    assert [rule for rule, _ in told(made)] == ["unbalanced-section"] * 2


def test_a_second_reading_at_the_last_switch_is_not_the_next_task_s() -> None:
    """The hook reads the counters of who ends once more, after its end was judged."""
    made = kernel("sw", "sw_out", "sw_in", "new")
    made.switch(0)
    made.call(0, "enable")
    made.exit(0)
    made.switch(0)
    made.waiting = made.waiting[:1]
    first = made.running[0]
    assert first is not None
    made.fork(0)
    made.waiting.reverse()
    made.switch(0)
    made.switch(0)
    assert told(made) == [("unbalanced-section", (1000, 0))]


def test_a_sleep_is_told_once_where_its_reading_comes_before_the_switch() -> None:
    """The reading and sched_switch are of one switch, in whichever order they were recorded."""
    made = kernel("sw", "sched", *SITES, late=True)
    made.switch(0)
    made.call(0, "enable")
    made.waiting.clear()
    made.switch(0)
    assert [rule for rule, _ in told(made)] == ["sleep-in-section"]


def test_a_sleep_in_a_section_that_began_unseen_is_told() -> None:
    """A module's section has no probe at its begin: that is no mistake, but to sleep in it is."""
    made = kernel("sw", *SITES)
    for name in ("switch", "section", "stray", "section", "switch"):
        made.move(0, name)
    slept = made.waiting[-1]
    made.until(0, slept)
    made.calls(0, "enable disable disable")
    assert [rule for rule, _ in told(made)] == ["sleep-in-section"]


def test_an_end_that_only_beginnings_show_is_left_open() -> None:
    """Where no end has a probe, a section that seems left on is no finding, nor is it clean."""
    made = kernel("en", "sched")
    made.switch(0)
    made.calls(0, "enable disable")
    made.line(0, "sched_process_exit: comm=t0 pid=1000 prio=120")
    made.exit(0)
    answer = check_trace("made", io.BytesIO(made.text("7.3.4").encode()))
    assert answer.findings == ()
    assert not answer.conclusive


def test_what_the_kernel_says_of_itself_is_told_whatever_has_a_probe() -> None:
    """A message needs no end of a section to be one."""
    made = kernel("en", "sched")
    made.switch(0)
    made.call(0, "enable")
    made.line(0, "console: BUG: scheduling while atomic: t0/1000/0x00000002")
    answer = check_trace("made", io.BytesIO(made.text("7.3.4").encode()))
    assert [one.rule for one in answer.findings] == ["kernel-bug"]
