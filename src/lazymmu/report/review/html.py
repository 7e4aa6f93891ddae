# SPDX-License-Identifier: GPL-2.0-or-later
"""A review as a page: the series, and for each id both sides of the code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.report.check.html import told_finding
from lazymmu.report.common.words import count
from lazymmu.report.page import page
from lazymmu.report.page.two_sides import side_rows
from lazymmu.report.review import json, sentences
from lazymmu.verbs.review.values import Fate

if TYPE_CHECKING:
    from markupsafe import Markup

    from lazymmu.verbs.review.review import ReviewAnswer
    from lazymmu.verbs.review.values import NamedProblem

__all__ = ["WORDS", "render"]

_FRAME: Final = 40_000
"""Characters of a page beside problems: style, script, heads."""

WORDS: Final = {
    Fate.NEW: "new",
    Fate.POSTPONED: "wrong until a later patch",
    Fate.FIXED: "fixed",
    Fate.MOVED: "moved",
    Fate.UNSEEN: "not seen any more",
}
"""What a patch does with a problem, in words."""


def render(answer: ReviewAnswer) -> str:
    """One page; it carries what ``--format json`` prints, if that is not too long."""
    whole = json.object_of(answer)
    carried = {"review": whole} if len(page.carried(whole)) < page.LARGE // 3 else {}
    room = page.LARGE - _FRAME - sum(len(page.carried(value)) for value in carried.values())
    articles: dict[str, Markup] = {}
    for patch in answer.shown:
        for told in patch.told:
            made = _article(told, answer)
            if len(made) < room:
                room -= len(made)
                articles[told.name] = made
    summary = f"{count(len(answer.patches), 'patch', 'patches')}: {sentences.series(answer)}"
    return page.render(
        "review.html",
        title=f"{answer.submission.name}: lazymmu review",
        verb="review",
        styles=("code.css", "review.css"),
        data=carried,
        name=answer.submission.name,
        base=str(answer.base),
        summary=summary,
        patches=answer.shown,
        words={fate.value: word for fate, word in WORDS.items()},
        articles=articles,
        losses=answer.losses,
        blind=answer.blind,
        carried=bool(carried),
    )


def _article(told: NamedProblem, answer: ReviewAnswer) -> Markup:
    """A problem with both sides of its code, and the calls that lead to it."""
    sides = answer.sides.get(told.name)
    named = next((side for side in reversed(sides or ()) if side.finding is not None), None)
    return page.part(
        "problem.html",
        "problem",
        told,
        WORDS[Fate(told.name[:1])],
        told_finding(told.name, told.finding, named.sources if named is not None else {}),
        sides,
        side_rows(*sides) if sides is not None else [],
    )
