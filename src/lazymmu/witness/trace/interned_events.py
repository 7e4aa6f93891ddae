# SPDX-License-Identifier: GPL-2.0-or-later
"""Events without task, place and time, each of which there is once.

So what a node of the monitors does with one is looked up by identity, and not by comparing fields.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from lazymmu.contract.events import (
    Bug,
    Disable,
    Enable,
    Event,
    Exit,
    IrqEnter,
    IrqExit,
    Observed,
    Pause,
    Resume,
    SwitchIn,
    SwitchOut,
    Unknown,
    UserReturn,
)

__all__ = ["InternedEvent", "interned", "observed", "switch_in"]


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
BUG: Final = interned(Bug("the CPU's mode is not what it insists on"))
PAUSE: Final = interned(Pause())
RESUME: Final = interned(Resume())
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
