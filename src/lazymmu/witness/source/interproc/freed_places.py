# SPDX-License-Identifier: GPL-2.0-or-later
"""Where what a function frees came from: a parameter, a member below it, the structure around it.

    static void later_free(struct work_struct *work)
    {
        struct later *later = container_of(work, struct later, work);

        __free_page(later->page);       /* of `work`: `..->page` */
    }

Whoever hands such a function an item has the page in the structure that the item stands in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from lazymmu.kernelc.ir.expr import Address, AnyCall, Call, Expr, Field, Name
from lazymmu.kernelc.ir.nodes import Function, spell, strip_casts, writes

__all__ = ["AROUND", "OUTSIDE", "FreedPlace", "Places", "handed_place"]

AROUND: Final = ".."
"""The structure that what a parameter points to stands in."""

OUTSIDE: Final = -1
"""No parameter: a variable outside of functions, by its name."""

_ROUNDS: Final = 3
"""Variables that are given each other which are followed."""


class FreedPlace(NamedTuple):
    """A parameter by its number, and the way from it: "", `->page`, `..->page`."""

    parameter: int
    path: str = ""


@dataclass(frozen=True, slots=True)
class Places:
    """The places that expressions of one function stand for.

    :param given: what variables and members are given once, by their spelling.
    :param container: which argument of a call is what stands in the structure that the call
        returns, None for other calls.
    """

    graph: Function
    given: dict[str, FreedPlace]
    container: Callable[[AnyCall], Expr | None]

    @classmethod
    def of(cls, graph: Function, container: Callable[[AnyCall], Expr | None]) -> Places:
        """Read them off a function's graph."""
        written = [
            (spell(target), value)
            for node in graph.nodes
            if node.expr is not None
            for target, value in writes(node.expr)
        ]
        counts = Counter(name for name, _ in written)
        given = {name: FreedPlace(at) for at, name in enumerate(graph.params) if not counts[name]}
        found = cls(graph, given, container)
        once = [(name, value) for name, value in written if counts[name] == 1]
        for _ in range(_ROUNDS):
            for name, value in once:
                place = found.place(value) if value is not None else None
                if place is not None:
                    given.setdefault(name, place)
        return found

    def place(self, expr: Expr) -> FreedPlace | None:
        """The place that an expression's value is, None where nobody can tell."""
        expr = strip_casts(expr)
        known = self.given.get(spell(expr))
        if known is not None:
            return known
        match expr:
            case Field(base, name):
                return self._below(base, f"->{name}")
            case Name(name) if name not in self.graph.types and not name.isupper():
                return FreedPlace(OUTSIDE, name)
            case Call():
                inner = self.container(expr)
                return self._below(inner, AROUND) if inner is not None else None
        return None

    def handed(self, arg: Expr, path: str) -> FreedPlace | None:
        """The place that is `path` from what an argument is."""
        spelled = handed_place(arg, path)
        if spelled and spelled in self.given:
            return self.given[spelled]
        arg = strip_casts(arg)
        if not path:
            return self.place(arg)
        if isinstance(arg, Address):
            inner = strip_casts(arg.operand)
            if not path.startswith(AROUND):
                return self._below(inner, path)
            rest = path.removeprefix(AROUND)
            return self._below(inner.base, rest) if isinstance(inner, Field) else None
        return self._below(arg, path)

    def _below(self, base: Expr, path: str) -> FreedPlace | None:
        found = self.place(base)
        return FreedPlace(found.parameter, found.path + path) if found is not None else None


def handed_place(arg: Expr, path: str) -> str:
    """How a function spells what is `path` from an argument of a call; "" where it cannot."""
    arg = strip_casts(arg)
    if not path.startswith(AROUND):
        return spell(arg.operand if isinstance(arg, Address) and path else arg) + path
    inner = strip_casts(arg.operand) if isinstance(arg, Address) else arg
    rest = path.removeprefix(AROUND)
    if not isinstance(arg, Address) or not isinstance(inner, Field) or rest.startswith(AROUND):
        return ""
    return spell(inner.base) + rest
