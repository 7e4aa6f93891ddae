# SPDX-License-Identifier: GPL-2.0-or-later
"""An architecture's implementation of the mode: found from its hooks, judged as a whole.

The hooks are the arch layer of the mode's API and the context-switch hooks; the implementation
is what they call below arch/, through operation tables too.  It is not a caller of the mode,
so no caller's rule is asked of it; its per-CPU state is judged over enter, what runs between,
leave and flush together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lazymmu.contract.event_words import Role
from lazymmu.contract.events import FunctionCall, FunctionReturn
from lazymmu.contract.monitor import Product, Runtime
from lazymmu.contract.site import Site
from lazymmu.contract.vocabulary import Vocabulary
from lazymmu.kernelc.configured_tree import ConfiguredTree, Definition
from lazymmu.kernelc.ir.expr import AnyCall, Expr, Field
from lazymmu.kernelc.ir.nodes import Function, spell, uses
from lazymmu.kernelc.program import Program
from lazymmu.witness.source.effects.batch_effects import keyed, per_cpu_variable
from lazymmu.witness.source.effects.call_effects import CallTransfer
from lazymmu.witness.source.interproc.mode_api import ModeApi
from lazymmu.witness.source.path.path_state import WalkOutcome
from lazymmu.witness.source.path.walker import Walker

SWITCH_HOOKS = ("arch_start_context_switch", "arch_end_context_switch")
"""Called around switch_to() (kernel/sched/core.c, context_switch(); x86 __switch_to())."""

_WORD = re.compile(rb"[A-Za-z_]\w+")
MAX_BELOW_HOOKS = 4_000
"""Functions below one kind of hooks that are looked at; the most of 5.10 to 7.3 is 393."""


@dataclass(frozen=True, slots=True)
class Implementation:
    """One architecture's implementation of the mode.

    :param enter: the hooks' definitions.
    :param leave: likewise.
    :param flush: likewise.
    :param switch: likewise.
    :param updates: the architecture's own accessors.
    :param places: (file, line of text) of everything that the hooks reach below arch/.
    :param definitions: all of that, and what the updates reach.
    :param words: identifiers in what the hooks reach.
    :param enter_words: those of what enter reaches.
    """

    enter: tuple[Definition, ...]
    leave: tuple[Definition, ...]
    flush: tuple[Definition, ...]
    switch: tuple[Definition, ...]
    updates: tuple[Definition, ...]
    places: frozenset[tuple[str, int]]
    definitions: tuple[Definition, ...]
    words: frozenset[str]
    enter_words: frozenset[str]
    cut: bool = False
    """Whether more than MAX_BELOW_HOOKS functions lie below the hooks, and some were left out."""


def find(
    view: ConfiguredTree, program: Program, words: Vocabulary, api: ModeApi | None = None
) -> Implementation:
    """Find the implementation of the profile that ``view`` shows, below the hooks of its API."""
    by_action: dict[str, list[Definition]] = {"enable": [], "disable": [], "flush": []}
    for name, mode in (words.mode if api is None else api.anywhere).items():
        if mode.layer == "arch" and mode.action in by_action:
            target = program.resolve(name, "")
            # A default outside of arch/ is no implementation, but what leads to one.
            own = name in words.mode or (
                target is not None and target.definition.file.startswith("arch/")
            )
            if target is not None and own:
                by_action[mode.action].append(target.definition)
    tables = _Tables(view)
    switch = [
        inner
        for name in SWITCH_HOOKS
        if (found := program.resolve(name, "")) is not None
        for inner in _dispatched(program, tables, found.definition)
    ]
    hooks = [d for found in by_action.values() for d in found]
    updates = [
        inner
        for name, accessor in words.entries.items()
        if accessor.operation != "read" and (found := program.resolve(name, "")) is not None
        if found.definition.file.startswith("arch/")
        for inner in _dispatched(program, tables, found.definition)
    ]
    reached = _closure(program, tables, hooks)
    switching = _closure(program, tables, switch)
    every = {**reached, **switching}
    below = _closure(program, tables, updates)
    entering = _closure(program, tables, by_action["enable"])
    seen = {w.decode() for d in every.values() for w in _WORD.findall(view.text(d))}
    seen |= {d.name for d in every.values()}

    def real(action: str) -> tuple[Definition, ...]:
        return tuple(i for d in by_action[action] for i in _dispatched(program, tables, d))

    return Implementation(
        enter=real("enable"),
        leave=real("disable"),
        flush=real("flush"),
        switch=tuple(switch),
        updates=tuple(updates),
        places=frozenset((d.file, program.function(d).line) for d in every.values()),
        definitions=tuple({**every, **below}.values()),
        words=frozenset(seen),
        enter_words=frozenset(
            w.decode() for d in entering.values() for w in _WORD.findall(view.text(d))
        ),
        cut=any(len(found) >= MAX_BELOW_HOOKS for found in (reached, switching, below)),
    )


class _Tables:
    """Which functions stand in operation tables, by the field path they stand at."""

    def __init__(self, view: ConfiguredTree) -> None:
        self._view = view
        self._known: dict[str, tuple[tuple[str, str], ...]] = {}

    def at(self, expr: Expr) -> tuple[tuple[str, str], ...]:
        """(function, file) of what a path such as ``mmu.lazy_mode.enter`` names in some table.

        The table's own name may stand before the path; see ConfiguredTree.held.
        """
        path = spell(expr).replace("->", ".")
        if path not in self._known:
            self._known[path] = tuple((item.function, item.file) for item in self._view.held(path))
        return self._known[path]

    def handed(self, call: AnyCall, graph: Function) -> Iterator[tuple[str, str]]:
        """(function, file) of what the arguments of a call name in some table."""
        for arg in call.args:
            if isinstance(arg, Field) and graph.types.keys().isdisjoint(uses(arg)):
                yield from self.at(arg)


def _dispatched(program: Program, tables: _Tables, hook: Definition) -> list[Definition]:
    """The functions that a hook dispatches to through a table; the hook itself if it does not."""
    found = []
    graph = program.function(hook)
    for _, call in graph.calls():
        for name, file in tables.handed(call, graph):
            target = program.resolve(name, file)
            if target is not None and target.definition.file.startswith("arch/"):
                found.append(target.definition)
    return found or [hook]


def _closure(
    program: Program, tables: _Tables, start: Iterable[Definition]
) -> dict[tuple[str, int], Definition]:
    """What definitions call below arch/, by name and through tables."""
    found: dict[tuple[str, int], Definition] = {}
    todo = list(start)
    while todo and len(found) < MAX_BELOW_HOOKS:
        definition = todo.pop()
        key = (definition.file, definition.line)
        if key in found or not definition.file.startswith("arch/"):
            continue
        found[key] = definition
        graph = program.function(definition)
        for _, call in graph.calls():
            named = [(call.name, graph.file)] if call.name is not None else []
            for name, file in (*named, *tables.handed(call, graph)):
                target = program.resolve(name, file)
                if target is not None and target.definition.kind != "object":
                    todo.append(target.definition)
    return found


def _per_cpu(graph: Function, words: Vocabulary) -> set[str]:
    """Per-CPU variables that a function touches."""
    found = {per_cpu_variable(call, words) for _, call in graph.calls()}
    return {variable for variable in found if variable is not None}


def judge(
    implementation: Implementation,
    program: Program,
    call_transfer: CallTransfer,
    runtime: Runtime,
    words: Vocabulary,
) -> list[tuple[Definition, WalkOutcome]]:
    """Walk the switch hooks, then enter, then leave, flush and the updates that run between.

    Each is walked from every state that enter may leave behind.
    """
    graphs = [program.function(d) for d in implementation.definitions]
    if not any(_per_cpu(graph, words) for graph in graphs):
        return []
    call_transfer.implementation = frozenset((g.file, g.line) for g in graphs)
    call_transfer.keyed = frozenset(v for graph in graphs for v in keyed(graph, words))
    walker = Walker(call_transfer, runtime)
    start = {runtime.start()}
    results: list[tuple[Definition, WalkOutcome]] = []
    for hook in implementation.switch:
        start = {p for s in start for p in _run(walker, program, hook, s, "switch-hook", results)}
    entered = {
        after
        for hook in implementation.enter
        for before in start
        for after in _run(walker, program, hook, before, "arch-hook", results)
    } or start
    for definition in (*implementation.leave, *implementation.flush, *implementation.updates):
        for state in entered:
            _run(walker, program, definition, state, "arch-hook", results)
    call_transfer.implementation = frozenset()
    return results


def _run(
    walker: Walker,
    program: Program,
    definition: Definition,
    product: Product,
    role: Role,
    results: list[tuple[Definition, WalkOutcome]],
) -> set[Product]:
    """Walk one hook; what the monitors' state may be after it."""
    graph = program.function(definition)
    site = Site(graph.file, graph.line, 1, graph.name)
    runtime = walker.monitors.runtime
    started, _ = runtime.step(product, FunctionCall(graph.name, role=role, site=site))
    outcome = walker.walk(graph, (), started)
    results.append((definition, outcome))
    ended = {
        runtime.step(after, FunctionReturn(graph.name, role=role, site=site))[0]
        for after, _, _ in outcome.exits
    }
    return ended or {product}
