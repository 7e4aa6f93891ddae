# SPDX-License-Identifier: GPL-2.0-or-later
"""The contract's monitors, run over millions of events: each distinct step is taken once.

`Runtime.step()` is a pure function of a product and an event, and a trace repeats few of either.
A `MonitorNode` is a product that was met, with the steps from it that were taken; the runtime is
asked only for a step that nobody took before.  What is judged is the runtime's answer, nothing
else.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from lazymmu.contract.events import (
    Disable,
    Enable,
    Event,
    Exit,
    IrqEnter,
    IrqExit,
    Observed,
    SwitchIn,
    SwitchOut,
    Unknown,
    UserReturn,
)
from lazymmu.contract.section import TaskState

if TYPE_CHECKING:
    from lazymmu.contract.monitor import Product, Runtime, Violation

__all__ = ["InternedEvent", "MemoMonitor", "MonitorNode", "interned"]


class InternedEvent:
    """An event without task, place and time; two are equal when they are one."""

    __slots__ = ("event",)

    def __init__(self, event: Event) -> None:
        """For one event."""
        self.event = event


_INTERNED: Final[dict[Event, InternedEvent]] = {}


def interned(event: Event) -> InternedEvent:
    """The one `InternedEvent` of an event that has no task, CPU, site or number."""
    found = _INTERNED.get(event)
    if found is None:
        found = _INTERNED[event] = InternedEvent(event)
    return found


ENABLE: Final = interned(Enable())
ENABLE_IRQ: Final = interned(Enable(in_interrupt="yes"))
ENABLE_SOMEWHERE: Final = interned(Enable(in_interrupt="unknown"))
DISABLE: Final = interned(Disable())
DISABLE_IRQ: Final = interned(Disable(in_interrupt="yes"))
DISABLE_SOMEWHERE: Final = interned(Disable(in_interrupt="unknown"))
EXIT: Final = interned(Exit())
USER_RETURN: Final = interned(UserReturn())
MODE_UNKNOWN: Final = interned(Unknown("mode"))
PAUSE_UNKNOWN: Final = interned(Unknown("pause"))
IRQ_ENTER: Final = {kind: interned(IrqEnter(kind)) for kind in ("hard", "soft", "nmi")}
IRQ_EXIT: Final = {kind: interned(IrqExit(kind)) for kind in ("hard", "soft", "nmi")}
OUT: Final = {
    why: interned(SwitchOut(why)) for why in ("preempted", "yielded", "blocked", "lock", "exit")
}


@lru_cache(maxsize=1 << 12)
def switch_in(before: int, now: int) -> InternedEvent:
    """The task gets CPU `now`, after it ran on CPU `before`."""
    return interned(SwitchIn(from_cpu=before, cpu=now))


def observed(
    at: str, mode: str = "unknown", counters: tuple[int, int] | None = None
) -> InternedEvent:
    """The implementation's state as the trace shows it; see `Observed`."""
    return interned(Observed(at=at, mode=mode, counters=counters))  # type: ignore[arg-type]


class MonitorNode:
    """A product, the steps taken from it, and what the follower asks of it all the time."""

    __slots__ = ("depth", "next", "on", "product", "unknown")

    def __init__(self, product: Product) -> None:
        """Of one product."""
        self.product = product
        self.next: dict[InternedEvent, tuple[MonitorNode, tuple[Violation, ...]]] = {}
        self.depth = product.task.depth
        self.on = product.task.on
        self.unknown = "mode" in product.task.unknown


class MemoMonitor:
    """Steps of a runtime, remembered.

    start: the node of a task of which nothing is known but that it is in no section, or, where
    functions do not show sections (`blind`), not even that.
    """

    def __init__(self, runtime: Runtime, *, flags: bool = True, blind: bool = False) -> None:
        """flags: whether the trace has the column that shows interrupts."""
        self.runtime = runtime
        self._nodes: dict[Product, MonitorNode] = {}
        unknown = {"locks", "pending"}
        if not flags:
            unknown |= {"irq", "pins"}
        self._unknown = frozenset(unknown)
        if blind:
            unknown |= {"mode", "pause"}
        self.start = self.node(runtime.start(TaskState(unknown=frozenset(unknown))))
        self.inside = self.node(runtime.start(TaskState(depth=1, unknown=self._unknown)))

    def node(self, product: Product) -> MonitorNode:
        """The one node of a product."""
        found = self._nodes.get(product)
        if found is None:
            found = self._nodes[product] = MonitorNode(product)
        return found

    def step(
        self, node: MonitorNode, event: InternedEvent
    ) -> tuple[MonitorNode, tuple[Violation, ...]]:
        """The node after an event, and the violations that it is."""
        found = node.next.get(event)
        if found is None:
            product, violations = self.runtime.step(node.product, event.event)
            found = node.next[event] = (self.node(product), violations)
        return found
