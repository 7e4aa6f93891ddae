# SPDX-License-Identifier: GPL-2.0-or-later
"""What the text of a line is to a follower of tasks: an act of the mode, an event, or nothing.

The meaning of a function is its profile's; who called it decides whether it counts.
"""

from __future__ import annotations

from typing import Final

from lazymmu.ftrace.lines import function_text, symbol
from lazymmu.ftrace.profile import functions
from lazymmu.ftrace.record import RecordKind

__all__ = ["COUNTER_NEEDLE", "NEEDLES", "POWERPC_NEEDLES", "WORDS", "act_of"]

NEEDLES: Final[tuple[bytes, ...]] = (
    b"_lazy_mmu",
    b"_context_switch",
    b"sched_switch",
    b"sched_process_",
    b": console: ",
)
"""What a line that matters contains, on every architecture."""

COUNTER_NEEDLE: Final = b" ec="
"""And what readings of the counters do, which no kernel before v7.0 has."""

POWERPC_NEEDLES: Final[tuple[bytes, ...]] = (b"__flush_tlb_pending <-", b"hpte_need_flush")
"""And on powerpc, which shows nothing else."""

# What an act is, from the profiles' words.
ENTER, LEAVE, FLUSH, BEGIN, END, UPDATE, IMMEDIATE, HOOK_ENTER, HOOK_LEAVE, HOOK_FLUSH = range(
    1, 11
)
WORDS: Final = {
    ENTER: "enter",
    LEAVE: "leave",
    FLUSH: "flush",
    BEGIN: "switch-begin",
    END: "switch-end",
    UPDATE: "update",
    IMMEDIATE: "immediate",
    HOOK_ENTER: "hook-enter",
    HOOK_LEAVE: "hook-leave",
    HOOK_FLUSH: "hook-flush",
}
SITES: Final = {"begin": "enter", "end": "leave"}
"""The same of instructions that probes are at."""
HOOKS: Final = frozenset({BEGIN, END})
"""Acts of a context switch that come with each."""

NOTHING: Final = 0
EVENT: Final = -1
SWITCH: Final = -2
"""The event `sched_switch`, the only one that comes as often as functions do."""
_ACTS: Final = {
    "enter": ENTER,
    "leave": LEAVE,
    "flush": FLUSH,
    "switch-begin": BEGIN,
    "switch-end": END,
    "update": UPDATE,
    "immediate": IMMEDIATE,
    "nothing": NOTHING,
}
_HOOKED: Final = {ENTER: HOOK_ENTER, LEAVE: HOOK_LEAVE, FLUSH: HOOK_FLUSH}


def act_of(text: bytes) -> int | None:
    """What a text means: one of the acts here; None when its function's caller is not shown."""
    if b"<-" not in text and not text.startswith(b"function:"):
        # A bare function has no colon, as all events have.
        bare = b":" not in text and functions().get(symbol(text.partition(b"(")[0]))
        return None if bare and bare.means != "nothing" else EVENT
    kind, name, caller, _ = function_text(text)
    if kind is not RecordKind.FUNCTION:
        return EVENT
    function = functions().get(name)
    if function is None:
        return NOTHING
    act = _ACTS[function.means]
    if not caller and act:
        return None
    if caller in function.inner or (function.within and caller not in function.within):
        return NOTHING
    return _HOOKED[act] if caller in function.hooks else act
