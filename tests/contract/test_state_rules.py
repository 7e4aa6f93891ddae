# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules about the implementation's real state, and harms: what an observer's events come to."""

from __future__ import annotations

import pytest

from lazymmu.contract import events as ev
from lazymmu.contract.dialects import COUNTED, DIALECTS, NO_NESTING, PTL_HELD, Dialect
from lazymmu.contract.eventlist import judge, parse
from lazymmu.contract.monitor import Runtime
from lazymmu.contract.rules import RULES
from lazymmu.contract.rules.harms import ModeEffect, mode_effect
from lazymmu.contract.section import MAX_DEPTH


def broken(text: str, dialect: Dialect, *rules: str) -> tuple[list[str], list[str]]:
    """What the rules say of each line, and what the lines expect, as "line: rule"."""
    listed = parse(text)
    judged = judge(listed, Runtime([RULES[name] for name in rules], dialect))
    said = [f"{line.number}: {violation.rule}" for line, violation in judged]
    expected = [f"{line.number}: {rule}" for line in listed.lines for rule in line.expect]
    return sorted(said), sorted(expected)


def details(text: str, dialect: Dialect, rule: str) -> list[str]:
    """The details of the rule's violations, in order."""
    return [found.detail for _, found in judge(parse(text), Runtime([RULES[rule]], dialect))]


# ---- mode-left-on-cpu ----------------------------------------------------------------------------


def test_a_mode_or_a_batch_of_another_task_is_left_behind() -> None:
    """Who is in no section must meet neither; who is in one may meet both."""
    text = """
        observed switch-in off pending=no
        observed switch-in on
        observed switch-in off pending
        enable
        observed switch-in on pending
        observed switch-in off
        pause
        observed switch-in on
    """
    assert details(text, COUNTED, "mode-left-on-cpu") == [
        "left-on",
        "left-pending",
        "lost",
        "left-on",
    ]


def test_inside_the_api_counters_and_mode_may_differ() -> None:
    """v7.1 counts before it enters: switched out between the two, the task has one of them."""
    text = """
        call lazy_mmu_mode_enable role=api
        enable
        observed switch-in off
        call arch_enter_lazy_mmu_mode role=arch-hook
        observed switch-in off
        return arch_enter_lazy_mmu_mode role=arch-hook
        return lazy_mmu_mode_enable role=api
        observed switch-in off                  # expect: mode-left-on-cpu
    """
    said, expected = broken(text, COUNTED, "mode-left-on-cpu")
    assert said == expected


def test_what_is_seen_at_other_moments_is_no_switch() -> None:
    """The mode is off after the end of the section, and on after its beginning."""
    text = "observed enable on\nobserved switch-out on\nobserved irq on pending"
    assert not details(text, COUNTED, "mode-left-on-cpu")


# ---- dirty-start ---------------------------------------------------------------------------------


@pytest.mark.parametrize("at", ["start", "user-return", "exit"])
def test_counters_must_be_zero_at_both_ends_of_a_task(at: str) -> None:
    """A wrapped u8 is as wrong as a section left open."""
    assert not details(f"observed {at} off 0,0", COUNTED, "dirty-start")
    for counters in ("1,0", "0,1", "255,0"):
        assert len(details(f"observed {at} counters={counters}", COUNTED, "dirty-start")) == 1
    assert details(f"observed {at} on", NO_NESTING, "dirty-start") == ["the mode on"]


def test_a_section_that_the_task_left_open_is_told_once() -> None:
    """By the rule about sections; the counters only agree with it."""
    text = """
        enable
        observed user-return on 1,0
        user_return                             # expect: unbalanced-section
        observed user-return on 1,0             # expect: dirty-start
    """
    said, expected = broken(text, COUNTED, "dirty-start", "unbalanced-section")
    assert said == expected


def test_a_pause_may_not_reach_user_mode() -> None:
    """A pause may not reach user mode, where nothing would resume it."""
    text = "pause\nuser_return      # expect: unbalanced-pause"
    said, expected = broken(text, COUNTED, "unbalanced-pause")
    assert said == expected


# ---- flush-is-nop, irq-deferred ------------------------------------------------------------------


def test_ends_and_flushes_leave_nothing_pending_where_the_text_says_so() -> None:
    """An outermost end and a flush in every dialect, a nested end where sections may nest."""
    text = """
        enable
        enable
        disable
        observed disable on pending
        flush
        observed flush on pending
        disable
        observed disable off pending
    """
    assert details(text, COUNTED, "flush-is-nop") == ["nested-end", "flush", "end"]
    for old in (PTL_HELD, NO_NESTING):
        assert details(text, old, "flush-is-nop") == ["flush", "end"]


@pytest.mark.parametrize("context", ["pin bh", "irq_enter hard", "pause"])
def test_a_call_that_does_nothing_flushes_nothing(context: str) -> None:
    """In interrupt context and while paused that is the contract."""
    text = f"{context}\nflush\nobserved flush pending"
    assert not details(text, COUNTED, "flush-is-nop")


def test_an_update_in_an_interrupt_is_not_put_off() -> None:
    """Only the handler's own update counts, and only in a handler."""
    text = """
        enable
        irq_enter soft
        observed irq on pending=no
        observed irq on pending                 # expect: irq-deferred
        irq_exit soft
        observed irq on pending
    """
    for dialect in DIALECTS.values():
        said, expected = broken(text, dialect, "irq-deferred")
        assert said == expected


def test_the_message_names_the_interrupt() -> None:
    """The message names the interrupt, an NMI with its own article."""
    for kind, words in (("hard", "in a hard interrupt"), ("nmi", "in an NMI")):
        listed = parse(f"irq_enter {kind}\nobserved irq pending")
        ((_, found),) = judge(listed, Runtime([RULES["irq-deferred"]], COUNTED))
        assert RULES["irq-deferred"].message(found).endswith(words)


