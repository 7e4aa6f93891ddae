# SPDX-License-Identifier: GPL-2.0-or-later
"""A C function as instructions: from its flow graph, each expression taken apart.

An instruction does one thing: computes a value of values, loads, stores, calls, or goes elsewhere.
So a function can stop between any two of them, and its place is a number and its live variables.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from lazymmu.kernelc.ir.expr import (
    Address,
    Assign,
    Binary,
    Call,
    Cast,
    Conditional,
    Deref,
    Expr,
    Field,
    Guard,
    IncDec,
    Index,
    Name,
    Not,
    Number,
    Other,
    String,
    Temporary,
    Unary,
)
from lazymmu.kernelc.ir.nodes import BRANCH, EVAL, NOP, RETURN, SWITCH, Function
from lazymmu.lift.ctypes import typed
from lazymmu.lift.local_variables import arrays, is_guard
from lazymmu.lift.problem import Unliftable

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Code", "Const", "Instruction", "Opcode", "Operand", "Var", "compiled", "following"]


class Opcode(StrEnum):
    """What an instruction does."""

    SET = "set"
    BINARY = "binary"
    UNARY = "unary"
    CHOOSE = "choose"
    CAST = "cast"
    GLOBAL = "global"
    LOCAL = "local"
    FIELD = "field"
    INDEX = "index"
    LOAD = "load"
    STORE = "store"
    CALL = "call"
    JUMP = "jump"
    BRANCH = "branch"
    SWITCH = "switch"
    RETURN = "return"


class Var(NamedTuple):
    """A variable of the function, or a value in between."""

    name: str


class Const(NamedTuple):
    """A number."""

    value: int


Operand = Var | Const


class Instruction(NamedTuple):
    """One thing that is done.

    :param to: the variable that receives the value, "" for none.
    :param what: an operator, a member, a name, a type.
    :param places: where it goes on, for a branch when true, when false.
    :param raw: of a call, the expressions that its arguments were made of; of a branch its own: of
        `!x` that is `x`, with its places the other way round.
    """

    op: Opcode
    to: str
    args: tuple[Operand, ...]
    what: str
    line: int
    places: tuple[int, ...] = ()
    cases: tuple[int | None, ...] = ()
    raw: tuple[Expr, ...] = ()


@dataclass(frozen=True, eq=False, slots=True)
class Code:
    """A function, ready to be run.

    :param live: for each instruction the variables whose values matter before it.
    :param kept: local variables whose address is taken, which matter throughout.
    :param arrays: local variables that are arrays.
    :param matters: for an instruction, and whether nothing is called there, which names still
        matter: what frames.py has looked at.
    """

    name: str
    file: str
    line: int
    params: tuple[str, ...]
    types: dict[str, str]
    instructions: tuple[Instruction, ...]
    live: tuple[frozenset[str], ...]
    kept: frozenset[str]
    arrays: frozenset[str] = frozenset()
    matters: dict[tuple[int, bool], dict[str, bool]] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Return where the tree has it."""
        return f"{self.file}:{self.line}"

    def is_structure(self, name: str) -> bool:
        """Whether a local variable is a structure: by its type, or as a guard is one."""
        if is_guard(name):
            return True
        return name not in self.params and typed(self.types.get(name, "")).aggregate

    def reachable(self) -> tuple[int, ...]:
        """Return the instructions that may be come to from the first one, in their order."""
        todo, seen = [0], set[int]()
        while todo:
            at = todo.pop()
            if at not in seen:
                seen.add(at)
                todo += following(self.instructions, at)
        return tuple(sorted(seen))


def compiled(function: Function) -> Code:
    """Return a function's instructions.

    :raises Unliftable: for what has none.
    """
    if function.broken:
        what = f"{function.name}(): {function.broken}"
        raise Unliftable(what, function.file, function.line)
    return _Compiler(function).code()


