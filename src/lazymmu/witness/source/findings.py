# SPDX-License-Identifier: GPL-2.0-or-later
"""From raw reports to findings: one cause is one finding, whatever it breaks and wherever.

A cause is the place that must change.  Hits at the same place, of any section, rule or
architecture, become one finding; the sections are steps of its path, the other rules stand in
``also``, the architectures in ``arches`` and ``harms``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from lazymmu.contract.deferral import DeferralRow, cost_sentence, demonstrated_by, harm_sentence
from lazymmu.contract.deferral.breach_kinds import breach_kind
from lazymmu.contract.dialects import Dialect, Status
from lazymmu.contract.event_words import Identity
from lazymmu.contract.rules import RULES
from lazymmu.contract.rules.rule import RuleKind
from lazymmu.witness.finding import (
    Confidence,
    Finding,
    Harm,
    PathEvent,
    Severity,
    Step,
    StepAside,
)
from lazymmu.witness.source.path.open_calls import enclosing, last_open_section, open_calls
from lazymmu.witness.source.path.path_state import RawReport, ReportKey
from lazymmu.witness.source.path.path_trace import NOT_ASKED, ONE_OF, SUPPOSES, PathTrace
from lazymmu.witness.source.path_events import path_events, unrepeated

_RELATED = {
    "unlock-before-flush": ("begin", "write", "call", "callback"),
    "stale-read": ("begin", "write", "call", "callback"),
    "mixed-write": ("begin", "write", "call", "callback"),
    "free-before-flush": ("begin", "write", "call", "callback"),
    "tlb-flush-in-section": ("begin", "write", "call", "callback"),
    "section-outside-lock": ("begin", "take", "drop", "call", "callback"),
    "bh-across-section": ("begin", "pin", "call", "callback"),
    "unbalanced-pause": ("begin", "pause", "resume", "call", "callback"),
    "unpinned-batch": ("pin", "call", "callback"),
}
"""Which notes of a path a rule's reader wants to see, beside the calls that lead down."""

_ONE_PER_SECTION = frozenset({"section-outside-lock"})
"""Rules whose cause is where the section stands, however many places show it."""

_ONE_PER_VARIABLE = frozenset({"unpinned-batch"})
"""Rules whose cause is that nothing pins the use of a variable, wherever that shows."""

_ABOUT_IMPLEMENTATION = frozenset(
    {
        "sleep-in-section",
        "nested-section",
        "section-outside-lock",
        "unlock-before-flush",
        "stale-read",
        "mixed-write",
        "tlb-flush-in-section",
        "free-before-flush",
    }
)
"""Rules that exist because some implementation cannot take what they forbid."""

_PUT_OFF = frozenset({"invalidation", "frees-held"})
"""Breaches that come of what an architecture's own implementation puts off, and no weaker one's."""

_NOT_BEGUN = frozenset({"not-begun", "not-paused"})

_USUAL = ("begin", "call", "callback")

MAX_TESTS = 2
"""Conditions inside callees that a path may assume and still be worth a maintainer's time.

Each further one halves the odds that anybody ever takes the path; such findings are of low
confidence."""

_SEVERITIES = (Severity.HURTS, Severity.BREAKS_TEXT, Severity.INFORMATION)


@dataclass(frozen=True, slots=True)
class Report:
    """One raw report of one architecture as plain values, free of the walk that found it."""

    arch: str
    rule: str
    message: str
    step: Step
    path: tuple[Step, ...]
    conditions: tuple[str, ...]
    ambiguous: bool
    tests: int
    section: Step | None
    space: str
    detail: str
    huge: bool = False
    """Whatever is pending maps huge pages."""
    cause: ReportKey | None = None
    """The report, by its rule and place, that speaks for the mistake of which this one comes."""
    events: tuple[PathEvent, ...] = ()

    @property
    def rank(self) -> tuple[bool, int, int, int]:
        """The better of two tellings of one cause has the smaller rank."""
        return (self.ambiguous, self.tests, len(self.conditions), len(self.path))


