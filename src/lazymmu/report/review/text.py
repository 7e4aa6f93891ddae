# SPDX-License-Identifier: GPL-2.0-or-later
"""A review for who reads it: a line for each patch, below it what it does, then the series."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from lazymmu.report.check.phrases import harms, headline
from lazymmu.report.common import messages
from lazymmu.report.common.words import clean
from lazymmu.report.review import sentences

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.verbs.review.review import ReviewAnswer
    from lazymmu.verbs.review.values import NamedProblem, PatchReview

__all__ = ["problem", "render"]

_INDENT = " " * 6


def render(answer: ReviewAnswer, columns: int | None = None) -> str:
    """The whole review."""
    total = answer.submission.total
    lines = [clean(f"base {answer.base}")]
    hidden = ", U not seen any more" if any(one.unseen for one in answer.shown) else ""
    lines.append(f"ids: N new, F fixed, M moved, P wrong until a later patch{hidden}")
    for one in answer.shown:
        lines += ["", *_patch(one, total, columns)]
    lines += ["", f"series: {sentences.series(answer)}"]
    for title, told in (("split?", sentences.split(answer)), ("stable?", sentences.stable(answer))):
        for number, sentence in enumerate(told):
            lines += _folded(sentence, columns, f"  {title if not number else '':8} ")
    if any(one.told for one in answer.shown):
        lines.append("details: --show ID; a reply to patch N: --mail N")
    return "".join(f"{line}\n" for line in lines)


def _patch(one: PatchReview, total: int, columns: int | None) -> Iterator[str]:
    ids = " ".join(told.name for told in one.told) or "-"
    yield from _folded(f"{one.number}/{total} {one.submitted.subject}  {ids}", columns, "")
    for told in one.told:
        for line in problem(told, total):
            yield from _folded(line, columns, _INDENT)
    if one.mends:
        yield from _folded(f"mends {', '.join(one.mends)}", columns, _INDENT)


def problem(told: NamedProblem, total: int) -> Iterator[str]:
    """What there is to say of a problem, without its path."""
    finding = told.finding
    where = f"{finding.file}:{finding.line}"
    level = messages.severity(finding)
    yield f"{told.name} {level}: {headline(finding)} [{finding.rule}]  {where}"
    if told.origin is not None:
        was = told.origin
        yield f"   from {was.file}:{was.line} {was.function}()"
    if told.mended_by:
        yield f"   mended by {told.mended_by}/{total}: in between it is wrong"
    if told.together:
        named = sentences.numbered(told.together, total)
        yield f"   by {named} together: with one of them left out it is not there"
    if told.allowed_from:
        yield f"   allowed from v{told.allowed_from} on: fine there, and not here"
    for harm in harms(finding) if told.name[:1] in "NP" else ():
        yield f"   {harm}"


def _folded(text: str, columns: int | None, before: str) -> list[str]:
    text = clean(text)
    if columns is None:
        return [before + text]
    return textwrap.wrap(
        text,
        columns,
        initial_indent=before,
        subsequent_indent=" " * (len(before) + 3),
        break_long_words=False,
        break_on_hyphens=False,
    )
