# SPDX-License-Identifier: GPL-2.0-or-later
"""Conditions that hang on what is one answer here, whatever it is asked of.

Whether a page is one process's own is the same for all pages of a run, and changes in none. A BUG
that asks for it of one page before something is done, and of another after that, would be met.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.lift.code import Opcode, Var, following

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lazymmu.lift.code import Code, Operand

__all__ = ["hangs_on"]


def hangs_on(code: Code, at: int, operand: Operand, called: Callable[[str], bool]) -> bool:
    """Tell whether what an instruction is handed comes of a call.

    :param at: the number of the instruction.
    :param operand: one of those that it is handed.
    :param called: whether it is one of the calls that are looked for, by its name.
    """
    todo, done = [operand], set[str]()
    while todo:
        one = todo.pop()
        if not isinstance(one, Var) or one.name in done:
            continue
        done.add(one.name)
        for number in _settings(code, one.name):
            made = code.instructions[number]
            if made.op is Opcode.CALL and called(made.what):
                return True
            todo += made.args if made.op is not Opcode.CALL else ()
        todo += _deciding(code, one.name, at)
    return False


def _settings(code: Code, name: str) -> list[int]:
    """The instructions that give a variable its value."""
    return [number for number, one in enumerate(code.instructions) if one.to == name]


def _deciding(code: Code, name: str, at: int) -> Iterator[Operand]:
    """What decides which of several values a variable has: the conditions of `a && b`."""
    settings = frozenset(_settings(code, name))
    if len(settings) < 2:
        return
    for number, one in enumerate(code.instructions):
        if one.op is Opcode.BRANCH:
            ways = {_first(code, way, settings, at) for way in following(code.instructions, number)}
            if len(ways) > 1 and all(ways):
                yield from one.args


def _first(code: Code, start: int, settings: frozenset[int], end: int) -> frozenset[int]:
    """Which of some instructions are come to first; nothing where a way leads past them."""
    found, seen, todo = set[int](), set[int](), [start]
    while todo:
        number = todo.pop()
        if number in settings:
            found.add(number)
        elif number not in seen and number != end:
            seen.add(number)
            todo += following(code.instructions, number)
    return frozenset(found)
