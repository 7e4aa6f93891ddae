# SPDX-License-Identifier: GPL-2.0-or-later
"""What lifted functions may come to: the functions that they call, and the variables they touch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lazymmu.kernelc.ir.expr import Address, Cast, Deref, Expr, Field, Name
from lazymmu.lift.code import Code, Instruction, Opcode, Operand, Var
from lazymmu.lift.execute import TASK
from lazymmu.lift.primitives import BOOL
from lazymmu.lift.problem import Unliftable
from lazymmu.lift.variables import FLAG, CVariables
from lazymmu.lift.words import ENDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lazymmu.lift.ctypes import CType
    from lazymmu.lift.link import CallMeaning, Linker

__all__ = ["Closure", "closure"]

MAX_FUNCTIONS = 400
"""Functions below the hooks; the most of 5.10 to 7.3 is far below."""


@dataclass(slots=True)
class Closure:
    """Everything that is reached.

    :param codes: in the order in which they are found.
    :param variables: those that they touch.
    :param ends: whether anything goes to hardware or a hypervisor.
    """

    codes: list[Code] = field(default_factory=list)
    variables: CVariables = field(default_factory=CVariables)
    ends: bool = False


def closure(linker: Linker, roots: Iterable[Code]) -> Closure:
    """Follow every call of `roots`.

    :raises Unliftable: for one that is not known.
    """
    found = Closure()
    todo = list(roots)
    seen: set[Code] = set()
    while todo:
        code = todo.pop(0)
        if code in seen:
            continue
        seen.add(code)
        found.codes.append(code)
        if len(seen) > MAX_FUNCTIONS:
            raise Unliftable("more functions than one looks at", code.file, code.line)
        for one in code.instructions:
            if one.op is Opcode.CALL:
                target = target_of(linker, code, one)
                if target.code is not None:
                    todo.append(target.code)
                elif target.word is not None and target.word.does in ENDS:
                    found.ends = True
    _variables(linker, found)
    return found


def target_of(linker: Linker, code: Code, one: Instruction) -> CallMeaning:
    """Return what a call means, as far as its text tells.

    :raises Unliftable: with the reason.
    """
    for number, raw in enumerate(one.raw):
        path = _path(raw, code)
        if "." in path:
            held = linker.held(path, number + 1)
            if held is not None:
                return held
    target = linker.target(one.what, code.file)
    if target is None:
        raise Unliftable(f"a call of {one.what}(), which is not known", code.file, one.line)
    return target


def _path(expr: Expr, code: Code) -> str:
    """Return `mmu.lazy_mode.enter` of an expression that begins with no variable of the code."""
    parts: list[str] = []
    while isinstance(expr, (Field, Cast, Deref, Address)):
        if isinstance(expr, Field):
            parts.insert(0, expr.name)
            expr = expr.base
        else:
            expr = expr.operand
    if not isinstance(expr, Name) or expr.spelling in code.types or expr.spelling in code.params:
        return ""
    return ".".join((expr.spelling, *parts))


def _variables(linker: Linker, found: Closure) -> None:
    members = {
        one.what for code in found.codes for one in code.instructions if one.op is Opcode.FIELD
    }
    for code in found.codes:
        for one in code.instructions:
            if one.op is Opcode.GLOBAL and one.what not in linker.words:
                variable = linker.names.per_cpu(one.what, code.file)
                if variable is not None:
                    first = variable.initial
                    whole = (one.what,)
                    _add(linker, found, "cpu", whole, variable.type, first, members, code.file)
            if one.op is Opcode.CALL:
                _flag(linker, found, code, one)
    near = found.codes[0].file if found.codes else ""
    of_tasks = {name for code in found.codes for name in _of_tasks(linker, code)}
    for name in sorted(of_tasks):
        kind = linker.names.member(TASK, name, near)
        if kind is not None:
            _add(linker, found, "task", (name,), kind, 0, members, near)


def _of_tasks(linker: Linker, code: Code) -> Iterator[str]:
    """The members of tasks that a function names."""
    tasks = {name for name, kind in code.types.items() if "struct task_struct" in kind}
    for one in code.instructions:
        word = linker.words.get(one.what)
        copies = one.op in (Opcode.SET, Opcode.CAST) and _is_in(one.args[0], tasks)
        if copies or (word is not None and word.does == "current"):
            tasks.add(one.to)
        elif one.op is Opcode.FIELD and _is_in(one.args[0], tasks):
            yield one.what


def _is_in(operand: Operand, names: set[str]) -> bool:
    return isinstance(operand, Var) and operand.name in names


def _add(
    linker: Linker,
    found: Closure,
    space: str,
    path: tuple[str, ...],
    kind: CType,
    initial: int,
    members: set[str],
    near: str,
) -> None:
    """Add a variable, or of a structure the members that the code names.

    :param near: the file that names it.
    """
    if not kind.aggregate or kind.dims:
        first = () if kind.dims else initial
        found.variables.add(space, path, kind, first, linker.names.room(kind, near))
        return
    for name in sorted(members):
        inner = linker.names.member(kind, name, "")
        if inner is not None:
            _add(linker, found, space, (*path, name), inner, 0, members, near)


def _flag(linker: Linker, found: Closure, code: Code, one: Instruction) -> None:
    target = target_of(linker, code, one)
    word = target.word
    if word is not None and word.does.startswith("flag-") and word.flag < len(one.raw):
        raw = one.raw[word.flag]
        if isinstance(raw, Name):
            found.variables.add("task", (FLAG, raw.spelling), BOOL, 0)