class _Compiler:
    def __init__(self, function: Function) -> None:
        self.function = function
        self.out: list[Instruction] = []
        self.line = function.line
        self.temps = 0
        self.kept: set[str] = set()
        self.locals = {*function.params, *(n for n in function.types if not n.startswith("<"))}
        self.arrays = frozenset(arrays(function))

    def code(self) -> Code:
        begins: list[int] = []
        for number, node in enumerate(self.function.nodes):
            begins.append(len(self.out))
            self.line = node.line
            self._node(number)
        out = tuple(
            one._replace(places=tuple(begins[place] for place in one.places))
            if one.op in (Opcode.JUMP, Opcode.BRANCH, Opcode.SWITCH)
            else one
            for one in self.out
        )
        f = self.function
        live = _liveness(out)
        return Code(
            f.name, f.file, f.line, f.params, f.types, out, live, frozenset(self.kept), self.arrays
        )

    def _node(self, number: int) -> None:
        node = self.function.nodes[number]
        value: Operand | None = None
        if node.expr is not None and node.op != NOP:
            value = self.value(node.expr)
        where = tuple(node.succ)
        if node.op == RETURN:
            self.emit(Opcode.RETURN, args=() if value is None else (value,))
        elif node.op == BRANCH and value is not None:
            raw = () if node.expr is None else (node.expr,)
            self.emit(Opcode.BRANCH, args=(value,), places=where, raw=raw)
        elif node.op == SWITCH and value is not None:
            cases = tuple(case if isinstance(case, int) else None for case in node.cases)
            self.emit(Opcode.SWITCH, args=(value,), places=where, cases=cases)
        elif where:
            self.emit(Opcode.JUMP, places=where[:1])
        elif node.op == EVAL:
            self.emit(Opcode.RETURN)

    def emit(
        self,
        op: Opcode,
        to: str = "",
        args: tuple[Operand, ...] = (),
        what: str = "",
        places: tuple[int, ...] = (),
        cases: tuple[int | None, ...] = (),
        raw: tuple[Expr, ...] = (),
    ) -> None:
        self.out.append(Instruction(op, to, args, what, self.line, places, cases, raw))

    def made(self, op: Opcode, *args: Operand, what: str = "", raw: tuple[Expr, ...] = ()) -> Var:
        """Emit what computes a value, and return that."""
        self.temps += 1
        to = f"%{self.temps}"
        self.emit(op, to, args, what, raw=raw)
        return Var(to)

    # ---- values ----------------------------------------------------------------------------------

    def value(self, expr: Expr) -> Operand:
        """Return the value of an expression, after what computes it."""
        handler = _VALUES.get(expr.kind)
        if handler is None:
            raise Unliftable(f"an expression of kind {expr.kind}", self.function.file, self.line)
        return handler(self, expr)

    def is_local(self, name: str) -> bool:
        return name in self.locals or is_guard(name)

    def is_aggregate(self, name: str) -> bool:
        spelled = self.function.types.get(name)
        return (
            is_guard(name)
            or name in self.arrays
            or (
                spelled is not None
                and name not in self.function.params
                and typed(spelled).aggregate
            )
        )

    def name(self, expr: Name) -> Operand:
        if not self.is_local(expr.spelling):
            return self.made(Opcode.GLOBAL, what=expr.spelling)
        if self.is_aggregate(expr.spelling):
            self.kept.add(expr.spelling)
            return self.made(Opcode.LOCAL, what=expr.spelling)
        return Var(expr.spelling)

    def place(self, expr: Expr) -> Operand:
        """Return the address of what an expression names."""
        match expr:
            case Name(name) if self.is_local(name):
                self.kept.add(name)
                return self.made(Opcode.LOCAL, what=name)
            case Name(name):
                return self.made(Opcode.GLOBAL, what=name)
            case Field(base, name):
                return self.made(Opcode.FIELD, self.value(base), what=name)
            case Index(base, position):
                return self.made(Opcode.INDEX, self.value(base), self.value(position))
            case Deref(pointer):
                return self.value(pointer)
            case Cast(_, inner):
                return self.place(inner)
            case _:
                return self.value(expr)

    def assign(self, expr: Assign) -> Operand:
        given = self.value(expr.value)
        target = expr.target
        while isinstance(target, Cast):
            target = target.operand
        plain = isinstance(target, Temporary) or (
            isinstance(target, Name)
            and self.is_local(target.spelling)
            and not self.is_aggregate(target.spelling)
        )
        if isinstance(target, (Name, Temporary)) and plain:
            if expr.op != "=":
                given = self.made(Opcode.BINARY, Var(target.spelling), given, what=expr.op[:-1])
            self.emit(Opcode.SET, target.spelling, (given,))
            return Var(target.spelling)
        where = self.place(target)
        if expr.op != "=":
            given = self.made(
                Opcode.BINARY, self.made(Opcode.LOAD, where), given, what=expr.op[:-1]
            )
        self.emit(Opcode.STORE, args=(where, given))
        return given

    def step(self, expr: IncDec) -> Operand:
        target, op = expr.target, expr.op[0]
        if isinstance(target, Name) and self.is_local(target.spelling):
            old = self.made(Opcode.SET, Var(target.spelling))
            new = self.made(Opcode.BINARY, old, Const(1), what=op)
            self.emit(Opcode.SET, target.spelling, (new,))
            return Var(target.spelling) if expr.prefix else old
        where = self.place(target)
        old = self.made(Opcode.LOAD, where)
        # The value is what the variable holds then: a u8 wraps (C11, 6.5.2.4, 6.5.3.1).
        self.emit(Opcode.STORE, args=(where, self.made(Opcode.BINARY, old, Const(1), what=op)))
        return self.made(Opcode.LOAD, where) if expr.prefix else old

    def call(self, expr: Call) -> Operand:
        if not isinstance(expr.callee, str):
            what = "a call through a pointer that is in no table"
            raise Unliftable(what, self.function.file, expr.line)
        args = tuple(self.argument(arg) for arg in expr.args)
        return self.made(Opcode.CALL, *args, what=expr.callee, raw=expr.args)

    def argument(self, expr: Expr) -> Operand:
        """Return an argument; a type or a string is none that counts."""
        if isinstance(expr, (Other, String)):
            return Const(0)
        return self.value(expr)


