# SPDX-License-Identifier: GPL-2.0-or-later
"""Which patches bring a problem together, and where such a thing is no problem.

A patch that brings a problem may need an earlier one for it: a helper that begins a section, and
its use inside of one, or a macro and who expands it. Which, is found out by leaving the earlier one
out, where the rest applies without it; where it does not, or what is left cannot be built, by
whether the path goes through a function that the earlier one has made.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from lazymmu.contract.dialects import DIALECTS, Status
from lazymmu.contract.rules import RULES
from lazymmu.kernelc.parse.slices import definitions
from lazymmu.machine.releases import RELEASES
from lazymmu.snapshot.patches.apply import PatchRefusedError
from lazymmu.snapshot.revisions import Base
from lazymmu.verbs.change import change
from lazymmu.verbs.review.meanings import FileMeanings, used

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lazymmu.snapshot.tree import Tree
    from lazymmu.verbs.review.looks import Look, Looks
    from lazymmu.verbs.review.values import NamedProblem, PatchReview, Submitted
    from lazymmu.witness.finding import Finding

__all__ = ["with_together"]

_NAME: Final = re.compile(rb"[A-Za-z_]\w*")


def with_together(
    reviews: Sequence[PatchReview],
    seen: Sequence[Look],
    looks: Looks,
    patches: Sequence[Submitted],
) -> tuple[PatchReview, ...]:
    """Reviews that say of each problem which earlier patches it needs.

    :param seen: the trees, with one more patch each time.
    """

    def told(one: NamedProblem) -> NamedProblem:
        earlier = tuple(
            number
            for number in range(1, one.patch)
            if (_concerns(patches[number - 1], one.finding) or _lends(one, number, seen, patches))
            and _needs(one, number, seen, looks, patches)
        )
        dialect = seen[one.patch].result.tree.dialect
        return replace(
            one,
            together=(*earlier, one.patch) if earlier else (),
            allowed_from=_allowed_from(one.finding, dialect),
        )

    return tuple(
        replace(
            review,
            new=tuple(map(told, review.new)),
            postponed=tuple(map(told, review.postponed)),
        )
        for review in reviews
    )


def _concerns(sent: Submitted, finding: Finding) -> bool:
    """Whether a patch adds or removes lines that name a function on the way to a problem."""
    functions = {step.function.encode() for step in finding.path if not step.aside}
    functions.add(finding.function.encode())
    for file in sent.patch.files:
        for hunk in file.hunks:
            changed = set(hunk.old).symmetric_difference(hunk.new)
            if any(functions.intersection(_NAME.findall(line)) for line in changed):
                return True
    return False


def _lends(
    one: NamedProblem, number: int, seen: Sequence[Look], patches: Sequence[Submitted]
) -> bool:
    """Whether a patch makes a name, as that of a macro, that who brings a problem uses."""
    before, after = seen[number - 1].tree, seen[number].tree
    made: set[bytes] = set()
    for file in patches[number - 1].patch.files:
        was, now = FileMeanings(before, file.old), FileMeanings(after, file.new)
        made |= now.meanings.keys() - was.meanings.keys()
    for file in patches[one.patch - 1].patch.files:
        for hunk in file.hunks:
            came = [line for line in hunk.new if line not in hunk.old]
            if not made.isdisjoint(used(came, file.path)):
                return True
    return False


def _needs(
    one: NamedProblem,
    number: int,
    seen: Sequence[Look],
    looks: Looks,
    patches: Sequence[Submitted],
) -> bool:
    """Whether a problem is not there without an earlier patch."""
    made = _made(seen[number - 1].tree, seen[number].tree, one.finding)
    rest = [sent.patch for at, sent in enumerate(patches[: one.patch], 1) if at != number]
    try:
        if made and _undefined(looks.tree(rest), one.finding):
            return True
        without = looks.of(rest)
    except PatchRefusedError:
        return made
    left, _ = change(
        Base("", ""), (without.tree, without.verdicts), (seen[one.patch].tree, [one.finding])
    )
    return bool(left)


def _made(before: Tree, after: Tree, finding: Finding) -> bool:
    """Whether a function on the way to a problem is defined after a patch, and was not before."""
    return any(
        name in _defined(after, file) and name not in _defined(before, file)
        for file, name in _functions(finding)
    )


def _undefined(tree: Tree, finding: Finding) -> bool:
    """Whether a tree lacks a function on the way to a problem."""
    return any(name not in _defined(tree, file) for file, name in _functions(finding))


def _functions(finding: Finding) -> set[tuple[str, str]]:
    steps = {(step.file, step.function) for step in finding.path if not step.aside}
    return {(file, name) for file, name in (*steps, (finding.file, finding.function)) if name}


def _defined(tree: Tree, file: str) -> set[str]:
    return {one.name for one in definitions(tree.read(file))} if tree.has(file) else set()


def _allowed_from(finding: Finding, dialect: str) -> str:
    """The first release from which on what a problem is about is allowed, "" for none.

    :param dialect: the one in which it is a problem.
    """
    rule = RULES.get(finding.rule)
    later = list(DIALECTS)[list(DIALECTS).index(dialect) + 1 :] if dialect in DIALECTS else []
    if rule is None:
        return ""
    off = [name for name in later if rule.status(DIALECTS[name]) is Status.OFF]
    # Only if it never is a problem again.
    if not off or later[-len(off) :] != off:
        return ""
    return next((one.name for one in RELEASES.values() if one.dialect == off[0]), "")
