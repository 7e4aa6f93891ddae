# SPDX-License-Identifier: GPL-2.0-or-later
"""Which planted mistakes a list of reports names, and which reports name nothing planted."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lazymmu.witness.finding import Finding, Lost, Severity

from .batches import Planted
from .mutant import Mutant


@dataclass(frozen=True, slots=True)
class Report:
    """What a tool says: the rules, the place, and every function that it names on the way."""

    rules: frozenset[str]
    file: str
    line: int
    functions: frozenset[str]
    key: str
    """The same in a tree with other line numbers."""
    text: str = ""


def of_findings(findings: Iterable[Finding]) -> list[Report]:
    """lazymmu's findings as reports; what only informs is none."""
    return [
        Report(
            frozenset({f.rule, *f.also}),
            f.file,
            f.line,
            frozenset({f.function, *(step.function for step in f.path)}),
            f"{f.rule} {f.file} {f.function}",
            f"{f.file}:{f.line}: {f.rule} [{f.confidence}]: {f.message} in {f.function}()",
        )
        for f in findings
        if f.severity is not Severity.INFORMATION
    ]


def of_losses(losses: Iterable[Lost]) -> list[Report]:
    """What a check did not see, and could hide a finding, as reports of no rule."""
    return [
        Report(
            frozenset(),
            lost.file,
            lost.line,
            frozenset({lost.name}),
            f"lost {lost.file} {lost.name} {lost.reason}",
            f"{lost.file}:{lost.line}: {lost.name}: not seen: {lost.reason}",
        )
        for lost in losses
    ]


_LINE = re.compile(r"(?:\./)?(\S+):(\d+): ([\w-]+): (\w+)")


def of_lines(text: str, tree: Path) -> list[Report]:
    """The lines that bench/cocci/lazy_mmu.cocci prints, each once; its key is the line's text."""
    reports = {}
    for found in _LINE.finditer(text):
        file, line, rule, function = found[1], int(found[2]), found[3], found[4]
        rows = (tree / file).read_text(errors="replace").split("\n")
        key = f"{rule} {file} {function} {rows[line - 1].strip()}"
        reports[file, line, rule] = Report(
            frozenset({rule}), file, line, frozenset({function}), key, found[0]
        )
    return list(reports.values())


_HELPER = re.compile(r"_m(\d+)(?:_\w+)?$")
"""How the name of a planted function, macro or class ends: with the number of its change."""


@dataclass(slots=True)
class Score:
    """How a tool did.

    caught, missed: mistakes; alarms, calm: changes that are no mistake, by whether a new report
    names their function; false: new reports about functions that were not changed; said: what was
    reported of each change, by its name; trees: how many were judged, of those planned; planned:
    how many changes of each kind were to be.
    """

    caught: list[Mutant] = field(default_factory=list)
    missed: list[Mutant] = field(default_factory=list)
    alarms: list[Mutant] = field(default_factory=list)
    calm: list[Mutant] = field(default_factory=list)
    false: list[Report] = field(default_factory=list)
    said: dict[str, list[Report]] = field(default_factory=lambda: defaultdict(list))
    trees: tuple[int, int] = (0, 0)
    planned: Counter[str] = field(default_factory=Counter)

    def add(
        self, planted: Sequence[Planted], reports: Sequence[Report], before: Sequence[Report]
    ) -> None:
        """Judge one tree; `before` is what the tool says of the tree without changes."""
        known = Counter(report.key for report in before)
        wrong = broken(before)
        new = []
        for report in reports:
            if known[report.key] > 0:
                known[report.key] -= 1
            else:
                new.append(report)
        for each in planted:
            mutant = each.mutant
            about = [report for report in new if _about(mutant, report)]
            self.said[mutant.name] += about
            if not mutant.rules:
                # What the function broke before is told of its new shape, too.
                same = wrong[mutant.function]
                alarm = any(not report.rules & same for report in about)
                (self.alarms if alarm else self.calm).append(mutant)
                continue
            named = [r for r in reports if r.rules & mutant.rules and _names(each, r, new)]
            (self.caught if named else self.missed).append(mutant)
        self.false += [
            report for report in new if not any(_about(each.mutant, report) for each in planted)
        ]

    def take(self, other: Score) -> None:
        """Add what came of another tree."""
        self.caught += other.caught
        self.missed += other.missed
        self.alarms += other.alarms
        self.calm += other.calm
        self.false += other.false
        self.said.update(other.said)

    @property
    def unfinished(self) -> frozenset[str]:
        """The kinds of which not all changes were judged."""
        table = self.table()
        return frozenset(
            kind for kind, of in self.planned.items() if table.get(kind, (0, 0))[1] < of
        )

    def table(self) -> dict[str, tuple[int, int]]:
        """For each kind: how many were reported, of how many."""
        caught = Counter(mutant.kind for mutant in [*self.caught, *self.alarms])
        missed = Counter(mutant.kind for mutant in [*self.missed, *self.calm])
        return {
            kind: (caught[kind], caught[kind] + missed[kind])
            for kind in sorted(caught.keys() | missed.keys())
        }


def broken(reports: Iterable[Report]) -> Mapping[str, frozenset[str]]:
    """The rules that each function is named for."""
    found: dict[str, frozenset[str]] = defaultdict(frozenset)
    for report in reports:
        for function in report.functions:
            found[function] |= report.rules
    return found


def _about(mutant: Mutant, report: Report) -> bool:
    """Whether a report names the function of a change, or a helper of it."""
    if mutant.function in report.functions:
        return True
    ends = (found[1] for name in report.functions for found in _HELPER.finditer(name))
    return str(mutant.number) in ends


def _names(planted: Planted, report: Report, new: Sequence[Report]) -> bool:
    """Whether a report is about a mistake: about its function, and new or on its lines."""
    mutant = planted.mutant
    if not _about(mutant, report):
        return False
    return report in new or (report.file == mutant.file and report.line in planted.lines)
