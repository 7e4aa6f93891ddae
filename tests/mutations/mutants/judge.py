# SPDX-License-Identifier: GPL-2.0-or-later
"""Which planted mistakes a list of reports names, and which reports name nothing planted."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from lazymmu.witness.finding import Finding

    from .batches import Planted
    from .kinds import Mutant


@dataclass(frozen=True, slots=True)
class Report:
    """What a tool says: the rules, the place, and every function that it names on the way."""

    rules: frozenset[str]
    file: str
    line: int
    functions: frozenset[str]
    key: str
    """The same in a tree with other line numbers."""


def of_findings(findings: Iterable[Finding]) -> list[Report]:
    """lazymmu's findings as reports."""
    return [
        Report(
            frozenset({f.rule, *f.also}),
            f.file,
            f.line,
            frozenset({f.function, *(step.function for step in f.path)}),
            f.fingerprint,
        )
        for f in findings
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
            frozenset({rule}), file, line, frozenset({function}), key
        )
    return list(reports.values())


@dataclass(slots=True)
class Score:
    """How a tool did.

    caught, missed: mistakes; alarms, calm: changes that are no mistake, by whether a new report
    names their function; false: new reports about functions that were not changed.
    """

    caught: list[Mutant] = field(default_factory=list)
    missed: list[Mutant] = field(default_factory=list)
    alarms: list[Mutant] = field(default_factory=list)
    calm: list[Mutant] = field(default_factory=list)
    false: list[Report] = field(default_factory=list)

    def add(
        self, planted: Sequence[Planted], reports: Sequence[Report], before: Sequence[Report]
    ) -> None:
        """Judge one tree; `before` is what the tool says of the tree without mistakes."""
        known = Counter(report.key for report in before)
        new = []
        for report in reports:
            if known[report.key] > 0:
                known[report.key] -= 1
            else:
                new.append(report)
        for each in planted:
            if not each.mutant.rules:
                named = [r for r in new if each.mutant.function.name in r.functions]
                (self.alarms if named else self.calm).append(each.mutant)
                continue
            named = [report for report in reports if _names(each, report, new=report in new)]
            (self.caught if named else self.missed).append(each.mutant)
        owners = {each.mutant.function.name for each in planted}
        helper = re.compile(r"lazymmu_(?:near|far|upper|lower)_")
        self.false += [
            report
            for report in new
            if not report.functions & owners and not any(map(helper.match, report.functions))
        ]

    def table(self) -> dict[str, tuple[int, int]]:
        """For each kind: how many were reported, of how many."""
        caught = Counter(mutant.kind for mutant in [*self.caught, *self.alarms])
        missed = Counter(mutant.kind for mutant in [*self.missed, *self.calm])
        return {
            kind: (caught[kind], caught[kind] + missed[kind])
            for kind in sorted(caught.keys() | missed.keys())
        }


def _names(planted: Planted, report: Report, *, new: bool) -> bool:
    """Whether a report is about a mistake: its rule and function, and new or on its lines."""
    mutant = planted.mutant
    if not report.rules & mutant.rules or mutant.function.name not in report.functions:
        return False
    return new or (report.file == mutant.function.file and report.line in planted.lines)
