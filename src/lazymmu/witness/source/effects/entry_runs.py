# SPDX-License-Identifier: GPL-2.0-or-later
"""Accessors that are about several entries: which those after the first are.

    set_ptes(mm, addr, pte, value, 4);      /* pte + 1, pte + 2 and pte + 3 wait, too */
    set_ptes(mm, addr, pte, value, nr);     /* and here pte + i, for each i below nr */

Of a few each has its own name. All of them together are one entry as well, `pte + 0..nr`, which is
what a place near the pointer is where its number is a variable.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from lazymmu.contract.event_words import Level
from lazymmu.contract.section import Pending
from lazymmu.kernelc.ir.abstract_value import Evaluator, Int
from lazymmu.kernelc.ir.expr import Assign, Binary, Expr, IncDec, Name, Number
from lazymmu.kernelc.ir.nodes import Function, has_effect, spell, strip_casts, walk
from lazymmu.witness.source.function.names import EntryName, entry_name, plain_pointer
from lazymmu.witness.source.function.state import State

__all__ = ["OneOfRun", "one_of", "those_after"]

_NEAR: Final = 8
"""Entries that have a name each."""


class OneOfRun(NamedTuple):
    """The run that an entry may be one of, and how sure that is."""

    run: EntryName
    level: Level
    bounded: bool
    """A loop from 0 on asks for each that is less than the run's number."""
    certain: bool = False


def those_after(pointer: Expr, count: Expr, evaluator: Evaluator) -> list[EntryName]:
    """The names of the entries behind the one that a pointer is to, of so many; one of all."""
    if has_effect(pointer) or has_effect(count):
        return []
    value = evaluator.value(count)
    number = value.number if isinstance(value, Int) else None
    if number is not None and number < 2:
        return []
    near = range(1, number if number is not None and number <= _NEAR else 1)
    places = [entry_name(_beyond(plain_pointer(pointer), away)) for away in near]
    of_all = str(number) if number is not None else spell(count)
    return [*places, EntryName(f"({entry_name(pointer).spelling} + 0..{of_all})")]


def _beyond(pointer: Expr, away: int) -> Expr:
    """The pointer to the entry that is so many further on."""
    match pointer:
        case Binary("+", base, Number(already)):
            return Binary("+", base, Number(already + away))
        case Binary("-", base, Number(back)):
            return Binary("+", base, Number(away - back))
    return Binary("+", pointer, Number(away))


def one_of(pointer: Expr, graph: Function, state: State) -> OneOfRun | None:
    """The run of pending writes that the entry of a pointer may be one of."""
    pending = state.product.task.pending
    match plain_pointer(pointer) if pending else None:
        case Binary("+", base, away) if not has_effect(pointer):
            base, away = strip_casts(base), strip_casts(away)
        case _:
            return None
    start = f"({state.entry(entry_name(base)).spelling} + 0.."
    waiting = [item for item in pending if _is_of(item, start)]
    if len(waiting) != 1 or not isinstance(away, Name | Number):
        return None
    run, level = waiting[0].entry, waiting[0].level
    if not isinstance(run, EntryName):
        return None
    number = run.spelling[len(start) : -1]
    if isinstance(away, Name):
        if away.spelling == number:
            return None  # The first one behind them.
        return OneOfRun(run, level, _counts_up(graph, away, number))
    certain = number.isdigit() and away.value < int(number)
    if number.isdigit() and not certain:
        return None
    return OneOfRun(run, level, bounded=False, certain=certain)


def _is_of(item: Pending, start: str) -> bool:
    name = item.entry
    return isinstance(name, EntryName) and name.here and name.spelling.startswith(start)


def _counts_up(graph: Function, variable: Name, number: str) -> bool:
    """Whether a variable only counts from 0 on, and a loop is asked whether it is less."""
    less = False
    for node in graph.nodes:
        for part in walk(node.expr) if node.expr is not None else ():
            match part:
                case Assign("=", target, value) if strip_casts(target) == variable:
                    if not (isinstance(value, Number) and value.value == 0):
                        return False
                case Assign(_, target, _) if strip_casts(target) == variable:
                    return False
                case IncDec(op, target) if strip_casts(target) == variable and op != "++":
                    return False
                case Binary("<", left, right) if strip_casts(left) == variable:
                    less = less or spell(strip_casts(right)) == number
    return less
