# SPDX-License-Identifier: GPL-2.0-or-later
"""Finding by release: which of several trees has which finding.

This is the question of stable and distribution kernels. A row is a rule broken in a function of a
file, not a fingerprint: the text around a bug differs between releases while the bug is the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lazymmu.report.common.words import clean
from lazymmu.witness.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from rich.table import Table

    from lazymmu.verbs.selection import CheckOutcome
    from lazymmu.witness.finding import Finding

__all__ = ["Comparison", "ComparisonRow", "cells", "compare", "table"]


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """One mistake over the trees; cells: its findings in each tree, in the order of the trees."""

    rule: str
    file: str
    function: str
    cells: tuple[tuple[Finding, ...], ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Several checks side by side."""

    outcomes: tuple[CheckOutcome, ...]
    rows: tuple[ComparisonRow, ...]


def compare(outcomes: Sequence[CheckOutcome], *, asked: Collection[str] = ()) -> Comparison:
    """Line up the findings of `outcomes`; information only where its rule was `asked` for."""
    places: dict[tuple[str, str, str], list[list[Finding]]] = {}
    for column, outcome in enumerate(outcomes):
        for finding in outcome.result.findings:
            if finding.severity is Severity.INFORMATION and finding.rule not in asked:
                continue
            key = (finding.file, finding.function, finding.rule)
            places.setdefault(key, [[] for _ in outcomes])[column].append(finding)
    rows = tuple(
        ComparisonRow(rule, file, function, tuple(tuple(cell) for cell in cells))
        for (file, function, rule), cells in sorted(places.items())
    )
    return Comparison(tuple(outcomes), rows)


def table(comparison: Comparison) -> Table:
    """A column for each tree, headed by its release; a cell says who is hurt there.

    ``text`` breaks the text only, ``info`` informs, ``-`` is not found; ``x2`` means two places.
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
        (row.file, f"{row.function}()", row.rule, *map(_cell, row.cells)) for row in comparison.rows
    ]
    return tuple(heads), rows


def _cell(findings: Sequence[Finding]) -> str:
    if not findings:
        return "-"
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
