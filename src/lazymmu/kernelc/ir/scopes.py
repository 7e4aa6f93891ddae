# SPDX-License-Identifier: GPL-2.0-or-later
"""What a scope takes and lets go of, as the bodies of the functions that do so.

The functions of a guard's class, `class_x_constructor()` and `class_x_destructor()`, are the
tree's own, whatever macro made them (include/linux/cleanup.h: DEFINE_CLASS() and what rests on it);
so is a cleanup function. Each is put in the place where the compiler calls it. A guard that may
not be had has a part that is empty then, NULL or an error: that part is asked for in the
destructor, and by who asks whether the guard is had.

Limits: a part that is given several values, none of them empty, is followed as any variable is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from lazymmu.kernelc.ir.abstract_value import normalize_condition
from lazymmu.kernelc.ir.bodies import Bodies
from lazymmu.kernelc.ir.bounds import Unread
from lazymmu.kernelc.ir.cleanups import keeps_value
from lazymmu.kernelc.ir.expr import (
    Address,
    Assign,
    Call,
    Expr,
    Field,
    Guard,
    Name,
    Not,
    Number,
    Other,
    Temporary,
)
from lazymmu.kernelc.ir.nodes import (
    BRANCH,
    EVAL,
    NOP,
    RETURN,
    Function,
    Node,
    calls_in,
    has_effect,
    spell,
    strip_casts,
    walk,
    writes,
)
from lazymmu.kernelc.ir.rewriting import rewritten

__all__ = ["class_functions", "class_word", "put_in_place", "scope_of"]

Resolver = Callable[[str], Function | None]
"""The graph of what a name means, None when that is nothing that can be read."""

_ERRORS = frozenset({"IS_ERR", "IS_ERR_OR_NULL", "IS_ERR_VALUE", "__GUARD_IS_ERR"})
"""Whether a pointer is an error (include/linux/err.h, include/linux/cleanup.h)."""

_MAKES_ERROR = "ERR_PTR"
"""Makes one (include/linux/err.h)."""

_MOST = 200
"""Nodes of a function that is put in the place of its call; those of classes have ten."""

_DEEP = 4
"""Classes that rest on each other: EXTEND_CLASS() of one of them, and so on."""

_BEGIN, _END, _FREE = "class_", ("_constructor", "_destructor"), "__free_"


def class_word(function: str) -> str:
    """Return the word by which a source takes what a function belongs to: `x` of guard(x).

    The function's own name for any that is of no class.
    """
    if function.startswith(_FREE):
        return function.removeprefix(_FREE)
    if function.startswith(_BEGIN) and function.endswith(_END):
        return function.removeprefix(_BEGIN).rpartition("_")[0]
    return function


def class_functions(cls: str) -> tuple[str, str]:
    """Return the names of the functions that take and drop a guard of a class."""
    return f"{_BEGIN}{cls}{_END[0]}", f"{_BEGIN}{cls}{_END[1]}"


def scope_of(cls: str, constructor: Function, file: str, line: int) -> Function:
    """Return the graph of a function that takes a guard and drops it at once."""
    guard = Guard(cls, tuple(map(Name, constructor.params)), line, 1, variable="$guard0")
    nodes = [
        Node(EVAL, guard, line, 1, [1]),
        Node(EVAL, guard._replace(dropped=True), line, 1, [2]),
        Node(RETURN, None, line, 1),
    ]
    types = dict(constructor.types)
    return Function(f"class_{cls}", file, line, constructor.params, types, "", nodes, scoped=[0, 1])


@dataclass(slots=True)
class _Parts:
    """What is known of a guard's variable and its members.

    certain: by part, what it holds whenever the guard is held; open: the parts that may be empty.
    """

    certain: dict[Expr, Expr] = field(default_factory=dict)
    open: dict[Expr, Expr] = field(default_factory=dict)


def put_in_place(graph: Function, resolve: Resolver) -> None:
    """Put the functions that the scopes of a graph call where they call them, in place.

    A guard whose class is not found stays what it is.
    """
    placing = _Placing(graph, resolve)
    try:
        placing.run()
    except Unread as why:
        graph.broken = graph.broken or str(why)


class _Placing:
    """One graph while its scopes are filled."""

    def __init__(self, graph: Function, resolve: Resolver) -> None:
        self._graph = graph
        self._resolve = resolve
        self._bodies = Bodies(graph)
        self._parts: dict[str, _Parts] = {}
        scoped = frozenset(graph.scoped)
        self._own = [n.expr for at, n in enumerate(graph.nodes) if n.expr and at not in scoped]
        """What the function says beside what its scopes call."""

    def run(self) -> None:
        """Fill them, in the order in which the source has them."""
        held: _Parts | None = None
        for index in list(self._graph.scoped):
            node = self._graph.nodes[index]
            match node.expr:
                case Guard(dropped=False) as guard:
                    held = self._take(index, guard)
                case Guard() as guard:
                    self._drop(index, guard)
                case Call(str() as name, args, line, column):
                    function = self._function(name)
                    if function is not None:
                        self._keep(args)
                        body = self._body(index, function, args, "", (line, column))
                        self._read(body, args)
                case Assign("=", Name(variable), Call(str() as name, args, line, column)):
                    function = self._function(name)
                    if function is not None:
                        body = self._body(index, function, args, variable, (line, column))
                        self._constructed(body, variable)
                case expr if node.op == BRANCH and expr is not None and held is not None:
                    node.expr = next(iter(held.open), expr)
        for variable, parts in self._parts.items():
            if not variable.startswith("$"):
                self._asked(variable, parts)

    def _function(self, name: str) -> Function | None:
        found = self._resolve(name)
        if found is None or found is self._graph:
            return None
        return None if found.broken or found.macro or len(found.nodes) > _MOST else found

    def _take(self, index: int, guard: Guard) -> _Parts | None:
        node = self._graph.nodes[index]
        match guard.args:
            case (Assign(_, Name(name)) as made,) if name == guard.variable:
                node.expr = made
                self._parts[guard.variable] = _Parts()
                return None
        constructor, destructor = map(self._function, class_functions(guard.cls))
        if constructor is None or destructor is None:
            return None
        place = (guard.line, guard.column)
        body = self._body(index, constructor, guard.args, guard.variable, place)
        return self._constructed(body, guard.variable)

    def _constructed(self, body: range, variable: str) -> _Parts:
        """Take note of what a constructor has made of its variable."""
        parts = self._parts[variable] = _known(self._graph, body, variable)
        for part in [*parts.certain, *parts.open]:
            if any(_may_write(expr, part, variable) for expr in self._own):
                parts.certain.pop(part, None)
                parts.open.pop(part, None)
        for at in body:
            _constructing(self._graph.nodes[at], parts, variable)
        return parts

    def _keep(self, given: tuple[Expr, ...]) -> None:
        """Note what a variable holds whenever its cleanup function is called, if that is known."""
        match given:
            case (Address(Name(variable) as whole),) if variable not in self._parts:
                if keeps_value(self._graph, variable, self._whole):
                    self._parts[variable] = _Parts({whole: whole})

    def _whole(self, name: str) -> Function | None:
        found = self._resolve(name)
        return None if found is None or found.broken or found.macro else found

    def _read(self, body: range, given: tuple[Expr, ...]) -> None:
        """Let a destructor know what the constructor has made of the variable it is given."""
        match given:
            case (Address(Name(variable)),) if variable in self._parts:
                for at in body:
                    _reading(self._graph.nodes[at], self._parts[variable])

    def _drop(self, index: int, guard: Guard) -> None:
        parts = self._parts.get(guard.variable)
        destructor = self._function(class_functions(guard.cls)[1])
        if parts is None or destructor is None:
            return
        given = (Address(Name(guard.variable)),)
        self._read(self._body(index, destructor, given, "", (guard.line, guard.column)), given)

    def _body(
        self,
        index: int,
        function: Function,
        given: tuple[Expr, ...],
        into: str,
        place: tuple[int, int],
        depth: int = 0,
    ) -> range:
        """Put a body in the place of a node, and those of the class that it rests on in it."""
        nodes = self._graph.nodes
        body = self._bodies.insert(index, function, given, into, place)
        for at in body if depth < _DEEP else ():
            target, call = "", nodes[at].expr
            match call:
                case Assign("=", Name(target), Call() as call):
                    pass
            if nodes[at].op != EVAL or not isinstance(call, Call) or call.name is None:
                continue
            if call.name == function.name or class_word(call.name) == call.name:
                continue
            inner = self._function(call.name)
            if inner is not None:
                self._body(at, inner, call.args, target, place, depth + 1)
        return range(body.start, len(nodes))

    def _asked(self, variable: str, parts: _Parts) -> None:
        """Answer the functions of a class that tell whether a guard is had, by the part for it."""
        for node in self._graph.nodes:
            if node.expr is None or Address(Name(variable)) not in walk(node.expr):
                continue
            answers: dict[Expr, Expr] = {}
            for call in calls_in(node.expr):
                name = call.name or ""
                if not name.startswith(_BEGIN) or call.args != (Address(Name(variable)),):
                    continue
                part = next(iter(parts.open), Number(1) if parts.certain else Other())
                if name.endswith("_lock_ptr"):
                    answers[call] = part
                elif name.endswith("_lock_err"):
                    answers[call] = Not(part) if parts.open else Number(0)
            if answers:
                node.expr = rewritten(node.expr, answers)


def _known(graph: Function, body: range, variable: str) -> _Parts:
    """What a constructor gives to each part of its guard."""
    given: dict[Expr, list[Expr | None]] = {}
    for at in body:
        expr = graph.nodes[at].expr
        for target, value in writes(expr) if expr is not None else ():
            base = target.base if isinstance(target, Field) else target
            if base == Name(variable):
                given.setdefault(target, []).append(value)
    parts = _Parts()
    for target, values in given.items():
        full = {value for value in values if value is not None and not _empty(value)}
        if None in values or len(full) != 1:
            continue
        (value,) = full
        if has_effect(value) or any(isinstance(p, (Temporary, Other)) for p in walk(value)):
            continue
        if len(full) == len(set(values)):
            parts.certain[target] = value
        else:
            parts.open[target] = value
    return parts


def _may_write(expr: Expr, part: Expr, variable: str) -> bool:
    """Whether an expression may give a part of a guard another value, itself or by a call."""
    whole = Name(variable)
    if any(target in (part, whole) for target, _ in writes(expr)):
        return True
    return any(
        isinstance(arg, Address) and arg.operand in (part, whole)
        for call in calls_in(expr)
        if not (call.name or "").startswith(_BEGIN)
        for arg in map(strip_casts, call.args)
    )


def _empty(value: Expr) -> bool:
    """Whether a value says that the guard is not had: NULL, or an error."""
    value = strip_casts(value)
    return value == Number(0) or (isinstance(value, Call) and value.name == _MAKES_ERROR)


def _constructing(node: Node, parts: _Parts, variable: str) -> None:
    """Name what a constructor works on as its caller does, and note whether it is had."""
    match node.expr:
        case Assign("=", target) if target in parts.certain:
            if variable.startswith("$"):
                node.op, node.expr = NOP, None
            return
        case Assign("=", target, value) if target in parts.open:
            node.expr = Assign("=", target, Number(0 if _empty(value) else 1))
            return
        case Assign("=", Name(name), Other(())) if name == variable:
            # The initialiser of a structure whose members are assigned one by one.
            node.op, node.expr = NOP, None
            return
    # What it is given is there, and so is what it keeps of that until it finds that it has nothing.
    every = {**parts.certain, **parts.open}
    _reading(node, _Parts({**every, **{value: value for value in every.values()}}))


def _reading(node: Node, parts: _Parts) -> None:
    """Put what the parts of a guard hold in the place of the parts."""
    if node.expr is None:
        return
    every = {**parts.certain, **parts.open}
    if isinstance(node.expr, Assign) and node.expr.target in every:
        return
    errors: dict[Expr, Expr] = {
        call: Not(strip_casts(call.args[0]))
        for call in calls_in(node.expr)
        if call.name in _ERRORS and len(call.args) == 1 and strip_casts(call.args[0]) in every
    }
    expr = rewritten(node.expr, errors) if errors else node.expr
    asked = normalize_condition(expr) if node.op == BRANCH else None
    if asked is not None:
        for part in every:
            if asked.subject == spell(part):
                node.expr = expr if part in parts.open else Number(int(asked.holds))
                return
    node.expr = rewritten(expr, every)
