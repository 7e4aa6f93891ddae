# SPDX-License-Identifier: GPL-2.0-or-later
"""What an answer rests on: a clean one rests on something, and says on what."""

from __future__ import annotations

import io
from itertools import cycle

import pytest

from lazymmu.ftrace.record import TraceError
from lazymmu.report.trace import text
from lazymmu.witness.trace.check import check_trace, trace_rules
from lazymmu.witness.trace.values import TraceResult

from .lines import IDLE0, A, Tape
from .readings import Play, Task
from .test_counter_law import INTERIOR, interior, judged

HEAD = "# tracer: nop\n#\n# entries-in-buffer/entries-written: 1/1   #P:1\n#\n"
NAMED = f"Linux localhost 7.3.4 x86_64\n{HEAD}"


def of(tape: Tape, head: str = NAMED, **options: object) -> TraceResult:
    """What is said of a tape."""
    return check_trace("made", io.BytesIO((head + tape.text).encode()), **options)


def over(watched: TraceResult) -> dict[str, int]:
    """The rules that could be judged, and over how much."""
    return {one.rule: one.over for one in watched.basis if one.over}


def test_every_rule_is_judged_or_said_why_not():
    """Each rule of traces has a number of things that it was judged by, or a reason."""
    watched = judged(interior("enable", "disable", "user"))
    assert [one.rule for one in watched.basis] == trace_rules()
    assert all(bool(one.over) != bool(one.why) for one in watched.basis)
    assert over(watched)["unbalanced-section"] == 1
    assert watched.conclusive


def test_a_clean_answer_says_what_it_rests_on():
    """Which rules could be judged, over how much, and which not and why."""
    good, bad = text.rests_on(judged(interior("enable", "disable", "user")))
    assert "judged: unbalanced-section over 1 sections" in good
    assert "nested-section" in bad
    assert "sections may nest" in bad


def test_switches_alone_are_no_answer():
    """Nothing in them shows the mode, and nobody knows that all is well."""
    tape = Tape()
    tape.switch(IDLE0, A, 0, "R")
    watched = of(tape)
    assert (over(watched), watched.conclusive) == ({}, False)


def test_flushes_alone_are_no_answer():
    """From v7.2 on they are all that functions show of Xen PV: no rule is about them."""
    tape = Tape()
    for _ in range(9):
        tape.add(A, 0, "xen_flush_lazy_mmu <-zap_pte_range")
    watched = of(tape)
    assert watched.seen.flushes == 9
    assert (over(watched), watched.conclusive) == ({}, False)
    assert any("not one rule" in one.reason for one in watched.caveats)


def test_a_rule_that_was_asked_for_and_cannot_be_judged_leaves_the_answer_open():
    """Others could be, and nobody asked for them."""
    play = Play(xen=False, seen=frozenset({"sw", "sched"}))
    play.switch(Task("sh", 90))
    assert judged(play).conclusive
    assert not judged(play, rules=["unbalanced-pause"]).conclusive
    assert judged(play, rules=["sleep-in-section"]).conclusive


# ---- whether the mode comes to anything ----------------------------------------------------------


def updates(joined: int, alone: int) -> Tape:
    """So many updates, as Xen's multicalls show them."""
    tape = Tape()
    results = ["OK"] * joined + ["BAD_OP"] * alone
    for result in results:
        said = f"extending op 1(mmu_update) by 16 bytes res {result}"
        tape.add(A, 0, f"xen_mc_extend_args: {said}", "d....")
    return tape


@pytest.mark.parametrize(
    ("joined", "alone", "wrong"),
    [(900, 100, False), (1, 900, True), (0, 300, True), (0, 50, False)],
)
def test_updates_that_are_never_done_together_are_told(joined, alone, wrong):
    """As on v7.3.4, where 4 of 35,834 join another; on v7.1.13 it is nine in ten."""
    watched = of(updates(joined, alone))
    found = [one for one in watched.violations if one.rule == "mode-not-effective"]
    assert bool(found) is wrong
    assert over(watched).get("mode-not-effective", 0) == (0 if alone == 50 else joined + alone)
    for one in found:
        assert one.location.line == joined + 6
        assert any(f"{joined} of {joined + alone} updates" in note for note in one.notes)


