# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a series comes from: a file, standard input, a folder of patches, a range of commits."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from lazymmu.problem import Problem
from lazymmu.snapshot.repository import view
from lazymmu.snapshot.revisions import base_of, range_of
from lazymmu.verbs.given import Input, read, reason
from lazymmu.verbs.review.intake import mails_of, submission

if TYPE_CHECKING:
    from lazymmu.snapshot.patches.mails import Mail
    from lazymmu.verbs.given import Given
    from lazymmu.verbs.review.values import Submission

__all__ = ["is_range", "of_folder", "of_range"]

_PATCHES: Final = (".patch", ".diff", ".eml", ".mbox", ".mbx", ".txt", ".gz")
_MOST: Final = 1_000
"""Most files of a folder, and most commits of a range."""
_FROM: Final = re.compile(rb"^From ([0-9a-f]{40,64}) ", re.MULTILINE)


def is_range(given: Given) -> bool:
    """Whether a series is named by revisions, and not by a file that is there."""
    if isinstance(given, Input):
        return False
    name = os.fspath(given)
    return ".." in name and not os.path.lexists(name)


def of_folder(folder: str) -> tuple[list[Mail], list[str]]:
    """The mails of the patches in a folder, in their order; and a sentence for what is not read.

    That order is the one of quilt's file `series`, if there is one, else that of the names. Links
    are not followed.
    """
    losses: list[str] = []
    found: list[Mail] = []
    for name in _ordered(folder, losses):
        path = os.path.join(folder, name)
        if os.path.islink(path):
            losses.append(f"{path}: a link, which is not followed")
            continue
        given = read(path)
        try:
            found += mails_of(given.content)
        except Problem as problem:
            raise Problem(f"{path}: {problem}") from None
    if not found:
        raise Problem(f"{folder}: there is no patch in this folder")
    return found, losses


def _ordered(folder: str, losses: list[str]) -> list[str]:
    try:
        names = sorted(
            entry.name for entry in os.scandir(folder) if not entry.is_dir(follow_symlinks=False)
        )
    except OSError as error:
        raise Problem(f"cannot read {folder}: {reason(error)}") from None
    if "series" not in names:
        chosen = [name for name in names if name.lower().endswith(_PATCHES)]
    else:
        text = read(os.path.join(folder, "series")).content.decode("utf-8", "surrogateescape")
        lines = (line.partition("#")[0].split() for line in text.splitlines())
        wanted = [words[0] for words in lines if words]
        chosen = [name for name in wanted if name in names]
        losses += [f"{folder}: its series names {n}, which is not there" for n in wanted
                   if n not in names]  # fmt: skip
    if len(chosen) > _MOST:
        raise Problem(f"{folder}: more than {_MOST} patches")
    return chosen


def of_range(tree: str, revisions: str) -> tuple[Submission, str]:
    """The commits of a range in the repository of a tree, and the commit that they stand on.

    :raises Problem: it is empty, or no line of commits.
    """
    asked = range_of(revisions)
    with view(tree) as seen:
        base = base_of(seen, asked)
        new = seen.commit(asked.new or "HEAD")
        commits = seen.line(base.commit, new)
        _line(revisions, base.commit, new, commits)
        content = seen.mailed(base.commit, new)
    if not content.strip():
        raise Problem(f"{revisions}: no commit of it changes a file of {tree}")
    found = submission(revisions, mails_of(content))
    names = [name.decode() for name in _FROM.findall(content)]
    if len(names) != len(found.patches):  # commits without a diff are no mails
        return found, base.commit
    named = zip(found.patches, names, strict=True)
    return (
        replace(found, patches=tuple(replace(one, commit=name) for one, name in named)),
        base.commit,
    )


def _line(
    revisions: str,
    old: str,
    new: str,
    commits: list[tuple[str, tuple[str, ...]]],
) -> None:
    """Raise Problem unless some commits are a line from one to the other."""
    if not commits:
        why = "is not after" if old == new else "has no commit that is not in"
        ends = f"{new[:12]} {why} {old[:12]}"
        raise Problem(f"{revisions}: an empty range, {ends}")
    if len(commits) > _MOST:
        raise Problem(f"{revisions}: {len(commits)} commits, and a series has {_MOST} at most")
    merges = [name for name, parents in commits if len(parents) > 1]
    if merges:
        raise Problem(
            f"{revisions}: of its {len(commits)} commits {len(merges)} merge branches, as "
            f"{merges[0][:12]}; a series is a line of commits: name one branch of it, or rebase it"
        )
