# SPDX-License-Identifier: GPL-2.0-or-later
"""From what a monitor objects to in a trace to what is told of it.

The same line is a violation on one kernel and allowed on another, and some lines cannot tell which
of two things they show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.contract.deferral import DeferralRow, harm_sentence
from lazymmu.contract.deferral.allowed import allowed
from lazymmu.contract.dialects import Dialect, Status
from lazymmu.contract.events import SwitchOut
from lazymmu.contract.monitor import Violation
from lazymmu.contract.rules import RULES
from lazymmu.contract.rules.rule import RuleKind
from lazymmu.witness.finding import Harm, Severity, Step
from lazymmu.witness.trace.values import BEGAN, READ, TraceFinding, TraceLocation, TraceVerdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lazymmu.witness.trace.task_state import Place, TracedTask

__all__ = ["PREEMPTED", "SLEPT", "PendingFinding", "finding"]

PREEMPTED: Final = "preempted-in-section"
SLEPT: Final = "sleep-in-section"

_PREEMPTING: Final = ("preempt_schedule", "raw_irqentry_exit_cond_resched", "irqentry_exit_cond")
"""Functions that switch a task out against its will (kernel/sched/core.c, entry/common.c)."""

_WAITS_FOR_LOCK: Final = "schedule_rtlock"
"""What a task calls that waits for a spinlock of PREEMPT_RT (kernel/sched/core.c, since v5.15).

It has the state D then, like one that sleeps (TASK_RTLOCK_WAIT; include/trace/events/sched.h).
"""


class PendingFinding:
    """A finding in the making: a stack that comes later is filled into its place.

    counted: what began it are readings of the counters, not sections; readings: how many of them
    show it, and noun, what these are; notes: what else is to be said; void: it is none after all;
    retracted: since the order of its task's lines is not known; sure: nothing that comes later may
    explain it.
    """

    __slots__ = (
        "began",
        "context",
        "counted",
        "notes",
        "noun",
        "place",
        "readings",
        "retracted",
        "sure",
        "task",
        "violation",
        "void",
    )

    def __init__(
        self,
        task: TracedTask,
        violation: Violation,
        place: Place,
        context: tuple[tuple[int, str], ...],
        began: Sequence[Place] | None = None,
    ) -> None:
        """began: the readings before, of a finding about counters; else the task's sections."""
        self.task = (task.comm, task.pid)
        self.violation = violation
        self.place = place
        self.began = tuple(task.begins if began is None else began)
        self.counted = began is not None
        self.readings = 1
        self.noun = "readings of its counters"
        self.notes: tuple[str, ...] = ()
        self.context = context
        self.void = self.retracted = self.sure = False


def finding(
    one: PendingFinding,
    trace: str,
    arch: str,
    rows: tuple[DeferralRow, ...],
    dialects: tuple[Dialect, ...],
    *,
    rt: bool,
) -> TraceFinding:
    """What is told of a violation.

    :param trace: its name.
    :param arch: "" where it is not known.
    :param rows: of the kernels that the trace may be of.
    :param dialects: likewise.
    :param rt: whether they have PREEMPT_RT.
    """
    if _slept(one) and _WAITS_FOR_LOCK in (one.place[4] or ()):
        one.violation = Violation(PREEMPTED, SwitchOut("lock"), "switched-out")
    rule = RULES[one.violation.rule]
    notes = list(one.notes)
    verdict, severity, hurt = _judged(one.violation, rows)
    if _slept(one) and not one.place[4] and rt:
        verdict, severity = TraceVerdict.UNKNOWN, Severity.INFORMATION
        notes.append("or waits for a spinlock of PREEMPT_RT, which may be: a stack would tell")
    if rule.name == PREEMPTED:
        if verdict is TraceVerdict.ALLOWED and _may_have_yielded(one):
            verdict = TraceVerdict.UNKNOWN
            notes.append("or gives up its CPU by itself, which is not: this form does not tell")
        notes.append(_allowed(one.violation, rows))
    if one.readings > 1:
        notes.append(f"{one.readings} {one.noun} show it")
    comm, pid = one.task
    words = READ if one.counted else BEGAN
    message = rule.message(one.violation)
    spot, began = _spot(one.place), tuple(_spot(place) for place in one.began)
    return TraceFinding(
        rule=rule.name,
        verdict=verdict,
        severity=severity,
        arches=(arch,) if arch else (),
        file=trace,
        line=spot.line,
        column=1,
        message=message,
        path=(
            *(Step(trace, section.line, 1, "", words) for section in began),
            Step(trace, spot.line, 1, "", message),
        ),
        comm=comm.decode("utf-8", "replace"),
        pid=pid,
        location=spot,
        began=began,
        since=words,
        notes=tuple(notes),
        harms=(Harm(arch, hurt),) if hurt else (),
        implied=all(rule.status(dialect) is Status.IMPLIED for dialect in dialects),
        context=one.context,
    )