def to_report(
    arch: str, raw: RawReport, root: Step, root_conditions: Iterable[str], space: str
) -> Report:
    """A raw report as plain values.

    :param root: the function in which the path begins, for a path without a section.
    """
    rule = RULES[raw.violation.rule]
    notes = list(raw.trail) if raw.trail is not None else []
    start = last_open_section(notes)
    begin = notes[start].step if start is not None else None
    shown = [*_shown(notes, start, raw)]
    path = unrepeated(note.step for note in shown if note.step is not None)
    if raw.via is not None:
        path.insert(0, raw.via)
    elif begin is None and not path:
        path.append(root)
    # What lies below a call leads on from the culprit, or down to it.
    if raw.step not in raw.more and (not path or path[-1] != raw.step):
        path.append(raw.step)
    path.extend(raw.more)
    written = [note.huge for note in shown if note.mark == "write"]
    # A helper that ends what a flag says was begun before does so with every right, if that is so.
    guessed = raw.violation.detail in _NOT_BEGUN and any(n.mark == SUPPOSES for n in notes)
    marks = {note.mark for note in notes[start or 0 :]}
    assumed = frozenset[str]().union(*(note.conditions for note in notes))
    event_space = getattr(raw.violation.event, "space", "unknown")
    return Report(
        arch=arch,
        rule=rule.name,
        message=rule.message(raw.violation),
        step=_blame_site(rule.name, notes, start, raw),
        path=tuple(path),
        conditions=tuple(sorted(raw.conditions.union(root_conditions, assumed))),
        ambiguous=raw.ambiguous or guessed or ONE_OF in marks,
        tests=raw.tests + (NOT_ASKED in marks),
        section=begin,
        space=event_space if event_space != "unknown" else space,
        detail=raw.violation.detail,
        huge=bool(written) and all(written),
        cause=raw.cause,
        events=path_events(raw, notes, start),
    )


def _shown(notes: Sequence[PathTrace], start: int | None, raw: RawReport) -> Iterator[PathTrace]:
    """The parts of a path that its reader wants to see: each with the calls that lead to it.

    :param start: where the section begins.
    """
    wanted = _RELATED.get(raw.violation.rule, _USUAL)
    since = start if start is not None else 0
    kept = set(open_calls(notes))
    writes = []
    for index, note in enumerate(notes[since:], start=since):
        if note.mark == "write":
            writes.append(index)
        related = note.mark in wanted and note.mark not in ("call", "callback")
        if related and (note.mark != "write" or _same_entry(note.about, raw)):
            kept.add(index)
    if "write" in wanted and writes and kept.isdisjoint(writes):
        # Its entry has another name where it was written.
        kept.add(writes[-1])
    for index in sorted(kept | enclosing(notes, kept)):
        yield notes[index]


def _same_entry(about: Identity | None, raw: RawReport) -> bool:
    entry = getattr(raw.violation.event, "entry", None)
    return entry is None or about is None or about == entry


def _blame_site(rule: str, notes: Sequence[PathTrace], start: int | None, raw: RawReport) -> Step:
    """The place to change.

    What may sleep is charged to the call that the section's own function makes, or the
    innermost function that was called back: deeper ones may sleep with every right.  So is the
    call by which a function with a section comes to itself again.
    """
    begun = notes[start].step if start is not None else None
    again = rule == "nested-section" and begun is not None and _same_place(begun, raw.step)
    if rule != "sleep-in-section" and not again:
        return raw.step
    stack = [notes[i] for i in sorted(open_calls(notes, start or 0))]
    place = raw.more[0] if again and raw.more else raw.step
    for note in reversed(stack):
        if note.mark == "callback" or note.step is None:
            break
        place = note.step
    return place


def _same_place(one: Step, other: Step) -> bool:
    return (one.file, one.line, one.column) == (other.file, other.line, other.column)


