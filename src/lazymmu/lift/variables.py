# SPDX-License-Identifier: GPL-2.0-or-later
"""C variables as columns of the machine: of a CPU or of a task, each with the name that C has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lazymmu.lift.problem import Unliftable
from lazymmu.machine.layout import Column

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lazymmu.lift.ctypes import CType
    from lazymmu.lift.values import CPointer, Value
    from lazymmu.machine.context import StepContext

__all__ = ["FLAG", "CVariables"]

FLAG = "flags"
"""First part of the path of a task's flag."""


class CVariables:
    """The variables that lifted code may touch.

    A member is a column of its own, an array one column. Names are as short as they can be: the
    member's own where nothing else has it, else the whole path with dots.
    """

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._found: dict[tuple[str, tuple[str | int, ...]], tuple[CType, Value]] = {}
        self._room: dict[str, int] = {}
        self._names: dict[tuple[str, tuple[str | int, ...]], str] | None = None

    def add(
        self,
        space: str,
        path: tuple[str, ...],
        kind: CType,
        initial: Value,
        room: int | None = None,
    ) -> None:
        """There is a variable.

        :param space: "cpu" or "task".
        :param room: of an array how many elements it has, None where that is not known.
        """
        self._found.setdefault((space, path), (kind, initial))
        if room is not None:
            self._room[".".join(path)] = room
        self._names = None

    @property
    def names(self) -> dict[tuple[str, tuple[str | int, ...]], str]:
        """Return the column of each variable."""
        if self._names is None:
            last = [str(path[-1]) for _, path in self._found]
            self._names = {
                (space, path): str(path[-1])
                if last.count(str(path[-1])) == 1
                else ".".join(map(str, path))
                for space, path in self._found
            }
        return self._names

    @property
    def arrays(self) -> frozenset[str]:
        """Return the members and variables that are arrays, by their last names."""
        return frozenset(str(path[-1]) for (_, path), (kind, _) in self._found.items() if kind.dims)

    def columns(self, *, without: Iterable[str] = ()) -> Iterator[Column]:
        """Yield the columns, but for those that are there already."""
        for (space, path), name in self.names.items():
            kind, initial = self._found[space, path]
            width = kind.width
            small = 2 if width == (1, False) else None
            if name not in without:
                yield Column(name, space, initial, small)

    def of(self, space: str) -> tuple[str, ...]:
        """Return the columns of a space."""
        return tuple(name for (where, _), name in self.names.items() if where == space)

    def load(self, here: StepContext, place: CPointer) -> Value:
        """Return what a variable of a CPU or a task holds."""
        slot, name, rest = self._column(here, place)
        value: Any = getattr(slot, name)
        for number in rest:
            value = value[number] if number < len(value) else 0
        return value  # type: ignore[no-any-return]

    def store(self, here: StepContext, place: CPointer, value: Value) -> None:
        """Change it, as wide as it is."""
        slot, name, rest = self._column(here, place)
        made = place.type.wrapped(value)
        if rest:
            (number,) = rest
            old: tuple[Any, ...] = getattr(slot, name)
            filled = (*old, *((0,) * (number + 1 - len(old))))
            made = (*filled[:number], made, *filled[number + 1 :])
        setattr(slot, name, made)

    def _column(self, here: StepContext, place: CPointer) -> tuple[Any, str, tuple[int, ...]]:
        path = place.path
        rest: list[int] = []
        while path and isinstance(path[-1], int):
            rest.insert(0, path[-1])
            path = path[:-1]
        name = self.names.get((place.space, path))
        if name is None:
            raise Unliftable(f"{'.'.join(map(str, place.path))} is no variable of the machine")
        if rest:
            whole = ".".join(map(str, path))
            room = self._room.get(whole)
            if room is not None and not 0 <= rest[0] < room:
                raise Unliftable(f"element {rest[0]} of {whole}, which has {room}")
        slot = here.cpu_at(place.owner) if place.space == "cpu" else here.task_at(place.owner)
        return slot, name, tuple(rest)
