# SPDX-License-Identifier: GPL-2.0-or-later
"""What lifted functions may come to: the functions that they call, and the variables they touch."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lazymmu.kernelc.ir.expr import Address, Cast, Deref, Expr, Field, Name
from lazymmu.lift.code import Code, Instruction, Opcode, Operand, Var
from lazymmu.lift.execute import TASK
from lazymmu.lift.primitives import BOOL
from lazymmu.lift.problem import Unliftable
from lazymmu.lift.static_keys import name_of
from lazymmu.lift.values import Opaque
from lazymmu.lift.variables import FLAG, CVariables
from lazymmu.lift.words import ENDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lazymmu.lift.ctypes import CType
    from lazymmu.lift.link import CallMeaning, Linker
    from lazymmu.lift.words import LiftWord

__all__ = ["Closure", "closure"]

MAX_FUNCTIONS = 400
"""Functions below the hooks; the most of 5.10 to 7.3 is far below."""


@dataclass(slots=True)
class Closure:
    """Everything that is reached.

    :param codes: in the order in which they are found.
    :param variables: those that they touch.
    :param ends: whether anything goes to hardware or a hypervisor.
    :param keys: names of the static keys that are asked for.
    """

    codes: list[Code] = field(default_factory=list)
    variables: CVariables = field(default_factory=CVariables)
    ends: bool = False
    keys: set[str] = field(default_factory=set)


def closure(linker: Linker, roots: Iterable[Code]) -> Closure:
    """Follow every call of `roots`.

    :raises Unliftable: for one that is not known.
    """
    found = Closure()
    todo = list(roots)
    above: dict[Code, tuple[Code, Instruction] | None] = dict.fromkeys(todo)
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
                try:
                    target = _called(linker, code, one, found)
                except Unliftable as problem:
                    raise _with_way(problem, code, one, above) from None
                if target is not None:
                    above.setdefault(target, (code, one))
                    todo.append(target)
    _variables(linker, found)
    return found


def _called(linker: Linker, code: Code, one: Instruction, found: Closure) -> Code | None:
    """Return the function that is called, None for a word, and note what that is."""
    target = target_of(linker, code, one)
    if target.word is not None and target.word.does in ENDS:
        found.ends = True
    elif target.word is not None and target.word.does == "static-key":
        found.keys.add(_key(linker, code, one, target.word))
    return target.code


def _with_way(
    problem: Unliftable,
    code: Code,
    one: Instruction,
    above: Mapping[Code, tuple[Code, Instruction] | None],
) -> Unliftable:
    """Name the call at which the architecture's own code comes to a problem elsewhere.

    Without any such code it is the outermost one.
    """
    way = [(code, one)]
    while (caller := above[way[0][0]]) is not None:
        way.insert(0, caller)
    mine = list(itertools.dropwhile(lambda call: not _is_own(call[0]), way))
    mine = list(itertools.takewhile(lambda call: _is_own(call[0]), mine))
    code, one = mine[-1] if mine else way[0]
    is_there = (problem.file, problem.line) == (code.file, one.line)
    return problem if is_there else problem.below(f"{one.what}()", code.file, one.line)


def _is_own(code: Code) -> bool:
    return code.file.startswith("arch/")


def _key(linker: Linker, code: Code, one: Instruction, word: LiftWord) -> str:
    """Look a static key up, before anything runs: it may be either. Return its name."""
    raw = one.raw[word.arg] if word.arg < len(one.raw) else None
    path = "" if raw is None else _path(raw, code)

    def refused(why: str) -> Unliftable:
        return Unliftable(f"{one.what}() {why}", code.file, one.line)

    key = Opaque(path)
    linker.keys.asked(key, refused)
    return name_of(key)


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
