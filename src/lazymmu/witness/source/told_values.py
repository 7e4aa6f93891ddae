# SPDX-License-Identifier: GPL-2.0-or-later
"""Values of walks as plain ones that JSON can hold, each object once, and back.

Unlike plain_values.py, which goes by the types of fields, each object has its class beside it: a
path's notes hold events of any class. Only classes that are listed here are ever made again. Lines
are moved to where they are now.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Any, Final

from lazymmu.contract import events
from lazymmu.contract.monitor import Violation
from lazymmu.contract.section import Held, Pending, TaskState
from lazymmu.contract.site import Site
from lazymmu.kernelc.definition import Definition
from lazymmu.kernelc.ir import abstract_value
from lazymmu.kernelc.json_shapes import listed, string
from lazymmu.witness.finding import Step, StepAside
from lazymmu.witness.source.function.names import EntryName
from lazymmu.witness.source.interproc.call_chains import CallChain
from lazymmu.witness.source.interproc.direct_calls import CallBelow
from lazymmu.witness.source.path.path_state import RawReport
from lazymmu.witness.source.path.path_trace import PathTrace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lazymmu.witness.source.moved_places import MovedPlaces

__all__ = ["Teller", "ToldValues"]

_CLASSES: Final[Mapping[str, Any]] = {
    cls.__name__: cls
    for cls in (
        CallBelow, CallChain, EntryName, Held, PathTrace, Pending, RawReport, Site, Step, TaskState,
        Violation,
        *(cls for cls in vars(events).values()
          if isinstance(cls, type) and issubclass(cls, events.Event)),
        *(cls for cls in vars(abstract_value).values()
          if isinstance(cls, type) and cls.__module__ == abstract_value.__name__
          and hasattr(cls, "_fields")),
    )
}  # fmt: skip
_SIMPLE: Final[Mapping[str, type]] = {"str": str, "int": int, "bool": bool}
_DEFINITION: Final = "Definition"
_TUPLE, _SET = "t", "s"
_LARGEST: Final = 1 << 64


@functools.cache
def _fields(cls: Any) -> tuple[tuple[str, type | None], ...]:
    """The names of the fields that a class is made from, and their types where those are simple."""
    if dataclasses.is_dataclass(cls):
        return tuple((f.name, _SIMPLE.get(str(f.type))) for f in dataclasses.fields(cls) if f.init)
    return tuple((name, None) for name in cls._fields)


class Teller:
    """Tells values: `rows` are the objects, each as its class and its fields."""

    def __init__(self) -> None:
        """Start with no object."""
        self.rows: list[list[object]] = []
        self._known: dict[object, int] = {}

    def of(self, value: object) -> object:
        """Return a value as plain ones; objects by the number of their row, in a list alone.

        :raises TypeError: nothing is known of its class.
        """
        if value is None or isinstance(value, (bool, int, str)):
            return value.value if isinstance(value, StepAside) else value
        if type(value) is tuple:
            return [_TUPLE, *map(self.of, value)]
        if isinstance(value, frozenset):
            return [_SET, *sorted(map(self.of, value), key=repr)]
        at, later = value, []
        while isinstance(at, PathTrace) and at.before is not None and at.before not in self._known:
            later.append(at)  # A path may be longer than the stack is deep.
            at = at.before
        for one in (at, *reversed(later)):
            if one not in self._known:
                row = self._row(one)
                self._known[one] = len(self.rows)
                self.rows.append(row)
        return [self._known[value]]

    def _row(self, value: object) -> list[object]:
        if isinstance(value, Definition):
            return [_DEFINITION, value.file, value.name]
        name = type(value).__name__
        if _CLASSES.get(name) is not type(value):
            raise TypeError(f"nothing that can be told: {type(value)}")
        return [name, *(self.of(getattr(value, field)) for field, _ in _fields(_CLASSES[name]))]


class ToldValues:
    """Makes values from what `Teller` told of them, with every line where it is now."""

    def __init__(
        self,
        rows: Sequence[object],
        moved: MovedPlaces,
        definition: Callable[[str, str], Definition],
    ) -> None:
        """Take the rows of a teller.

        :param definition: finds the definition of a file that has a name.
        """
        self._rows = rows
        self._moved = moved
        self._definition = definition
        self._made: dict[int, object] = {}
        self._before = len(rows)
        """An object is told after those that it is made of."""

    def of(self, plain: object) -> Any:
        """Return the value that plain ones tell.

        :raises LookupError: a line or a definition is gone, or nothing was told so.
        :raises TypeError: nothing was told so.
        :raises ValueError: likewise.
        """
        if type(plain) is not list:
            if plain is not None and not isinstance(plain, (bool, int, str)):
                raise TypeError("no value")
            if isinstance(plain, int) and not -_LARGEST < plain < _LARGEST:
                raise ValueError("a number that nothing has")
            return plain
        match plain:
            case [int(number)] if type(number) is int:
                return self._made[number] if number in self._made else self._below(number)
            case ["t", *items]:
                return tuple(map(self.of, items))
            case ["s", *items]:
                return frozenset(map(self.of, items))
        raise TypeError("no value")

    def _below(self, number: int) -> object:
        """The object of a row, which is made of objects of rows before."""
        chain = [number]
        outer = self._before
        while True:
            if not 0 <= chain[-1] < (chain[-2] if len(chain) > 1 else outer):
                raise ValueError("an object that is told before what it is made of")
            match self._rows[chain[-1]]:
                case ["PathTrace", [int(before)], *_] if before not in self._made:
                    chain.append(before)
                case _:
                    break
        try:
            for one in reversed(chain):
                self._before = one
                self._made[one] = self._object(listed(self._rows[one]))
        finally:
            self._before = outer
        return self._made[number]

    def _object(self, row: Sequence[object]) -> object:
        name, *plain = row
        if name == _DEFINITION:
            file, called = map(string, plain)
            return self._definition(file, called)
        cls = _CLASSES[string(name)]
        values = {
            field: self.of(item) for (field, _), item in zip(_fields(cls), plain, strict=True)
        }
        for field, kind in _fields(cls):
            if kind is not None and type(values[field]) is not kind:
                raise TypeError(f"{field} is of another type")
        if cls is Step:
            values["aside"] = StepAside(values["aside"])
        if cls in (Step, Site):
            values["line"] = self._moved.line(values["file"], values["line"])
        return cls(**values)
