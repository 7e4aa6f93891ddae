# SPDX-License-Identifier: GPL-2.0-or-later
"""Where paths begin: every function that uses the mode, and every callback that runs in it.

A function whose own balance is off may be half of a pair (one that begins, one that ends): it
is excused when a caller is balanced with it in its place, or when it is only ever run inside a
section; then its callers answer for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from lazymmu.contract.section import TaskState
from lazymmu.contract.vocabulary import Vocabulary
from lazymmu.kernelc.configured_tree import Definition
from lazymmu.kernelc.ir.abstract_value import FunctionValue, Value
from lazymmu.kernelc.ir.nodes import Function
from lazymmu.kernelc.program import Program
from lazymmu.witness.finding import Step
from lazymmu.witness.source.interproc.call_targets import Binding, callee, function_value
from lazymmu.witness.source.interproc.summaries import CalleeSummaries
from lazymmu.witness.source.path.path_state import RawReport, WalkOutcome
from lazymmu.witness.source.path.walker import Walker

Callers = Callable[[str, bool, str], list[Definition]]
"""Definitions whose text names a function: given its name, whether it is static, its file."""

_BALANCE = frozenset({"unbalanced-section", "unbalanced-pause"})

MAX_SEARCHES = 200
"""Functions of one architecture whose callers are looked for, each in the whole tree.  No real tree
has one; whose callers are not looked for any more is listed."""

MAX_LEVELS = 3
"""Callers of callers that are asked whether they balance a function."""


@dataclass(frozen=True, slots=True)
class Root:
    """One beginning of paths and what came of it."""

    definition: Definition
    binding: Binding
    outcome: WalkOutcome
    excused: frozenset[str] = frozenset()
    """Rules that are not held against it."""

    @property
    def raw_reports(self) -> Iterable[RawReport]:
        """What is held against this root; without confidence if not all of it was read."""
        for raw in self.outcome.raw_reports.values():
            if raw.violation.rule not in self.excused:
                yield replace(raw, ambiguous=True) if self.outcome.blurred else raw

    @property
    def step(self) -> Step:
        """The root as a step of a path."""
        d = self.definition
        return Step(d.file, d.line, 1, d.name, f"in {d.name}()")


class EntryPoints:
    """Finds and walks the roots of one program."""

    def __init__(
        self,
        program: Program,
        summaries: CalleeSummaries,
        walker: Walker,
        words: Vocabulary,
        implementation: frozenset[tuple[str, int]],
    ) -> None:
        self.program = program
        self.summaries = summaries
        self.walker = walker
        self.words = words
        self.implementation = implementation
        self._in_file: dict[str, list[Definition]] = {}
        self._searches = 0

    def walk(
        self,
        users: Iterable[Definition],
        takers: Iterable[Definition],
        registering: Iterable[Definition],
        callers: Callers,
    ) -> list[Root]:
        """Walk everything that uses the mode.

        :param users: definitions whose text names the mode.
        :param takers: definitions whose text names a function that calls back.
        :param registering: definitions whose text names a function that registers a handler.
        :param callers: finds who may call a function.
        """
        found = [
            Root(d, (), self.walker.root(self.program.function(d)))
            for d in self._with_expanded([d for d in users if self._uses_mode(d)], callers)
        ]
        bound = [root for d in takers for root in self._callbacks(d)]
        handlers = [root for d in registering for root in self._handlers(d)]
        suspects = [root for root in found if self._unbalanced(root)]
        excused: set[tuple[str, int]] = set()
        extra: list[Root] = []
        for root in suspects:
            if self._only_inside(root):
                excused.add((root.definition.file, root.definition.line))
                continue
            balancing = self._balanced_by_callers(root, callers, MAX_LEVELS)
            if balancing:
                excused.add((root.definition.file, root.definition.line))
                extra.extend(balancing)
        left = [r for r in suspects if (r.definition.file, r.definition.line) not in excused]
        for root, balancing in self._balanced_together(left, callers):
            excused.add((root.definition.file, root.definition.line))
            extra.extend(balancing)
        # Who was walked again, with halves in their place, answers for that walk.
        again = {(r.definition.file, r.definition.line) for r in extra}
        settled = [
            self._settled_root(root, excused)
            for root in found
            if (root.definition.file, root.definition.line) not in again
        ]
        return settled + bound + handlers + extra

    def _with_expanded(self, users: list[Definition], callers: Callers) -> list[Definition]:
        """Users of the mode, and who expands those of them that are macros and leave it changed.

        Such a macro is text of whoever expands it, and is judged nowhere else.
        """
        out: list[Definition] = []
        done = {(d.file, d.line) for d in users}
        work = users
        while work:
            definition = work.pop(0)
            root = Root(definition, (), self.walker.root(self.program.function(definition)))
            if definition.kind != "macro" or not self._unbalanced(root):
                out.append(definition)
                continue
            self.walker.helper(self.program.function(definition))
            for user in callers(definition.name, definition.static, definition.file):
                if (user.file, user.line) not in done and self._calls(user, definition.name):
                    done.add((user.file, user.line))
                    work.append(user)
        return out

    def _uses_mode(self, definition: Definition) -> bool:
        """Whether a definition makes a mode call of its own, as a caller of the mode."""
        if definition.name in self.words.mode:
            return False
        if (definition.file, definition.line) in self.implementation:
            return False
        graph = self.program.function(definition)
        modes = (self.words.mode.get(call.name or "") for _, call in graph.calls())
        return any(mode is not None and mode.action != "active" for mode in modes)

    def _callbacks(self, definition: Definition) -> list[Root]:
        """One root for each call that hands a function to one that calls back in a section."""
        graph = self.program.function(definition)
        if definition.name in self.words.callbacks:
            return []
        roots = []
        env = self._settled(graph)
        for _, call in graph.calls():
            taker = self.words.callbacks.get(callee(call, graph, env) or "")
            if taker is None or taker.fn is None or taker.runs != "now":
                continue
            target = self.summaries.target(call, graph, env)
            if target is None:
                continue
            binding = self.summaries.bind(target.definition, call, graph, env)
            if not any(isinstance(value, FunctionValue) for _, value in binding):
                continue
            inner = self.program.function(target.definition)
            roots.append(Root(definition, binding, self.walker.root(inner, binding)))
        return roots

    def _settled_root(self, root: Root, excused: set[tuple[str, int]]) -> Root:
        """A root without what its callers answer for."""
        rules: set[str] = set()
        if (root.definition.file, root.definition.line) in excused:
            rules |= _BALANCE
        if root.definition.name in self.words.entries:
            # An accessor runs under its callers' locks and pins, whatever those are.
            rules.add("preempted-in-section")
        return replace(root, excused=frozenset(rules))

    def _handlers(self, definition: Definition) -> list[Root]:
        """One root for each function that a definition registers to run in an interrupt."""
        graph = self.program.function(definition)
        env = self._settled(graph)
        roots = []
        for _, call in graph.calls():
            name = callee(call, graph, env) or ""
            handler = self.words.handlers.get(name)
            given = call.arg(handler.fn) if handler is not None else None
            if handler is None or given is None:
                continue
            value = function_value(given, graph, env, self.program)
            if not isinstance(value, FunctionValue):
                continue
            target = self.program.resolve(value.name, value.file)
            if target is not None:
                task = TaskState(irq=(handler.kind,))
                outcome = self.walker.root(self.program.function(target.definition), (), task)
                roots.append(Root(target.definition, (), outcome))
        return roots

    def _settled(self, graph: Function) -> dict[str, Value]:
        evaluator = self.summaries.facts.evaluator({}, graph.file)
        single = self.summaries.shape(graph).single
        return {n: v for n, e in single.items() if (v := evaluator.value(e)) is not None}

    # -- halves of pairs ----------------------------------------------------------------------

    def _unbalanced(self, root: Root) -> bool:
        return any(raw.violation.rule in _BALANCE for raw in root.outcome.raw_reports.values())

    def _only_inside(self, root: Root) -> bool:
        """Whether a function only runs inside a section and leaves that as it was."""
        place = (root.definition.file, self.program.function(root.definition).line)
        depths = self.walker.entered.get(place, set())
        return bool(depths) and min(depths) > 0

    def _balanced_by_callers(self, root: Root, callers: Callers, levels: int) -> list[Root]:
        """The callers of a half, walked with it in its place; none when none balances it.

        Where one caller shows what the half is for, another that does not balance it is wrong.
        """
        definition = root.definition
        self._searches += 1
        if self._searches > MAX_SEARCHES:
            where = (definition.file, definition.line, definition.name)
            why = f"its callers are not looked for, after those of {MAX_SEARCHES} functions"
            self.walker.bounded[where] = why
            return []
        named = callers(definition.name, definition.static, definition.file)
        users = [d for d in named if d.name != definition.name and self._calls(d, definition.name)]
        if not users:
            return []
        graph = self.program.function(definition)
        self.walker.helper(graph)
        out = []
        balanced = False
        for user in users:
            whole = self.program.function(user)
            walked = Root(user, (), self.walker.root(whole))
            above: list[Root] = []
            if self.walker.cut:
                # Open sections lead everywhere: who is that large does not exist to close one.
                self.walker.bounded.pop((whole.file, whole.line, whole.name))
                self.walker.forget_helper(graph)
                return []
            if self._unbalanced(walked) and levels:
                above = self._balanced_by_callers(walked, callers, levels - 1)
            if above:
                walked = replace(walked, excused=_BALANCE)
            balanced = balanced or bool(above) or not self._unbalanced(walked)
            out += [walked, *above]
        if not balanced:
            self.walker.forget_helper(graph)
            return []
        return out

    def _balanced_together(
        self, halves: list[Root], callers: Callers
    ) -> list[tuple[Root, list[Root]]]:
        """Halves that balance only when the other half is in its place, too.

        Limit: both are called by the same function.
        """
        while len(halves) > 1:
            for root in halves:
                self.walker.helper(self.program.function(root.definition))
            found = [(r, self._balanced_by_callers(r, callers, MAX_LEVELS)) for r in halves]
            if all(balancing for _, balancing in found):
                return found
            for root, balancing in found:
                if not balancing:
                    self.walker.forget_helper(self.program.function(root.definition))
            halves = [root for root, balancing in found if balancing]
        for root in halves:
            self.walker.forget_helper(self.program.function(root.definition))
        return []

    def _calls(self, user: Definition, name: str) -> bool:
        return any(call.name == name for _, call in self.program.function(user).calls())
