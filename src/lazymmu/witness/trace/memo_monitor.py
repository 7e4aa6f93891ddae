# SPDX-License-Identifier: GPL-2.0-or-later
"""The contract's monitors, run over millions of events: each distinct step is taken once.

`Runtime.step()` is a pure function of a product and an event, and a trace repeats few of either.
A `Node` is a product that was met, with the steps from it that were taken; the runtime is asked
only for a step that nobody took before.  What is judged is the runtime's answer, nothing else.
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

__all__ = ["Judge", "Moment", "Node", "moment"]


class Moment:
    """An event without task, place and time; two are equal when they are one."""

    __slots__ = ("event",)

    def __init__(self, event: Event) -> None:
        """For one event."""
        self.event = event


_MOMENTS: Final[dict[Event, Moment]] = {}


def moment(event: Event) -> Moment:
    """The one `Moment` of an event that has no task, CPU, site or number."""
    found = _MOMENTS.get(event)
    if found is None:
        found = _MOMENTS[event] = Moment(event)
    return found


ENABLE: Final = moment(Enable())
ENABLE_IRQ: Final = moment(Enable(in_interrupt="yes"))
ENABLE_SOMEWHERE: Final = moment(Enable(in_interrupt="unknown"))
DISABLE: Final = moment(Disable())
DISABLE_IRQ: Final = moment(Disable(in_interrupt="yes"))
DISABLE_SOMEWHERE: Final = moment(Disable(in_interrupt="unknown"))
EXIT: Final = moment(Exit())
USER_RETURN: Final = moment(UserReturn())
MODE_UNKNOWN: Final = moment(Unknown("mode"))
PAUSE_UNKNOWN: Final = moment(Unknown("pause"))
IRQ_ENTER: Final = {kind: moment(IrqEnter(kind)) for kind in ("hard", "soft", "nmi")}
IRQ_EXIT: Final = {kind: moment(IrqExit(kind)) for kind in ("hard", "soft", "nmi")}
OUT: Final = {
    why: moment(SwitchOut(why)) for why in ("preempted", "yielded", "blocked", "lock", "exit")
}


@lru_cache(maxsize=1 << 12)
def switch_in(before: int, now: int) -> Moment:
    """The task gets CPU `now`, after it ran on CPU `before`."""
    return moment(SwitchIn(from_cpu=before, cpu=now))


def observed(at: str, mode: str = "unknown", counters: tuple[int, int] | None = None) -> Moment:
    """The implementation's state as the trace shows it; see `Observed`."""
    return moment(Observed(at=at, mode=mode, counters=counters))  # type: ignore[arg-type]


class Node:
    """A product, the steps taken from it, and what the follower asks of it all the time."""

    __slots__ = ("depth", "next", "on", "product", "vague")

    def __init__(self, product: Product) -> None:
        """Of one product."""
        self.product = product
        self.next: dict[Moment, tuple[Node, tuple[Violation, ...]]] = {}
        self.depth = product.task.depth
        self.on = product.task.on
        self.vague = "mode" in product.task.vague


class Judge:
    """Steps of a runtime, remembered.

    start: the node of a task of which nothing is known but that it is in no section, or, where
    functions do not show sections (`blind`), not even that.
    """

    def __init__(self, runtime: Runtime, *, flags: bool = True, blind: bool = False) -> None:
        """flags: whether the trace has the column that shows interrupts."""
        self.runtime = runtime
        self._nodes: dict[Product, Node] = {}
        vague = {"locks", "pending"}
        if not flags:
            vague |= {"irq", "pins"}
        self._vague = frozenset(vague)
        if blind:
            vague |= {"mode", "pause"}
        self.start = self.node(runtime.start(TaskState(vague=frozenset(vague))))
        self.inside = self.node(runtime.start(TaskState(depth=1, vague=self._vague)))

    def node(self, product: Product) -> Node:
        """The one node of a product."""
        found = self._nodes.get(product)
        if found is None:
            found = self._nodes[product] = Node(product)
        return found

    def step(self, node: Node, event: Moment) -> tuple[Node, tuple[Violation, ...]]:
        """The node after an event, and the violations that it is."""
        found = node.next.get(event)
        if found is None:
            product, violations = self.runtime.step(node.product, event.event)
            found = node.next[event] = (self.node(product), violations)
        return found
