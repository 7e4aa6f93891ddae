# SPDX-License-Identifier: GPL-2.0-or-later
"""Who else touches the mode's variables: functions of the tree that are no part of the hooks.

What only reads them is listed; what changes them would be missing from the machine, so that the
tree is refused. A pointer to them is followed through local variables and calls; where it gets to
what is not known, nobody can say that it changes nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from lazymmu.kernelc.ir.expr import (
    CALLS,
    VARIABLES,
    Address,
    AnyCall,
    Assign,
    Binary,
    Call,
    Cast,
    Conditional,
    Deref,
    Expr,
    Field,
    IncDec,
    Index,
    Name,
)
from lazymmu.kernelc.ir.nodes import strip_casts, walk
from lazymmu.lift.new_task import NewTask
from lazymmu.lift.problem import Unliftable
from lazymmu.lift.variables import FLAG

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.kernelc.definition import Definition
    from lazymmu.kernelc.ir.nodes import Function, Node
    from lazymmu.lift.closure import Closure
    from lazymmu.lift.link import Linker

__all__ = ["note_others"]

_DEEP: Final = 4
"""Calls that a pointer is followed through; behind them it is not known."""

_FLAGS: Final = ("flag-set", "flag-clear", "flag-test-clear", "flag-test-set")
_WRITES: Final = ("percpu-write", "percpu-add", "percpu-exchange")
_ADDRESSES: Final = ("percpu-address", "percpu-other")
_ASSEMBLY: Final = ".S"
_TAG: Final = re.compile(rb"\b(?:struct|union|enum)\s+\w+")


def note_others(linker: Linker, reached: Closure) -> frozenset[str]:
    """List who else touches the mode's variables; return those that are zero in a new task.

    :raises Unliftable: for who changes them otherwise.
    """
    new = NewTask(linker)
    wanted = _Wanted.of(reached)
    words = wanted.words
    known = {(code.file, code.name) for code in reached.codes}
    view = linker.view
    for rel in (*view.built, *view.headers.files, *_assembly(linker)):
        text = linker.names.text(rel)
        if not any(word in text for word in words) or not wanted.named(text):
            continue
        if rel.endswith(_ASSEMBLY):
            plain = _plain(text)
            if names := wanted.named(plain):
                line = next(n for n, one in enumerate(plain.splitlines(), 1) if wanted.named(one))
                raise Unliftable(f"assembly names {', '.join(names)}", rel, line)
            continue
        for definition in (*view.functions(rel), *view.macros(rel)):
            names = wanted.named(view.text(definition))
            if names and (rel, definition.name) not in known:
                _judge(linker, wanted, known, new, definition, names)
    return frozenset(
        column
        for (space, path), column in reached.variables.names.items()
        if space == "task" and any(path[: len(cleared)] == cleared for cleared in new.cleared)
    )


def _assembly(linker: Linker) -> Iterator[str]:
    """The assembly of the architecture, which may name a variable of a CPU."""
    tree, todo = linker.view.tree, [f"arch/{linker.view.profile.arch_dir}"]
    while todo:
        folder = todo.pop()
        for entry in tree.entries(folder):
            path = f"{folder}/{entry.name}"
            if entry.directory:
                todo.append(path)
            elif path.endswith(_ASSEMBLY):
                yield path


def _plain(text: bytes) -> bytes:
    """Assembly without its comments; no apostrophe quotes anything there, as it does in C."""
    return re.sub(rb"/\*.*?\*/|//[^\n]*", lambda one: b"\n" * one[0].count(b"\n"), text, flags=re.S)


def _judge(
    linker: Linker,
    wanted: _Wanted,
    lifted: set[tuple[str, str]],
    new: NewTask,
    definition: Definition,
    names: tuple[str, ...],
) -> None:
    """List a definition that reads the variables, raise Unliftable for one that may do more.

    One that hands them to a function of the hooks is listed: what that does is lifted.
    """
    shown = f"{definition.name}() {{}} {', '.join(names)}, and is no part of the hooks"
    graph = linker.program.function(definition)
    if graph.broken:
        what = f"{shown.format('names')}: {graph.broken}"
        raise Unliftable(what, definition.file, definition.line)
    look = _Look(linker, wanted, lifted, new)
    line, why = look.change(graph, _DEEP, frozenset(), frozenset())
    if why:
        raise Unliftable(f"{shown.format(why)}", definition.file, line)
    if look.used:
        to = "".join(f" to {name}()" for name in sorted(look.lent))
        what = f"{'hands' if to else 'reads'} {', '.join(names)}{to}, and is no part of the hooks"
        linker.abstracted.setdefault(definition.name, what)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The mode's variables by the names that C has for them.

    cpu: of a CPU; task: members of a task that are the mode's alone; flags: of a task; arrays: the
    members that are arrays, whose name alone is their address.
    """

    cpu: frozenset[str]
    task: frozenset[str]
    flags: frozenset[str]
    arrays: frozenset[str]

    @classmethod
    def of(cls, reached: Closure) -> _Wanted:
        paths = list(reached.variables.names)
        tasks = [path for space, path in paths if space == "task"]
        return cls(
            frozenset(str(path[0]) for space, path in paths if space == "cpu"),
            # A word of a task with other bits in it is changed all over the kernel.
            frozenset(str(path[0]) for path in tasks if len(path) > 1 and path[0] != FLAG),
            frozenset(str(path[1]) for path in tasks if path[0] == FLAG),
            reached.variables.arrays,
        )

    @property
    def words(self) -> tuple[bytes, ...]:
        return tuple(name.encode() for name in sorted(self.cpu | self.task | self.flags))

    def named(self, text: bytes) -> tuple[str, ...]:
        """Those that a text names; the tag of a structure is another name."""
        plain = _TAG.sub(b" ", text)
        return tuple(w.decode() for w in self.words if re.search(rb"\b" + w + rb"\b", plain))


