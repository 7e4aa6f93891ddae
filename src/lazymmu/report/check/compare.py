# SPDX-License-Identifier: GPL-2.0-or-later
"""Finding by release: which of several trees has which finding.

This is the question of stable and distribution kernels. A row is a rule broken in a function of a
file, not a fingerprint: the text around a bug differs between releases while the bug is the same.
A problem that moves to another function or file over the releases is one row.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from lazymmu.report.common.words import clean
from lazymmu.verbs.lineage import by_release, chains, key_of
from lazymmu.verbs.past.states import impossible
from lazymmu.verbs.unseen import hides
from lazymmu.witness.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from rich.table import Table

    from lazymmu.verbs.lineage import Key
    from lazymmu.verbs.selection import CheckOutcome
    from lazymmu.witness.finding import CheckResult, Finding

__all__ = ["Absence", "Comparison", "ComparisonRow", "cells", "compare", "table"]


class Absence(StrEnum):
    """Why a tree does not have a finding that another has."""

    NOT_YET = "not there yet"
    MENDED = "mended"
    AWAY = "not found"
    """It was there before, and is there again later; another mistake may hide it here."""
    UNSEEN = "not seen"
    """What it would be in could not be read there, or is not built."""
    IMPOSSIBLE = "cannot happen here"
    """The tree's dialect allows it, or the tree has the mode on none of the architectures."""
    UNSURE = "below the confidence"
    JUDGED = "not counted"
    """Somebody has judged or known it, or it is elsewhere than asked for."""


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """One mistake over the trees.

    :param file: where it is in the latest release that has it; function: likewise.
    :param cells: its findings in each tree, in the order of the trees.
    :param absences: why a tree has none, None where it has some.
    :param former: file and function before that, the latest first.
    """

    rule: str
    file: str
    function: str
    cells: tuple[tuple[Finding, ...], ...]
    absences: tuple[Absence | None, ...] = ()
    former: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Several checks side by side."""

    outcomes: tuple[CheckOutcome, ...]
    rows: tuple[ComparisonRow, ...]


def compare(
    outcomes: Sequence[CheckOutcome],
    *,
    asked: Collection[str] = (),
    whole: Sequence[CheckResult] = (),
    former: Mapping[Key, Key] | None = None,
) -> Comparison:
    """Line up the findings of `outcomes`; information only where its rule was `asked` for.

    :param whole: for each tree everything that was found.
    :param former: what a problem was before that has changed its place (`verbs.lineage`).
    """
    known = chains(former or {})
    found: dict[Key, list[list[Finding]]] = {}
    for column, outcome in enumerate(outcomes):
        for finding in outcome.result.findings:
            if finding.severity is Severity.INFORMATION and finding.rule not in asked:
                continue
            key = known.get(key_of(finding), (key_of(finding),))[0]
            found.setdefault(key, [[] for _ in outcomes])[column].append(finding)
    rows = []
    for key, cells in found.items():
        keys = known.get(key, (key,))
        absences = _absences(keys, cells, outcomes, whole)
        places = tuple((file, function) for _, file, function in keys)
        held = {(one.file, one.function) for cell in cells for one in cell}
        shown = [place for place in places if place in held]
        rows.append(
            ComparisonRow(
                key[0], *shown[0], tuple(map(tuple, cells)), tuple(absences), tuple(shown[1:])
            )
        )
    rows.sort(key=lambda row: (row.file, row.function, row.rule))
    return Comparison(tuple(outcomes), tuple(rows))


def _absences(
    keys: Sequence[Key],
    cells: Sequence[Sequence[Finding]],
    outcomes: Sequence[CheckOutcome],
    whole: Sequence[CheckResult],
) -> Iterator[Absence | None]:
    """For each tree why it does not have a mistake, None where it has it."""
    order = by_release([outcome.result.tree.release for outcome in outcomes])
    having = [number for number, place in enumerate(order) if cells[place]]
    every = [finding for cell in cells for finding in cell]
    arches = {arch for finding in every for arch in finding.arches}
    for column, outcome in enumerate(outcomes):
        results = whole[column].findings if whole else ()
        hidden = [finding for finding in results if key_of(finding) in keys]
        if cells[column]:
            yield None
        elif hidden:
            aside = {id(one.finding) for one in outcome.aside}
            judged = any(id(finding) in aside for finding in hidden) or bool(outcome.paths)
            yield Absence.JUDGED if judged else Absence.UNSURE
        elif impossible(keys[0][0], arches, outcome.result):
            yield Absence.IMPOSSIBLE
        elif any(hides(lost, one) for one in every for lost in outcome.result.coverage.blind):
            yield Absence.UNSEEN
        elif not having or order.index(column) < having[0]:
            yield Absence.NOT_YET
        else:
            yield Absence.MENDED if order.index(column) > having[-1] else Absence.AWAY


def table(comparison: Comparison) -> Table:
    """A column for each tree, headed by its release; a cell says who is hurt there.

    ``text`` breaks the text only, ``info`` informs; ``x2`` means two places. Where it is not there,
    the cell says why (`Absence`).
    """
    from rich.table import Table

    heads, rows = cells(comparison)
    grid = Table(box=None, pad_edge=False, header_style="")
    for head in heads:
        grid.add_column(clean(head), overflow="fold")
    for row in rows:
        grid.add_row(*map(clean, row))
    return grid


def cells(comparison: Comparison) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The heads and the rows of `table`, as they are."""
    releases = [outcome.result.tree.release for outcome in comparison.outcomes]
    heads = ["file", "function", "rule"]
    for outcome, release in zip(comparison.outcomes, releases, strict=True):
        # Two trees of one release (a patched one and its base) are told apart by their paths.
        heads.append(outcome.result.tree.path if releases.count(release) > 1 else release)
    rows = [
        (row.file, _function(row), row.rule, *map(_cell, row.cells, row.absences))
        for row in comparison.rows
    ]
    return tuple(heads), rows


def _function(row: ComparisonRow) -> str:
    """The function of a row, and those that it was before."""
    before = dict.fromkeys(name for _, name in row.former if name != row.function)
    was = f" (was {', '.join(f'{name}()' for name in before)})" if before else ""
    return f"{row.function}(){was}"


def _cell(findings: Sequence[Finding], absence: Absence | None) -> str:
    if not findings:
        return absence.value if absence is not None else "-"
    hurt = sorted({h.arch for f in findings if f.severity is Severity.HURTS for h in f.harms})
    if hurt:
        word = ",".join(hurt)
    elif any(finding.severity is Severity.HURTS for finding in findings):
        word = "hurts"
    elif any(finding.severity is Severity.BREAKS_TEXT for finding in findings):
        word = "text"
    else:
        word = "info"
    return word + (f" x{len(findings)}" if len(findings) > 1 else "")
