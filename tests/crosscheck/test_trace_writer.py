# SPDX-License-Identifier: GPL-2.0-or-later
"""A counterexample written as a trace: `lazymmu trace` says of it what the machine was shown to do.

All scenarios that ship, on all implementations that they speak of.  Nothing here lists which can be
told: the rule's witnesses, the profile of the kernel and what its lines say decide.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lazymmu.crosscheck.trace_writer import render_trace
from lazymmu.crosscheck.values import NotVisible, RenderedTrace
from lazymmu.crosscheck.visibility import visibility
from lazymmu.ftrace.profile import functions, profiles, version
from lazymmu.litmus.run import Run, RunLimits, library, load, runs, verify
from lazymmu.litmus.to_config import to_query
from lazymmu.report.verify.ftrace import render
from lazymmu.witness.machine.verdict import Counterexample, Verdict
from lazymmu.witness.trace.check import check_trace, trace_rules
from lazymmu.witness.trace.values import TraceResult
from lazymmu.witness.trace.values import TraceVerdict as Said

LIMITS = Path(__file__).parents[2] / "docs" / "limits.rst"


@dataclass(frozen=True)
class Case:
    """One violation of one run, as a trace, and what is found in that."""

    verdict: Verdict
    broken: Counterexample
    told: RenderedTrace

    @property
    def name(self) -> tuple[str, str, str, str]:
        """For a failed test."""
        return (
            self.verdict.scenario,
            self.verdict.arch,
            self.verdict.release,
            self.broken.rule,
        )

    def found(self) -> TraceResult:
        """What `lazymmu trace` makes of the text."""
        text = render(self.verdict, self.broken, self.told)
        stream = io.BytesIO(text.encode())
        return check_trace("told", stream, arch=self.verdict.arch, release=self.verdict.release)


def cases_of(run: Run) -> list[Case]:
    """Every violation of a run."""
    verdict = verify(run, RunLimits(seconds=20))
    asked = to_query(run.scenario, verdict.arch, verdict.release)
    return [
        Case(verdict, broken, render_trace(run.scenario.name, asked, broken))
        for broken in verdict.violations
    ]


@cache
def cases() -> tuple[Case, ...]:
    """Every violation of every run."""
    return tuple(case for run in runs(library()) for case in cases_of(run))


def told() -> list[Case]:
    """Those that a trace tells."""
    return [case for case in cases() if case.told.not_visible is None]


def hushed(why: NotVisible) -> list[Case]:
    """Those that none does, for this reason."""
    return [case for case in cases() if case.told.not_visible is why]


def case_of(text: str, arch: str, release: str, rule: str) -> Case:
    """The violation of one rule by a scenario made for a test."""
    scenario = load(text, "made.litmus")
    (run,) = runs([scenario], arches={arch}, releases={release}, everything=True)
    return next(case for case in cases_of(run) if case.broken.rule == rule)


def lines(case: Case) -> list[str]:
    """The texts of the lines of the way, without the beginning."""
    return [line.text for line in case.told.lines if line.comm == case.told.task]


# ---- the same is said ----------------------------------------------------------------------------


def test_the_trace_says_the_same_rule_of_the_same_task():
    """Whatever the lines say is found in them."""
    missed = [
        case.name
        for case in told()
        if (case.broken.rule, case.told.pid)
        not in {(one.rule, one.pid) for one in case.found().findings}
    ]
    assert missed == []


def test_what_the_lines_do_not_say_is_not_found_in_them():
    """The other way round: no finding comes from anywhere but the lines."""
    invented = [
        case.name
        for case in hushed(NotVisible.EVENT)
        if case.broken.rule in {one.rule for one in case.found().findings}
    ]
    assert invented == []


def test_nothing_else_is_found_than_the_machine_broke():
    """Counters alone do not tell a section that was paused when it ended from another.

    Probes do not see an end that bottom halves keep from counting, and a scenario may not watch
    all.
    """
    strange = []
    for case in told():
        known = {broken.rule for broken in case.verdict.violations}
        if known & {"unbalanced-pause", "bh-across-section"}:
            known.add("unbalanced-section")
        known |= set(case.told.also)
        findings = case.found().findings
        violations = {one.rule for one in findings if one.verdict is Said.VIOLATION}
        if not violations <= known:
            strange.append((case.name, violations - known))
    assert strange == []


def test_the_text_leaves_no_doubt():
    """It is whole, in order, and readable to the last line."""
    doubtful = [
        (case.name, one)
        for case in told()
        for one in case.found().caveats
        # What could be about anything is said where no section shows; and a way may end, or be
        # shortened, so that only one half of its sections is there.
        if not one.reason.startswith("the kernel says")
        and "is in the trace: is a probe where it is?" not in one.reason
        # Written as a function, which it is on sparc64 alone: elsewhere the compiler puts it in.
        and not one.reason.endswith("guessed from arch_enter_lazy_mmu_mode")
    ]
    assert doubtful == []


# ---- how much of it ------------------------------------------------------------------------------


def test_most_of_what_traces_witness_is_told():
    """So that the tests above cannot come to be about nothing."""
    count = Counter(case.told.not_visible for case in cases())
    assert count[None] >= 105
    assert count[None] > 3 * count[NotVisible.EVENT] > 0
    assert count[NotVisible.RULE] > 0
    assert count[NotVisible.KERNEL] > 0


SILENT = {
    # The guard that bottom halves make ignore a call is no counter's: a begin in which the end is
    # ignored looks as one that nobody ends.
    ("bh-off-at-disable", "dirty-start"): {"unbalanced-section"},
    # A state of the CPU, which nobody uses: the sleep that leaves it there is told.
    ("changes-before-sleep", "mode-left-on-cpu"): {"kernel-bug", "sleep-in-section"},
    # One task, and three readings: too few to say of a whole kernel that it never has the mode.
    ("fork-outside-section", "mode-not-effective"): {"dirty-start"},
    # A guard shows that a begin is ignored in a pause, and nothing that its end is: in order if it
    # was before the resume.  The end that is one too many is past where this way ends.
    ("resume-at-another-depth", "unbalanced-pause"): set(),
}
"""What recordings by probes do not tell by the rule that is broken, and by which they do."""


def test_nearly_all_is_told_by_probes_at_the_instructions():
    """From v7.0 on, with what the kernel says of itself; each that is not has its reason."""
    silent = [case for case in hushed(NotVisible.EVENT) if case.verdict.release.startswith("7.")]
    assert {(case.verdict.scenario, case.broken.rule) for case in silent} == set(SILENT)
    for case in silent:
        others = SILENT[case.verdict.scenario, case.broken.rule]
        assert others <= set(case.told.also), case.name
        found = {one.rule for one in case.found().violations}
        assert others <= found, case.name


def test_the_limits_name_what_probes_do_not_tell():
    """Each with its rule, and no other."""
    text = LIMITS.read_text("utf-8").partition("Counterexamples that recordings do not tell\n")[2]
    named = re.findall(r"^``([\w-]+)``: ``([\w-]+)``$", text, re.MULTILINE)
    assert sorted(named) == sorted(SILENT)


def test_a_section_that_began_in_a_pause_is_told_when_it_ends_after_it():
    """The way of the machine ends at the resume; a recording goes on, and its last end is wrong."""
    (case,) = (
        case
        for case in hushed(NotVisible.EVENT)
        if (case.verdict.scenario, case.broken.rule)
        == ("resume-at-another-depth", "unbalanced-pause")
    )
    text = render(case.verdict, case.broken, case.told).rstrip("\n") + "\n"
    head = "              T0-1000    [000] .....     "
    right = f"{head}1.000009: di1: (f+0x4/0x20) pid=1000 ec=1 pc=0\n"
    wrong = f"{head}1.000010: di1: (f+0x4/0x20) pid=1000 ec=0 pc=0\n"
    found = []
    for more in ("", right, right + wrong):
        stream = io.BytesIO((text + more).encode())
        result = check_trace("told", stream, arch=case.verdict.arch, release=case.verdict.release)
        found.append([one.rule for one in result.violations])
    assert found == [[], [], ["unbalanced-section"]]


def test_what_one_rule_does_not_tell_another_may():
    """The same mistake shows otherwise: of all rules, also those that traces do not witness."""
    instead = [case for case in cases() if case.told.not_visible is not None and case.told.also]
    assert len(instead) >= 30
    rules = {(case.broken.rule, rule) for case in instead for rule in case.told.also}
    assert {
        ("bh-across-section", "unbalanced-section"),
        ("dirty-start", "unbalanced-section"),
        ("stale-read", "kernel-warning"),
    } <= rules


def test_every_rule_that_lines_can_break_is_told_somewhere():
    """Not told: a mode that stays with a CPU without hooks, and batching that does nothing."""
    violated = {case.broken.rule for case in cases()} & set(trace_rules())
    rules = {case.broken.rule for case in told()}
    assert violated - rules <= {"mode-left-on-cpu", "mode-not-effective"}
    assert len(rules) >= 7


def test_all_architectures_tell_something_by_functions_and_by_counters():
    """Traces of all architectures tell something by functions and by counters, each in its way."""
    ways = {
        (case.verdict.arch, any(" ec=" in line.text for line in case.told.lines), sections)
        for case in told()
        if (kernel := visibility(case.verdict.arch, case.verdict.release)) is not None
        for sections in [kernel.sections]
    }
    assert {arch for arch, _, _ in ways} == {"x86", "powerpc", "sparc", "arm64"}
    assert {(counters, sections) for _, counters, sections in ways} == {
        (False, True),
        (True, True),
        (True, False),
        # What the kernel says of itself, where nothing else shows.
        # powerpc to v6.19: a task that sleeps, by the batch that the switch flushes.
        (False, False),
    }


def test_reasons_for_silence_are_those_of_rule_and_kernel():
    """A rule that traces do not witness; a kernel of which nothing is traced; else the lines."""
    for case in cases():
        kernel = visibility(case.verdict.arch, case.verdict.release)
        witnessed = case.broken.rule in trace_rules()
        said = case.broken.rule in ("kernel-bug", "kernel-warning")
        messages = said and kernel is not None and kernel.messages
        mute = kernel is None or not (kernel.anything or messages)
        assert (case.told.not_visible is NotVisible.RULE) == (not witnessed), case.name
        assert (case.told.not_visible is NotVisible.KERNEL) == (witnessed and mute), case.name


# ---- what is written -----------------------------------------------------------------------------


def test_every_traced_function_is_one_that_the_kernel_has():
    """By the profile of its architecture, between its releases."""
    for case in cases():
        at = version(case.verdict.release)
        for line in case.told.lines:
            name, arrow, _ = line.text.partition(" <-")
            if arrow:
                function = functions()[name]
                assert function in profiles()[case.verdict.arch].functions, case.name
                assert at is not None
                assert function.since <= at < function.until, (case.name, name)


def test_counters_are_read_from_v7_0_on():
    """Before there are none to read."""
    for case in cases():
        at = version(case.verdict.release)
        reads = any(re.search(r"\bec=\d+ pc=\d+", line.text) for line in case.told.lines)
        assert at is not None
        assert not reads or at >= (7, 0, 0), case.name


SLEEPS = """
litmus sleeps
"A task sleeps in a section."
machine: cpus 1, preempt full
entries:
    p  pte user ptl L = A