# ---- what a switch shows -------------------------------------------------------------------------


def test_who_blocks_in_a_section_sleeps_in_it() -> None:
    """Preempted and waiting for a spinlock of PREEMPT_RT are no sleep."""
    text = """
        switch_out blocked
        enable
        switch_out preempted
        switch_out lock
        switch_out exit
        switch_out blocked          # expect: sleep-in-section
        switch_out yielded          # expect: sleep-in-section
        pause
        switch_out blocked
    """
    said, expected = broken(text, COUNTED, "sleep-in-section")
    assert said == expected


def test_a_section_that_goes_on_elsewhere_has_moved() -> None:
    """A section that goes on on another CPU has moved, where both CPUs are known."""
    text = """
        pin migrate
        switch_in from_cpu=0 cpu=1
        enable
        switch_in from_cpu=1 cpu=1
        switch_in cpu=1
        switch_in from_cpu=0
        switch_in from_cpu=1 cpu=0  # expect: preempted-in-section
        switch_out lock             # expect: preempted-in-section
    """
    said, expected = broken(text, COUNTED, "preempted-in-section")
    assert said == expected


def test_counters_fill_in_what_is_not_known() -> None:
    """A trace that shows nothing but counters at switches is enough to see who sleeps."""
    text = """
        unknown all
        switch_out blocked
        observed switch-out counters=1,0
        switch_out blocked                      # expect: sleep-in-section
        unknown mode
        unknown pause
        observed switch-out counters=1,1
        switch_out blocked
        unknown mode
        switch_out blocked
    """
    said, expected = broken(text, COUNTED, "sleep-in-section")
    assert said == expected


def test_counters_correct_nothing_that_is_known() -> None:
    """What the code meant stays, so that one mistake is told once."""
    runtime = Runtime([], COUNTED)
    product, _ = runtime.step(runtime.start(), ev.Enable())
    assert runtime.step(product, ev.Observed("enable", counters=(0, 0)))[0] == product


@pytest.mark.parametrize("count", [4, 100, 255])
def test_a_counter_beyond_what_is_followed_is_more_than_zero(count: int) -> None:
    """How much more does not matter to a rule: a task that ends so has something left."""
    runtime = Runtime([RULES["unbalanced-section"]], COUNTED)
    product, _ = runtime.step(runtime.start(), ev.Unknown("mode"))
    product, _ = runtime.step(product, ev.Observed("exit", counters=(count, 0)))
    assert product.task.depth == MAX_DEPTH
    assert runtime.step(product, ev.Exit())[1][0].rule == "unbalanced-section"


def test_a_flush_that_does_nothing_leaves_all_pending() -> None:
    """As arch_flush_lazy_mmu_mode() of powerpc and sparc to v6.19."""
    text = """
        enable
        write p
        flush how=noop
        read p                      # expect: stale-read
        flush
        read p
    """
    said, expected = broken(text, NO_NESTING, "stale-read")
    assert said == expected


# ---- harms ---------------------------------------------------------------------------------------


def test_harms_are_told_as_they_are_seen() -> None:
    """The use of the new translation is none."""
    text = """
        undone p set_pte_at         # expect: lost-update
        use p page
        use p stale                 # expect: stale-translation-used
        bug preemptible()           # expect: kernel-bug
    """
    harms = ("lost-update", "stale-translation-used", "kernel-bug")
    for dialect in DIALECTS.values():
        said, expected = broken(text, dialect, *harms)
        assert said == expected


TOGETHER = "enable\nobserved enable on\nwrite p\nwrite q\ndisable\nexit"


@pytest.mark.parametrize(
    ("text", "dialect", "fault"),
    [
        (TOGETHER, NO_NESTING, []),
        (TOGETHER.replace("enable on", "enable off"), NO_NESTING, ["never-on"]),
        ("enable\nobserved enable off\ndisable\n" + TOGETHER, COUNTED, []),
        ("pause\nenable\nobserved enable off\ndisable\nresume\nexit", COUNTED, []),
        ("pin bh\nenable\nobserved enable off\nexit", COUNTED, []),
        ("enable\nwrite p\ndisable\nenable\nwrite q\ndisable\nexit", NO_NESTING, []),
        (
            "enable\nenable\nwrite p\ndisable\nwrite q\ndisable\nexit",
            PTL_HELD,
            ["never-batches"],
        ),
        ("enable\nenable\nwrite p\ndisable\nwrite q\ndisable\nexit", COUNTED, []),
        ("enable\nwrite p\nflush leave\nwrite q\ndisable\nexit", NO_NESTING, ["never-batches"]),
        ("enable\nwrite p\nflush api\nwrite q\ndisable\nexit", COUNTED, []),
        ("enable\nwrite p\nflush switch\nwrite q\ndisable\nexit", COUNTED, []),
        ("enable\nobserved enable off\nunknown all\nexit", COUNTED, []),
        ("exit", COUNTED, []),
    ],
)
def test_a_mode_without_effect_is_told_at_the_end(
    text: str, dialect: Dialect, fault: list[str]
) -> None:
    """Never on, or never two updates together; what somebody asked for or lost events is none."""
    assert details(text, dialect, "mode-not-effective") == fault


def test_a_run_is_judged_over_all_its_tasks() -> None:
    """A task whose mode was never on is no fault where another's was."""
    never = ModeEffect(off=2)
    assert mode_effect([never, never]).fault == "never-on"
    assert mode_effect([never, ModeEffect(on=1)]).fault is None
    assert (
        mode_effect([ModeEffect(alone=2, together=1), ModeEffect(alone=2, together=2)]).fault
        is None
    )
    assert mode_effect([]).fault is None
