# SPDX-License-Identifier: GPL-2.0-or-later
"""What a review begins with: the series that is meant, and the tree that it is laid on."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lazymmu.problem import Problem
from lazymmu.snapshot.cache import Cache
from lazymmu.snapshot.tree import Tree
from lazymmu.verbs.given import Input, read
from lazymmu.verbs.review.base import based
from lazymmu.verbs.review.intake import mails_of, submission
from lazymmu.verbs.review.sources import is_range, of_folder, of_range
from lazymmu.verbs.review.threads import with_earlier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.snapshot.patches.mails import Mail
    from lazymmu.verbs.review.base import Based
    from lazymmu.verbs.review.request import ReviewRequest
    from lazymmu.verbs.review.values import Submission

__all__ = ["Opened", "opened"]


@dataclass(frozen=True, slots=True)
class Opened:
    """A series and its base.

    :param only: the patch that was handed over alone, 0 for all.
    """

    submission: Submission
    based: Based
    only: int = 0


@contextlib.contextmanager
def opened(asked: ReviewRequest) -> Iterator[Opened]:
    """The series of a request on its base, readable until the context ends.

    :raises Problem: with the reason.
    """
    where = asked.trees[0]
    if is_range(asked.series):
        if isinstance(where, Tree):
            raise Problem("a range of commits needs the path of a tree, not one that is open")
        sent, base = of_range(str(where), os.fspath(asked.series))  # type: ignore[arg-type]
        with based(where, sent, onto=asked.onto, known=base) as found:
            yield Opened(sent, found)
        return
    letters, losses, only, name = _letters(asked)
    refused: Problem | None = None
    for strip in (1, 0):
        # `git diff --no-prefix` and others write paths without a first part.
        with contextlib.ExitStack() as stack:
            try:
                sent = submission(name, letters, strip=strip, whole=not only)
                found = stack.enter_context(based(where, sent, onto=asked.onto))
            except Problem as problem:
                refused = refused or problem
                continue
            losses += [*sent.losses, *_alone(sent, only)]
            yield Opened(replace(sent, losses=tuple(losses)), found, only)
            return
    assert refused is not None  # noqa: S101 - or there was a series that applies
    raise refused


def _letters(asked: ReviewRequest) -> tuple[list[Mail], list[str], int, str]:
    """The mails of a request, what of them was not read, which one is asked about, their name."""
    series = asked.series
    if not isinstance(series, Input) and os.path.isdir(series):
        name = os.fspath(series)
        letters, losses = of_folder(name)
        return letters, losses, 0, name
    given = read(series)
    if not given.content.strip():
        raise Problem(f"{given.name}: there is nothing in it")
    try:
        found = mails_of(given.content)
    except Problem as problem:
        raise Problem(f"{given.name}: {problem}") from None
    store = None if asked.cache_dir is None else Cache(asked.cache_dir)
    letters, only = with_earlier(found, given.content, store)
    return letters, [], only, given.name


def _alone(sent: Submission, only: int) -> tuple[str, ...]:
    """What is lost of a series that comes mail by mail where the earlier mails are not known."""
    if len(sent.patches) >= only:
        return ()
    last = sent.patches[-1].mail
    return (f"{sent.name}: {last.title}: the patches before it are not known, so it stands alone",)
