# SPDX-License-Identifier: GPL-2.0-or-later
"""The third witness: holds what a running kernel recorded to the contract.

`watch()` reads a trace, finds out which kernel it is of, runs the contract's monitors over what it
shows, and returns findings, what was seen, and what cannot be told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.contract.deferral import Row, harm
from lazymmu.contract.deferral.allowed import allowed
from lazymmu.contract.dialects import PTL_HELD, Dialect, Status
from lazymmu.contract.events import Disable, Enable, SwitchOut
from lazymmu.contract.monitor import Runtime
from lazymmu.contract.rules import RULES
from lazymmu.contract.rules.harms import Effect, effect
from lazymmu.contract.rules.rule import Kind
from lazymmu.ftrace.profile import Guess, guess, hidden, profiles, with_counters
from lazymmu.ftrace.record import TraceError
from lazymmu.ftrace.trace import Lines, Trace, read
from lazymmu.witness.finding import Severity
from lazymmu.witness.trace.acts import NEEDLES, POWERPC_NEEDLES
from lazymmu.witness.trace.finding import Doubt, Spot, TraceFinding, Verdict, Watched
from lazymmu.witness.trace.follow import Follower
from lazymmu.witness.trace.judge import Judge

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import BinaryIO

    from lazymmu.contract.monitor import Violation
    from lazymmu.witness.trace.tracks import Place, Tallied, Task

__all__ = ["trace_rules", "watch"]

_KEPT: Final = 1000
"""Findings that are kept of one rule; the rest is counted."""

_PREEMPTING: Final = ("preempt_schedule", "raw_irqentry_exit_cond_resched", "irqentry_exit_cond")
"""Functions that switch a task out against its will (kernel/sched/core.c, entry/common.c)."""

_EFFECT: Final = "mode-not-effective"
_PREEMPTED: Final = "preempted-in-section"


_SHOWN: Final = (
    "unbalanced-section",
    "nested-section",
    "sleep-in-section",
    "section-in-interrupt",
    "unbalanced-pause",
    _PREEMPTED,
    "mode-left-on-cpu",
    "dirty-start",
    _EFFECT,
)
"""Rules about what traces have: sections, switches, interrupts, counters.  Others need entries,
locks or pins, and would seem to be kept where nothing shows that they are not."""


def trace_rules() -> list[str]:
    """The names of the rules that a trace can show, in the contract's order."""
    return [name for name in RULES if name in _SHOWN]


class _Found:
    """A finding in the making: a stack that comes later is filled into its place."""

    __slots__ = ("began", "context", "place", "task", "violation", "void")

    def __init__(
        self,
        task: Task,
        violation: Violation,
        place: Place,
        context: tuple[tuple[int, str], ...],
    ) -> None:
        self.task = (task.comm, task.pid)
        self.violation = violation
        self.place = place
        self.began = tuple(task.begins)
        self.context = context
        self.void = False


