# SPDX-License-Identifier: GPL-2.0-or-later
"""The third witness: holds what a running kernel recorded to the contract.

`check_trace()` reads a trace, finds out which kernel it is of, runs the contract's monitors over
what it shows, and returns findings, what was seen, and what cannot be told.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from lazymmu.contract.dialects import PTL_HELD, Dialect
from lazymmu.contract.events import Disable, Enable
from lazymmu.contract.monitor import Runtime, Violation
from lazymmu.contract.rules import RULES
from lazymmu.contract.rules.harms import ModeEffect, mode_effect
from lazymmu.ftrace.contradiction import refused, said
from lazymmu.ftrace.foreign import addressed, remedy
from lazymmu.ftrace.profile import (
    NATIVE,
    Guess,
    guess,
    hidden,
    names_xen,
    profiles,
    with_counters,
)
from lazymmu.ftrace.record import TraceError
from lazymmu.ftrace.trace import Trace, read
from lazymmu.witness.trace.basis import basis
from lazymmu.witness.trace.findings import PREEMPTED, SLEPT, PendingFinding, finding
from lazymmu.witness.trace.line_class import COUNTER_NEEDLE, NEEDLES, POWERPC_NEEDLES
from lazymmu.witness.trace.line_loop import LineLoop
from lazymmu.witness.trace.memo_monitor import MemoMonitor
from lazymmu.witness.trace.trace_features import TraceFeatures
from lazymmu.witness.trace.values import Caveat, Seen, TraceFinding, TraceResult, TraceVerdict

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from typing import BinaryIO

    from lazymmu.ftrace.block import Lines
    from lazymmu.witness.trace.observer import TraceObserver
    from lazymmu.witness.trace.sections import OffSection
    from lazymmu.witness.trace.task_state import LineCursor, Place, TracedTask

__all__ = ["check_trace", "trace_rules"]

_MAX_FINDINGS_PER_RULE: Final = 1000
"""Findings that are kept of one rule; the rest is counted."""

_BLOCKS_AT_FIRST: Final = 32
_BLOCKS_BETWEEN: Final = 16
"""Blocks in which readings of the counters are looked for where none are expected: so many
at first, then one in so many.  A recording that has them has one for each context switch."""

_FIRST_BYTES: Final = 1 << 14
"""Bytes that are kept to say what the form of a text is that shows nothing."""

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


class _TraceCheck:
    """One run over one trace."""

    def __init__(
        self,
        trace: Trace,
        rules: Collection[str],
        arch: str,
        release: str,
        observer: TraceObserver | None,
    ) -> None:
        self.trace = trace
        self.observer = observer
        self.rules = rules
        self.arch = arch
        self.release = release
        self.found: list[PendingFinding] = []
        self.cut: dict[str, int] = {}
        self.doubts: dict[str, Caveat] = {}
        self.features = TraceFeatures()
        self.dialects: tuple[Dialect, ...] = ()
        self.block = 0
        self.first = b""
        self.undecided = False

    def run(self) -> TraceResult:
        loop: LineLoop | None = None
        lines: Lines | None = None
        known: Guess | None = None
        for lines in self.trace.lines(NEEDLES):
            if loop is None:
                if lines.blank:
                    continue
                known, self.first = self._begun(lines), lines.block[:_FIRST_BYTES]
                loop = self._loop_over(lines, known, Seen())
            elif known is not None and self._may_be_another(known, lines.block):
                known = guess(lines.header, lines.block, arch=self.arch, release=self.release)
                if known.arch:
                    # Nothing that shows sections came before: what was begun there is unknown.
                    loop.finish()
                    loop = self._loop_over(lines, known, loop.seen)
            self._look_for_counters(lines)
            loop.block(lines)
        if loop is None or known is None or lines is None:
            if self.trace.losses:
                raise TraceError(f"{self.trace.header.name}: {self.trace.losses[-1].what}")
            raise TraceError(f"{self.trace.header.name}: there is nothing in it")
        if not lines.header.format:
            usual = "text of tracefs or trace-cmd report expected"
            why = remedy(self.first) or usual
            raise TraceError(f"{self.trace.header.name}: no recognisable trace record ({why})")
        loop.finish()
        loop.seen.lines = lines.next_line - 1
        return self._result(loop, known)

    def _begun(self, lines: Lines) -> Guess:
        """Which kernel it is of, by its first block; raises TraceError where options cannot be."""
        header, block = lines.header, lines.block
        why = refused(header, block, self.arch, self.release)
        if why:
            raise TraceError(f"{header.name}: {why}")
        known = guess(header, block, arch=self.arch, release=self.release)
        if self.release:
            odd = said(known, guess(replace(header, release=""), block, arch=known.arch))
            if odd:
                self._doubt(odd, 0)
        return known

    def _may_be_another(self, known: Guess, block: bytes) -> bool:
        """Whether this block may tell the architecture, which those before did not."""
        return not known.arch or (known.arch == NATIVE != self.arch and names_xen(block))

    def _look_for_counters(self, lines: Lines) -> None:
        """Have readings of the counters given out, from where the first one is.

        It is a search for four bytes in everything, which takes a fifth of all the time: where
        nothing says that there are counters, only some blocks are looked at.
        """
        self.block += 1
        if COUNTER_NEEDLE in lines.needles or self.features.no_counters:
            return
        if self.block > _BLOCKS_AT_FIRST and self.block % _BLOCKS_BETWEEN:
            return
        if COUNTER_NEEDLE in lines.block:
            lines.needles += (COUNTER_NEEDLE,)
            if self.block > _BLOCKS_AT_FIRST:
                self._doubt("readings of the counters may be missed before", lines.next_line)

    def _loop_over(self, lines: Lines, known: Guess, seen: Seen) -> LineLoop:
        """A loop over the rest of the trace, which a kernel such as `known` recorded."""
        lines.needles = NEEDLES
        if known.arch in ("", "powerpc"):
            lines.needles += POWERPC_NEEDLES
        if known.counted:
            lines.needles += (COUNTER_NEEDLE,)
        if self.observer is not None:
            lines.needles += self.observer.needles
        self.features = TraceFeatures(
            shows_interrupts=lines.sniff(),
            counters_only=not known.shows_sections,
            no_counters=known.uncounted,
            pauses_out=known.pauses_out,
            insists=known.insists,
        )
        # Where functions show sections, those of a nesting kernel show the outermost alone: an
        # older text can be held to them.  Where only counters show, the kernel has them.
        self.dialects = known.dialects or (PTL_HELD,)
        dialect = self.dialects[-1 if self.features.counters_only else 0]
        self.runtime = Runtime([RULES[name] for name in trace_rules()], dialect)
        return LineLoop(
            MemoMonitor(self.runtime, self.features),
            self.features,
            seen,
            found=self._note,
            doubt=self._doubt,
            observer=self.observer,
        )

    def _doubt(self, reason: str, line: int) -> None:
        old = self.doubts.get(reason)
        self.doubts[reason] = (
            Caveat(reason, line) if old is None else Caveat(reason, old.line, old.times + 1)
        )

    def _note(
        self,
        task: TracedTask,
        violations: tuple[Violation, ...],
        place: Place,
        cursor: LineCursor,
        began: Sequence[Place] | None,
    ) -> PendingFinding | None:
        kept = None
        for violation in violations:
            if violation.rule == _EFFECT or (self.rules and violation.rule not in self.rules):
                continue
            if not self.features.shows_interrupts and isinstance(violation.event, Enable | Disable):
                self._doubt(
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
        return kept

    # ---- the end ---------------------------------------------------------------------------

    def _result(self, loop: LineLoop, known: Guess) -> TraceResult:
        seen = loop.seen
        if seen.counters:
            known = with_counters(known)
        one_sided = bool(seen.sections) != bool(seen.ends) and not seen.sites
        mute = one_sided and not seen.counters
        if one_sided:
            what = "end" if seen.sections else "beginning"
            self._doubt(f"no {what} of a section is in the trace: is that function traced?", 0)
            self.found = []
        elif loop.disorders > 2 + (seen.lines - loop.passed) // 1000:
            mute = True
            self._doubt("its lines are not sorted by time: nothing can be judged", 0)
            self.found = []
        told = (self._finding(one, known) for one in self.found if not one.void)
        # One that is told by another rule's name than it was found by may not be wanted.
        findings = [one for one in told if not self.rules or one.rule in self.rules]
        findings += self._effect(loop, known) or self._shown_effect(loop, known)
        rules = [rule for rule in trace_rules() if not self.rules or rule in self.rules]
        rests_on = basis(rules, seen, self.features, known.dialects, loop.effect)
        for loss in self.trace.losses:
            words = "not read to its end" if loss.ended else "records are missing"
            self._doubt(f"{words}: {loss.what}", loss.line)
        header = self.trace.header
        if header.entries is not None and header.entries != header.written:
            self._doubt(
                f"{(header.written or 0) - header.entries} of {header.written} records were "
                "overwritten before the trace was read",
                0,
            )
        if seen.anything and not any(one.over for one in rests_on):
            self._doubt("not one rule can be judged by what it shows of the mode", 0)
        if not (seen.anything or seen.bare or findings):
            why = addressed(self.first)
            self._doubt(f"nothing in it shows the lazy MMU mode{': ' * bool(why)}{why}", 0)
        return TraceResult(
            name=header.name,
            arch=known.arch,
            release=known.release,
            kernel=_kernel(known),
            dialect=known.dialects[0].name if len(known.dialects) == 1 else "",
            findings=tuple(sorted(findings, key=lambda one: one.location.line)),
            caveats=tuple(self.doubts.values()),
            seen=seen,
            unjudgeable=mute or self.undecided or loop.sections.undecided,
            hidden=hidden(known),
            basis=rests_on,
            ended=next((loss.what for loss in self.trace.losses if loss.ended), ""),
            cut=tuple(
                (rule, n - _MAX_FINDINGS_PER_RULE)
                for rule, n in self.cut.items()
                if n > _MAX_FINDINGS_PER_RULE
            ),
        )

    def _rt(self) -> bool:
        """Whether the trace says that the kernel has PREEMPT_RT."""
        header = self.trace.header
        return header.preempt == "preempt_rt" or "-rt" in header.release

    def _finding(self, one: PendingFinding, known: Guess) -> TraceFinding:
        """What is told of a violation in a trace of such a kernel."""
        name = self.trace.header.name
        return finding(one, name, known.arch, known.rows, self.dialects, rt=self._rt())

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


def check_trace(
    path: str,
    stream: BinaryIO | None = None,
    *,
    arch: str = "",
    release: str = "",
    rules: Collection[str] = (),
    progress: Callable[[int], None] | None = None,
    observer: TraceObserver | None = None,
) -> TraceResult:
    """Hold the trace at `path`, or of `stream`, to the contract.

    arch, release: what the user knows better than the trace; rules: the only ones to judge by
    (none: all that a trace can show); progress: called with the number of bytes read;
    observer: told of each line that it wants (`section_stats`).  Raises TraceError for what is no
    trace, or cannot be read.
    """
    return _TraceCheck(read(path, stream, progress=progress), rules, arch, release, observer).run()


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
