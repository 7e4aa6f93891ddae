# SPDX-License-Identifier: GPL-2.0-or-later
"""The walker: runs the contract's monitors along every path of a function.

A path's state is the monitors' product and what is known of variables and conditions; paths
that agree on both are one.  A callee that is given an entry, a lock or a callback, or that
changes the mode for its caller, is walked in its place; what any other callee may do comes
from interproc/summaries.py.  This is the worklist, with its bounds and what it remembers; what a
node does to the state is transfer.py, the monitors path_monitors.py, callees inliner.py.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from heapq import heappop, heappush

from lazymmu.contract.monitor import Product, Runtime
from lazymmu.contract.section import TaskState
from lazymmu.kernelc.configured_tree import Definition
from lazymmu.kernelc.ir.abstract_value import (
    NONZERO,
    ZERO,
    AtLeast,
    Int,
    Value,
    truth,
)
from lazymmu.kernelc.ir.expr import AnyCall, Expr
from lazymmu.kernelc.ir.nodes import (
    BRANCH,
    EVAL,
    RETURN,
    SWITCH,
    Function,
    Node,
    calls_in,
    spell,
    strip_casts,
)
from lazymmu.kernelc.reads import Item
from lazymmu.witness.finding import Step
from lazymmu.witness.source.effects.call_effects import CallTransfer
from lazymmu.witness.source.effects.effect import CallOutcome
from lazymmu.witness.source.function.counters import passed_on
from lazymmu.witness.source.function.frame import Frame
from lazymmu.witness.source.function.liveness import MAX_REMEMBERED, Liveness
from lazymmu.witness.source.function.names import NAMELESS, EntryName
from lazymmu.witness.source.function.state import (
    Fact,
    State,
    settled,
    weight,
)
from lazymmu.witness.source.interproc.call_targets import Binding
from lazymmu.witness.source.path.assumptions import Assumptions
from lazymmu.witness.source.path.bounds import (
    MAX_BELOW,
    MAX_FRAMES,
    MAX_IN_ALL,
    MAX_STATES,
    MAX_THEN,
    NOWHERE,
)
from lazymmu.witness.source.path.inliner import Inliner
from lazymmu.witness.source.path.outcomes import by_one_of, known_pointer
from lazymmu.witness.source.path.path_monitors import PathMonitors
from lazymmu.witness.source.path.path_state import Path, WalkOutcome
from lazymmu.witness.source.path.path_trace import PathTrace
from lazymmu.witness.source.path.recording import Recording
from lazymmu.witness.source.path.replay import FindFunction, KnownRoots, replay
from lazymmu.witness.source.path.settled_before import SettledBefore
from lazymmu.witness.source.path.transfer import Transfer

__all__ = ["Walker"]


class Walker(SettledBefore):
    """Walks functions of one program under one set of monitors."""

    def __init__(
        self,
        call_transfer: CallTransfer,
        runtime: Runtime,
        has_stub: Callable[[Definition], bool] = lambda _: True,
    ) -> None:
        self._reads = call_transfer.program.reads
        self.monitors = PathMonitors(runtime, self._reads)
        locks, in_place = call_transfer.locks, call_transfer.in_place
        self._transfer = Transfer(call_transfer.summaries, locks, in_place)
        facts = call_transfer.facts
        self._assumptions = Assumptions(call_transfer.program, facts, call_transfer.words, has_stub)
        inliner = Inliner(call_transfer.program, self, self._transfer, self.monitors)
        super().__init__(call_transfer, inliner)
        self._active: list[tuple[tuple[str, int, str], int, Binding]] = []
        """The functions that are being walked: places, depths of sections there, what is bound."""
        self._back_to = NOWHERE
        """The outermost of them that was called again and not walked again: what lies below it is
        known only in part as long as it is being walked."""
        self.state_before = self.state
        """What had been settled when the last root was begun."""
        self.walked = 0
        self.places: set[tuple[str, int, str]] = set()
        """File, line of the text, and name of everything that was walked."""
        self.blurred: dict[tuple[str, int, str], str] = {}
        """What was walked and is not fully known, with the reason."""
        self.bounded: dict[tuple[str, int, str], str] = {}
        self.cut = False
        """Whether the last root was too much to be walked to its end."""
        self._share = self._most = 0
        self.taken_over: KnownRoots | None = None
        """The roots of an earlier analysis that hold."""

    def root(
        self, graph: Function, binding: Binding = (), task: TaskState | None = None
    ) -> WalkOutcome:
        """Walk a function as the beginning of a path, and judge what it leaves behind."""
        self.state_before = self.state
        item = ("root", graph.place, binding, task, self.state_before)
        return self._reads.unit(item, lambda: self._rooted(graph, binding, task))

    def _rooted(self, graph: Function, binding: Binding, task: TaskState | None) -> WalkOutcome:
        earlier = self.taken_over
        if earlier is not None and task is None:
            known = earlier.root(graph, binding, self.state_before)
            if known is not None:
                return known
        product = self.monitors.begin(graph, self.monitors.start(task))
        outcome = self.walk(graph, binding, product)
        result = replace(outcome, raw_reports=dict(outcome.raw_reports))
        self.monitors.judge_returns(outcome, graph, result)
        return result

    def replay(self, item: Item, find: FindFunction) -> None:
        """Let come about what came about when a root was walked that is not walked again."""
        self._reads.note(item)
        replay(item, self, self._inliner, find)

    @property
    def begun(self) -> Mapping[Step, Sequence[TaskState]]:
        """The states of the task in which each section begins, by the place."""
        return self.monitors.begun

    @property
    def ended(self) -> Mapping[Step, Sequence[TaskState]]:
        """The states of the task in which each section ends, by the place."""
        return self.monitors.ended

    @property
    def entered(self) -> Mapping[tuple[str, int, str], Collection[int]]:
        """The depths at which each function was walked in its caller's place, by its place."""
        return self._inliner.entered

    @property
    def shifted(self) -> Mapping[tuple[str, int, str], Mapping[tuple[str, int, str], Function]]:
        """Who was walked with a call in its place that left the mode otherwise, by the callee."""
        return self._inliner.shifted

    def walk(self, graph: Function, binding: Binding, product: Product) -> WalkOutcome:
        """Walk one function from one state; remembered."""
        key = (graph.file, graph.line, graph.name, binding, product)
        known = self._memo.get(key)
        if known is not None:
            self._reads.bits |= known[1]
            return known[0]
        place = key[:3]
        depth = product.task.depth
        binding = self._unfolded(place, binding)
        if self._comes_back(place, depth, binding):
            return WalkOutcome({(product, None, NAMELESS): None})
        if len(self._active) >= MAX_FRAMES:
            self.bounded[(graph.file, graph.line, graph.name)] = "too many calls inside each other"
            return WalkOutcome({(product, None, NAMELESS): None})
        if not self._active:
            self._share = MAX_BELOW if self.walked < MAX_IN_ALL else min(MAX_BELOW, MAX_THEN)
            self.cut, self._most = False, self.walked + self._share
        at = len(self._active)
        self._active.append((place, depth, binding))
        outer = self._reads.begin()
        self.call_transfer.program.is_walked(graph)
        self._reads.note(("walked", place, graph.broken, *graph.spliced))
        self.places.update((place, *graph.spliced))
        if graph.broken:
            self.blurred[place] = graph.broken
        plan = self.plan(graph)
        if plan.too_much:
            self.bounded[key[:3]] = f"more than {MAX_REMEMBERED} conditions to remember"
            self._active.pop()
            self._reads.end(outer)
            return WalkOutcome({(product, None, NAMELESS): None}, blurred=True)
        outcome = self._walk(*self._start(graph, binding, plan, product))
        self._active.pop()
        read = self._reads.end(outer)
        if not self.cut and self._back_to >= at:
            self._memo[key] = outcome, read
            self._back_to = NOWHERE
        elif not self._active:
            where = (graph.file, graph.line, graph.name)
            self.bounded[where] = f"more than {self._share} states in what it calls"
        return outcome

    def _unfolded(self, place: tuple[str, int, str], binding: Binding) -> Binding:
        """What a function that calls itself is bound to now and was each time before."""
        before = [was for other, _, was in self._active if other == place]
        return tuple(item for item in binding if all(item in was for was in before))

    def _comes_back(self, place: tuple[str, int, str], depth: int, binding: Binding) -> bool:
        """Whether a function that calls itself need not be walked in itself again.

        It is once more in a section that is open since, where its own nests, and with other
        constants, which may lead to the bottom.
        """
        before = [at for at, active in enumerate(self._active) if active[0] == place]
        _, was_depth, was_bound = self._active[before[0]] if before else (place, -1, ())
        if len(before) < 2 and (depth > was_depth or binding != was_bound):
            return False
        self._back_to = min(self._back_to, before[0])
        return True

    def plan(self, graph: Function) -> Liveness:
        """What of a function's variables and conditions has to be remembered, and where."""
        return self._plans.of(graph)

    def _start(
        self, graph: Function, binding: Binding, plan: Liveness, product: Product
    ) -> tuple[Frame, State]:
        """The frame of a function, and the state in which it begins."""
        constants = {k: v for k, v in binding if k not in plan.rewritten}
        self.call_transfer.summaries.settle(graph, constants)
        given = tuple(Fact(k, v) for k, v in binding if k in plan.rewritten and k in plan.live[0])
        counted, asked = self.call_transfer.counted(graph), self.call_transfer.asked(graph)
        begun = self.call_transfer.begun(graph)
        return Frame(graph, constants, plan, counted, asked - counted, begun), State(product, given)

    def record(self, graph: Function, most: int = MAX_BELOW) -> Recording | None:
        """Walk a function as the beginning of a path, and keep every move.

        :param most: states of it and all that is walked in it; of more, there is a part.
        :returns: None for one that is not walked at all.
        """
        self.call_transfer.program.is_walked(graph)
        product = self.monitors.begin(graph, self.monitors.start(None))
        plan = self.plan(graph)
        if plan.too_much or self.walked >= MAX_IN_ALL:
            return None
        self.cut, self._most = False, self.walked + min(most, MAX_BELOW)
        self._active.append((graph.place, product.task.depth, ()))
        frame, start = self._start(graph, (), plan, product)
        recording = Recording(frame=frame)
        self._walk(frame, start, recording)
        self._active.pop()
        self._back_to = NOWHERE
        recording.cut = recording.cut or self.cut
        return recording

    def _walk(self, frame: Frame, start: State, recording: Recording | None = None) -> WalkOutcome:
        out = WalkOutcome(blurred=bool(frame.graph.broken)) if recording is None else recording
        # What assumes least comes first, and of what assumes alike the shortest: the first way to a
        # state is the one that is told.
        seen: dict[tuple[int, State], int] = {(0, start): 0}
        work: list[tuple[int, int, int, State, PathTrace | None]] = [(0, 0, 0, start, None)]
        nodes, live = frame.graph.nodes, frame.plan.live
        size = pushed = 1
        while work and not self.cut:
            assumed, _, index, state, trail = heappop(work)
            if seen[(index, state)] < assumed:
                continue
            if recording is not None:
                recording.come_to((index, state), trail)
            for nxt, after, path in self._node(frame, nodes[index], state, trail, out):
                after = settled(after, live[nxt])
                key = (nxt, after)
                if recording is not None:
                    recording.move_to(key, path)
                cost = path.assumed if path is not None else 0
                # States are large to hash: a new one is entered with one look.
                before = len(seen)
                known = seen.setdefault(key, cost)
                fresh = len(seen) > before
                if fresh or cost < known:
                    if fresh:
                        size += weight(after)
                    else:
                        seen[key] = cost
                    heappush(work, (cost, pushed, nxt, after, path))
                    pushed += 1
            if size > MAX_STATES:
                where = (frame.graph.file, frame.graph.line, frame.graph.name)
                self.bounded[where] = f"more than {MAX_STATES} states"
                if recording is not None:
                    recording.cut = True
                break
        self.walked += size
        self.cut = self.cut or self.walked > self._most
        return out

    # -- one node -----------------------------------------------------------------------------

    def _node(
        self, frame: Frame, node: Node, state: State, trail: PathTrace | None, out: WalkOutcome
    ) -> list[tuple[int, State, PathTrace | None]]:
        """Where one path goes from one node."""
        expr = node.expr
        if expr is None:
            if node.op == RETURN:
                self._exit(frame, node, state, trail, None, NAMELESS, out)
            return [(succ, state, trail) for succ in node.succ]
        result: list[tuple[int, State, PathTrace | None]] = []
        paths = self._effects(frame, node, expr, state, trail, out)
        for path in self._transfer.parted(frame, node, expr, paths):
            evaluator = self._transfer.evaluator(frame, path)
            after = self._transfer.assigned(frame, expr, path, evaluator)
            if node.op == EVAL:
                result.extend((succ, after, path.trail) for succ in node.succ)
            elif node.op == RETURN:
                inner = strip_casts(expr)
                known = path.results.get(inner)
                name = EntryName(spell(inner)) if known is None else known.name or NAMELESS
                shape = self.call_transfer.summaries.shape(frame.graph)
                value = evaluator.value(expr) or known_pointer(inner, frame.graph, node, shape)
                after = after.counting(passed_on(after.counters, path.state.counters, name))
                self._exit(frame, node, after, path.trail, value, name, out)
            elif node.op == BRANCH:
                ways = self._transfer.branch(frame, node, expr, after.facts, evaluator)
                for succ, facts in ways:
                    trail = self._assumed(frame, node, expr, succ, path.trail)
                    result.append((succ, after.knowing(facts), trail))
            elif node.op == SWITCH:
                cases = self._transfer.cases(frame, node, after, evaluator)
                result.extend((succ, after, path.trail) for succ in cases)
        return result

    def _assumed(
        self, frame: Frame, node: Node, expr: Expr, succ: int, trail: PathTrace | None
    ) -> PathTrace | None:
        """The trail behind a branch, with what the configuration must be for it to be taken."""
        graph = frame.graph
        needs = self._assumptions.at(graph, expr, succ == node.succ[0])
        if not needs:
            return trail
        step = Step(graph.file, node.line, node.column, graph.name, "")
        return PathTrace(trail, step, "assumes", conditions=needs)

    def _exit(
        self,
        frame: Frame,
        node: Node,
        state: State,
        trail: PathTrace | None,
        value: Value,
        name: EntryName,
        out: WalkOutcome,
    ) -> None:
        known = truth(value)
        short: Value = None if known is None else NONZERO if known else ZERO
        if isinstance(value, Int) or (isinstance(value, AtLeast) and known):
            short = value
        step = Step(frame.graph.file, node.line, node.column, frame.graph.name, "returns")
        after = PathTrace(trail, step, "return")
        out.leave(state.product, short, name, after)

    def _effects(
        self,
        frame: Frame,
        node: Node,
        expr: Expr,
        state: State,
        trail: PathTrace | None,
        out: WalkOutcome,
    ) -> list[Path]:
        """Every way in which the reads and calls of one expression can turn out."""
        paths = [
            self.monitors.happen(Path(state, trail, {}), self.call_transfer.batch(frame, node), out)
        ]
        if direct := tuple(self.call_transfer.entries.direct(frame, node, expr, state)):
            paths = [self.monitors.happen(path, direct, out) for path in paths]
        for call in calls_in(expr):
            nxt: list[Path] = []
            for path in paths:
                nxt.extend(self._call(frame, call, path, out))
            paths = nxt
        return paths

    def _call(self, frame: Frame, call: AnyCall, path: Path, out: WalkOutcome) -> list[Path]:
        ways = self.call_transfer.ways(frame, call, path.state)
        found = [after for way in ways for after in self._way(frame, call, way, path, out)]
        return by_one_of(found, frame.graph, call) if any(way.one_of for way in ways) else found

    def _way(
        self, frame: Frame, call: AnyCall, way: CallOutcome, path: Path, out: WalkOutcome
    ) -> Iterable[Path]:
        after = self.monitors.happen(path, way.notes, out)
        if way.unread:
            where = (frame.graph.file, frame.graph.line, frame.graph.name)
            self.bounded[where] = f"calls {way.unread}(), which could not be read"
            out.blurred = True
        elif way.inside is not None:
            yield from self._inliner.inlined(frame, call, way.inside, after, out)
        else:
            yield after.returned(call, way.value, way.name)
