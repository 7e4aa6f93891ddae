# SPDX-License-Identifier: GPL-2.0-or-later
"""The walker: runs the contract's monitors along every path of a function.

A path's state is the monitors' product and what is known of variables and conditions; paths
that agree on both are one.  A callee that is given an entry, a lock or a callback, or that
changes the mode for its caller, is walked in its place; what any other callee may do comes
from reach.py.  Entries are versioned by forgetting: a variable that is assigned names another
entry from then on, and what was pending under its name stays pending without a name.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from lazymmu.contract.events import (
    Disable,
    Enable,
    Event,
    Flush,
    FunctionCall,
    FunctionReturn,
    Site,
    Write,
)
from lazymmu.contract.monitor import Product, Runtime
from lazymmu.contract.section import TaskState
from lazymmu.kernelc.ir.abstract_value import (
    NONZERO,
    ZERO,
    Evaluator,
    Int,
    NonZero,
    Value,
    integer,
    normalize_condition,
    truth,
)
from lazymmu.kernelc.ir.expr import VARIABLES, AnyCall, Assign, Expr, Field
from lazymmu.kernelc.ir.nodes import (
    BRANCH,
    EVAL,
    RETURN,
    SWITCH,
    Function,
    Node,
    assigned,
    calls_in,
    spell,
    strip_casts,
    writes,
)
from lazymmu.witness.finding import Step
from lazymmu.witness.source.effects.call_effects import Calls
from lazymmu.witness.source.effects.effect import Inside, Note
from lazymmu.witness.source.effects.entry_effects import derived
from lazymmu.witness.source.function.frame import Frame
from lazymmu.witness.source.function.liveness import MAX_REMEMBERED, Plan, names_it
from lazymmu.witness.source.function.names import (
    NAMELESS,
    EntryName,
    enter,
    forget,
    leave,
    rename_lock,
)
from lazymmu.witness.source.function.state import (
    Fact,
    FactList,
    State,
    settled,
    weight,
    with_fact,
    with_origin,
)
from lazymmu.witness.source.interproc.call_targets import Binding
from lazymmu.witness.source.path.path_state import Hit, Outcome, Path, Returned
from lazymmu.witness.source.path.path_trace import Trail

MAX_STATES = 30_000
"""(node, state) pairs of one walk; beyond it the function counts as not understood."""

MAX_BELOW = 50_000
"""The same of a root and all that is walked in it.  The greatest of 6.1 to 7.3 has 7,000; far more
comes of a section that is left open, and followed into whatever its callers do next."""

MAX_IN_ALL = 500_000
"""The same of all roots of one architecture together: those after that have MAX_THEN each.  The
roots of 7.3 have 21,000."""

MAX_THEN = 2_000
"""States of one root when the others have had their share."""

MAX_FRAMES = 64
"""Functions walked inside each other."""

_MEANT_FLUSHED = frozenset({"stale-read", "mixed-write"})
"""Rules whose violation shows that the code took an entry's pending write for done."""


