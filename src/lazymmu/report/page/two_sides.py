# SPDX-License-Identifier: GPL-2.0-or-later
"""Two sides of a change beside each other: the lines of a function before and after it."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from lazymmu.report.page.code import coloured_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markupsafe import Markup

    from lazymmu.verbs.sides import CodeSide

__all__ = ["SideLine", "SideRow", "side_rows"]

_AROUND: Final = 3
"""Lines that are shown around what differs, or is marked."""


@dataclass(frozen=True, slots=True)
class SideLine:
    """A line of one side; number 0: there is none beside the other's.

    :param mark: ``gone`` or ``came``, ``breaks`` at what is wrong, ``step`` on the way there, or
        "".
    """

    number: int = 0
    code: Markup | str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class SideRow:
    """A row of both sides; None stands for rows that are left out."""

    before: SideLine
    after: SideLine


def side_rows(before: CodeSide, after: CodeSide) -> list[SideRow | None]:
    """The rows that differ or are marked, with some around; all of them where nothing is."""
    rows = list(_aligned(before, after))
    wanted = {
        near
        for at, row in enumerate(rows)
        if row.before.mark or row.after.mark
        for near in range(at - _AROUND, at + _AROUND + 1)
    } or set(range(min(len(rows), 2 * _AROUND)))
    found: list[SideRow | None] = []
    for at, row in enumerate(rows):
        if at in wanted:
            found.append(row)
        elif found and found[-1] is not None:
            found.append(None)
    return found


def _aligned(before: CodeSide, after: CodeSide) -> Iterator[SideRow]:
    left, right = list(_lines(before)), list(_lines(after))
    matcher = SequenceMatcher(None, before.lines, after.lines, autojunk=False)
    for tag, i, j, k, m in matcher.get_opcodes():
        for a, b in zip_longest(left[i:j], right[k:m], fillvalue=SideLine()):
            if tag == "equal":
                yield SideRow(a, b)
            else:
                yield SideRow(_marked(a, "gone"), _marked(b, "came"))


def _marked(line: SideLine, mark: str) -> SideLine:
    keep = line.mark == "breaks" or not line.number
    return line if keep else SideLine(line.number, line.code, mark)


def _lines(side: CodeSide) -> Iterator[SideLine]:
    marks = _marks(side)
    coloured: Sequence[Markup | str] = coloured_lines("\n".join(side.lines)) if side.lines else ()
    for number, code in enumerate(coloured, side.first):
        yield SideLine(number, code, marks.get(number, ""))


def _marks(side: CodeSide) -> dict[int, str]:
    finding = side.finding
    if finding is None:
        return {}
    marks = {
        step.line: "step" for step in finding.path if step.file == side.file and not step.aside
    }
    return {**marks, finding.line: "breaks"}
