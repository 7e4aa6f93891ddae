# SPDX-License-Identifier: GPL-2.0-or-later
"""A review for who reads it: a line for each patch, below it what it does, then the series."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from lazymmu.report.check.phrases import harms, headline
from lazymmu.report.common.words import clean, count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.verbs.review.review import ReviewAnswer
    from lazymmu.verbs.review.values import NamedProblem, PatchReview

__all__ = ["render"]

_INDENT = " " * 6


def render(answer: ReviewAnswer, columns: int | None = None) -> str:
    """The whole review."""
    lines = [
        f"base {answer.base}",
        "ids: N new, F fixed, M moved, P wrong until a later patch",
        "",
    ]
    lines = [clean(line) for line in lines]
    for one in answer.shown:
        lines += _patch(one, len(answer.patches), columns)
    lines += ["", *_series(answer)]
    return "".join(f"{line}\n" for line in lines)


def _patch(one: PatchReview, total: int, columns: int | None) -> Iterator[str]:
    ids = " ".join(told.name for told in one.told) or "-"
    yield clean(f"{one.number}/{total} {one.submitted.subject}  {ids}")
    for told in one.told:
        yield from _told(told, columns)


def _told(told: NamedProblem, columns: int | None) -> Iterator[str]:
    finding = told.finding
    where = f"{finding.file}:{finding.line}"
    yield from _folded(f"{told.name} {headline(finding)} [{finding.rule}]  {where}", columns)
    if told.origin is not None:
        was = told.origin
        yield from _folded(f"   from {was.file}:{was.line} {was.function}()", columns)
    elif told.mended_by:
        yield from _folded(f"   mended by patch {told.mended_by}", columns)
    if told.together:
        named = " and ".join(map(str, told.together))
        yield from _folded(
            f"   by patches {named} together: without the others it is not there", columns
        )
    if told.allowed_from:
        yield from _folded(
            f"   allowed from v{told.allowed_from} on: fine there, not here", columns
        )
    for harm in harms(finding) if told.name[:1] in "NP" else ():
        yield from _folded(f"   {harm}", columns)


def _series(answer: ReviewAnswer) -> Iterator[str]:
    series = answer.series
    yield (
        f"series: {len(series.new)} new, {len(series.fixed)} fixed, {len(series.moved)} moved, "
        f"{len(series.postponed)} wrong in between, {series.unchanged} unchanged"
    )
    yield f"{count(len(answer.patches), 'patch', 'patches')}"


def _folded(text: str, columns: int | None) -> list[str]:
    text = clean(text)
    if columns is None:
        return [_INDENT + text]
    return textwrap.wrap(
        text, columns, initial_indent=_INDENT, subsequent_indent=_INDENT + "   ",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
