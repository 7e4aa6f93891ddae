# SPDX-License-Identifier: GPL-2.0-or-later
"""Should a series be split, or its patches be in another order? What each part alone brings."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from lazymmu.snapshot.patches.apply import PatchRefusedError
from lazymmu.snapshot.revisions import Base
from lazymmu.verbs.change import change
from lazymmu.verbs.review.pieces import grouped, laid, pieces
from lazymmu.verbs.review.values import SeriesPart, Split
from lazymmu.verbs.unseen import losses_since

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from lazymmu.verbs.change import Change
    from lazymmu.verbs.review.looks import Look, Looks
    from lazymmu.verbs.review.machines import Machines
    from lazymmu.verbs.review.pieces import Piece
    from lazymmu.verbs.review.values import MachineHarm, Submitted, Switch
    from lazymmu.witness.finding import Finding

__all__ = ["split"]

_MOST_PERMUTED: Final = 7
"""As many parts are put in every order."""


def split(
    seen: Sequence[Look],
    looks: Looks,
    patches: Sequence[Submitted],
    told: Callable[[Finding], bool],
    machines: Machines,
    active: Collection[int],
) -> Split:
    """The parts of a series, and what each of them alone brings.

    :param active: the patches that bring or mend something; parts of others alone are not checked.
    """
    groups = grouped(pieces(seen, patches), seen[0].tree, patches)
    known = machines.of(seen[0].tree, groups)
    if len(groups) > 1:
        groups = _quiet(groups, seen, known.touched)
    parts = []
    for number, group in enumerate(groups):
        alone = len(groups) > 1 and any(piece.patch in active for piece in group)
        parts.append(_part(_name(number), group, alone, seen, looks, patches, told))
    needs = set(_needs(groups, parts, seen, looks, patches, told))
    asked = known.asked(
        {part.name: group for part, group in zip(parts, groups, strict=True)},
        lambda name: looks.tree(laid(dict(zip(_names(parts), groups, strict=True))[name], patches)),
    )
    parts = [replace(one, switches=asked.switches.get(one.name, ())) for one in parts]
    involved = {name for pair in needs for name in pair} | asked.switches.keys()
    orders = _orders(_names(parts), involved, needs, asked.harms, asked.switches)
    return Split(
        tuple(parts),
        tuple(sorted(needs | set(_always(involved, orders)))),
        orders,
        asked.harms,
        asked.untold,
        asked.costs,
    )


def _names(parts: Sequence[SeriesPart]) -> list[str]:
    return [one.name for one in parts]


def _quiet(
    groups: list[list[Piece]],
    seen: Sequence[Look],
    touched: Callable[[Sequence[Piece]], Collection[str]],
) -> list[list[Piece]]:
    """The groups, those of the same patches joined that have nothing to do with any problem.

    A patch that changes a word in fifty files is no fifty parts.
    """
    concerned = {
        f"{step.file}:{step.function}"
        for look in seen
        for finding in look.verdicts
        for step in finding.path
    }
    done: list[list[Piece]] = []
    quiet: dict[tuple[int, ...], list[Piece]] = {}
    for group in groups:
        functions = {name for piece in group for name in piece.functions}
        if functions & concerned or touched(group):
            done.append(group)
            continue
        patches = tuple(sorted({piece.patch for piece in group}))
        if patches in quiet:
            quiet[patches] += group
        else:
            quiet[patches] = group
            done.append(group)
    return done


def _name(number: int) -> str:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    high, low = divmod(number, len(letters))
    return (letters[high - 1] if high else "") + letters[low]


def _part(
    name: str,
    group: Sequence[Piece],
    check: bool,
    seen: Sequence[Look],
    looks: Looks,
    patches: Sequence[Submitted],
    told: Callable[[Finding], bool],
) -> SeriesPart:
    new: tuple[Finding, ...] = ()
    fixed: tuple[Finding, ...] = ()
    if check:
        alone = looks.of(laid(group, patches))
        brought, became = _between(seen[0], alone)
        new = tuple(one for one in brought if told(one))
        fixed = tuple(one for one in became.fixed if told(one))
    numbers = sorted({piece.patch for piece in group})
    hunks = tuple((piece.patch, piece.path, piece.line, _function(piece)) for piece in group)
    return SeriesPart(name, tuple(numbers), hunks, new, fixed)


def _function(piece: Piece) -> str:
    return ", ".join(sorted(name.partition(":")[2] for name in piece.functions))


def _between(before: Look, after: Look) -> tuple[tuple[Finding, ...], Change]:
    return change(
        Base("", ""),
        (before.tree, before.verdicts),
        (after.tree, after.verdicts),
        losses_since(before.result, after.result),
    )


def _needs(
    groups: Sequence[Sequence[Piece]],
    parts: Sequence[SeriesPart],
    seen: Sequence[Look],
    looks: Looks,
    patches: Sequence[Submitted],
    told: Callable[[Finding], bool],
) -> list[tuple[str, str]]:
    """Pairs of parts, the first of which must come before the second.

    That is where the second alone brings what the whole series does not have.
    """
    found = []
    for number, part in enumerate(parts):
        harm = _beyond(part.new, seen[-1])
        if not harm:
            continue
        for other, before in enumerate(parts):
            if other == number:
                continue
            try:
                look = looks.of(laid([*groups[number], *groups[other]], patches))
            except PatchRefusedError:
                continue
            left = [one for one in _beyond(_between(seen[0], look)[0], seen[-1]) if told(one)]
            if len(left) < len(harm):
                found.append((before.name, part.name))
    return found


def _beyond(new: Sequence[Finding], last: Look) -> list[Finding]:
    """What is not in the tree with all patches."""
    there = [one.fingerprint for one in last.verdicts]
    return [one for one in new if one.fingerprint not in there]


def _orders(
    names: Sequence[str],
    involved: Collection[str],
    needs: Collection[tuple[str, str]],
    harms: Sequence[MachineHarm],
    switches: Mapping[str, tuple[Switch, ...]],
) -> tuple[tuple[str, ...], ...]:
    """The orders that bring nothing in between that the series does not end with.

    Parts that are involved in nothing may stand anywhere, and are put at the end.
    """
    chosen = [name for name in names if name in involved][:_MOST_PERMUTED]
    free = [name for name in names if name not in chosen]
    worse = _worse(harms, switches)
    found = []
    for order in itertools.permutations(chosen):
        place = {name: at for at, name in enumerate(order)}
        right = all(
            place[first] < place[second]
            for first, second in needs
            if first in place and second in place
        )
        steps = (frozenset(order[:number]) for number in range(1, len(order)))
        if right and not any(
            (arch, step & mine) in worse for step in steps for arch, mine in _mine(switches)
        ):
            found.append((*order, *free))
    return tuple(found)


def _mine(switches: Mapping[str, tuple[Switch, ...]]) -> list[tuple[str, frozenset[str]]]:
    """The parts that switch something of each machine."""
    arches = {one.arch for each in switches.values() for one in each}
    return [
        (arch, frozenset(n for n, each in switches.items() if any(o.arch == arch for o in each)))
        for arch in sorted(arches)
    ]


def _worse(
    harms: Sequence[MachineHarm], switches: Mapping[str, tuple[Switch, ...]]
) -> set[tuple[str, frozenset[str]]]:
    """Machines and parts of them that come to something which all parts do not come to."""
    whole = dict(_mine(switches))
    least: dict[tuple[str, str, str], int] = {}
    for one in harms:
        if frozenset(one.parts) == whole.get(one.arch):
            least[one.arch, one.scenario, one.rule] = one.preemptions
    return {
        (one.arch, frozenset(one.parts))
        for one in harms
        if one.preemptions < least.get((one.arch, one.scenario, one.rule), one.preemptions + 1)
    }


def _always(
    involved: Collection[str], orders: Sequence[Sequence[str]]
) -> Iterator[tuple[str, str]]:
    """Pairs that stand in the same order in every safe one."""
    for first, second in itertools.permutations(sorted(involved), 2):
        if orders and all(one.index(first) < one.index(second) for one in orders):
            yield first, second
