# SPDX-License-Identifier: GPL-2.0-or-later
"""In what two walks of the headers differ, as far as somebody who looked at files can tell.

A macro is another one where its text is, its file, or the condition under which it is there; of a
header something else is compiled; a .c file is built under another condition; a file comes to see
other local headers. Whoever has met none of that has seen the same, whatever else is different.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lazymmu.kernelc.json_shapes import mapped, numbers, pairs, strings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import TypeVar

    from lazymmu.kernelc.config.kconfig import Config
    from lazymmu.kernelc.walk_parts import WalkParts

    T = TypeVar("T")

__all__ = ["WalkDifference"]

_SYMBOL: Final = re.compile(r"\bCONFIG_(\w+)")


@dataclass(frozen=True, slots=True)
class WalkDifference:
    """In what two walks differ.

    :param symbols: of the configuration that are otherwise, without CONFIG_.
    :param macros: names of macros that are others, or there in one of the walks alone.
    :param headers: files of which something else is compiled, or that only one walk included.
    :param built: .c files that are built under another condition, or in one of the walks alone.
    :param seeing: files that come to other local headers.
    :param files: those of either walk that are in the other one no more, or not yet.
    :param loops: macros that head a loop in one of them alone.
    :param then: the first of them.
    """

    then: WalkParts
    symbols: frozenset[str]
    macros: frozenset[str]
    headers: frozenset[str]
    built: frozenset[str]
    seeing: frozenset[str]
    files: frozenset[str]
    loops: frozenset[str]

    def renamed(
        self, kind: str, names: Iterable[str], now: Mapping[str, Sequence[str]]
    ) -> set[str]:
        """Return those of some names that are in other files now than in the first walk.

        :param kind: functions, fields, structs, given, as `TreeState` has them.
        :param now: the files of each name now.
        :raises KeyError, TypeError, ValueError: the walk is none.
        """
        known, files = mapped(self.then.state[kind]), self.then.files
        found = set()
        for name in names:
            before = [files[n] for n in numbers(known.get(name, []), 0, len(files))]
            if before != list(now.get(name, ())):
                found.add(name)
        return found

    @classmethod
    def between(
        cls, then: WalkParts, now: WalkParts, then_config: Config, now_config: Config
    ) -> WalkDifference:
        """Compare two walks, each with the configuration that it was under.

        :raises KeyError, TypeError, ValueError: one of them is none.
        """
        symbols = _symbols(then_config, now_config)
        built = _other(dict(then.built()), dict(now.built()))
        built |= {
            rel
            for walk in (then, now)
            for rel, when in walk.built()
            if not symbols.isdisjoint(_SYMBOL.findall(" ".join(strings(when))))
        }
        return cls(
            then=then,
            symbols=frozenset(symbols),
            macros=frozenset(_other(_macros(then), _macros(now)) | _overridden(then, now)),
            headers=frozenset(_other(_headers(then), _headers(now))),
            built=frozenset(built),
            seeing=frozenset(_other(then.seen_locally(), now.seen_locally())),
            files=frozenset(then.looked_into() ^ now.looked_into()),
            loops=frozenset({*strings(then.state["loops"])} ^ {*strings(now.state["loops"])}),
        )


def _other(then: Mapping[str, T], now: Mapping[str, T]) -> set[str]:
    """The keys whose values are not the same."""
    both = then.keys() & now.keys()
    return (then.keys() ^ now.keys()) | {key for key in both if then[key] != now[key]}


def _symbols(then: Config, now: Config) -> set[str]:
    found = {*(then.on ^ now.on), *(then.free ^ now.free), *(then.either ^ now.either)}
    found |= _other(then.numbers, now.numbers)
    for members, _ in {*then.choices} ^ {*now.choices}:
        found |= members
    return found


def _macros(walk: WalkParts) -> dict[str, tuple[object, ...]]:
    found: dict[str, tuple[object, ...]] = {
        name: (file, said, when)
        for (name, file, _, when), said in zip(walk.macros(), walk.said(), strict=True)
    }
    found.update((name, (text,)) for name, text in pairs(strings(walk.state["values"]), 2))
    found.update((name, ()) for name in strings(walk.state["removed"]) if name not in found)
    return found


def _overridden(then: WalkParts, now: WalkParts) -> set[str]:
    """The macros that local headers change otherwise."""
    return {name for name, *_ in _changes(then) ^ _changes(now)}


def _changes(walk: WalkParts) -> set[tuple[str, str, str, int, object]]:
    """What local headers change; with other directives in a file each of its numbers is another."""
    return {
        (name, changer, file, which, walk.digests.get(file))
        for name, changer, file, which in walk.overrides()
    }


def _headers(walk: WalkParts) -> dict[str, object]:
    return {
        rel: (walk.digests.get(rel), live)
        for rel, live in zip(walk.headers, walk.live(), strict=True)
    }
