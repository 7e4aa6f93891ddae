# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a tree has the function that an operation of core-mm code stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.kernelc.ir.expr import Name
from lazymmu.lift.code import Opcode
from lazymmu.lift.problem import Unliftable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.lift.code import Code
    from lazymmu.lift.core_operations import CoreOperation
    from lazymmu.lift.link import Linker

__all__ = ["found"]

MAX_DEPTH: Final = 8
"""Calls between what others call and the loop over a table: one for each level, and a few more."""


def found(operation: CoreOperation, core: Linker) -> Code:
    """Return the function.

    It has the name that releases gave it. Without one of that name, it is the only function below
    the one that others call which takes as many parameters, and begins a section or is handed on.

    :raises Unliftable: there is none, or more than one.
    """
    code = core.function(operation.function, operation.file)
    if code is not None:
        return code
    above = core.function(operation.under, operation.file)
    if above is None:
        raise Unliftable(f"the tree has neither {operation.function}() nor {operation.under}()")
    alike = [one for one in _below(core, above) if _is_like(core, operation, one)]
    if len(alike) == 1:
        return alike[0]
    names = ", ".join(f"{one.name}()" for one in alike) or "nothing like it"
    what = f"the tree has no {operation.function}(), and {names} below {above.name}()"
    raise Unliftable(what, above.file, above.line)


def _is_like(core: Linker, operation: CoreOperation, code: Code) -> bool:
    """Whether a function has the parameters of an operation, by their names, and does its work."""
    handed = set(operation.handed)
    if not handed <= set(code.params):
        return False
    words = [core.words.get(one.what) for one in code.instructions if one.op is Opcode.CALL]
    return any(word is not None and word.does in ("mode", "accessor") for word in words)


def _below(core: Linker, above: Code) -> Iterator[Code]:
    """The functions of the tree that one calls, or hands on, and what these do."""
    level, seen = [above], {above}
    for _ in range(MAX_DEPTH):
        after: list[Code] = []
        for code in level:
            for name in _named(code):
                one = _function(core, name, code.file)
                if one is not None and one not in seen:
                    seen.add(one)
                    after.append(one)
                    yield one
        level = after


def _named(code: Code) -> Iterator[str]:
    for one in code.instructions:
        if one.op is Opcode.CALL:
            yield one.what
            yield from (raw.spelling for raw in one.raw if isinstance(raw, Name))


def _function(core: Linker, name: str, near: str) -> Code | None:
    if name in core.words:
        return None
    try:
        return core.function(name, near)
    except Unliftable:
        return None  # what is not understood is not what is looked for