def test_a_kernel_before_counters_is_not_judged_by_its_updates():
    """There the first update of a section says whether the mode is on."""
    watched = of(updates(0, 900), head=NAMED.replace("7.3.4", "6.12.107"))
    assert (watched.violations, over(watched)) == ((), {})


def test_a_few_updates_that_join_others_show_that_the_mode_works():
    """To say that it does not takes more of them than to see that it does."""
    assert over(of(updates(8, 2))) == {"mode-not-effective": 10}
    assert over(of(updates(2, 8))) == {}


def test_tasks_that_are_all_paused_in_all_readings_never_have_the_mode():
    """Each has its own finding, and that it comes to nothing is one of the whole."""
    play = Play(seen=frozenset({"sw", "sched", "sw_out"}))
    tasks = [Task(f"t{n}", 100 + n, pc=0) for n in range(3)]
    play.now = Task("t9", 109, pc=255)
    for _, task in zip(range(9), cycle(tasks), strict=False):
        play.switch(task)
    rules = [one.rule for one in judged(play).violations]
    assert rules.count("mode-not-effective") == 1
    assert rules.count("dirty-start") == 4


def test_calls_that_are_all_ignored_never_have_the_mode():
    """A guard tells each call, also the ignored one."""
    play = Play(seen=INTERIOR | {"sw_out"})
    play.switch(Task("sh", 90, pc=0))
    for _ in range(5):
        play.site("enable")
        play.site("disable")
    watched = judged(play)
    assert watched.seen.ignored == 5
    assert "mode-not-effective" in [one.rule for one in watched.violations]


def test_x86_without_xen_has_no_mode_that_could_be_without_effect():
    """It defers nothing, whatever its counters say of it."""
    play = Play(xen=False, seen=INTERIOR)
    play.now = Task("sh", 90, pc=3)
    for _ in range(5):
        play.site("enable")
    assert "mode-not-effective" not in [one.rule for one in judged(play).findings]


# ---- what options say against the recording ------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"release": "6.12"}, "counters that tasks have from v7.0 on"),
        ({"release": "7.1.13"}, "which names 7.3.4"),
        ({"arch": "arm64"}, "which names x86_64"),
    ],
)
def test_an_option_that_cannot_be_true_of_the_recording_is_refused(options, words):
    """A clean answer by the law of another kernel would be none."""
    play = Play(seen=frozenset({"sw", "sched"}))
    play.switch(Task("sh", 90, pc=1))
    with pytest.raises(TraceError, match=words):
        judged(play, **options)


def test_an_option_that_says_the_same_in_other_words_is_taken():
    """The release itself, its series, its machine's other name."""
    play = Play(seen=frozenset({"sw", "sched"}))
    play.switch(Task("sh", 90, pc=1))
    for options in ({"release": "7.3"}, {"release": "7.3.9"}, {"arch": "x86"}):
        assert judged(play, **options).violations == ()


def test_an_option_that_does_not_fit_what_is_recorded_is_said():
    """Functions are backported: that v7.3 has no xen_enter_lazy_mmu() proves nothing."""
    tape = Tape()
    tape.enter(A, 0)
    tape.leave(A, 0)
    watched = of(tape, head=HEAD, release="7.3.4")
    assert any("does not fit what is recorded" in one.reason for one in watched.caveats)
    assert not watched.conclusive
    assert of(tape, head=HEAD, release="7.1.13").caveats == ()


@pytest.mark.parametrize("arch", ["powerpc", "arm64", "x86-native"])
def test_functions_of_another_architecture_than_the_one_named_leave_it_open(arch):
    """Sections looked for in functions that the kernel does not have are no clean answer."""
    tape = Tape()
    tape.enter(A, 0)
    tape.leave(A, 0)
    watched = of(tape, head=HEAD, arch=arch)
    assert f"--arch {arch} does not fit what is recorded" in str(watched.caveats)
    assert not watched.conclusive
    assert of(tape, head=HEAD, arch="x86").caveats == ()


