# SPDX-License-Identifier: GPL-2.0-or-later
"""What a trace shows, as a compiler would print it: one line a finding, then notes and context."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.contract.rules.implied import implied_words
from lazymmu.report.common import messages
from lazymmu.report.common.words import clean, count
from lazymmu.witness.finding import Severity
from lazymmu.witness.trace.values import BEGAN, READ, TraceVerdict

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from lazymmu.witness.trace.values import Seen, TraceFinding, TraceLocation, TraceResult

__all__ = ["Listing", "facts", "render", "rests_on", "seen", "task", "title"]

_FRAMES: Final = 16
"""Frames of a stack that the text shows; JSON has them all."""

_BEGIN_NO_SECTION: Final = ("section-in-interrupt", "unbalanced-pause", "dirty-start")
"""Rules whose findings do not begin with a section."""

_BRIEF: Final = 10
"""Findings that are no violation, printed without being asked for."""


def render(watched: Sequence[TraceResult], *, asked: Collection[str] = ()) -> str:
    """All findings of all traces, each line beginning ``file:line:1:``.

    Without it, what is allowed is told in one line each, the first few of a rule.

    :param asked: rules named by the user.
    """
    lines: list[str] = []
    for one in watched:
        listing = Listing(one.name, asked)
        for finding in one.findings:
            lines += listing.finding(finding)
        lines += listing.rest(one)
    return "".join(f"{line}\n" for line in lines)


class Listing:
    """The findings of one trace, one after the other: what is like many others is cut short."""

    def __init__(self, name: str, asked: Collection[str] = ()) -> None:
        """name: of the trace; asked: see `render()`."""
        self._name = name
        self._asked = asked
        self._brief: dict[str, int] = {}
        self._same: dict[str, int] = {}

    def finding(self, finding: TraceFinding) -> Iterator[str]:
        """The lines of one finding; none where enough of its kind were listed."""
        rule, brief, same = finding.rule, self._brief, self._same
        if _counted(finding) and rule not in self._asked:
            # What is done to the counters of one task is done to those of the next: in full once.
            same[rule] = same.get(rule, 0) + 1
            if same[rule] > 1:
                yield from [_headline(finding)] * (same[rule] <= _BRIEF)
                return
        if finding.verdict is TraceVerdict.VIOLATION or rule in self._asked:
            yield from _finding(finding)
            return
        brief[rule] = brief.get(rule, 0) + 1
        if brief[rule] <= _BRIEF:
            yield _headline(finding)
            yield from (_note(finding, finding.location, note) for note in finding.notes)

    def rest(self, one: TraceResult) -> Iterator[str]:
        """How many were not listed, in the end."""
        cut = dict(one.cut)
        for rule, number in self._same.items():
            more = number - _BRIEF + cut.pop(rule, 0)
            if more > 0:
                tasks = count(more, "more task")
                yield clean(f"{self._name}: {tasks} of {rule}; --rule {rule} shows them")
        for rule, number in self._brief.items():
            more = number - _BRIEF + (0 if rule in self._asked else cut.pop(rule, 0))
            if more > 0:
                yield clean(f"{self._name}: {more} more of {rule}; --rule {rule} shows them")
        yield from (clean(f"{self._name}: {more} more of {rule}") for rule, more in cut.items())


def _counted(finding: TraceFinding) -> bool:
    """Whether a finding is about counters, of which many tasks show one cause."""
    return finding.rule == "dirty-start" or finding.since == READ


def _finding(finding: TraceFinding) -> Iterator[str]:
    spot = finding.location
    yield _headline(finding)
    for section in finding.began:
        yield _note(finding, section, f"{finding.since}: {_line(section)}")
        if section.frames:
            yield _note(finding, section, f"called from {_stack(section)}")
    if not finding.began and finding.since == BEGAN and finding.rule not in _BEGIN_NO_SECTION:
        yield _note(finding, spot, "where the section began is not in the trace")
    if spot.frames:
        yield _note(finding, spot, f"called from {_stack(spot)}")
    if finding.harm:
        yield _note(finding, spot, f"comes to harm: {finding.harm}")
    elif finding.severity is Severity.BREAKS_TEXT:
        what = "breaks the contract's text; this architecture is not hurt by it"
        yield _note(finding, spot, what)
    if finding.implied and (why := implied_words(finding.rule)):
        yield _note(finding, spot, why)
    for note in finding.notes:
        yield _note(finding, spot, note)
    for number, text in finding.context:
        mark = ">" if number == spot.line else " "
        yield clean(f"{mark}{number:8} | {text}")


def _headline(finding: TraceFinding) -> str:
    spot = finding.location
    place = messages.at(finding.file, finding.line, finding.column)
    said = f"{task(finding)} [{spot.cpu:03}] {spot.stamp}: {finding.message}"
    return messages.headline(place, messages.severity(finding), clean(said), finding.rule)


def task(finding: TraceFinding) -> str:
    """The task as a trace prints it: `name-PID`."""
    return f"{finding.comm.strip() or '<...>'}-{finding.pid}"


def _note(finding: TraceFinding, spot: TraceLocation, text: str) -> str:
    return messages.note(messages.at(finding.file, spot.line, finding.column), clean(text))


def _line(spot: TraceLocation) -> str:
    return f"[{spot.cpu:03}] {spot.stamp}: {spot.text}"


def _stack(spot: TraceLocation) -> str:
    # The tracer's own frames come first.
    frames = [name for name in spot.frames if not name.startswith("[")]
    more = [f"{len(frames) - _FRAMES} more"] if len(frames) > _FRAMES else []
    return " <- ".join([*frames[:_FRAMES], *more])


def title(watched: TraceResult) -> str:
    """Which kernel a trace is of, in one sentence."""
    return clean(f"{watched.name}: {', '.join(watched.kernel)}")


def rests_on(watched: TraceResult) -> Iterator[str]:
    """What the answer rests on: the rules that could be judged and by what, and the others."""
    for judged, title_ in ((True, "judged"), (False, "not judged")):
        by: dict[str, list[str]] = {}
        for one in watched.basis:
            if bool(one.over) is judged:
                how = f"over {one.over} {one.what}" if judged else f"({one.why})"
                by.setdefault(how, []).append(one.rule)
        if by:
            said = "; ".join(f"{', '.join(rules)} {how}" for how, rules in by.items())
            yield clean(f"{watched.name}: {title_}: {said}")


def seen(watched: TraceResult) -> str:
    """How much there was to judge, in one sentence."""
    got = watched.seen
    parts = [count(len(watched.violations), "violation")]
    other = len(watched.findings) - len(watched.violations)
    if other:
        parts.append(f"{other} other {'thing' if other == 1 else 'things'} worth knowing")
    return clean(f"{watched.name}: {', '.join(parts)} in {facts(got)}")


def facts(got: Seen) -> str:
    """What there was to judge, one after the other."""
    parts = [
        count(got.lines, "line"),
        *([count(got.sections, "section")] if got.sections else ()),
        *([count(got.counters, "reading") + " of the counters"] if got.counters else ()),
        *([count(got.ignored, "call") + " ignored for a pause"] if got.ignored else ()),
        *([count(got.flushes, "flush", "flushes")] if got.flushes else ()),
        *([count(got.updates, "update")] if got.updates else ()),
        count(got.switches, "context switch", "context switches"),
    ]
    return ", ".join(parts)