task T0 on cpu0:
    lazy_mmu_mode_enable
    pte_clear p
    schedule
    lazy_mmu_mode_disable
watch sleep-in-section
"""


def test_powerpc_tells_a_sleep_by_the_batch_that_the_switch_flushes():
    """The hooks are inline there: nothing else shows that the task is in a section."""
    case = case_of(SLEEPS, "powerpc", "6.12.8", "sleep-in-section")
    assert case.told.not_visible is None
    called = [text for text in lines(case) if "<-" in text]
    assert called == ["hpte_need_flush <-sleeps", "__flush_tlb_pending <-__switch_to"]
    assert "sleep-in-section" in {one.rule for one in case.found().findings}


def test_a_sleep_without_anything_in_the_batch_leaves_no_line():
    """And then the trace does not tell."""
    text = SLEEPS.replace("    pte_clear p\n", "")
    case = case_of(text, "powerpc", "6.12.8", "sleep-in-section")
    assert case.told.not_visible is NotVisible.EVENT


def test_xen_shows_what_the_context_switch_does_to_the_mode():
    """A leave that is the hook's, between the switch's own functions."""
    case = case_of(SLEEPS, "x86", "6.12.8", "sleep-in-section")
    names = [text.split(":")[0] for text in lines(case)]
    assert names == [
        "xen_enter_lazy_mmu <-sleeps",
        "sched_switch",
        "xen_start_context_switch <-__schedule",
        "xen_leave_lazy_mmu <-xen_start_context_switch",
        "xen_end_context_switch <-__switch_to",
    ]


def test_before_v6_6_xen_has_the_older_names():
    """The hook of the switch is the paravirt one."""
    case = case_of(SLEEPS, "x86", "6.1.176", "sleep-in-section")
    names = {text for text in lines(case) if "<-" in text}
    assert {
        "paravirt_enter_lazy_mmu <-sleeps",
        "xen_leave_lazy_mmu <-paravirt_start_context_switch",
    } <= names


def test_arm64_shows_the_counters_at_the_switch_and_nothing_else():
    """The task is in one section, and sleeps (state 2).

    No function shows that it began, but the probe at its instruction, which is after the guard's.
    """
    case = case_of(SLEEPS, "arm64", "7.1.13", "sleep-in-section")
    guard, begin, switch, counters = lines(case)
    assert guard == "ge1: (sleeps+0x4/0x20) pid=1000 ec=0 pc=0"
    assert begin == "en1: (sleeps+0x4/0x20) pid=1000 ec=0 pc=0"
    assert "prev_state=D" in switch
    assert re.match(
        r"sw: \(__probestub_sched_switch\+0x4/0x20\) pid=1000 npid=0 ec=1 pc=0", counters
    )
    assert "st=2 pr=0" in counters


FLAGS = """
litmus flags
"Everything that the column of flags shows."
machine: cpus 1, preempt full
entries:
    p  pte user ptl L = A
