# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether the commit that mended a problem does so on another commit: tried, in memory."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from lazymmu.kernelc.index.word_search import files_containing
from lazymmu.problem import Problem
from lazymmu.snapshot.listing import CONTENT_CAP
from lazymmu.snapshot.object_store import StoreError
from lazymmu.snapshot.patches.apply import Applied, PatchRefusedError, apply
from lazymmu.snapshot.patches.diffs import FilePatch, Hunk
from lazymmu.snapshot.patches.series import Patch
from lazymmu.snapshot.revisions import Base
from lazymmu.verbs.change import change
from lazymmu.verbs.unseen import losses_since

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.snapshot.object_store import Changed, GitEntry
    from lazymmu.snapshot.repository import Repository
    from lazymmu.snapshot.tree import Tree
    from lazymmu.verbs.past.of_commits import CommitHistory
    from lazymmu.verbs.past.problems import PastProblem
    from lazymmu.witness.finding import Finding

__all__ = ["Backport", "backport"]

_CONTEXT: Final = 3
"""Lines around a change, as git shows them."""

_CALL: Final = re.compile(rb"\b([A-Za-z_]\w*)\s*\(")
_NO_CALLS: Final = frozenset({b"if", b"for", b"while", b"switch", b"return", b"sizeof", b"typeof"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Backport:
    """What a fix does on another commit.

    :param problem: the id of the problem; to: the revision that was asked about.
    :param fix: the commit that mended it; subject: of that.
    :param hunks: how many of its hunks fit, and how many there are.
    :param refused: why it does not fit as a whole, "" where it does.
    :param needs: what its new lines call, and nothing of the commit has the name of.
    :param fixed: what is gone with the fix; new: what comes with it; none where it does not fit.
    """

    problem: str
    to: str
    fix: str
    subject: str
    hunks: tuple[int, int]
    refused: str = ""
    needs: tuple[str, ...] = ()
    fixed: tuple[Finding, ...] = ()
    new: tuple[Finding, ...] = ()


def backport(problem: PastProblem, to: str, commits: CommitHistory) -> Backport:
    """Lay the fix of a problem on another commit, and look at what comes of it.

    :param to: a revision.
    :raises Problem: no commit is known that mends it, or there is no such revision.
    """
    fix = _fix(problem, commits)
    target = commits.seen.commit(to)
    parent = commits.seen.commit(f"{fix}~1")
    patch = Patch(tuple(_files(commits.seen, commits.seen.store.changed(parent, fix))))
    tree = commits.tree(target)
    every = [(one, hunk) for one in patch.files for hunk in one.hunks]
    fit = sum(isinstance(_laid(tree, replace(one, hunks=(hunk,))), Applied) for one, hunk in every)
    made = Backport(
        problem=problem.id,
        to=to,
        fix=fix,
        subject=commits.seen.store.log(parent, fix)[-1].subject,
        hunks=(fit, len(every)),
        needs=_needs(tree, [hunk for _, hunk in every]),
    )
    laid = _laid(tree, *patch.files)
    if isinstance(laid, str):
        return replace(made, refused=laid)
    return _tried(made, target, laid, commits)


def _tried(made: Backport, target: str, laid: Applied, commits: CommitHistory) -> Backport:
    """What a look says of the commit with the fix."""
    before = commits.look(target)
    after = replace(before, changes=tuple(sorted(laid.changes.items())))
    done = commits.looking.at([before, after], [made.to, f"{made.to} with the fix"])
    old, now = (done[one].result if one in done else None for one in (before, after))
    if old is None or now is None:
        return replace(made, refused="it was not looked at")
    tree = commits.tree(target)
    new, told = change(
        Base("", made.fix),
        (tree, old.findings),
        (tree.over(laid.changes), now.findings),
        losses_since(old, now),
    )
    sure = tuple(one for one in new if one.severity != "information" and one.confidence != "low")
    fixed = tuple(one for one in told.fixed if one.confidence != "low")
    return replace(made, fixed=fixed, new=sure)


def _fix(problem: PastProblem, commits: CommitHistory) -> str:
    if problem.fixed is not None and problem.fixed.commit:
        return problem.fixed.commit
    known = problem.known[1]
    if known is not None and commits.has(known.commit.commit):
        return commits.seen.commit(known.commit.commit)
    raise Problem(f"no commit of the repository is known that mends {problem.id}")


def _laid(tree: Tree, *files: FilePatch) -> Applied | str:
    """What patches make of a tree, or why they do not fit."""
    try:
        return apply(tree, [Patch(files)])
    except PatchRefusedError as refused:
        return str(refused)


def _files(seen: Repository, changed: Changed) -> Iterator[FilePatch]:
    """What a commit does to each file, as hunks."""
    for path, (before, after) in sorted(changed.items()):
        old, new = (_lines(seen, entry) for entry in (before, after))
        modes = (before.mode if before else "", after.mode if after else "")
        matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
        hunks = []
        for group in matcher.get_grouped_opcodes(_CONTEXT):
            (first, *_), last = group, group[-1]
            at, end = (first[1], first[3]), (last[2], last[4])
            leading = first[2] - first[1] if first[0] == "equal" else 0
            trailing = last[2] - last[1] if last[0] == "equal" else 0
            pieces = tuple(old[at[0] : end[0]]), tuple(new[at[1] : end[1]])
            hunks.append(Hunk(at, *pieces, leading, trailing))
        yield FilePatch(
            path if before else None, path if after else None, tuple(hunks), modes=modes
        )


def _lines(seen: Repository, entry: GitEntry | None) -> list[bytes]:
    if entry is None:
        return []
    try:
        content = seen.store.blob(entry.blob, CONTENT_CAP) or b""
    except (KeyError, StoreError) as error:
        raise Problem(f"the fix cannot be read: {error}") from None
    return content.splitlines(keepends=True)


def _needs(tree: Tree, hunks: list[Hunk]) -> tuple[str, ...]:
    """The names that the new lines call and no file of a tree has."""
    old = {name for hunk in hunks for line in hunk.old for name in _CALL.findall(line)}
    new = {name for hunk in hunks for line in hunk.new for name in _CALL.findall(line)}
    asked = sorted(new - old - _NO_CALLS)
    there = {name for found in files_containing(tree, asked).values() for name in found}
    return tuple(name.decode() for name in asked if name not in there)