def test_findings_about_counters_are_told_in_full_once():
    """Hundreds of tasks show one cause: ten of them have a line, and the rest a number."""
    play = Play(seen=frozenset({"sw", "sched", "sw_out"}))
    first = play.now
    for number in range(30):
        play.switch(Task(f"t{number}", 100 + number, pc=0))
        play.switch(first)
    told = text.render([judged(play)])
    assert told.count("[dirty-start]") == 10
    assert "is paused though nobody paused it (enable_count 0, pause_count 255)" in told
    assert "20 more tasks of dirty-start; --rule dirty-start shows them" in told
    assert text.render([judged(play)], asked=["dirty-start"]).count("[dirty-start]") == 30


def test_a_rule_that_names_traces_as_its_witness_is_judged_by_them():
    """And no other is: `explain` would promise what `trace` cannot tell."""
    from lazymmu.contract.rules import RULES
    from lazymmu.contract.rules.rule import Witness
    from lazymmu.witness.trace.judgement import trace_rules

    named = [name for name, rule in RULES.items() if Witness.TRACE in rule.witnesses]
    assert named == trace_rules()


@pytest.mark.parametrize(("does", "what", "count"), [("en", "end", 0), ("di", "beginning", 1)])
def test_probes_at_one_half_of_the_sections_alone_give_no_clean_answer(does, what, count):
    """Where beginnings or ends alone are recorded, balance is not judged, and that is said."""
    line = f"{does}1: (f+0x4/0x20) pid=90 ec={count} pc=0"
    text = "".join(
        f"              sh-90      [000] .....   10.00010{at}: {line}\n" for at in range(2)
    )
    watched = check_trace("made", io.BytesIO(text.encode()))
    assert not watched.conclusive
    assert any(f"no {what} of a section" in one.reason for one in watched.caveats)
    assert {one.rule: one.over for one in watched.basis}["unbalanced-section"] == 0


# ---- what one reading is worth -------------------------------------------------------------------


def one_reading(event: str, place: str, pid: int = 90, more: str = "", paused: int = 0) -> Tape:
    """A recording of nothing but one reading of a task's counters."""
    tape = Tape()
    task = ("<idle>", 0) if pid == 0 else ("sh", pid)
    tape.add(task, 0, f"{event}: ({place}+0x4/0x40) pid={pid} ec=0 pc={paused}{more}")
    return tape


@pytest.mark.parametrize(
    "tape",
    [
        one_reading("sw", "__probestub_sched_switch", pid=0, more=" st=0x0 pr=0"),
        one_reading("sw_out", "xen_start_context_switch", pid=0),
        one_reading("sw_out", "xen_start_context_switch"),
        one_reading("sw_in", "xen_end_context_switch"),
        one_reading("sw_in", "xen_end_context_switch", pid=0),
        one_reading("sw_in", "xen_end_context_switch", paused=1),
        one_reading("ge1", "zap_pte_range"),
        one_reading("mine", "some_function"),
    ],
    ids=["idle", "idle-out", "out", "in", "idle-in", "paused-in", "guard", "elsewhere"],
)
def test_one_reading_that_no_rule_can_be_judged_by_is_no_answer(tape):
    """It says what a count is, and nothing says what it should be: what is needed is named."""
    watched = of(tape)
    assert (watched.findings, over(watched), watched.conclusive) == ((), {}, False)
    (why,) = [one.reason for one in watched.caveats if "not one rule" in one.reason]
    assert "a second reading of the same task" in why


