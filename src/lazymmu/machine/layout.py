# SPDX-License-Identifier: GPL-2.0-or-later
"""The machine's state as a row of values: which value stands where, and views by name."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class StateRow(Protocol):
    """A state under change: a list of values by number."""

    def __getitem__(self, index: int, /) -> Any:
        """The value that stands at `index`."""

    def __setitem__(self, index: int, value: Hashable, /) -> None:
        """Change it."""


class Column(NamedTuple):
    """A variable: one value for each thing of a kind.

    :param per: "system", "cpu", "task", "entry", "lock", "page", "irq" or "tlb" (CPU x entry).
    :param initial: its value at the beginning, or a function of the thing's number.
    :param values: how many small integers from 0 it ranges over, None for anything hashable.
    """

    name: str
    per: str
    initial: Hashable | Callable[[int], Hashable] = 0
    values: int | None = None


class Slot:
    """One thing's variables as attributes: `cpu.lazy_mode = MMU`."""

    __slots__ = ("_bases", "_index", "_view")

    def __init__(self, view: StateRow, bases: Mapping[str, int], index: int) -> None:
        """`bases`: where each variable of this kind of thing begins; `index`: which thing."""
        _set_view(self, view)
        _set_bases(self, bases)
        _set_index(self, index)

    def __getattr__(self, name: str) -> Any:
        """The variable's value; AttributeError, with the nearest name, where there is none."""
        try:
            at = self._bases[name] + self._index
        except KeyError:
            raise _no_variable(name, self._bases) from None
        return self._view[at]

    def __setattr__(self, name: str, value: Any) -> None:
        """Change the variable; raises AttributeError as reading it does."""
        try:
            at = self._bases[name] + self._index
        except KeyError:
            raise _no_variable(name, self._bases) from None
        self._view[at] = value


def _no_variable(name: str, there_are: Iterable[str]) -> AttributeError:
    import difflib  # needed by mistakes alone

    known = sorted(there_are)
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(known) or 'none'}"
    return AttributeError(f"no variable `{name}` is declared; {hint}")


# Attributes of a slot are the thing's variables; its own three are set past __setattr__().
_set_view = Slot.__dict__["_view"].__set__
_set_bases = Slot.__dict__["_bases"].__set__
_set_index = Slot.__dict__["_index"].__set__


class Layout:
    """Where each variable of each thing stands in the row of values."""

    def __init__(self, columns: Iterable[Column], names: Mapping[str, Sequence[str]]) -> None:
        """`names`: the things of each kind, in order.

        Raises ValueError for a name used twice, and for a kind of thing that there is not.
        """
        self.names = names
        self.bases: dict[str, dict[str, int]] = {kind: {} for kind in names}
        self.fields: list[tuple[str, int | None]] = []
        initial: list[Hashable] = []
        for column in columns:
            if column.per not in self.bases:
                kinds = ", ".join(self.bases)
                raise ValueError(
                    f"variable {column.name} is one per `{column.per}`; there are {kinds}"
                )
            bases = self.bases[column.per]
            if column.name in bases:
                raise ValueError(f"variable {column.name} of {column.per} is declared twice")
            bases[column.name] = len(initial)
            for index, thing in enumerate(names[column.per]):
                self.fields.append((f"{thing}.{column.name}", column.values))
                first = column.initial
                initial.append(first(index) if callable(first) else first)
        self.initial = tuple(initial)
        self._places: list[tuple[str, str, int]] = []

    def place(self, index: int) -> tuple[str, str, int]:
        """Kind, variable and number of the thing that a value belongs to."""
        if not self._places:
            self._places = [
                (kind, name, number)
                for name, kind, _ in sorted(
                    (
                        (name, kind, base)
                        for kind, bases in self.bases.items()
                        for name, base in bases.items()
                    ),
                    key=lambda found: found[2],
                )
                for number in range(len(self.names[kind]))
            ]
        return self._places[index]

    def slot(self, view: StateRow, kind: str, index: int) -> Slot:
        """Thing number `index` of a kind."""
        return Slot(view, self.bases[kind], index)
