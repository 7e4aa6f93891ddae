# SPDX-License-Identifier: GPL-2.0-or-later
"""The contract's monitors, run over millions of events: each distinct step is taken once.

`Runtime.step()` is a pure function of a product and an event, and a trace repeats few of either.
A `MonitorNode` is a product that was met, with the steps from it that were taken; the runtime is
asked only for a step that was not taken before.  What is judged is the runtime's answer, nothing
else.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lazymmu.contract.section import MAX_DEPTH, TaskState

if TYPE_CHECKING:
    from lazymmu.contract.monitor import Product, Runtime, Violation
    from lazymmu.witness.trace.interned_events import InternedEvent
    from lazymmu.witness.trace.trace_features import TraceFeatures

__all__ = ["MemoMonitor", "MonitorNode"]


class MonitorNode:
    """A product, the steps taken from it, and what is asked of it all the time.

    whole: whether a section that begins and ends here leads back, and nobody objects; None while
    that was not asked; quiet: where some events lead in no section, one after the other, to which
    nobody objects, None where they do not.
    """

    __slots__ = ("depth", "next", "product", "quiet", "whole")

    def __init__(self, product: Product) -> None:
        """Of one product."""
        self.product = product
        self.next: dict[InternedEvent, tuple[MonitorNode, tuple[Violation, ...]]] = {}
        self.depth = product.task.depth
        self.quiet: dict[tuple[InternedEvent, ...], MonitorNode | None] = {}
        self.whole: bool | None = None


class MemoMonitor:
    """Steps of a runtime, remembered.

    start: the node of a task of which nothing is known but that it is in no section, or, where
    only counters show sections, not even that; inside: that of one that is in a section.
    """

    def __init__(self, runtime: Runtime, features: TraceFeatures) -> None:
        """`features`: of the trace; what it cannot tell is unknown to the monitors."""
        self.runtime = runtime
        self._nodes: dict[Product, MonitorNode] = {}
        never = frozenset({"locks", "pending"})
        if not features.shows_interrupts:
            never |= {"irq", "pins"}
        at_first = never | {"mode", "pause"} if features.counters_only else never
        self.start = self.node(runtime.start(TaskState(unknown=at_first)))
        self.inside = self.node(runtime.start(TaskState(depth=1, unknown=never)))

    def node(self, product: Product) -> MonitorNode:
        """The one node of a product."""
        found = self._nodes.get(product)
        if found is None:
            found = self._nodes[product] = MonitorNode(product)
        return found

    def known(self, node: MonitorNode, depth: int, paused: int) -> MonitorNode:
        """The node of the same task, of which sections and pauses are known to be so many."""
        task = node.product.task
        depth, paused = min(depth, MAX_DEPTH), min(paused, MAX_DEPTH)
        if (task.depth, task.paused) == (depth, paused) and task.knows("mode", "pause"):
            return node
        told = replace(task, depth=depth, paused=paused, unknown=task.unknown - {"mode", "pause"})
        return self.node(replace(node.product, task=told))

    def quietly(self, node: MonitorNode, steps: tuple[InternedEvent, ...]) -> MonitorNode | None:
        """The node after some events, None where somebody objects or a section is on."""
        after: MonitorNode | None = None if node.depth else node
        for event in steps:
            if after is None:
                break
            there, violations = self.step(after, event)
            after = None if violations or there.depth else there
        node.quiet[steps] = after
        return after

    def step(
        self, node: MonitorNode, event: InternedEvent
    ) -> tuple[MonitorNode, tuple[Violation, ...]]:
        """The node after an event, and the violations that it is."""
        found = node.next.get(event)
        if found is None:
            product, violations = self.runtime.step(node.product, event.event)
            found = node.next[event] = (self.node(product), violations)
        return found
