# SPDX-License-Identifier: GPL-2.0-or-later
"""What is said of comments in the source that allow findings; also to who wants no summary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.report.common.words import clean, count
from lazymmu.verbs.selection import SetAsideBy
from lazymmu.witness.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lazymmu.verbs.allow_comments import AllowComment
    from lazymmu.verbs.selection import CheckOutcome

__all__ = ["sentences", "unused"]

_LISTED: Final = 10
"""How many comments are named one by one."""


def sentences(outcome: CheckOutcome) -> Iterator[str]:
    """How many findings comments allow, and which comments are not written as they must be."""
    allowed = [
        one
        for one in outcome.aside
        if one.by is SetAsideBy.COMMENT and one.finding.severity is not Severity.INFORMATION
    ]
    if allowed:
        verb = "is" if len(allowed) == 1 else "are"
        tree, first = clean(outcome.result.tree.path), clean(allowed[0].reason)
        yield (
            f"{tree}: {count(len(allowed), 'finding')} {verb} allowed by comments in the source, "
            f"the first at {first} (--no-allow counts them)"
        )
    wrong = outcome.comments.wrong if outcome.comments is not None else ()
    for comment in wrong[:_LISTED]:
        yield f"{comment}: this comment allows nothing: {clean(comment.wrong)}"
    yield from _more(wrong, "comments that allow nothing")


def unused(comments: Sequence[AllowComment]) -> Iterator[str]:
    """The comments whose findings are gone."""
    for comment in comments[:_LISTED]:
        rules = clean(", ".join(comment.rules))
        yield f"{comment}: this comment allows {rules}, and there is no such finding"
    yield from _more(comments, "comments for which there is no finding")


def _more(comments: Sequence[AllowComment], what: str) -> Iterator[str]:
    if len(comments) > _LISTED:
        yield f"and {len(comments) - _LISTED} more {what}"
