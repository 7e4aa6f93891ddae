# SPDX-License-Identifier: GPL-2.0-or-later
"""What a trace has to say: findings, and what cannot be told, gathered and weighed at the end."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from lazymmu.contract.dialects import PTL_HELD, Dialect
from lazymmu.contract.events import Disable, Enable
from lazymmu.contract.monitor import Runtime, Violation
from lazymmu.contract.rules import RULES
from lazymmu.contract.rules.harms import ModeEffect, mode_effect
from lazymmu.ftrace.foreign import addressed
from lazymmu.ftrace.profile import Guess, hidden, profiles, with_counters
from lazymmu.witness.trace.basis import basis, needed
from lazymmu.witness.trace.findings import PREEMPTED, SLEPT, PendingFinding, finding
from lazymmu.witness.trace.follower import LiveFindings
from lazymmu.witness.trace.trace_features import TraceFeatures
from lazymmu.witness.trace.values import Caveat, TraceFinding, TraceResult, TraceVerdict

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from lazymmu.ftrace.record import Header
    from lazymmu.witness.trace.follower import TraceFollower
    from lazymmu.witness.trace.line_loop import LineLoop
    from lazymmu.witness.trace.sections import OffSection
    from lazymmu.witness.trace.task_state import LineCursor, Place, TracedTask

__all__ = ["TraceJudgement", "trace_rules"]

_TOLD_BY: Final = {b"sched_switch:": "switch-out", b"sched_process_exit:": "exit"}
"""Events, and the moment at which readings of the counters tell the same for sure."""

_MAX_FINDINGS_PER_RULE: Final = 1000
"""Findings that are kept of one rule; the rest is counted."""

_EFFECT: Final = "mode-not-effective"
_TRACE_RULES: Final = (
    "unbalanced-section",
    "nested-section",
    SLEPT,
    "section-in-interrupt",
    "unbalanced-pause",
    PREEMPTED,
    "mode-left-on-cpu",
    "dirty-start",
    "kernel-bug",
    "kernel-warning",
    _EFFECT,
)
"""Rules about what traces have: sections, switches, interrupts, counters.  Others need entries,
locks or pins, and would seem to be kept where nothing shows that they are not."""


def trace_rules() -> list[str]:
    """The names of the rules that a trace can show, in the contract's order."""
    return [name for name in RULES if name in _TRACE_RULES]