task T0 on cpu0:
    {}
    lazy_mmu_mode_enable
    lazy_mmu_mode_enable
watch unbalanced-section
"""


def flags_inside(before: str, arch: str = "x86", release: str = "6.12.8") -> str:
    """The flags of the second enter."""
    case = case_of(FLAGS.format(before), arch, release, "unbalanced-section")
    entered = [line for line in case.told.lines if "enter_lazy_mmu" in line.text]
    return entered[-1].flags


def test_the_flags_are_the_machine_s():
    """Interrupts off, bottom halves off, a lock, migration disabled, preemption disabled."""
    assert flags_inside("cond_resched") == "....."
    assert flags_inside("local_irq_disable") == "d...."
    assert flags_inside("local_bh_disable")[0] == "b"
    assert flags_inside("spin_lock L") == "...1."
    assert flags_inside("migrate_disable") == "....1"
    assert flags_inside("spin_lock L", "sparc", "6.12.38") == "...2."


def test_a_section_in_an_interrupt_has_its_flag():
    """Which is all that tells it from one of the task."""
    (case,) = (
        case
        for case in told()
        if case.broken.rule == "section-in-interrupt" and case.verdict.arch == "sparc"
    )
    entered = [line for line in case.told.lines if "<-section_in_hardirq" in line.text]
    assert {(line.flags[0], line.flags[2]) for line in entered} == {("d", "h")}


def test_a_preempted_task_has_a_plus():
    """R+ and not R, which would be a call of schedule()."""
    for case in told():
        if case.broken.rule == "preempted-in-section":
            assert any("prev_state=R+" in text for text in lines(case)), case.name