@dataclass(frozen=True, slots=True)
class _Scope:
    """What names stand for in one function.

    hidden: its own variables; pointers: those that point to the mode's; named: parameters of a
    macro that are one of the mode's.
    """

    hidden: frozenset[str]
    pointers: frozenset[str]
    named: frozenset[str]


class _Look:
    """Looks whether a function changes the variables, or what is handed to it as a pointer."""

    def __init__(
        self, linker: Linker, wanted: _Wanted, lifted: set[tuple[str, str]], new: NewTask
    ) -> None:
        self.new = new
        self.linker = linker
        self.wanted = wanted
        self.lifted = lifted
        self.used = False
        self.lent: set[str] = set()
        self.scope = _Scope(frozenset(), frozenset(), frozenset())
        self._seen: set[tuple[str, int, frozenset[str], frozenset[str]]] = set()

    def change(
        self, graph: Function, deep: int, pointers: frozenset[str], named: frozenset[str]
    ) -> tuple[int, str]:
        """Return the line and what is done there, "" where nothing is changed."""
        key = (graph.file, graph.line, pointers, named)
        if key in self._seen:
            return 0, ""
        self._seen.add(key)
        before = self.scope
        hidden = frozenset((*graph.params, *graph.types)) - named
        self.scope = _Scope(hidden, self._spread(graph, _Scope(hidden, pointers, named)), named)
        try:
            for node in graph.nodes:
                for part in walk(node.expr) if node.expr is not None else ():
                    why = self._done(part, graph, node, deep)
                    if why:
                        return node.line, why
        finally:
            self.scope = before
        return 0, ""

    def _spread(self, graph: Function, scope: _Scope) -> frozenset[str]:
        """Return the local variables that point to them."""
        pairs = [
            (part.target.spelling, part.value)
            for node in graph.nodes
            for part in (walk(node.expr) if node.expr is not None else ())
            if isinstance(part, Assign) and isinstance(part.target, VARIABLES)
        ]
        pointers = scope.pointers
        while True:
            self.scope = replace(scope, pointers=pointers)
            more = {name for name, value in pairs if self._points(value)} - pointers
            if not more:
                return pointers
            pointers |= more

    def _done(self, part: Expr, graph: Function, node: Node, deep: int) -> str:
        """What one expression does to them, "" for nothing."""
        if isinstance(part, (Assign, IncDec)):
            target = strip_casts(part.target)
            if self._is(target):
                return "" if self.new.clears(part, graph, node) else "changes"
            if isinstance(part, Assign) and not isinstance(target, VARIABLES):
                return "keeps the address of" if self._points(part.value) else ""
        elif isinstance(part, CALLS):
            return self._called(part, graph, node, deep)
        elif self._is(part):
            self.used = True
        return ""

    def _called(self, call: AnyCall, graph: Function, node: Node, deep: int) -> str:
        name = call.name or ""
        word = self.linker.words.get(name)
        if word is not None and word.does in _FLAGS and self._flag(call, word.flag):
            flag = call.args[word.flag]
            new = word.does == "flag-clear" and self.new.is_child(call.args[word.task], graph)
            path = (FLAG, flag.spelling) if new and isinstance(flag, Name) else ()
            return "" if self.new.clears_path(path, graph, node) else "changes"
        pointers = [at for at, arg in enumerate(call.args) if self._points(arg)]
        named = [at for at, arg in enumerate(call.args) if self._is(arg)]
        if not pointers and not named:
            return ""
        if self.new.clears(call, graph, node):
            return ""
        self.used = True
        if word is not None:
            return "changes" if word.does in _WRITES else ""
        found = self.linker.program.resolve(name, graph.file) if name else None
        if found is None or found.definition.kind == "function":
            # Handed by value. A variable of a CPU is none: what takes it is a macro.
            named = [at for at in named if found is None and isinstance(call.args[at], Name)]
        if not pointers and not named:
            return ""
        where = found.definition if found is not None else None
        if where is not None and (where.file, where.name) in self.lifted:
            self.lent.add(where.name)
            return ""
        if found is None or found.ambiguous or deep == 0:
            return f"hands {name or 'a pointer'}(), which is not known,"
        inner = self.linker.program.function(found.definition)
        if inner.broken or max((*pointers, *named)) >= len(inner.params):
            return f"hands {name}(), which is not understood,"
        params = [frozenset(inner.params[at] for at in each) for each in (pointers, named)]
        return self.change(inner, deep - 1, *params)[1]

    def _flag(self, call: AnyCall, at: int) -> bool:
        arg = call.args[at] if at < len(call.args) else None
        return isinstance(arg, Name) and arg.spelling in self.wanted.flags

    def _is(self, expr: Expr) -> bool:
        """Whether an expression is one of them, or a part of one."""
        match expr:
            case Name(name):
                mine = name in self.wanted.cpu and name not in self.scope.hidden
                return mine or name in self.scope.named
            case Field(base, name):
                return name in self.wanted.task or self._is(base) or self._points(base)
            case Index(base):
                return self._is(base) or self._points(base)
            case Deref(base):
                return self._points(base)
            case Cast(_, inner):
                return self._is(inner)
            case Call():
                return self._address(expr)
        return False

    def _points(self, expr: Expr) -> bool:
        """Whether a value is the address of one of them."""
        match expr:
            case Address(inner):
                return self._is(inner)
            case Cast(_, inner):
                return self._points(inner)
            case Binary("+" | "-", left, right):
                return self._points(left) or self._points(right)
            case Conditional(_, yes, no):
                return self._points(yes) or self._points(no)
            case Field(_, name):
                return name in self.wanted.arrays and self._is(expr)
            case Call():
                return self._address(expr)
            case Name(name) if name in self.wanted.arrays and self._is(expr):
                return True
        return isinstance(expr, VARIABLES) and expr.spelling in self.scope.pointers

    def _address(self, call: Call) -> bool:
        """Whether a call gives the address of one, on this CPU or another."""
        word = self.linker.words.get(call.name or "")
        if word is None or word.does not in _ADDRESSES:
            return False
        arg = call.arg(word.arg)
        return arg is not None and (self._is(arg) or self._points(arg))