class _Watcher:
    """One run over one trace."""

    def __init__(
        self,
        trace: Trace,
        rules: Collection[str],
        arch: str,
        release: str,
        tally: Tallied | None,
    ) -> None:
        self.trace = trace
        self.tally = tally
        self.rules = rules
        self.arch = arch
        self.release = release
        self.found: list[_Found] = []
        self.cut: dict[str, int] = {}
        self.doubts: dict[str, Doubt] = {}
        self.flags = True
        self.dialects: tuple[Dialect, ...] = ()

    def run(self) -> Watched:
        follower: Follower | None = None
        lines: Lines | None = None
        known: Guess | None = None
        for lines in self.trace.lines(NEEDLES):
            if follower is None:
                if lines.blank:
                    continue
                known = guess(lines.header, lines.block, arch=self.arch, release=self.release)
                follower = self._follower(lines, known)
            elif not (known and known.arch):
                known = guess(lines.header, lines.block, arch=self.arch, release=self.release)
                if known.arch:
                    # Nothing that shows sections came before: what was begun there is unknown.
                    follower.finish()
                    follower = self._follower(lines, known, follower)
            follower.block(lines)
        if follower is None or known is None or lines is None:
            raise TraceError(f"{self.trace.header.name}: there is nothing in it")
        if not lines.header.format:
            raise TraceError(
                f"{self.trace.header.name}: no line of it is a record of a trace in a form that is "
                "known here (tracefs text, or trace-cmd report)"
            )
        follower.finish()
        follower.seen.lines = lines.next_line - 1
        return self._watched(follower, known, lines.given)

    def _follower(self, lines: Lines, known: Guess, before: Follower | None = None) -> Follower:
        blind = not known.shows_sections
        lines.needles = NEEDLES
        if known.arch in ("", "powerpc"):
            lines.needles += POWERPC_NEEDLES
        if self.tally is not None:
            lines.needles += self.tally.needles
        # Where functions show sections, those of a nesting kernel show the outermost alone: an
        # older text can be held to them.  Where only counters show, the kernel has them.
        self.dialects = known.dialects or (PTL_HELD,)
        dialect = self.dialects[-1 if blind else 0]
        chosen = [RULES[name] for name in trace_rules()]
        self.runtime = Runtime(chosen, dialect)
        self.flags = lines.sniff()
        judge = Judge(self.runtime, flags=self.flags, blind=blind)
        follower = Follower(
            judge,
            self._note,
            self._doubt,
            flags=self.flags,
            blind=blind,
            uncounted=known.uncounted,
            tally=self.tally,
        )
        if before is not None:
            follower.seen = before.seen
        return follower

    def _doubt(self, reason: str, line: int) -> None:
        old = self.doubts.get(reason)
        self.doubts[reason] = (
            Doubt(reason, line) if old is None else Doubt(reason, old.line, old.times + 1)
        )

    def _note(
        self,
        task: Task,
        violations: tuple[Violation, ...],
        place: Place,
        lines: Lines,
        number: int,
    ) -> None:
        for violation in violations:
            if violation.rule == _EFFECT or (self.rules and violation.rule not in self.rules):
                continue
            if not self.flags and isinstance(violation.event, Enable | Disable):
                self._doubt(
                    "lines do not show interrupts, so that a section begun in one cannot be told "
                    "from a nested one",
                    place[0],
                )
                continue
            self.cut[violation.rule] = self.cut.get(violation.rule, 0) + 1
            if self.cut[violation.rule] <= _KEPT:
                one = _Found(task, violation, place, lines.around(number))
                self.found.append(one)
                task.recent.append(one)

    # ---- the end ---------------------------------------------------------------------------

    def _watched(self, follower: Follower, known: Guess, given: int) -> Watched:
        seen = follower.seen
        if seen.counters:
            known = with_counters(known)
        mute = bool(seen.sections) != bool(seen.ends) and not seen.counters
        if bool(seen.sections) != bool(seen.ends):
            what = "end" if seen.sections else "beginning"
            self._doubt(f"no {what} of a section is in the trace: is that function traced?", 0)
            self.found = []
        elif follower.disorders > 2 + given // 1000:
            mute = True
            self._doubt("its lines are not sorted by time: nothing can be judged", 0)
            self.found = []
        rows = known.rows
        findings = [self._finding(one, rows) for one in self.found if not one.void]
        findings += self._effect(follower, rows)
        for loss in self.trace.losses:
            self._doubt(f"records are missing: {loss.what}", loss.line)
        header = self.trace.header
        if header.entries is not None and header.entries != header.written:
            self._doubt(
                f"{(header.written or 0) - header.entries} of {header.written} records were "
                "overwritten before the trace was read",
                0,
            )
        if not seen.anything:
            self._doubt("nothing in it shows the lazy MMU mode", 0)
        return Watched(
            name=header.name,
            arch=known.arch,
            release=known.release,
            kernel=_kernel(known),
            dialect=known.dialects[0].name if len(known.dialects) == 1 else "",
            findings=tuple(sorted(findings, key=lambda one: one.spot.line)),
            doubts=tuple(self.doubts.values()),
            seen=seen,
            mute=mute,
            hidden=hidden(known),
            cut=tuple((rule, n - _KEPT) for rule, n in self.cut.items() if n > _KEPT),
        )

    def _finding(self, one: _Found, rows: tuple[Row, ...]) -> TraceFinding:
        rule = RULES[one.violation.rule]
        notes = []
        verdict, severity, hurt = _judged(one.violation, rows)
        if rule.name == _PREEMPTED:
            if verdict is Verdict.ALLOWED and _may_have_yielded(one):
                verdict = Verdict.UNKNOWN
                notes.append("or gives up its CPU by itself, which is not: this form does not tell")
            notes.append(_allowed(one.violation, rows))
        comm, pid = one.task
        return TraceFinding(
            rule=rule.name,
            verdict=verdict,
            severity=severity,
            message=rule.message(one.violation),
            comm=comm.decode("utf-8", "replace"),
            pid=pid,
            spot=_spot(one.place),
            began=tuple(_spot(place) for place in one.began),
            notes=tuple(notes),
            harm=hurt,
            implied=all(rule.status(dialect) is Status.IMPLIED for dialect in self.dialects),
            context=one.context,
        )

    def _effect(self, follower: Follower, rows: tuple[Row, ...]) -> list[TraceFinding]:
        """Whether the sections of the whole trace came to anything."""
        if self.rules and _EFFECT not in self.rules:
            return []
        nodes = follower.ended | {task.node for task in follower.tasks.values()}
        nodes |= {cpu.idle.node for cpu in follower.cpus.values()}
        owns = [self.runtime.own(node.product, _EFFECT) for node in nodes]
        total = effect(own for own in owns if isinstance(own, Effect))
        if total.fault is None or follower.off is None:
            return []
        task, place, context = follower.off
        from lazymmu.contract.monitor import Violation as Broken

        one = _Found(task, Broken(_EFFECT, Enable(), total.fault), place, context)
        one.began = ()
        return [self._finding(one, rows)]


