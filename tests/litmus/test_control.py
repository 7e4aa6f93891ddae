# SPDX-License-Identifier: GPL-2.0-or-later
"""What programs are put together with: loops, choices, need_resched, and mutexes."""

from __future__ import annotations

import pytest

from lazymmu.litmus.read import LitmusError
from lazymmu.litmus.run import RunLimits, load, runs, verify
from lazymmu.litmus.write import render

HEAD = """litmus made
"Made for a test."
mutexes m
machine: cpus 1
entries:
    p  pte kernel = none
    q  pte kernel = none
"""


def asked(programs, rest, engine="python"):
    """The verdict of a scenario on x86 6.12.8."""
    scenario = load(HEAD + programs + rest, "made.litmus")
    assert render(load(render(scenario), "again.litmus")) == render(scenario)
    (run,) = runs([scenario], arches={"x86"}, releases={"6.12.8"}, everything=True)
    return verify(run, RunLimits(engine=engine))


def broken(verdict):
    """The rules that can be broken."""
    return {one.rule for one in verdict.violations}


@pytest.mark.parametrize("engine", ["python", "numpy"])
def test_a_choice_is_each_of_its_alternatives(engine):
    """Both ends are reached, and no other one."""
    program = """task T0 on cpu0:
    choose:
        either:
            set_pte p A
        either:
            set_pte p B
    maybe:
        set_pte q A
"""
    assert asked(program, "finally: p = A or B; q = A or none\n", engine).verdict == "holds"
    for end in ("p = A", "p = B", "q = A", "q = none"):
        assert broken(asked(program, f"finally: {end}\n", engine)) == {"finally"}


def test_need_resched_is_a_choice_wherever_it_is_asked():
    """A loop that breaks for it may break at once, or never."""
    program = """task T0 on cpu0:
    if need_resched:
        set_pte p A
    if not need_resched:
        set_pte q A
"""
    assert broken(asked(program, "finally: p = A\n")) == {"finally"}
    assert broken(asked(program, "finally: p = none\n")) == {"finally"}


def test_repeat_is_the_lines_so_many_times():
    """Each round counts; a number that is none is refused."""
    program = """task T0 on cpu0:
    preempt_disable
    repeat 2:
        preempt_disable
        preempt_enable
    preempt_enable
"""
    assert asked(program, "watch kernel-bug, kernel-warning\n").verdict == "holds"
    with pytest.raises(LitmusError, match="takes a number"):
        load(HEAD + program.replace("repeat 2", "repeat often"), "made.litmus")


@pytest.mark.parametrize("engine", ["python", "numpy"])
def test_a_loop_that_waits_ends_when_what_it_waits_for_is_there(engine):
    """Its rounds look alike, so that their number has no end and that of states has."""
    program = """task T0 on cpu0:
    while pte_none q:
        cond_resched
    set_pte p A
task T1 on cpu0:
    set_pte q A
"""
    verdict = asked(program, "finally: p = A\n", engine)
    assert (verdict.verdict, verdict.states < 200) == ("holds", True)


def test_a_loop_for_ever_has_states_without_number_no_more_than_a_round_has():
    """And no end, so that nothing is said of it."""
    program = """task T0 on cpu0:
    loop:
        set_pte p A
        set_pte p none
"""
    verdict = asked(program, "finally: p = B\n")
    assert (verdict.verdict, verdict.states < 50) == ("holds", True)


def test_a_mutex_keeps_tasks_apart_and_sleeps():
    """Who waits gives its CPU away; in a section that pins, it may not."""
    program = """task T0 on cpu0:
    mutex_lock m
    set_pte p A
    cond_resched
    set_pte p none
    mutex_unlock m
task T1 on cpu0:
    mutex_lock m
    if pte_none p:
        set_pte q A
    mutex_unlock m
"""
    assert asked(program, "finally: q = A\n").verdict == "holds"
    pinned = "task T0 on cpu0:\n    lazy_mmu_mode_enable\n    mutex_lock m\n"
    assert broken(asked(pinned, "watch sleep-in-section\n")) == {"sleep-in-section"}


def test_a_mutex_is_declared_and_is_no_spin_lock():
    """Each is taken and dropped by operations of its own."""
    for line, said in (("spin_lock m", "names a lock `m`"), ("mutex_lock n", "names a mutex `n`")):
        with pytest.raises(LitmusError, match=said):
            load(f"{HEAD}task T0 on cpu0:\n    {line}\n", "made.litmus")
