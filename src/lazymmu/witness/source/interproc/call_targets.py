# SPDX-License-Identifier: GPL-2.0-or-later
"""Who a call calls, and which of its arguments are known there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from lazymmu.kernelc.configured_tree import Definition
from lazymmu.kernelc.ir.abstract_value import NONZERO, FunctionValue, Value
from lazymmu.kernelc.ir.expr import Address, AnyCall, Call, Expr, Name
from lazymmu.kernelc.ir.nodes import Function, spell, strip_casts
from lazymmu.kernelc.program import Program, Target
from lazymmu.witness.source.function.local_members import below, handed_on
from lazymmu.witness.source.function.shape import FunctionFacts
from lazymmu.witness.source.interproc.constants import ConstantEvaluator
from lazymmu.witness.source.interproc.pointed_functions import PointedFunctions, PossibleCallee
from lazymmu.witness.source.interproc.table_lookup import TableLookup

_HANDS = 4
"""Through so many calls a structure is followed to see whether one of its members is written."""

Binding = tuple[tuple[str, Value], ...]
"""Parameters whose value the caller knows, sorted by name."""


class CallResolver:
    """Resolves the calls of one program; what it cannot resolve is kept in ``unresolved``."""

    def __init__(self, program: Program, facts: ConstantEvaluator, tables: TableLookup) -> None:
        self.program = program
        self.facts = facts
        self._pointers = PointedFunctions(program, tables)
        self.unresolved: dict[str, tuple[str, int, str]] = {}
        self._shapes: dict[tuple[str, int, str], FunctionFacts] = {}

    def pointed(
        self, call: AnyCall, graph: Function, env: Mapping[str, Value]
    ) -> tuple[PossibleCallee, ...]:
        """Who a call through a pointer in ``graph`` may call; a guess is listed as unresolved."""
        expr = call.callee if isinstance(call, Call) else call.name
        pointer = Name(expr) if isinstance(expr, str) else expr
        found = self._pointers.functions(pointer, graph, env)
        if not found or not all(possible.sure for possible in found):
            self._unresolved(f"(*{spell(pointer)})()", call, graph)
        return found

    def held(
        self, call: AnyCall, graph: Function, env: Mapping[str, Value]
    ) -> tuple[PossibleCallee, ...]:
        """The one function that a call through a pointer calls for sure; none for other calls."""
        if not isinstance(call, Call) or (call.name is not None and call.name not in graph.types):
            return ()
        pointer = Name(call.callee) if isinstance(call.callee, str) else call.callee
        found = self._pointers.functions(pointer, graph, env)
        return found if len(found) == 1 and found[0].sure else ()

    def target(
        self, call: AnyCall, graph: Function, env: Mapping[str, Value], near: str = ""
    ) -> Target | None:
        """Who a call in ``graph`` calls: by name, or through a parameter bound to a function.

        :param near: the file that means the name so, where that is not the graph's.
        """
        name = callee(call, graph, env)
        if name is None:
            return None
        bound = env.get(call.name or "") if call.name in graph.types else None
        near = bound.file if isinstance(bound, FunctionValue) else near or graph.file
        found = self.program.resolve(name, near)
        if found is None and (held := self._pointers.constant(name, near)):
            found = self.program.resolve(held, near)
        if found is None and (call.args or not self.program.is_value(name, near)):
            self._unresolved(name, call, graph)
        return found

    def _unresolved(self, name: str, call: AnyCall, graph: Function) -> None:
        self.not_resolved(name, (graph.file, call.line, graph.name))

    def not_resolved(self, name: str, where: tuple[str, int, str]) -> None:
        """Note a name that nothing is found for, and the file, line and function of a call of it.

        Of several calls the first by its place is told, whichever was met first.
        """
        self.program.reads.note(("unresolved", name, *where))
        self.unresolved[name] = min(where, self.unresolved.get(name, where))

    def bind(
        self, definition: Definition, call: AnyCall, caller: Function, env: Mapping[str, Value]
    ) -> Binding:
        """The callee's parameters whose value is known and matters to what it does."""
        graph = self.program.shaped(definition)
        relevant = self.shape(graph).deciding
        if relevant.isdisjoint(graph.params):
            return ()
        evaluator = self.facts.within(caller, env)
        paths = [(name, value) for name, value in env.items() if "->" in name]
        out: list[tuple[str, Value]] = []
        for param, arg in zip(graph.params, call.args, strict=False):
            if param in relevant:
                value = self.function(arg, caller, env) or evaluator.value(arg)
                if value is None and isinstance(arg, Name) and arg.spelling not in caller.types:
                    # An enumerator, most of all: it stands beside the function that takes it.
                    value = self.facts.constant(arg.spelling, graph.file)
                if value is not None:
                    out.append((param, value))
                if paths:
                    out += self._members(graph, param, arg, paths)
        return tuple(sorted(out, key=lambda item: item[0]))

    def function(self, arg: Expr, caller: Function, env: Mapping[str, Value]) -> Value:
        """The function that an expression of a function names: see `function_value`."""
        return function_value(arg, caller, env, self.program)

    def settle(self, graph: Function, env: dict[str, Value]) -> None:
        """Enter what variables and members of structures of a function hold all the time."""
        shape = self.shape(graph)
        if not shape.single and not shape.members.values:
            return
        evaluator = self.facts.within(graph, env)
        for name, expr in shape.single.items():
            known = evaluator.value(expr)
            if known is None and isinstance(expr, Name | Address):
                known = self.function(expr, graph, env)
            if known is not None:
                env[name] = known
        members = shape.members
        for member, values in members.values.items():
            given = {
                function_value(value, graph, env, self.program) or evaluator.value(value)
                for value in values
            }
            known = given.pop()
            root, _, path = member.partition("->")
            if given or known is None:
                continue
            takers = members.takers.get(root, ())
            if any(self.writes_member(t.call, t.position, path, graph, env) for t in takers):
                continue
            env[member] = known
            for pointer, pointee in members.aliases.items():
                if pointee == root:
                    env[f"{pointer}->{path}"] = known

    def _members(
        self, graph: Function, param: str, arg: Expr, known: Iterable[tuple[str, Value]]
    ) -> Iterator[tuple[str, Value]]:
        """What is known of members of a structure that a call hands on, under the callee's name."""
        arg = strip_casts(arg)
        prefix = f"{spell(arg.operand if isinstance(arg, Address) else arg)}->"
        shape = self.shape(graph)
        for name, value in known:
            if not name.startswith(prefix):
                continue
            inside = f"{param}->{name[len(prefix) :]}"
            if inside not in shape.members.written and param not in shape.reassigned:
                yield inside, value

    def writes_member(
        self,
        call: AnyCall,
        position: int,
        path: str,
        graph: Function,
        env: Mapping[str, Value],
        hands: int = _HANDS,
    ) -> bool:
        """Whether a call may write the member of a structure that is one of its arguments.

        Limit: who is called through a pointer is taken to leave what it is handed as it is.
        """
        path = below(call.args[position], path)
        if not path or callee(call, graph, env) is None:
            return False
        target = self.target(call, graph, env) if hands else None
        if target is None:
            return True
        inner = self.program.function(target.definition)
        if position >= len(inner.params) or inner.broken:
            return True
        param = inner.params[position]
        shape = self.shape(inner)
        if not {f"{param}->{path}", f"*{param}"}.isdisjoint(shape.members.written):
            return True
        return any(
            handed_on(arg) == param
            and self.writes_member(deeper, place, path, inner, {}, hands - 1)
            for calls in shape.calls
            for deeper in calls
            for place, arg in enumerate(deeper.args)
        )

    def shape(self, graph: Function) -> FunctionFacts:
        """What of a function is looked up again and again."""
        key = (graph.file, graph.line, graph.name)
        if key not in self._shapes:
            self._shapes[key] = FunctionFacts.of(graph)
        return self._shapes[key]


def callee(call: AnyCall, graph: Function, env: Mapping[str, Value]) -> str | None:
    """The name that a call calls, through a bound parameter if need be; None for a pointer."""
    name = call.name
    if name in graph.types:
        bound = env.get(name or "")
        return bound.name if isinstance(bound, FunctionValue) else None
    return name


def named(call: AnyCall, possible: PossibleCallee) -> AnyCall:
    """A call through a pointer as one by the name of what it may call."""
    return call._replace(callee=possible.name) if isinstance(call, Call) else call


def function_value(
    arg: Expr, caller: Function, env: Mapping[str, Value], program: Program
) -> Value:
    """The function that an argument names, if it names one; else NONZERO for a local's address."""
    if isinstance(arg, Address):
        arg = arg.operand
        if isinstance(arg, Name) and arg.spelling in caller.types:
            return NONZERO
    if not isinstance(arg, Name):
        return None
    name = arg.spelling
    if name in env or name in caller.types or not name.islower():
        return None
    target = program.resolve(name, caller.file)
    if target is None or target.definition.kind != "function":
        return None
    return FunctionValue(name, target.definition.file)