class Walker:
    """Walks functions of one program under one set of monitors."""

    def __init__(self, calls: Calls, runtime: Runtime) -> None:
        self.calls = calls
        self.runtime = runtime
        self._memo: dict[tuple[str, int, str, Binding, Product], Outcome] = {}
        self._plans: dict[tuple[str, int], Plan] = {}
        self._active: list[tuple[str, int]] = []
        self.walked = 0
        self.begun: dict[Step, list[TaskState]] = {}
        self.ended: dict[Step, list[TaskState]] = {}
        self.entered: dict[tuple[str, int], set[int]] = {}
        self.places: set[tuple[str, int, str]] = set()
        """File, line of the text, and name of everything that was walked."""
        self.blurred: dict[tuple[str, int, str], str] = {}
        """What was walked and is not fully known, with the reason."""
        self.bounded: dict[tuple[str, int, str], str] = {}
        self.cut = False
        """Whether the last root was too much to be walked to its end."""
        self._share = self._most = 0

    def root(
        self, graph: Function, binding: Binding = (), task: TaskState | None = None
    ) -> Outcome:
        """Walk a function as the beginning of a path, and judge what it leaves behind."""
        product = self.runtime.start(task)
        site = Site(graph.file, graph.line, 1, graph.name)
        product, _ = self.runtime.step(product, FunctionCall(graph.name, root=True, site=site))
        outcome = self.walk(graph, binding, product)
        result = replace(outcome, hits=dict(outcome.hits))
        self._judge(outcome, graph, result)
        return result

    def _judge(self, outcome: Outcome, graph: Function, result: Outcome) -> None:
        """Add what is wrong at the returns of a function."""
        for (after, line, column), trail in outcome.returns.items():
            step = Step(graph.file, line, column, graph.name, "returns")
            where = Site(step.file, step.line, step.column, graph.name)
            for violation in self.runtime.step(
                after, FunctionReturn(graph.name, root=True, site=where)
            )[1]:
                result.add(Hit(violation, trail, step))

    def helper(self, graph: Function) -> None:
        """From now on walk ``graph`` in the place of every call to it."""
        self.calls.helpers.add((graph.file, graph.line))
        self.calls.helper_names.add(graph.name)
        self._memo.clear()

    def forget_helper(self, graph: Function) -> None:
        """Undo ``helper``."""
        self.calls.helpers.discard((graph.file, graph.line))
        self.calls.helper_names.discard(graph.name)
        self._memo.clear()

    def walk(self, graph: Function, binding: Binding, product: Product) -> Outcome:
        """Walk one function from one state; remembered."""
        key = (graph.file, graph.line, graph.name, binding, product)
        known = self._memo.get(key)
        if known is not None:
            return known
        place = (graph.file, graph.line)
        if place in self._active:
            return Outcome({(product, None, NAMELESS): None})
        if len(self._active) >= MAX_FRAMES:
            self.bounded[(graph.file, graph.line, graph.name)] = "too many calls inside each other"
            return Outcome({(product, None, NAMELESS): None})
        if not self._active:
            self._share = MAX_BELOW if self.walked < MAX_IN_ALL else min(MAX_BELOW, MAX_THEN)
            self.cut, self._most = False, self.walked + self._share
        self._active.append(place)
        self.places.add(key[:3])
        if graph.broken:
            self.blurred[key[:3]] = graph.broken
        plan = self._plans.get(place)
        if plan is None:
            plan = self._plans[place] = Plan.of(graph, self.calls.words)
            if plan.too_much:
                where = (graph.file, graph.line, graph.name)
                self.bounded[where] = f"more than {MAX_REMEMBERED} conditions to remember"
        if plan.too_much:
            self._active.pop()
            return Outcome({(product, None, NAMELESS): None}, blurred=True)
        constants = {k: v for k, v in binding if k not in plan.rewritten}
        single = self.calls.reach.shape(graph).single
        evaluator = self.calls.facts.evaluator(constants, graph.file)
        for name, value in single.items():
            settled = evaluator.value(value)
            if settled is not None:
                constants[name] = settled
        given = tuple(Fact(k, v) for k, v in binding if k in plan.rewritten and k in plan.live[0])
        outcome = self._walk(Frame(graph, constants, plan), State(product, given))
        self._active.pop()
        if not self.cut:
            self._memo[key] = outcome
        elif not self._active:
            where = (graph.file, graph.line, graph.name)
            self.bounded[where] = f"more than {self._share} states in what it calls"
        return outcome

    def _walk(self, frame: Frame, start: State) -> Outcome:
        out = Outcome(blurred=bool(frame.graph.broken))
        seen: set[tuple[int, State]] = {(0, start)}
        work: deque[tuple[int, State, Trail | None]] = deque([(0, start, None)])
        nodes, live = frame.graph.nodes, frame.plan.live
        size = 1
        while work and not self.cut:
            index, state, trail = work.popleft()
            for nxt, after, path in self._node(frame, nodes[index], state, trail, out):
                after = settled(after, live[nxt])
                key = (nxt, after)
                if key not in seen:
                    seen.add(key)
                    work.append((nxt, after, path))
                    size += weight(after)
            if size > MAX_STATES:
                where = (frame.graph.file, frame.graph.line, frame.graph.name)
                self.bounded[where] = f"more than {MAX_STATES} states"
                break
        self.walked += size
        self.cut = self.cut or self.walked > self._most
        return out

    # -- one node -----------------------------------------------------------------------------

    def _node(
        self, frame: Frame, node: Node, state: State, trail: Trail | None, out: Outcome
    ) -> list[tuple[int, State, Trail | None]]:
        """Where one path goes from one node."""
        expr = node.expr
        if expr is None:
            if node.op == RETURN:
                self._exit(frame, node, state, trail, None, NAMELESS, out)
            return [(succ, state, trail) for succ in node.succ]
        result: list[tuple[int, State, Trail | None]] = []
        paths = self._effects(frame, node, expr, state, trail, out)
        for path in self._parted(frame, node, expr, paths):
            evaluator = self._evaluator(frame, path)
            after = self._assigned(frame, expr, path, evaluator)
            if node.op == EVAL:
                result.extend((succ, after, path.trail) for succ in node.succ)
            elif node.op == RETURN:
                inner = strip_casts(expr)
                known = path.results.get(inner)
                name = EntryName(spell(inner)) if known is None else known.name or NAMELESS
                self._exit(frame, node, after, path.trail, evaluator.value(expr), name, out)
            elif node.op == BRANCH:
                for succ, facts in self._branch(frame, node, expr, after.facts, evaluator):
                    result.append((succ, State(after.product, facts, after.origins), path.trail))
            elif node.op == SWITCH:
                value = integer(evaluator.value(expr))
                for case, succ in zip(node.cases, node.succ, strict=True):
                    if value is None or case == value or (case is None and value not in node.cases):
                        result.append((succ, after, path.trail))
        return result

    def _parted(self, frame: Frame, node: Node, expr: Expr, paths: list[Path]) -> list[Path]:
        """A copy of an unknown value that both names are asked for is two paths."""
        if node.op != EVAL or not isinstance(expr, Assign) or expr.op != "=":
            return paths
        source = strip_casts(expr.value)
        if not isinstance(source, (*VARIABLES, Field)):
            return paths
        if not {spell(source), spell(strip_casts(expr.target))} <= frame.plan.live[node.succ[0]]:
            return paths
        out = []
        for path in paths:
            if truth(self._evaluator(frame, path).value(source)) is not None:
                out.append(path)
                continue
            for value in (NONZERO, ZERO):
                facts = with_fact(path.state.facts, spell(source), value)
                state = replace(path.state, facts=facts)
                out.append(Path(state, path.trail, path.results))
        return out

    def _evaluator(self, frame: Frame, path: Path) -> Evaluator:
        base = self.calls.facts.evaluator(frame.env(path.state.facts), frame.graph.file)
        plain = base.call

        def call(called: AnyCall) -> Value:
            known = path.results.get(called)
            value = known.value if known is not None else None
            return plain(called) if value is None else value

        base.call = call
        return base

    def _exit(
        self,
        frame: Frame,
        node: Node,
        state: State,
        trail: Trail | None,
        value: Value,
        name: EntryName,
        out: Outcome,
    ) -> None:
        known = truth(value)
        short: Value = None if known is None else NONZERO if known else ZERO
        if isinstance(value, Int):
            short = value
        step = Step(frame.graph.file, node.line, node.column, frame.graph.name, "returns")
        after = Trail(trail, step, "return")
        out.exits.setdefault((state.product, short, name), after)
        out.returns.setdefault((state.product, node.line, node.column), after)

    def _branch(
        self, frame: Frame, node: Node, expr: Expr, facts: FactList, evaluator: Evaluator
    ) -> list[tuple[int, FactList]]:
        value = truth(evaluator.value(expr))
        known = normalize_condition(expr)
        if value is None and known is not None:
            remembered = dict(facts).get(known.subject)
            if remembered is not None:
                value = truth(remembered) == known.holds
        if value is not None:
            return [(node.succ[0 if value else 1], facts)]
        out = []
        for succ, holds in ((node.succ[0], True), (node.succ[1], False)):
            learnt = facts
            if known is not None and known.subject in frame.plan.tracked:
                learnt = with_fact(facts, known.subject, NONZERO if holds == known.holds else ZERO)
            out.append((succ, learnt))
        return out

    def _assigned(self, frame: Frame, expr: Expr, path: Path, evaluator: Evaluator) -> State:
        """The state after the writes of an expression."""
        state = path.state
        locked = self.calls.locks.outputs(expr)
        for target, value in writes(expr):
            spelling = spell(target)
            if value is None and spelling in locked:
                continue
            inner = assigned(value) if value is not None else None
            known = evaluator.value(inner) if inner is not None else None
            source = None
            if inner is not None and spelling in frame.plan.traced:
                source = derived(inner, state.origins, self.calls.words)
            state = self._overwritten(state, target)
            if isinstance(known, (Int, NonZero)) and spelling in frame.plan.tracked:
                state = replace(state, facts=with_fact(state.facts, spelling, known))
            if source is not None and isinstance(target, VARIABLES):
                state = replace(state, origins=with_origin(state.origins, spelling, source))
            returned = path.results.get(inner) if inner is not None else None
            if returned is not None and returned.name is not None:
                name = EntryName(spelling)
                state = state.after(rename_lock(state.product, returned.name, name))
        return state

    def _overwritten(self, state: State, target: Expr) -> State:
        """The state without what was known of something that is written."""
        spelling = spell(target)
        variable = isinstance(target, VARIABLES)
        product = forget(state.product, spelling) if variable else state.product
        facts = tuple(
            fact
            for fact in state.facts
            if fact.subject != spelling and not (variable and names_it(fact.subject, spelling))
        )
        origins = tuple(o for o in state.origins if spelling not in (o.variable, o.entry.spelling))
        return State(product, facts, origins)

    # -- calls --------------------------------------------------------------------------------

    def _effects(
        self,
        frame: Frame,
        node: Node,
        expr: Expr,
        state: State,
        trail: Trail | None,
        out: Outcome,
    ) -> list[Path]:
        """Every way in which the reads and calls of one expression can turn out."""
        paths = [self._happen(Path(state, trail, {}), self.calls.batch(frame, node), out)]
        if reads := tuple(self.calls.entries.reads(frame, node, expr)):
            paths = [self._happen(path, reads, out) for path in paths]
        for call in calls_in(expr):
            nxt: list[Path] = []
            for path in paths:
                nxt.extend(self._call(frame, call, path, out))
            paths = nxt
        return paths

    def _call(self, frame: Frame, call: AnyCall, path: Path, out: Outcome) -> Iterable[Path]:
        for way in self.calls.ways(frame, call, path.state):
            after = self._happen(path, way.notes, out)
            if way.unread:
                where = (frame.graph.file, frame.graph.line, frame.graph.name)
                self.bounded[where] = f"calls {way.unread}(), which could not be read"
                out.blurred = True
            elif way.inside is not None:
                yield from self._inside(frame, call, way.inside, after, out)
            else:
                yield self._returned(after, call, after.state.product, way.value, way.name)

    def _happen(self, path: Path, notes: tuple[Note, ...], out: Outcome) -> Path:
        """Run the monitors over events."""
        if not notes:
            return path
        product, trail = path.state.product, path.trail
        for note in notes:
            before = product
            product, violations = self.runtime.step(product, note.event)
            if note.maybe:
                product = before
            site = note.event.site
            if site is None:
                continue
            step = Step(site.file, site.line, site.column, site.function, note.text)
            self._observe(note.event, product, step, out)
            for violation in violations:
                out.add(
                    Hit(
                        violation,
                        trail,
                        step,
                        note.more,
                        note.conditions,
                        note.ambiguous,
                        note.tests,
                    )
                )
                if violation.rule in _MEANT_FLUSHED:
                    # The code relies on the write having happened: go on as it meant.
                    entry = getattr(note.event, "entry", None)
                    product, _ = self.runtime.step(product, Flush("api", entry=entry))
            if note.mark:
                about = note.event.entry if isinstance(note.event, Write) else None
                trail = Trail(trail, step, note.mark, about)
        return Path(path.state.after(product), trail, path.results)

    def _observe(self, event: Event, after: Product, step: Step, out: Outcome) -> None:
        """Remember what the table of sections shows."""
        if isinstance(event, Write):
            out.spaces.add(event.space)
        elif isinstance(event, Enable) and after.task.depth == 1:
            self.begun.setdefault(step, []).append(after.task)
        elif isinstance(event, Disable) and after.task.depth == 0:
            self.ended.setdefault(step, []).append(after.task)

    def _returned(
        self, path: Path, call: AnyCall, product: Product, value: Value, name: EntryName | None
    ) -> Path:
        results = path.results
        if value is not None or name is not None:
            results = {**results, call: Returned(value, name)}
        return Path(path.state.after(product), path.trail, results)

    def _inside(
        self, frame: Frame, call: AnyCall, inside: Inside, path: Path, out: Outcome
    ) -> Iterable[Path]:
        """Walk a callee in its caller's place."""
        graph = self.calls.program.function(inside.definition)
        entered = enter(path.state.product, call, graph)
        self.entered.setdefault((graph.file, graph.line), set()).add(entered.task.depth)
        if inside.callback:
            outcome = self._called_back(graph, inside.binding, entered)
        else:
            outcome = self.walk(graph, inside.binding, entered)
        out.spaces |= outcome.spaces
        out.blurred = out.blurred or outcome.blurred
        said = f"calls {graph.name}()" if not inside.callback else f"calls back {graph.name}()"
        step = Step(frame.graph.file, call.line, call.column, frame.graph.name, said)
        mark = "callback" if inside.callback else "call"
        before = Trail(path.trail, step, mark)
        conditions = frozenset(inside.definition.presence)
        for hit in outcome.hits.values():
            out.add(
                replace(
                    hit,
                    trail=Trail(before, None, "inside", inner=hit.trail),
                    conditions=hit.conditions | conditions,
                    ambiguous=hit.ambiguous or inside.ambiguous,
                )
            )
        plan = self._plans.get((graph.file, graph.line)) or Plan.of(graph, self.calls.words)
        for (product, value, name), trail in outcome.exits.items():
            back = leave(product, call, graph, plan.rewritten)
            after = Path(
                path.state.after(back),
                Trail(before, None, "inside", inner=trail) if trail is not None else path.trail,
                path.results,
            )
            if graph.macro:
                after = self._macro_writes(after, call, graph, plan)
            yield self._returned(after, call, after.state.product, value, name.owned_by(graph.name))

    def _called_back(self, graph: Function, binding: Binding, entered: Product) -> Outcome:
        """Walk a callback: whoever calls it back counts on the mode it was called in."""
        site = Site(graph.file, graph.line, 1, graph.name)
        product, _ = self.runtime.step(entered, FunctionCall(graph.name, root=True, site=site))
        outcome = self.walk(graph, binding, product)
        spaces = set(outcome.spaces)
        result = Outcome(hits=dict(outcome.hits), spaces=spaces, blurred=outcome.blurred)
        self._judge(outcome, graph, result)
        for (after, value, name), trail in outcome.exits.items():
            ended, broken = self.runtime.step(
                after, FunctionReturn(graph.name, root=True, site=site)
            )
            if broken:
                task = entered.task
                meant = replace(ended.task, depth=task.depth, paused=task.paused)
                ended = replace(ended, task=meant)
            result.exits.setdefault((replace(ended, own=entered.own), value, name), trail)
        return result

    def _macro_writes(self, path: Path, call: AnyCall, graph: Function, plan: Plan) -> Path:
        """A macro that assigns to its parameter assigns to its argument."""
        state = path.state
        for param, arg in zip(graph.params, call.args, strict=False):
            if param in plan.rewritten:
                state = self._overwritten(state, strip_casts(arg))
        return Path(state, path.trail, path.results)


__all__ = ["Walker"]