def watch(
    path: str,
    stream: BinaryIO | None = None,
    *,
    arch: str = "",
    release: str = "",
    rules: Collection[str] = (),
    progress: Callable[[int], None] | None = None,
    tally: Tallied | None = None,
) -> Watched:
    """Hold the trace at `path`, or of `stream`, to the contract.

    arch, release: what the user knows better than the trace; rules: the only ones to judge by
    (none: all that a trace can show); progress: called with the number of bytes read; tally: told
    of each line that it wants (`witness.tally`).  Raises TraceError for what is no trace, or cannot
    be read.
    """
    return _Watcher(read(path, stream, progress=progress), rules, arch, release, tally).run()


def _spot(place: Place) -> Spot:
    number, stamp, cpu, text, frames = place
    return Spot(
        number,
        stamp.decode("utf-8", "replace").strip(),
        cpu,
        text[:400].decode("utf-8", "replace"),
        tuple(frames or ()),
    )


def _judged(violation: Violation, rows: tuple[Row, ...]) -> tuple[Verdict, Severity, str]:
    """What a violation is on an implementation that is one of `rows`."""
    rule = RULES[violation.rule]
    may = {allowed(rule.name, row, violation.detail) for row in rows}
    if rule.kind is Kind.INFORMATION and may != {False}:
        verdict = Verdict.ALLOWED if may == {True} else Verdict.UNKNOWN
        return verdict, Severity.INFORMATION, ""
    if may == {True}:
        return Verdict.ALLOWED, Severity.INFORMATION, ""
    hurts = [harm(rule.name, row, "unknown", violation.detail) for row in rows]
    said = {text for text in hurts if text}
    if not said and rule.kind is not Kind.HARM:
        return Verdict.VIOLATION, Severity.BREAKS_TEXT, ""
    # What hurts one of the kernels that it may be is worth saying; what it does, only when sure.
    return Verdict.VIOLATION, Severity.HURTS, said.pop() if len(set(hurts)) == 1 and said else ""


def _may_have_yielded(one: _Found) -> bool:
    """Whether a switch that counts as a preemption may have been a call of schedule().

    trace-cmd's plugin drops the + of R+, and raw states have none; a stack tells.
    """
    event, text, frames = one.violation.event, one.place[3], one.place[4] or ()
    if not isinstance(event, SwitchOut) or b"prev_state=" in text or b" pr=1" in text:
        return False
    return not any(name.startswith(_PREEMPTING) for name in frames)


def _allowed(violation: Violation, rows: tuple[Row, ...]) -> str:
    """Whether that may happen on this implementation, in words."""
    if not rows:
        return "whether that is allowed depends on the architecture: name it with --arch"
    may = {allowed(violation.rule, row, violation.detail) for row in rows}
    if len(may) > 1:
        return "whether that is allowed depends on the release: name it with --release"
    words = "allowed" if may == {True} else "not allowed"
    same = {row.carried for row in rows}
    return f"{words} on {rows[0].label}" + (f": {same.pop()}" if len(same) == 1 else "")


def _kernel(known: Guess) -> tuple[str, ...]:
    label = profiles()[known.arch].label if known.arch else "an unknown architecture"
    if known.release:
        release = known.release
    else:
        since, until = known.since, known.until
        first = f"v{since[0]}.{since[1]} on" if since[0] else ""
        last = f"before v{until[0]}.{until[1]}" if until[0] < 9999 else ""
        release = ", ".join(part for part in (first, last) if part) or "an unknown release"
    return (f"{label} ({known.arch_from})", f"{release} ({known.release_from})")
