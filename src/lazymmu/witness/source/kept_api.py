# SPDX-License-Identifier: GPL-2.0-or-later
"""The calls of the mode's API in one tree, kept, and the API that is made of them again.

To find them takes a look at each function that could be one of them. Where no body has changed of
those that were looked at, they are what they were.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lazymmu.contract.vocabulary import ModeCall
from lazymmu.kernelc.json_shapes import listed, numbers
from lazymmu.witness.source.interproc.mode_api import ModeApi
from lazymmu.witness.source.own_api import OtherMeanings
from lazymmu.witness.source.plain_values import built, plain

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from lazymmu.kernelc.program import Program

__all__ = ["KeptApi", "api_that_holds", "plain_api"]


@dataclass(frozen=True, slots=True)
class KeptApi:
    """What is kept of an API: all of one that has no places in texts."""

    anywhere: tuple[tuple[str, ModeCall], ...]
    within: tuple[tuple[str, str, ModeCall], ...]
    homes: tuple[tuple[str, tuple[str, ...]], ...]

    def of(self, program: Program) -> ModeApi:
        """Return the API, as one program has it."""
        homes = {name: frozenset(files) for name, files in self.homes}
        within = {(file, name): call for file, name, call in self.within}
        another = OtherMeanings(program, homes)
        return ModeApi(dict(self.anywhere), within, homes=homes, another=another)


def plain_api(api: ModeApi) -> object:
    """Return an API as plain values, None where it has places in texts, which may move."""
    if api.pointed:
        return None
    within = tuple((*where, call) for where, call in api.within.items())
    homes = tuple((name, tuple(sorted(files))) for name, files in api.homes.items())
    return plain(KeptApi(tuple(api.anywhere.items()), within, homes))


def api_that_holds(
    parts: Mapping[str, object],
    items: Sequence[Sequence[object]],
    bodies: Collection[tuple[str, str]],
) -> KeptApi | None:
    """Return the API of an analysis that was kept, None where it may be another one now.

    :param parts: what `kept_parts.parts_as_plain` told of the analysis.
    :param items: what it has read.
    :param bodies: functions whose bodies have changed.
    :raises TypeError: it is nothing that was kept.
    :raises ValueError: likewise.
    """
    (read,) = [part[-1] for part in map(listed, listed(parts["parts"])) if part[0] == "api"]
    holds = all(_is_of_others(items[n], bodies) for n in numbers(read, 0, len(items)))
    kept: KeptApi | None = built(KeptApi | None, parts["api"]) if holds else None
    return kept


def _is_of_others(item: Sequence[object], bodies: Collection[tuple[str, str]]) -> bool:
    """Whether something that was read is about none of some functions."""
    match item:
        case ["body", file, name] | ["shape", file, name, _] | ["small", _, _, file, name, _]:
            return (file, name) not in bodies
    return False
