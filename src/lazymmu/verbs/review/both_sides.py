# SPDX-License-Identifier: GPL-2.0-or-later
"""The code of each problem of a review before its patch and after it, for pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.verbs.review.values import Fate
from lazymmu.verbs.sides import side

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lazymmu.verbs.review.looks import Look
    from lazymmu.verbs.review.values import PatchReview
    from lazymmu.verbs.sides import CodeSide

__all__ = ["both_sides"]


def both_sides(
    patches: Iterable[PatchReview], seen: Sequence[Look]
) -> Iterator[tuple[str, tuple[CodeSide, CodeSide]]]:
    """The id of each problem with both sides.

    :param seen: the base, and it with one more patch each time.
    """
    for patch in patches:
        before, after = seen[patch.number - 1].tree, seen[patch.number].tree
        names = (f"before patch {patch.number}", f"after patch {patch.number}")
        for told in patch.told:
            found, mended = told.finding, told.name[:1] in (Fate.FIXED, Fate.UNSEEN)
            was = found if mended else told.origin
            now = None if mended else found
            place = {"file": found.file, "function": found.function}
            yield (
                told.name,
                (side(before, names[0], was, **place), side(after, names[1], now, **place)),
            )
