# SPDX-License-Identifier: GPL-2.0-or-later
"""Should a fix go to stable? Each fix against each tree that it may go to.

A tree has the problem, or not; the patch applies there, in memory, or which hunk does not; and then
the tree is checked with it. Where it does not apply alone, the earlier patches of the series are
tried before it. What a patch says itself (`Fixes:`, `Cc: stable`) is held against that.
"""

from __future__ import annotations

import contextlib
import os
import re
from typing import TYPE_CHECKING, Final

from lazymmu.problem import Problem
from lazymmu.snapshot.patches.apply import PatchRefusedError
from lazymmu.snapshot.repository import view
from lazymmu.snapshot.revisions import Base
from lazymmu.snapshot.snapshots import tree_of
from lazymmu.snapshot.tree import Tree
from lazymmu.verbs import reading
from lazymmu.verbs.change import change
from lazymmu.verbs.review.looks import Looks
from lazymmu.verbs.review.values import StableBackport, Tags
from lazymmu.verbs.unseen import losses_since
from lazymmu.witness.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lazymmu.snapshot.patches.series import Patch
    from lazymmu.verbs.review.looks import Look
    from lazymmu.verbs.review.values import NamedProblem, PatchReview
    from lazymmu.witness.finding import CheckResult, Finding
    from lazymmu.witness.source.check import Where

__all__ = ["backports", "tags"]

_FIXES: Final = re.compile(r"^Fixes: ([0-9a-f]{8,40}) \(\"(.+)\"\)", re.MULTILINE)
_STABLE: Final = re.compile(
    r"^Cc: .*(?:stable@vger\.kernel\.org|stable@kernel\.org)", re.MULTILINE | re.IGNORECASE
)


def tags(fixes: Sequence[PatchReview], where: Where) -> tuple[Tags, ...]:
    """What each fix says of itself, and whether something is missing."""
    return tuple(_tags(one, where) for one in fixes)


def _tags(review: PatchReview, where: Where) -> Tags:
    text = review.submitted.mail.text.decode("utf-8", "replace").partition("\ndiff --git ")[0]
    fixes = tuple((match[1], match[2]) for match in _FIXES.finditer(text))
    header = review.submitted.mail.header("Cc")
    stable = bool(_STABLE.search(text) or _STABLE.search(f"Cc: {header}"))
    hurts = any(one.finding.severity is Severity.HURTS for one in review.fixed)
    return Tags(review.number, fixes, _unknown(fixes, where), stable, hurts and not stable)


def _unknown(fixes: Sequence[tuple[str, str]], where: Where) -> tuple[str, ...]:
    """The commits of `Fixes:` that the tree's repository, if it has one, does not know."""
    if isinstance(where, Tree) or not fixes:
        return ()
    found: list[str] = []
    with contextlib.suppress(Problem), view(str(where)) as seen:
        for commit, _ in fixes:
            try:
                seen.commit(commit)
            except Problem:
                found.append(commit)
    return tuple(found)


def backports(
    fixes: Sequence[PatchReview],
    reviews: Sequence[PatchReview],
    targets: Sequence[Where],
    repository: Where,
    look: Callable[[Tree], CheckResult],
    told: Callable[[Finding], bool],
) -> tuple[StableBackport, ...]:
    """What becomes of each fix on each tree that it may go to.

    :param reviews: of all patches at hand.
    :param targets: paths of trees, or revisions of the repository.
    """
    found = []
    for target in targets if fixes else ():
        with _opened(target, repository) as tree:
            looks = Looks(tree, look)
            for fix in fixes:
                found.append(_one(fix, reviews, reading.called(target), looks, told))
    return tuple(found)


@contextlib.contextmanager
def _opened(target: Where, repository: Where) -> Iterator[Tree]:
    """A tree by its path, or by a revision of the repository; raises Problem."""
    if isinstance(target, Tree) or os.path.isdir(target):
        yield reading.opened(target)
        return
    name = os.fspath(target)
    if isinstance(repository, Tree):
        raise Problem(f"--stable {name}: there is no such tree")
    try:
        seen_as = view(str(repository))
        with contextlib.ExitStack() as stack:
            seen = stack.enter_context(seen_as)
            tree = tree_of(seen, seen.commit(name))
            yield tree
    except Problem as problem:
        raise Problem(f"--stable {name}: neither a tree nor a revision: {problem}") from None


def _one(
    fix: PatchReview,
    reviews: Sequence[PatchReview],
    name: str,
    looks: Looks,
    told: Callable[[Finding], bool],
) -> StableBackport:
    """What becomes of one fix on one tree."""
    plain = looks.of(())
    has = _there(fix.fixed, plain)
    release = looks.base.release
    if not has:
        return StableBackport(fix.number, name, release)
    patch = fix.submitted.patch
    refused = ""
    needs: tuple[int, ...] = ()
    series: Sequence[Patch] = [patch]
    try:
        looks.tree(series)
    except PatchRefusedError as problem:
        refused = str(problem)
        needs = _needed(fix, reviews, looks)
        if not needs:
            return StableBackport(fix.number, name, release, has, False, refused)
        series = [*(reviews[number - 1].submitted.patch for number in needs), patch]
    after = looks.of(series)
    new, became = change(
        Base("", ""),
        (plain.tree, plain.verdicts),
        (after.tree, after.verdicts),
        losses_since(plain.result, after.result),
    )
    return StableBackport(
        fix.number,
        name,
        release,
        has,
        not needs,
        refused,
        needs,
        tuple(one for one in became.fixed if told(one)),
        tuple(one for one in new if told(one)),
    )


def _there(fixed: Sequence[NamedProblem], look: Look) -> tuple[str, ...]:
    """The ids of what a fix mends and a tree has: the same rule, file and function."""
    keys = {(one.rule, one.file, one.function) for one in look.verdicts}
    prints = {one.fingerprint for one in look.verdicts}
    return tuple(
        one.name
        for one in fixed
        if one.finding.fingerprint in prints
        or (one.finding.rule, one.finding.file, one.finding.function) in keys
    )


def _needed(fix: PatchReview, reviews: Sequence[PatchReview], looks: Looks) -> tuple[int, ...]:
    """The earlier patches of the series with which a fix applies, () where none help."""
    earlier = [one for one in reviews if one.number < fix.number]
    files = {path for one in fix.submitted.patch.files for path in (one.old, one.new)}
    near = [
        one
        for one in earlier
        if files & {path for each in one.submitted.patch.files for path in (each.old, each.new)}
    ]
    for some in (near, earlier):
        with contextlib.suppress(PatchRefusedError):
            looks.tree([*(one.submitted.patch for one in some), fix.submitted.patch])
            return tuple(one.number for one in some)
    return ()