def _spot(place: Place) -> TraceLocation:
    number, stamp, cpu, text, frames = place
    return TraceLocation(
        number,
        stamp.decode("utf-8", "replace").strip(),
        cpu,
        text[:400].decode("utf-8", "replace"),
        tuple(frames or ()),
    )


def _judged(
    violation: Violation, rows: tuple[DeferralRow, ...]
) -> tuple[TraceVerdict, Severity, str]:
    """What a violation is on an implementation that is one of `rows`."""
    rule = RULES[violation.rule]
    may = {allowed(rule.name, row, violation.detail) for row in rows}
    if rule.kind is RuleKind.INFORMATION and may != {False}:
        verdict = TraceVerdict.ALLOWED if may == {True} else TraceVerdict.UNKNOWN
        return verdict, Severity.INFORMATION, ""
    if may == {True}:
        return TraceVerdict.ALLOWED, Severity.INFORMATION, ""
    hurts = [harm_sentence(rule.name, row, "unknown", violation.detail) for row in rows]
    said = {text for text in hurts if text}
    if not said and rule.kind is not RuleKind.HARM:
        return TraceVerdict.VIOLATION, Severity.BREAKS_TEXT, ""
    # What hurts one of the kernels that it may be is worth saying; what it does, only when sure.
    return (
        TraceVerdict.VIOLATION,
        Severity.HURTS,
        said.pop() if len(set(hurts)) == 1 and said else "",
    )


def _slept(one: PendingFinding) -> bool:
    """Whether this is a task that was switched out in a section in the state D."""
    event, text = one.violation.event, one.place[3]
    if one.violation.rule != SLEPT or not isinstance(event, SwitchOut):
        return False
    return event.why == "blocked" and (b"prev_state=D" in text or b"] D ==>" in text)


def _may_have_yielded(one: PendingFinding) -> bool:
    """Whether a switch that counts as a preemption may have been a call of schedule().

    trace-cmd's plugin drops the + of R+, and raw states have none; a stack tells.
    """
    event, text, frames = one.violation.event, one.place[3], one.place[4] or ()
    if not isinstance(event, SwitchOut) or b"prev_state=" in text or b" pr=1" in text:
        return False
    return not any(name.startswith(_PREEMPTING) for name in frames)


def _allowed(violation: Violation, rows: tuple[DeferralRow, ...]) -> str:
    """Whether that may happen on this implementation, in words."""
    if not rows:
        return "whether that is allowed depends on the architecture: name it with --arch"
    may = {allowed(violation.rule, row, violation.detail) for row in rows}
    if len(may) > 1:
        return "whether that is allowed depends on the release: name it with --release"
    words = "allowed" if may == {True} else "not allowed"
    same = {row.on_context_switch for row in rows}
    return f"{words} on {rows[0].label}" + (f": {same.pop()}" if len(same) == 1 else "")
