# SPDX-License-Identifier: GPL-2.0-or-later
"""One problem of a review, told whole."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING

from lazymmu.problem import Problem
from lazymmu.report.check import text as check_text
from lazymmu.report.common.words import clean
from lazymmu.report.review.text import problem
from lazymmu.verbs.selection import CheckOutcome

if TYPE_CHECKING:
    from lazymmu.verbs.review.review import ReviewAnswer

__all__ = ["show"]


def show(answer: ReviewAnswer, name: str, columns: int | None = None) -> str:
    """A problem by its id or its fingerprint: what the review says of it, and its whole path.

    :raises Problem: there is no such problem.
    """
    told = [one for review in answer.patches for one in review.told]
    found = [one for one in told if name in (one.name, one.finding.fingerprint)]
    if not found:
        there = ", ".join(one.name for one in told) or "none"
        raise Problem(f"--show {name}: there is no such problem; there are {there}")
    lines = []
    for one in found:
        sent = answer.patches[one.patch - 1].submitted
        lines.append(f"{one.patch}/{answer.submission.total} {sent.subject}")
        for line in problem(one, answer.submission.total):
            lines += textwrap.wrap(line, columns) if columns else [line]
        look = replace(answer.results[one.patch], findings=(one.finding,))
        lines.append(check_text.render([CheckOutcome(look)], columns=columns, verbose=True))
    return "".join(f"{line}\n" if not line.endswith("\n") else line for line in map(_clean, lines))


def _clean(text: str) -> str:
    return "\n".join(clean(line) for line in text.split("\n"))
