# SPDX-License-Identifier: GPL-2.0-or-later
"""What a scenario says of an implementation's variables, and of what is slow."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from lazymmu.machine import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lazymmu.explore import StateView

__all__ = ["AsIf", "BoundInvariant", "SaidInvariant", "bind", "most"]

_ORDER: Final[Mapping[str, Callable[[int, int], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class SaidInvariant(Protocol):
    """A line of `always` or of `cost`."""

    @property
    def name(self) -> str:
        """A variable: `cpu0.active`, or `active` for that of every CPU or task."""

    @property
    def compare(self) -> str:
        """The comparison."""

    @property
    def values(self) -> tuple[str, ...]:
        """What it compares with."""


@dataclass(frozen=True, slots=True)
class BoundInvariant:
    """An invariant of one machine: the fields that it is about."""

    said: SaidInvariant
    fields: tuple[int, ...]

    def holds(self, state: StateView) -> bool:
        """Whether it holds of a state."""
        return all(self._fits(state[field]) for field in self.fields)

    def _fits(self, value: Any) -> bool:
        said = self.said
        if said.compare in _ORDER:
            number = len(value) if isinstance(value, tuple | frozenset) else value
            return isinstance(number, int) and _ORDER[said.compare](number, int(said.values[0]))
        return (_word(value) in said.values) == (said.compare == "=")


def bind(said: SaidInvariant, names: Sequence[str]) -> BoundInvariant:
    """The invariant on a machine with these fields.

    :raises ConfigError: it has no such one.
    """
    fields = tuple(
        number
        for number, name in enumerate(names)
        if name == said.name or name.rpartition(".")[2] == said.name
    )
    if not fields:
        raise ConfigError(f"this implementation has no variable {said.name}")
    return BoundInvariant(said, fields)


def most(said: SaidInvariant) -> int:
    """How often what costs may be done at most."""
    return int(said.values[0]) - (said.compare == "<")


class AsIf:
    """A state as if one of its values were another."""

    def __init__(self, state: StateView, place: int, value: object) -> None:
        self._state, self._place, self._value = state, place, value

    def __getitem__(self, index: int, /) -> Any:
        """The value at `index`."""
        return self._value if index == self._place else self._state[index]

    def __setitem__(self, index: int, value: object, /) -> None:
        """A look changes nothing: raises TypeError."""
        raise TypeError(f"place {index} of a state that is only looked at")


def _word(value: object) -> str:
    match value:
        case None:
            return "none"
        case tuple() | frozenset():
            return str(len(value))
        case _:
            return str(value)
