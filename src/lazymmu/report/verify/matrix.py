# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of verdicts: a block for each scenario, a line for each implementation and release."""

from __future__ import annotations

import itertools
import textwrap
from typing import TYPE_CHECKING

from lazymmu.litmus.scenario import numbers
from lazymmu.report.common.words import clean
from lazymmu.report.verify.json import said
from lazymmu.witness.machine.verdict import SearchOutcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lazymmu.witness.machine.verdict import Verdict

__all__ = ["WIDTH", "grid", "render"]

WIDTH = 100
"""Columns at most."""

_HEADS = ("on", "implementation", "release", "verdict")
_GAP = "  "
_LEAST = 30
"""Columns that a verdict has at least."""


def render(verdicts: Sequence[Verdict], width: int | None = None) -> str:
    """The table; verdicts of one scenario that follow each other are one block.

    Names are never folded, because they are searched for; what is said may be, or stands below them
    where the terminal is too narrow.

    :param width: its columns, None for a pipe or file.
    """
    if not verdicts:
        return ""
    return "".join(f"{line.rstrip()}\n" for line in _lines(verdicts, min(width or WIDTH, WIDTH)))


_WORDS = {
    SearchOutcome.HOLDS: "holds",
    SearchOutcome.VIOLATED: "BROKEN",
    SearchOutcome.INCONCLUSIVE: "open",
    SearchOutcome.NEVER_OCCURS: "never",
    SearchOutcome.NOT_APPLICABLE: "n/a",
}


def grid(verdicts: Sequence[Verdict]) -> str:
    """One scenario on everything: a line for each release, a column for each architecture.

    A dot is a release that has no mode there that is known.
    """
    arches = list(dict.fromkeys(verdict.arch for verdict in verdicts))
    releases = sorted({verdict.release for verdict in verdicts}, key=numbers)
    cells = {(one.arch, one.release): _WORDS[one.verdict] for one in verdicts}
    rows = [
        (release, *(cells.get((arch, release), ".") for arch in arches)) for release in releases
    ]
    heads = (clean(verdicts[0].scenario) if verdicts else "", *arches)
    widths = [max(map(len, column)) for column in zip(("release", *arches), *rows, strict=True)]
    lines = [heads[0], _row(("release", *arches), widths), *(_row(row, widths) for row in rows)]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _lines(verdicts: Sequence[Verdict], width: int) -> Iterator[str]:
    rows = [_cells(verdict) for verdict in verdicts]
    widths = [max(map(len, column)) for column in zip(_HEADS, *rows, strict=True)][:-1]
    room = width - 2 - sum(widths) - len(_GAP) * len(widths)
    below = room < _LEAST
    yield "scenario"
    yield _row((*_HEADS[:-1], "") if below else _HEADS, widths)
    blocks = itertools.groupby(zip(verdicts, rows, strict=True), lambda pair: pair[0].scenario)
    for scenario, block in blocks:
        yield ""
        yield clean(scenario)
        for _, (*names, verdict) in block:
            if below:
                yield _row((*names, ""), widths)
                yield from (f"    {line}" for line in _wrapped(verdict, width - 4))
                continue
            first, *rest = _wrapped(verdict, room) or [""]
            yield _row((*names, first), widths)
            yield from (_row((*("" for _ in names), more), widths) for more in rest)


def _cells(verdict: Verdict) -> tuple[str, ...]:
    cells = (verdict.arch, verdict.feature, verdict.release, said(verdict))
    return tuple(clean(cell) for cell in cells)


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  " + _GAP.join([*map(str.ljust, cells[:-1], widths), cells[-1]])


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_on_hyphens=False, break_long_words=False)