class TraceJudgement:
    """What was found in one trace, what cannot be told of it, and what is made of both.

    features, dialects, runtime, known: of the kernel, as far as it is known when a line is judged;
    first: the first bytes, which tell the form of a text that shows nothing; interrupted: it was
    not read on because the user did not want to wait.
    """

    def __init__(
        self, header: Header, rules: Collection[str], follower: TraceFollower | None
    ) -> None:
        """rules: the only ones to judge by (none: all that a trace can show)."""
        self.header = header
        self.rules = rules
        self.found: list[PendingFinding] = []
        self.cut: dict[str, int] = {}
        self.doubts: dict[str, Caveat] = {}
        self.known: Guess | None = None
        self.first = b""
        self.undecided = self.interrupted = False
        self.live = None if follower is None else LiveFindings(follower, self.made)
        self.suppose(TraceFeatures(), (PTL_HELD,))

    def suppose(self, features: TraceFeatures, dialects: tuple[Dialect, ...]) -> None:
        """Judge by what a kernel has of which the trace may be."""
        self.features = features
        # Where functions show sections, those of a nesting kernel show the outermost alone: an
        # older text can be held to them.  Where only counters show, the kernel has them.
        self.dialects = dialects or (PTL_HELD,)
        dialect = self.dialects[-1 if features.counters_only else 0]
        self.runtime = Runtime([RULES[name] for name in trace_rules()], dialect)

    def doubt(self, reason: str, line: int) -> None:
        """Note what cannot be told, and where first."""
        old = self.doubts.get(reason)
        self.doubts[reason] = (
            Caveat(reason, line) if old is None else Caveat(reason, old.line, old.times + 1)
        )

    def note(
        self,
        task: TracedTask,
        violations: tuple[Violation, ...],
        place: Place,
        cursor: LineCursor,
        began: Sequence[Place] | None,
    ) -> PendingFinding | None:
        """Keep what the monitors object to; see `task_monitors.Found`."""
        kept = None
        for violation in violations:
            if violation.rule == _EFFECT or (self.rules and violation.rule not in self.rules):
                continue
            if not self.features.shows_interrupts and isinstance(violation.event, Enable | Disable):
                self.doubt(
                    "lines do not show interrupts, so that a section begun in one cannot be told "
                    "from a nested one",
                    place[0],
                )
                self.undecided = True
                continue
            self.cut[violation.rule] = self.cut.get(violation.rule, 0) + 1
            if self.cut[violation.rule] <= _MAX_FINDINGS_PER_RULE:
                context = cursor.lines.around(cursor.number)
                kept = PendingFinding(task, violation, place, context, began)
                self.found.append(kept)
                task.recent_findings.append(kept)
                if self.live is not None:
                    self.live.hold(kept, task)
        return kept

    def result(self, loop: LineLoop, known: Guess) -> TraceResult:
        """Everything that the trace has to say, once it was read."""
        seen = loop.seen
        if seen.counters:
            known = with_counters(known)
        self.known = known
        mute = self._half(loop)
        if loop.disordered and not loop.one_sided:
            mute = True
            self.doubt("its lines are not sorted by time: nothing can be judged", 0)
            self.found = []
        kept = [one for one in self.found if not one.void]
        unsure = sum(one.retracted for one in self.found)
        if unsure:
            self.doubt(
                f"findings in lines of which the order is not known are not told: {unsure}", 0
            )
        findings = [told for one in kept if (told := self.made(one)) is not None]
        more = self._effect(loop, known) or self._shown_effect(loop, known)
        findings += more
        if self.live is not None and (none := self.live.finish(kept, more)):
            self.doubt(f"findings that were told are none, for their lines are in doubt: {none}", 0)
        rules = [rule for rule in trace_rules() if not self.rules or rule in self.rules]
        rests_on = basis(rules, seen, self.features, known.dialects, loop.effect)
        for loss in self.header.losses:
            words = "not read to its end" if loss.ended else "records are missing"
            self.doubt(f"{words}: {loss.what}", loss.line)
        header = self.header
        if header.entries is not None and header.entries != header.written:
            self.doubt(
                f"{(header.written or 0) - header.entries} of {header.written} records were "
                "overwritten before the trace was read",
                0,
            )
        if seen.anything and not any(one.over for one in rests_on):
            why = f"not one rule can be judged by what it shows of the mode: {needed(seen)}"
            self.doubt(why, 0)
        if not (seen.anything or seen.bare or findings):
            why = addressed(self.first)
            self.doubt(f"nothing in it shows the lazy MMU mode{': ' * bool(why)}{why}", 0)
        return TraceResult(
            name=header.name,
            arch=known.arch,
            release=known.release,
            kernel=_kernel(known),
            dialect=known.dialects[0].name if len(known.dialects) == 1 else "",
            findings=tuple(sorted(findings, key=lambda one: one.location.line)),
            caveats=tuple(self.doubts.values()),
            seen=seen,
            unjudgeable=bool(mute or self.undecided or loop.sections.undecided or unsure),
            hidden=hidden(known),
            basis=rests_on,
            interrupted=self.interrupted,
            ended=next((loss.what for loss in self.header.losses if loss.ended), ""),
            lost=next((loss.what for loss in self.header.losses if loss.amid), ""),
            cut=self._beyond(),
        )

    def _beyond(self) -> tuple[tuple[str, int], ...]:
        """How many findings of each rule are not listed, of those that have too many."""
        more = ((rule, count - _MAX_FINDINGS_PER_RULE) for rule, count in self.cut.items())
        return tuple((rule, count) for rule, count in more if count > 0)

    def _half(self, loop: LineLoop) -> bool:
        """Say which half of the sections is missing; whether nothing else can be judged then."""
        seen = loop.seen
        what = "end" if seen.sections else "beginning"
        if loop.one_sided:
            self.doubt(f"no {what} of a section is in the trace: is that function traced?", 0)
            self.found = []
            return not seen.counters
        if seen.sites and bool(seen.sections) != bool(seen.ends):
            # What the counters were at each is known: what they show stays, and not what a switch
            # or an end shows that is told of without them.
            self.doubt(f"no {what} of a section is in the trace: is a probe where it is?", 0)
            unread = tuple(event for event, at in _TOLD_BY.items() if not seen.readings[at])
            shown = [one for one in self.found if not one.place[3].startswith(unread)]
            dropped, self.found = len(self.found) - len(shown), shown
            return dropped > 0 or not any(seen.readings.values())
        return False

    def made(self, one: PendingFinding) -> TraceFinding | None:
        """What is told of a violation; None where nobody wants it."""
        if self.known is None:
            return None
        # One that is told by another rule's name than it was found by may not be wanted.
        told = self._finding(one, self.known)
        return told if not self.rules or told.rule in self.rules else None

    def _rt(self) -> bool:
        """Whether the trace says that the kernel has PREEMPT_RT."""
        header = self.header
        return header.preempt == "preempt_rt" or "-rt" in header.release

    def _finding(self, one: PendingFinding, known: Guess) -> TraceFinding:
        """What is told of a violation in a trace of such a kernel."""
        name = self.header.name
        told = finding(one, name, known.arch, known.rows, self.dialects, rt=self._rt())
        if any(loss.damaged for loss in self.header.losses):
            # A sum that is wrong comes at the end of what it is of.
            return replace(told, verdict=TraceVerdict.UNKNOWN)
        return told

    def _effect(self, loop: LineLoop, known: Guess) -> list[TraceFinding]:
        """Whether the sections of the whole trace came to anything."""
        if self.rules and _EFFECT not in self.rules:
            return []
        owns = [self.runtime.own(node.product, _EFFECT) for node in loop.table.nodes()]
        total = mode_effect(own for own in owns if isinstance(own, ModeEffect))
        off = loop.sections.off
        if total.fault is None or off is None:
            return []
        return [self._ineffective(off, total.fault, (), known)]

    def _shown_effect(self, loop: LineLoop, known: Guess) -> list[TraceFinding]:
        """The same on kernels with counters, where readings and batches show it."""
        fault = None if known.uncounted else loop.effect.fault
        if fault is None or (self.rules and _EFFECT not in self.rules):
            return []
        shown = loop.effect.shown() if fault[0] == "never-on" else loop.effect.batch(loop.table)
        if shown is None:
            return []
        found = self._ineffective(shown, fault[0], (fault[1],), known)
        # Where nothing defers, nothing is lost.
        return [] if found.verdict is TraceVerdict.ALLOWED else [found]

    def _ineffective(
        self, where: OffSection, detail: str, notes: tuple[str, ...], known: Guess
    ) -> TraceFinding:
        task, place, context = where
        one = PendingFinding(task, Violation(_EFFECT, Enable(), detail), place, context, ())
        one.notes = notes
        return self._finding(one, known)


def _kernel(known: Guess) -> tuple[str, ...]:
    label = profiles()[known.arch].label if known.arch else "an unknown architecture"
    if known.release:
        release = known.release
    else:
        since, until = known.since, known.until
        first = f"v{since[0]}.{since[1]} on" if since[0] else ""
        last = f"before v{until[0]}.{until[1]}" if until[0] < 9999 else ""
        release = ", ".join(part for part in (first, last) if part) or "an unknown release"
    # Which implementation that is, where it is one.
    rows, read = known.rows, known.releases
    like = f", read as {read[0].name}" if len(read) == 1 and read[0].name != release else ""
    like += f": {rows[0].name}" if like and len(rows) == 1 else ""
    return (f"{label} ({known.arch_from})", f"{release} ({known.release_from}{like})")