def _value_of(compiler: _Compiler, expr: Expr) -> Operand:
    match expr:
        case Field() | Index() | Deref():
            return compiler.made(Opcode.LOAD, compiler.place(expr))
        case Address(inner):
            return compiler.place(inner)
        case Not(inner):
            return compiler.made(Opcode.UNARY, compiler.value(inner), what="!")
        case Unary(op, inner):
            return compiler.made(Opcode.UNARY, compiler.value(inner), what=op)
        case Binary(op, left, right):
            a = compiler.value(left)
            return compiler.made(Opcode.BINARY, a, compiler.value(right), what=op)
        case Conditional(test, yes, no):
            asked, a = compiler.value(test), compiler.value(yes)
            return compiler.made(Opcode.CHOOSE, asked, a, compiler.value(no))
        case Cast(spelled, inner):
            return compiler.made(Opcode.CAST, compiler.value(inner), what=spelled)
        case Guard():
            args = tuple(compiler.argument(arg) for arg in expr.args)
            return compiler.made(Opcode.CALL, *args, what=expr.name, raw=expr.args)
        case _:
            return Const(0)


_VALUES: Final[dict[str, Callable[[_Compiler, Expr], Operand]]] = {
    "name": lambda c, e: c.name(e) if isinstance(e, Name) else Const(0),
    "temporary": lambda _c, e: Var(e.spelling) if isinstance(e, Temporary) else Const(0),
    "number": lambda _c, e: Const(e.value) if isinstance(e, Number) else Const(0),
    "assign": lambda c, e: c.assign(e) if isinstance(e, Assign) else Const(0),
    "incdec": lambda c, e: c.step(e) if isinstance(e, IncDec) else Const(0),
    "call": lambda c, e: c.call(e) if isinstance(e, Call) else Const(0),
    **dict.fromkeys(
        ("field", "index", "deref", "address", "not", "unary", "binary", "conditional", "cast"),
        _value_of,
    ),
    "guard": _value_of,
    "string": _value_of,
    "other": _value_of,
}


def _liveness(out: tuple[Instruction, ...]) -> tuple[frozenset[str], ...]:
    """Return for each instruction the variables whose values matter before it."""
    live: list[frozenset[str]] = [frozenset()] * len(out)
    changed = True
    while changed:
        changed = False
        for at in range(len(out) - 1, -1, -1):
            one = out[at]
            after = frozenset().union(*(live[place] for place in following(out, at)))
            used = {arg.name for arg in one.args if isinstance(arg, Var)}
            if one.op is Opcode.CALL:
                used.add(one.what)  # a variable, where a function was handed on
            before = (after - {one.to}) | used
            if before != live[at]:
                live[at] = before
                changed = True
    return tuple(live)


def following(out: tuple[Instruction, ...], at: int) -> tuple[int, ...]:
    """Return the numbers of the instructions that may come after one."""
    if out[at].op is Opcode.RETURN:
        return ()
    return out[at].places or ((at + 1,) if at + 1 < len(out) else ())