def findings(
    culprits: Iterable[Report], dialect: Dialect, rows: Mapping[str, DeferralRow]
) -> tuple[Finding, ...]:
    """Join what belongs to one cause, and say who is hurt.

    :param rows: the deferral table's row of each architecture that was looked at.
    """
    by_cause: dict[ReportKey, list[Report]] = {}
    for item in culprits:
        if not _excused_by_arch(item, rows):
            by_cause.setdefault(item.cause or _own_cause(item), []).append(item)
    for key, group in list(by_cause.items()):
        if all(item.rule != key[0] for item in group):
            # What would speak for them is not told itself.
            for item in by_cause.pop(key):
                by_cause.setdefault(_own_cause(item), []).append(item)
    single = [_with_consequences(*group, dialect, rows) for group in by_cause.items()]
    by_place: dict[tuple[str, int, int], list[Finding]] = {}
    for found in single:
        by_place.setdefault((found.file, found.line, found.column), []).append(found)
    joined = [item for group in by_place.values() for item in _joined(group)]
    return _fingerprinted(sorted(joined, key=lambda f: (f.file, f.line, f.column, f.rule)))


def _own_cause(item: Report) -> ReportKey:
    """What a report is told as where it comes of no other mistake."""
    if item.rule in _ONE_PER_VARIABLE:
        return (item.rule, item.detail, 0, 0)
    place = item.step
    if item.rule in _ONE_PER_SECTION and item.section is not None:
        place = item.section
    return (item.rule, place.file, place.line, place.column)


def _with_consequences(
    cause: ReportKey, group: list[Report], dialect: Dialect, rows: Mapping[str, DeferralRow]
) -> Finding:
    """One finding of the reports that a mistake is, with the places of those that come of it."""
    itself = [item for item in group if item.rule == cause[0]]
    told = [item for item in itself if (item.step.file, item.step.line) == cause[1:3]]
    found = _finding(itself, dialect, rows, first=told or itself)
    by_place: dict[Step, set[str]] = {}
    for item in group:
        if item.rule != cause[0]:
            by_place.setdefault(item.step, set()).add(item.rule)
    if not by_place:
        return found
    follow = []
    for step, rules in sorted(by_place.items(), key=lambda one: (one[0].file, one[0].line)):
        note = f"in consequence, {' and '.join(sorted(rules))}: {step.note}"
        follow.append(replace(step, note=note, aside=StepAside.CONSEQUENCE))
    also = sorted({*found.also, *(rule for rules in by_place.values() for rule in rules)})
    return replace(found, path=(*found.path, *follow), also=tuple(also))


def _excused_by_arch(item: Report, rows: Mapping[str, DeferralRow]) -> bool:
    """Whether architecture code does what its own implementation can take.

    Generic code must obey for the weakest implementation; code below arch/X, and what it does
    in a section of its own, only for X's.  What is information on an implementation is none on
    one that pins the task itself.
    """
    if RULES[item.rule].kind is RuleKind.INFORMATION and item.arch in rows:
        return rows[item.arch].pins
    if breach_kind(item.rule, item.detail) in _PUT_OFF:
        return False
    places = [item.step, *([item.section] if item.section is not None else [])]
    if item.rule not in _ABOUT_IMPLEMENTATION or item.arch not in rows:
        return False
    if not any(place.file.startswith("arch/") for place in places):
        return False
    asked = (item.rule, rows[item.arch], item.space, item.detail)
    return harm_sentence(*asked) is None and cost_sentence(*asked) is None


def _better(item: Report) -> tuple[object, ...]:
    """A total order of the tellings of one cause: architectures come in any order."""
    begun = item.section or item.step
    place = (item.step.file, item.step.line, begun.file, begun.line)
    return (item.rank, *place, item.arch, item.conditions, item.detail)