@pytest.mark.parametrize(
    ("tape", "rules"),
    [
        (
            one_reading("ex", "__probestub_sched_process_exit"),
            {"unbalanced-section", "unbalanced-pause", "dirty-start"},
        ),
        (
            one_reading("ur", "__probestub_sys_exit"),
            {"unbalanced-section", "unbalanced-pause", "dirty-start"},
        ),
        (
            one_reading("sw", "__probestub_sched_switch", more=" st=0x1 pr=0"),
            {"sleep-in-section", "preempted-in-section"},
        ),
        (one_reading("new", "__probestub_sched_process_fork"), {"dirty-start"}),
    ],
    ids=["exit", "user-return", "switch-out", "start"],
)
def test_one_reading_where_its_counters_are_known_judges_what_it_can(tape, rules):
    """At a task's end they are zero; and of one that sleeps, whether it is in a section shows."""
    watched = of(tape)
    assert (set(over(watched)), watched.conclusive) == (rules, True)


def test_two_readings_of_one_task_are_held_to_each_other():
    """Of an idle task, too: what it had as it went it has as it comes."""
    tape = one_reading("sw_out", "xen_start_context_switch", pid=0)
    tape.add(IDLE0, 0, "sw_in: (xen_end_context_switch+0x4/0x40) pid=0 ec=0 pc=1")
    assert over(of(tape)) == {"dirty-start": 1}


def test_a_count_below_zero_is_told_by_one_reading():
    """No right calls lead there; whose it is, depends on whether hooks of switches pause."""
    (found,) = of(one_reading("sw_out", "xen_start_context_switch", paused=255)).violations
    assert found.rule == "dirty-start"
    (found,) = of(one_reading("ge1", "zap_pte_range", paused=255)).violations
    assert found.rule == "unbalanced-pause"


def test_the_kernel_s_silence_needs_something_that_it_could_have_noticed():
    """A message of another matter, and one reading that says nothing, are no clean answer."""
    tape = one_reading("sw_in", "xen_end_context_switch")
    tape.add(A, 0, "console: [   10.1] eth0: link is up")
    watched = of(tape)
    assert (over(watched), watched.conclusive) == ({}, False)
    (why,) = [one.why for one in watched.basis if one.rule == "kernel-bug"]
    assert why == "nothing shows what the kernel could have noticed"


XEN = "xen_{}_lazy_mmu <-zap_pte_range"


@pytest.mark.parametrize(
    ("line", "whole"),
    [
        ("CPU:0 [LOST 12 EVENTS]", False),
        ("CPU:0 [LOST EVENTS]", False),
        ("CPU:0 [7 EVENTS DROPPED]", False),
        ("##### CPU 1 buffer started ####", True),
        ("", True),
    ],
)
def test_a_trace_that_lost_records_amid_others_is_not_clean(line, whole):
    """A violation may be among them; a buffer that begins later than another hides nothing."""
    tape = Tape()
    for does in ("enter", "leave", "", "enter", "leave"):
        if does:
            tape.add(("a", 7), 0, XEN.format(does))
        else:
            tape.lines += [line] * bool(line)
    watched = of(tape, HEAD, release="6.12")
    assert "unbalanced-section" in over(watched)
    assert watched.conclusive == whole
    assert watched.incomplete == (f"records are missing: {line}" if not whole else "")
    assert not watched.findings


@pytest.mark.parametrize(
    ("steps", "judged_by"),
    [
        # The end of one section, and the beginning of another.
        (((7, 0, "leave"), (8, 1, "enter")), False),
        (((7, 0, "enter"), None, (7, 0, "leave")), False),
        (((7, 0, "enter"), (7, 0, "leave")), True),
        # In one line after the other, and not.
        (((7, 0, "enter"), (8, 1, "enter"), (7, 0, "leave")), True),
    ],
)
def test_no_section_is_judged_of_which_the_beginning_or_the_end_is_not_seen(steps, judged_by):
    """None: records are missing there; as many ends as beginnings are not yet sections."""
    tape = Tape()
    for step in steps:
        if step is None:
            tape.lines.append("CPU:0 [LOST 12 EVENTS]")
        else:
            pid, cpu, does = step
            tape.add(("a", pid), cpu, XEN.format(does))
    watched = of(tape, HEAD, release="6.12")
    assert ("unbalanced-section" in over(watched)) == judged_by
    assert watched.conclusive == judged_by
    assert not watched.findings
