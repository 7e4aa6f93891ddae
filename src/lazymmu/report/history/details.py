# SPDX-License-Identifier: GPL-2.0-or-later
"""One problem of a history, whole: where it came from, where it went, and each tree's state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.report.common import table
from lazymmu.report.common.words import clean
from lazymmu.report.history import sentences

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.verbs.history import HistoryAnswer
    from lazymmu.verbs.past.backport import Backport
    from lazymmu.verbs.past.points import Point
    from lazymmu.verbs.past.problems import PastProblem
    from lazymmu.verbs.past.states import Cell

__all__ = ["render", "render_backport"]

_WIDTH: Final = 100
_MARGIN: Final = 12


def render(answer: HistoryAnswer, columns: int | None) -> str:
    """All that there is to say of the problems of an answer."""
    width = columns or _WIDTH
    parts = [_problem(one, answer, width) for one in answer.problems]
    return "\n".join(parts)


def render_backport(tried: Backport, columns: int | None) -> str:
    """What a fix does on another commit."""
    width = columns or _WIDTH
    lines = [clean(f"{tried.problem} on {tried.to}")]
    for head, said in sentences.backport(tried):
        lines += _row(head, said, width)
    return "".join(f"{line}\n" for line in lines)


def _problem(problem: PastProblem, answer: HistoryAnswer, width: int) -> str:
    said = f"{problem.id}  {problem.rule} in {problem.function}(), {problem.file}"
    lines = table.folded(clean(f"{said}  [{problem.key}]"), width)
    lines += _row("", problem.latest.message, width)
    for head, said in sentences.travels(problem):
        lines += _row(head, said, width)
    for harm in dict.fromkeys(harm for one in problem.findings for harm in one.harms):
        lines += _row("hurts", f"{harm.arch}: {harm.text}", width)
    margin = max(len(point.name) for point in answer.points) + 2
    for point, cell in zip(answer.points, problem.cells, strict=True):
        for part in _cell(point, cell, margin, width):
            lines.append(part)
    return "".join(f"{line}\n" for line in lines)


def _row(head: str, text: str, width: int) -> list[str]:
    return _hanging(f"  {head:{_MARGIN}}", text or "no", width)


def _hanging(head: str, text: str, width: int) -> list[str]:
    """A text beside its head, with all of its lines below each other."""
    lines = table.folded(clean(text, 1000), max(width - len(head), _MARGIN)) or [""]
    first, *others = (line.strip() for line in lines)
    return [f"{head}{first}".rstrip(), *(" " * len(head) + line for line in others)]


def _cell(point: Point, cell: Cell, margin: int, width: int) -> Iterator[str]:
    places = [f"{one.file}:{one.line} {one.function}()" for one in cell.findings]
    hurt = sorted({harm.arch for one in cell.findings for harm in one.harms})
    said = [", ".join(dict.fromkeys(places)), f"hurts {', '.join(hurt)}" if hurt else "", cell.why]
    head = clean(f"  {point.name:{margin}}{cell.state:18}")
    yield from _hanging(head.ljust(margin + 20), "; ".join(filter(None, said)), width)