def _finding(
    group: list[Report],
    dialect: Dialect,
    rows: Mapping[str, DeferralRow],
    first: list[Report],
) -> Finding:
    """One finding of several reports, told as the best of the `first`."""
    best = min(first, key=_better)
    rule = RULES[best.rule]
    arches = tuple(sorted({c.arch for c in group}))
    harms: list[Harm] = []
    costs: list[Harm] = []
    for arch in arches:
        there = rows[arch].huge_pages
        told = sorted(
            {(c.space, c.detail) for c in group if c.arch == arch and (there or not c.huge)}
        )
        hurt = _first(harm_sentence, best.rule, rows[arch], told)
        lost = None if hurt is not None else _first(cost_sentence, best.rule, rows[arch], told)
        harms.extend([] if hurt is None else [hurt])
        costs.extend([] if lost is None else [lost])
    severity = Severity.HURTS if harms else Severity.BREAKS_TEXT
    if rule.kind is RuleKind.INFORMATION:
        severity = Severity.INFORMATION
    if best.ambiguous or best.tests > MAX_TESTS:
        confidence = Confidence.LOW
    else:
        confidence = Confidence.MEDIUM if best.conditions or best.tests else Confidence.HIGH
    others = []
    seen = {(best.section.file, best.section.line)} if best.section is not None else set()
    for item in sorted(
        group, key=lambda c: (c.section.file, c.section.line) if c.section else ("", 0)
    ):
        if item.section is not None and (item.section.file, item.section.line) not in seen:
            seen.add((item.section.file, item.section.line))
            note = "also in the section that begins here"
            others.append(replace(item.section, note=note, aside=StepAside.SECTION))
    shown = {(best.step.file, best.step.line)}
    for item in sorted(group, key=lambda c: (c.step.file, c.step.line)):
        if (item.step.file, item.step.line) not in shown:
            shown.add((item.step.file, item.step.line))
            note = f"likewise: {item.step.note}"
            others.append(replace(item.step, note=note, aside=StepAside.CULPRIT))
    return Finding(
        rule=best.rule,
        severity=severity,
        confidence=confidence,
        arches=arches,
        conditions=best.conditions,
        file=best.step.file,
        line=best.step.line,
        column=best.step.column,
        function=best.step.function,
        message=best.message,
        path=(*best.path, *others),
        harms=tuple(harms),
        costs=tuple(costs),
        implied=rule.status(dialect) is Status.IMPLIED,
        events=best.events,
    )


def _first(
    say: Callable[[str, DeferralRow, str, str], str | None],
    rule: str,
    row: DeferralRow,
    told: Iterable[tuple[str, str]],
) -> Harm | None:
    """What is said of the first of several violations that there is anything to say of."""
    for space, detail in told:
        text = say(rule, row, space, detail)
        if text:
            return Harm(row.arch, text, demonstrated_by(rule, row, space, detail))
    return None


def _joined(group: list[Finding]) -> list[Finding]:
    """One finding for a place that breaks several rules: the gravest speaks for all.

    Information stays by itself, it is no fault that another could stand for; and what is of low
    confidence does, lest a better finding lend it its own.
    """
    sure = max(f.confidence.rank for f in group)
    least = Confidence.MEDIUM.rank if sure >= Confidence.MEDIUM.rank else 0
    apart = [f for f in group if f.severity is Severity.INFORMATION or f.confidence.rank < least]
    group = [f for f in group if f not in apart]
    if not group:
        return apart
    order = list(RULES)
    group.sort(
        key=lambda f: (_SEVERITIES.index(f.severity), -f.confidence.rank, order.index(f.rule))
    )
    first = group[0]
    arches = tuple(sorted({a for f in group for a in f.arches}))
    also = tuple(sorted({rule for f in group for rule in (f.rule, *f.also)} - {first.rule}))
    return [replace(first, arches=arches, also=also), *apart]


def _fingerprinted(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Name each finding by what does not move when lines do."""
    count: dict[str, int] = {}
    out = []
    for item in found:
        what = next((s.note for s in item.path if (s.file, s.line) == (item.file, item.line)), "")
        name = "\0".join((item.rule, item.file, item.function, what))
        count[name] = count.get(name, 0) + 1
        digest = hashlib.blake2b(f"{name}\0{count[name]}".encode(), digest_size=8).hexdigest()
        out.append(replace(item, fingerprint=digest))
    return tuple(out)
