# SPDX-License-Identifier: GPL-2.0-or-later
"""What a change brings, mends and moves: the findings of two trees held against each other."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lazymmu.snapshot.revisions import Base
from lazymmu.verbs.moves import also_broken, moves, told_within
from lazymmu.verbs.unseen import unseen
from lazymmu.witness.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lazymmu.snapshot.tree import Tree
    from lazymmu.witness.finding import Finding, Lost

__all__ = ["Change", "Grown", "Moved", "brought_by", "change"]


@dataclass(frozen=True, slots=True)
class Moved:
    """A problem that was there before, elsewhere or under another name.

    :param finding: as it is now.
    :param origin: as it was.
    """

    finding: Finding
    origin: Finding


@dataclass(frozen=True, slots=True)
class Grown:
    """A problem that breaks another rule at its place than it did before.

    :param finding: as it is now; told: as it is told where it is new.
    :param origin: as it was.
    """

    finding: Finding
    told: Finding
    origin: Finding


@dataclass(frozen=True, slots=True)
class Change:
    """What became of the findings that a tree had before a change, information left out.

    :param base: what the tree was then.
    :param fixed: those that are gone.
    :param brought: for new findings of a series which of its patches brings them: fingerprint and
        title.
    :param unseen: those that may be there: what they are in was not seen any more.
    :param covered: those that are told within another one now.
    :param uncovered: those that were told so before, and are now themselves, each with that one.
    :param grown: those that now break another rule at the same place: new for that, and there
        before.
    """

    base: Base
    fixed: tuple[Finding, ...] = ()
    moved: tuple[Moved, ...] = ()
    unchanged: tuple[Finding, ...] = ()
    brought: tuple[tuple[str, str], ...] = ()
    unseen: tuple[Finding, ...] = ()
    covered: tuple[Finding, ...] = ()
    uncovered: tuple[tuple[Finding, Finding], ...] = ()
    grown: tuple[Grown, ...] = ()

    def patch_of(self, finding: Finding) -> str:
        """Which patch of a series brings a new finding, "" if it is not asked or not known."""
        return dict(self.brought).get(finding.fingerprint, "")

    def as_they_are(self, new: Iterable[Finding]) -> list[Finding]:
        """The new findings, those that have grown without what is told of that."""
        plain = {id(one.told): one.finding for one in self.grown}
        return [plain.get(id(one), one) for one in new]

    def less(self, drop: Callable[[Finding], bool]) -> Change:
        """This change without the findings that `drop` is true of."""
        return replace(
            self,
            fixed=tuple(one for one in self.fixed if not drop(one)),
            unseen=tuple(one for one in self.unseen if not drop(one)),
            moved=tuple(one for one in self.moved if not drop(one.finding)),
            unchanged=tuple(one for one in self.unchanged if not drop(one)),
        )


def change(
    base: Base,
    before: tuple[Tree, Sequence[Finding]],
    after: tuple[Tree, Sequence[Finding]],
    losses: Sequence[Lost] = (),
) -> tuple[tuple[Finding, ...], Change]:
    """Tell what is new from what was there.

    :param before: the tree as it was, and its findings; after: as it is.
    :param losses: what cannot be seen as it is, and could be as it was.
    :returns: the new findings, information among them, and what became of the others.
    """
    new, unchanged, grown, gone = _by_name(before[1], after[1])
    pairs = moves((before[0], gone), (after[0], new))
    came = {id(finding) for _, finding in pairs}
    went = {id(origin) for origin, _ in pairs}
    moved = [Moved(finding, origin) for origin, finding in pairs]
    left = _verdicts(finding for finding in gone if id(finding) not in went)
    covered = tuple(one for one in left if any(told_within(one, other) for other in after[1]))
    left = tuple(one for one in left if one not in covered)
    hidden = unseen(left, after[0], losses)
    new = [finding for finding in new if id(finding) not in came]
    uncovered = tuple(
        (one, other)
        for one in new
        if (other := next((each for each in before[1] if told_within(one, each)), None)) is not None
    )
    was_there = {id(one) for one, _ in uncovered}
    return (
        (
            *(finding for finding in new if id(finding) not in was_there),
            *(one.told for one in grown),
        ),
        Change(
            base,
            tuple(finding for finding in left if finding not in hidden),
            tuple(one for one in moved if one.finding.severity is not Severity.INFORMATION),
            _verdicts(
                [
                    *unchanged,
                    *covered,
                    *(one for one, _ in uncovered),
                    *(one.origin for one in grown),
                ]
            ),
            unseen=tuple(hidden),
            covered=covered,
            uncovered=uncovered,
            grown=tuple(grown),
        ),
    )


def _by_name(
    before: Sequence[Finding], after: Sequence[Finding]
) -> tuple[list[Finding], list[Finding], list[Grown], list[Finding]]:
    """What is new, unchanged, has grown and is gone, by the fingerprints alone."""
    old = defaultdict(list)
    for finding in before:
        old[finding.fingerprint].append(finding)
    new: list[Finding] = []
    unchanged: list[Finding] = []
    grown: list[Grown] = []
    for finding in after:
        # Two causes can share a fingerprint (the same mistake twice in one function).
        known = old[finding.fingerprint]
        if not known:
            new.append(finding)
            continue
        origin = min(known, key=lambda one: len(also_broken(finding, one)))
        known.remove(origin)
        more = also_broken(finding, origin)
        if more and finding.severity is not Severity.INFORMATION:
            rules = " and ".join(more)
            message = f"{finding.message}, as before, and now breaks {rules} as well"
            grown.append(Grown(finding, replace(finding, message=message), origin))
        else:
            unchanged.append(finding)
    gone = [finding for found in old.values() for finding in found]
    return new, unchanged, grown, gone


def brought_by(
    change_to: tuple[Tree, Sequence[Finding]],
    patches: int,
    look: Callable[[int], tuple[Tree, Sequence[Finding]]],
) -> dict[str, int]:
    """Which patch of a series brings each of some findings, by fingerprint; the first is 1.

    Trees in between are looked at by halves, so that a long series costs little more than a short
    one.

    :param change_to: the tree with all patches, and what is new in it.
    :param patches: how many there are.
    :param look: a tree with so many of them, and its findings.
    """
    found: dict[str, int] = {}
    pending = [(0, patches, list(change_to[1]))]
    while pending:
        below, above, new = pending.pop()
        if not new:
            continue
        if above - below == 1:
            found |= {finding.fingerprint: above for finding in new}
            continue
        middle = (below + above) // 2
        told, became = change(Base("", ""), look(middle), (change_to[0], new))
        later = became.as_they_are(told)
        known = {id(finding) for finding in later}
        pending.append((middle, above, later))
        pending.append((below, middle, [one for one in new if id(one) not in known]))
    return found


def _verdicts(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(one for one in findings if one.severity is not Severity.INFORMATION)
