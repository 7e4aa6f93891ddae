# SPDX-License-Identifier: GPL-2.0-or-later
"""What each patch of a series brings, mends and moves: the lives of problems over its trees."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lazymmu.snapshot.revisions import Base
from lazymmu.verbs.change import change
from lazymmu.verbs.moves import also_broken
from lazymmu.verbs.review.values import Fate, NamedProblem, PatchReview, SeriesReview
from lazymmu.verbs.unseen import losses_since

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from lazymmu.verbs.change import Change
    from lazymmu.verbs.review.looks import Look
    from lazymmu.verbs.review.values import Submitted
    from lazymmu.witness.finding import Finding

__all__ = ["Lives", "reviewed"]

_NONE = Base("", "")


@dataclass(slots=True)
class _Life:
    """A problem from the patch that brings it, 0 for the base, to the one that mends it."""

    born: int
    first: Finding
    last: Finding
    died: int = 0
    moves: list[tuple[int, Finding, Finding]] = field(default_factory=list)
    """The patch, where it was before, and where it is after."""
    hidden: list[int] = field(default_factory=list)
    """The patches after which what it is in was not seen any more."""
    seen: bool = True
    covered: bool = False
    """Whether it is told within another problem."""
    outgrown: _Life | None = None
    """The problem that was there before it, of which it is told what it breaks besides."""
    names: dict[Fate, str] = field(default_factory=dict)
    """Its ids, of several of one kind the last."""

    def end(self, patch: int) -> None:
        """Say that a patch mends it, with all that it breaks."""
        self.died = patch
        if self.outgrown is not None:
            self.outgrown.end(patch)

    def now(self, finding: Finding, patch: int) -> _Life:
        """Return what there is of it after a patch, which may mend what it breaks besides."""
        before = self.outgrown
        if before is None or also_broken(finding, before.last):
            return self
        self.died = patch
        return before.now(finding, patch)


class Lives:
    """The problems of a base and of a series, by what becomes of them patch by patch."""

    def __init__(self, base: Look) -> None:
        """Begin with what the base has."""
        self.all = [_Life(0, finding, finding) for finding in base.verdicts]
        self._alive = list(self.all)
        self._base = self._before = base
        self._patches = 0

    def after(self, look: Look) -> None:
        """Go on to the tree with one more patch."""
        self._patches += 1
        hidden = [life.last for life in self._alive if life.covered or not life.seen]
        new, became = change(
            _NONE,
            (self._before.tree, [*self._before.verdicts, *hidden]),
            (look.tree, look.verdicts),
            losses_since(self._base.result, look.result),
        )
        all_before = {id(life.last): life for life in self._alive}
        by_finding = dict(all_before)
        for finding in became.fixed:
            by_finding.pop(id(finding)).end(self._patches)
        grown = {
            id(one.told): (one.finding, by_finding.pop(id(one.origin))) for one in became.grown
        }
        alive = []
        for finding in became.unseen:
            life = by_finding.pop(id(finding))
            if life.seen:
                life.hidden.append(self._patches)
            life.seen = False
            alive.append(life)
        for finding in became.covered:
            life = by_finding.pop(id(finding))
            life.covered = True
            alive.append(life)
        for moved in became.moved:
            life = by_finding.pop(id(moved.origin))
            life.moves.append((self._patches, moved.origin, moved.finding))
            life.last = moved.finding
            life.seen, life.covered = True, False
            alive.append(life)
        alive += self._unchanged(became, by_finding.values())
        born = [_Life(self._patches, finding, finding) for finding in new]
        for life in born:
            life.last, life.outgrown = grown.get(id(life.first), (life.last, None))
        # It came with what it was told within, if not before that.
        born += [
            _Life(all_before[id(within)].born, finding, finding)
            for finding, within in became.uncovered
        ]
        self.all += born
        self._alive = alive + born
        self._before = look

    def _unchanged(self, became: Change, lives: Iterable[_Life]) -> Iterator[_Life]:
        """What is as it was: of equal fingerprints each in its order, as `change` has it."""
        same = defaultdict(list)
        for life in lives:
            same[life.last.fingerprint].append(life)
        told_apart = {*map(id, became.covered), *(id(finding) for finding, _ in became.uncovered)}
        told_apart |= {id(one.origin) for one in became.grown}
        for finding in became.unchanged:
            if id(finding) not in told_apart:
                life = same[finding.fingerprint].pop(0).now(finding, self._patches)
                life.last = finding
                life.seen, life.covered = True, False
                yield life

    def join(self) -> None:
        """Take what goes in one patch and comes elsewhere in another for one problem that moved.

        A file may lose a function in one patch, and another get it in the next, or the other way
        round; it has moved with the second of them.
        """
        gone = {id(life.first): life for life in self.all if not life.born and life.died}
        came = {id(life.last): life for life in self.all if life.born and not life.died}
        _, became = change(
            _NONE,
            (self._base.tree, [life.first for life in gone.values()]),
            (self._before.tree, [life.last for life in came.values()]),
        )
        for moved in became.moved:
            life, later = gone[id(moved.origin)], came[id(moved.finding)]
            patch, finding = max(life.died, later.born), later.first
            for number, _, there in later.moves:
                finding = there if number <= patch else finding
            life.moves.append((patch, life.last, finding))
            life.moves += [move for move in later.moves if move[0] > patch]
            life.last, life.died = later.last, 0
            self.all = [one for one in self.all if one is not later]


def reviewed(
    looks: Sequence[Look], patches: Sequence[Submitted], told: Callable[[Finding], bool]
) -> tuple[tuple[PatchReview, ...], SeriesReview]:
    """What each patch does, and all together.

    :param looks: at the base, and at it with one more patch each time.
    :param told: whether a finding is to be told; the others are followed, and left out.
    """
    lives = Lives(looks[0])
    for look in looks[1:]:
        lives.after(look)
    lives.join()
    counts = dict.fromkeys(Fate, 0)
    reviews: list[PatchReview] = []
    for number, submitted in enumerate(patches, 1):
        found = {fate: _told(lives.all, fate, number, counts, told) for fate in Fate}
        mends = (one.name for past in reviews for one in past.postponed if one.mended_by == number)
        reviews.append(
            PatchReview(
                number,
                submitted,
                found[Fate.NEW],
                found[Fate.FIXED],
                found[Fate.MOVED],
                found[Fate.POSTPONED],
                found[Fate.UNSEEN],
                tuple(mends),
            )
        )
    return tuple(reviews), _series(lives.all, looks, told)


def _told(
    lives: Iterable[_Life],
    fate: Fate,
    number: int,
    counts: dict[Fate, int],
    told: Callable[[Finding], bool],
) -> tuple[NamedProblem, ...]:
    """What one patch does of one kind; each gets the next id."""
    events = [(event, life) for life in lives for event in _events(life, fate, number)]
    events = [(event, life) for event, life in events if told(event.finding)]
    events.sort(key=lambda pair: (pair[0].finding.file, pair[0].finding.line))
    named = []
    for event, life in events:
        counts[fate] += 1
        life.names[fate] = f"{fate}{counts[fate]}"
        named.append(replace(event, name=life.names[fate]))
    return tuple(named)


def _events(life: _Life, fate: Fate, number: int) -> Iterator[NamedProblem]:
    match fate:
        case Fate.NEW if life.born == number and not life.died:
            yield NamedProblem("", life.first, number)
        case Fate.POSTPONED if life.born == number and life.died:
            yield NamedProblem("", life.first, number, mended_by=life.died)
        case Fate.FIXED if life.died == number and not life.born:
            yield NamedProblem("", life.last, number)
        case Fate.UNSEEN if number in life.hidden:
            yield NamedProblem("", life.last, number)
        case Fate.MOVED:
            for patch, origin, finding in life.moves:
                if patch == number:
                    yield NamedProblem("", finding, number, origin)
        case _:
            pass


def _series(
    lives: Sequence[_Life], looks: Sequence[Look], told: Callable[[Finding], bool]
) -> SeriesReview:
    """The tree after all patches against the base."""
    brought = {id(life.last): life for life in lives if life.born and not life.died}
    mended = {id(life.first): life for life in lives if not life.born and life.died}
    # What one patch mends and a later one brings again was never away for the series.
    new, became = change(
        _NONE,
        (looks[0].tree, [life.first for life in mended.values()]),
        (looks[-1].tree, [life.last for life in brought.values()]),
    )
    through = [life for life in lives if not life.born and not life.died and life.seen]
    hidden = [life for life in lives if not life.born and not life.seen and told(life.last)]
    moved = [life for life in through if life.moves and told(life.last)]
    still = [life.last for life in through if not life.moves]
    return SeriesReview(
        tuple(_last(Fate.NEW, brought[id(one)]) for one in became.as_they_are(new) if told(one)),
        tuple(_last(Fate.FIXED, mended[id(one)]) for one in became.fixed if told(one)),
        tuple(_last(Fate.MOVED, life) for life in moved),
        tuple(
            _last(Fate.POSTPONED, life)
            for life in lives
            if life.born and life.died and told(life.first)
        ),
        tuple(_last(Fate.UNSEEN, life) for life in hidden),
        sum(told(one) for one in (*still, *became.unchanged)),
    )


def _last(fate: Fate, life: _Life) -> NamedProblem:
    """A problem as the whole series leaves it, by the id that it has in its last patch."""
    finding = life.first if fate in (Fate.POSTPONED, Fate.FIXED) else life.last
    origin = life.first if fate is Fate.MOVED else None
    patch = life.born or life.died
    if fate is Fate.MOVED:
        patch = life.moves[-1][0]
    elif fate is Fate.UNSEEN:
        patch = life.hidden[-1]
    mended = life.died if fate is Fate.POSTPONED else 0
    return NamedProblem(life.names.get(fate, ""), finding, patch, origin, mended)
