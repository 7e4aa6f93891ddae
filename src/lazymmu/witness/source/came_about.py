# SPDX-License-Identifier: GPL-2.0-or-later
"""What came about in an earlier analysis comes about again in the next one (taken_over.py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from lazymmu.kernelc.json_shapes import listed, numbers
from lazymmu.witness.source.kept_parts import definition_of
from lazymmu.witness.source.part_values import effect
from lazymmu.witness.source.told_values import ToldValues

if TYPE_CHECKING:
    from lazymmu.kernelc.configured_tree import Definition
    from lazymmu.kernelc.ir.nodes import Function
    from lazymmu.witness.source.analysis import Analysis
    from lazymmu.witness.source.moved_places import MovedPlaces

__all__ = ["CameAbout", "item_key"]

_OF_MONITORS: Final = frozenset({"begun", "ended", "entered", "shifted", "walked"})
"""Items that say what came about, and whom only those ask who walk under the same monitors."""


class CameAbout:
    """The items that an analysis has read (kernelc/reads.py), as another one has them.

    analysis: the other one, None until there is one; made: the values of the former, with lines and
    definitions of the latter.
    """

    def __init__(
        self,
        items: Sequence[Sequence[object]],
        values: Mapping[str, object],
        moved: MovedPlaces,
        broken: Mapping[tuple[str, str], str],
    ) -> None:
        """Take what was read.

        :param items: as `kept_parts.item_as_plain` tells it.
        :param values: of the parts, as `part_values.plain_values` tells them.
        :param moved: where the lines are now.
        :param broken: why functions are not read in full, by file and name.
        :raises TypeError: it is nothing that was kept.
        :raises ValueError: likewise.
        """
        self.analysis: Analysis | None = None
        self.made = ToldValues(listed(values["rows"]), moved, self.definition)
        self._items, self._broken = items, broken
        self._moved = moved
        self._effects = {
            number: item for item in map(listed, listed(values["effects"]))
            for number in numbers(item[:1], 0, len(items))
        }  # fmt: skip
        self._definitions: dict[tuple[str, str], Definition] = {}

    @property
    def live(self) -> Analysis:
        """The analysis at hand.

        :raises LookupError: there is none.
        """
        if self.analysis is None:
            raise LookupError("no analysis")
        return self.analysis

    def definition(self, file: str, name: str) -> Definition:
        """Return the one definition of a file that has a name; raises as `definition_of`."""
        known = self._definitions.get((file, name))
        if known is None:
            known = self._definitions[file, name] = definition_of(self.live, file, name)
        return known

    def item(self, number: int) -> tuple[Any, ...]:
        """Return an item by its number; raises where it cannot be made again."""
        match self._items[number]:
            case ["body", str(file), str(name)]:
                return ("body", file, name)
            case ["shape", str(file), str(name), _]:
                return ("shape", file, self.definition(file, name).line, name)
            case ["small", str(name), str(file), str(where), str(what), str()]:
                return ("small", name, file, where, what)
            case ["table" | "stub", *_] as told_item:
                return item_key(told_item)
        _, item = effect(self._effects[number], self.made, len(self._items))
        match item:
            case ("asked", str(file), int(), str(name), tuple(binding)):
                return ("asked", file, name, binding)
            case ("unresolved", str(name), str(file), int(line), str(function)):
                return ("unresolved", name, file, self._moved.line(file, line), function)
        return tuple(map(self._place, item))

    def _place(self, part: object) -> object:
        match part:
            case (str(file), int(line), str(name)):
                return file, self._moved.line(file, line), name
        return part

    def replay(self, came: Sequence[tuple[Any, ...]], *, apart: bool = False) -> None:
        """Let come about what came about.

        :param apart: under monitors of its own, which nobody asks any more.
        """
        live = self.live
        reads = live.program.reads
        for item in came:
            match item:
                case ("body", file, name):
                    reads.note(item)
                    self._met(file, name)
                case ("shape", file, _, name):
                    reads.note(item)
                    self._met(file, name)
                case ("small", name, file, where, what):
                    reads.note(("small", name, file))
                    if what:
                        self._met(where, what)
                case ("table" | "stub", *_):
                    reads.note(item)
                case ("asked", file, name, binding):
                    at = self.definition(file, name)
                    reads.note(("asked", at.file, at.line, at.name, binding))
                case (kind, *_) if apart and kind in _OF_MONITORS:
                    reads.note(item)
                case _:
                    live.walker.replay(item, self._graph)

    def _met(self, file: str, name: str) -> None:
        """Count a function as read, and as not read in full where it was not."""
        program = self.live.program
        program.reads.met(("body", file, name))
        why = self._broken.get((file, name))
        if why:
            at = self.definition(file, name)
            program.unparsed[at.file, at.line] = at.name, why

    def _graph(self, file: str, name: str) -> Function:
        return self.live.program.to_walk(self.definition(file, name))


def item_key(item: Sequence[object]) -> tuple[Any, ...]:
    """Return what an item is, without what it says."""
    match item:
        case ["table", list(asked), _]:
            return ("table", *asked)
    return tuple(item[:3])
