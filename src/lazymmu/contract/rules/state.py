# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules about the implementation's real state, which only an observer of it can judge.

Source says what code means to do; a machine or a trace sees what became of it, as `Observed`.
These rules compare that with what the task's own events say should be so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.contract.dialects import Dialect, Interrupts, Status
from lazymmu.contract.events import Event, FunctionCall, FunctionReturn, Observed
from lazymmu.contract.rules.rule import Party, Rule, RuleKind, Witness, stateless
from lazymmu.contract.section import MAX_DEPTH, TaskState

if TYPE_CHECKING:
    from lazymmu.contract.monitor import Violation

_OBSERVERS = (Witness.MACHINE, Witness.TRACE)

# ---- mode-left-on-cpu ----------------------------------------------------------------------


def _left(
    own: int, before: TaskState, event: Event, _dialect: Dialect
) -> tuple[int, tuple[str, ...]]:
    """Own state: how many calls of the API or of hooks the task is in.

    Inside them its counters and the implementation's state may differ for a moment, and do: v7.1
    counts before it enters, so that a task may be switched out between the two.
    """
    match event:
        case FunctionCall(role="api" | "arch-hook"):
            return min(own + 1, MAX_DEPTH), ()
        case FunctionReturn(role="api" | "arch-hook"):
            return max(own - 1, 0), ()
        case Observed(at="switch-in") if not own and before.knows("mode", "pause"):
            if before.on:
                return own, ("lost",) if event.mode == "off" else ()
            if event.mode == "on":
                return own, ("left-on",)
            return own, ("left-pending",) if event.pending else ()
    return own, ()


_LEFT_WORDS = {
    "left-on": "gets a CPU on which the lazy MMU mode of another task is still on",
    "left-pending": "gets a CPU on which updates of another task are still pending",
    "lost": "goes on in a lazy MMU section with the mode off",
}

MODE_LEFT_ON_CPU = Rule(
    name="mode-left-on-cpu",
    sentence=(
        "When a task gets a CPU, the mode is on there if the task is in a section and off if not, "
        "and nothing that another task put off is pending there."
    ),
    why=(
        "Page-table updates of whoever runs next would wait for a flush that nobody knows of: on "
        "sparc64 before v6.15 a task that moved in a section left the batch of its old CPU active, "
        "and later TLB invalidations there did not happen.  A mode that got lost costs batching."
    ),
    citation=(
        "arch/x86/xen/enlighten_pv.c, xen_start_context_switch() and xen_end_context_switch(); "
        'arch/sparc/mm/tlb.c, a1d416bf9faf ("sparc/mm: disable preemption in lazy mmu mode") (in '
        "v6.15)"
    ),
    party=Party.IMPLEMENTATION,
    kind=RuleKind.OBLIGATION,
    key="task",
    witnesses=_OBSERVERS,
    events=(FunctionCall, FunctionReturn, Observed),
    status=lambda _dialect: Status.IMPLIED,
    message=lambda violation: _LEFT_WORDS[violation.detail],
    step=_left,
    initial=0,
)


# ---- dirty-start ---------------------------------------------------------------------------


def _dirty(before: TaskState, event: Observed, _dialect: Dialect) -> str | None:
    if event.at not in ("start", "user-return", "exit"):
        return None
    if event.at != "start" and (before.depth or before.paused or not before.knows("mode", "pause")):
        # What the task itself has not ended or resumed is another rule's finding.
        return None
    if event.counters is not None and any(event.counters):
        return f"enable_count {event.counters[0]}, pause_count {event.counters[1]}"
    return "the mode on" if event.mode == "on" else None


_DIRTY_VERBS = {"start": "starts", "user-return": "returns to user mode", "exit": "ends"}


def _dirty_words(violation: Violation) -> str:
    at = getattr(violation.event, "at", "start")
    verb = _DIRTY_VERBS.get(at)
    enabled, paused = getattr(violation.event, "counters", None) or (0, 0)
    if paused and not enabled:
        how = f"{verb} paused" if verb else "is paused"
        return f"{how} though nobody paused it ({violation.detail})"
    return f"{verb or 'runs'} with {violation.detail}, although it is in no lazy MMU section"


DIRTY_START = Rule(
    name="dirty-start",
    sentence=(
        "A task that starts, returns to user mode or ends has the mode off, enable_count zero and "
        "pause_count zero."
    ),
    why=(
        "Nobody will ever end the section that the state speaks of: the task's updates are put off "
        "without end, or, when it is the pause count, never batched again.  A new task is a copy "
        "of its parent, counters and thread flags included."
    ),
    citation=(
        "kernel/fork.c, dup_task_struct(); include/linux/mm_types_task.h, struct lazy_mmu_state, "
        '5ab246749569 ("mm: enable lazy_mmu sections to nest") (in v7.0)'
    ),
    party=Party.IMPLEMENTATION,
    kind=RuleKind.OBLIGATION,
    key="task",
    witnesses=_OBSERVERS,
    events=(Observed,),
    status=lambda _dialect: Status.IMPLIED,
    message=_dirty_words,
    step=stateless(_dirty),
    check=_dirty,
)


# ---- flush-is-nop --------------------------------------------------------------------------


def _nop(before: TaskState, event: Observed, dialect: Dialect) -> str | None:
    if event.pending is not True or event.at not in ("disable", "flush"):
        return None
    # A call in interrupt context or in a pause does nothing, by the contract itself.
    if before.in_interrupt or before.paused or not before.knows("mode", "pause", "irq", "pins"):
        return None
    if event.at == "flush":
        return "flush"
    if before.depth == 0:
        return "end"
    return "nested-end" if dialect.may_nest else None


_NOP_WORDS = {
    "end": "ends its lazy MMU section, and updates are still pending",
    "nested-end": "ends a nested lazy MMU section, and updates are still pending",
    "flush": "flushes the lazy MMU mode, and updates are still pending",
}

FLUSH_IS_NOP = Rule(
    name="flush-is-nop",
    sentence=(
        "When a section ends, a nested one included, and when the mode is flushed, all that was "
        "put off has taken effect."
    ),
    why=(
        "The caller goes on as if it had: it unlocks, reads the entry, frees the page.  Where "
        "sections nest, the inner code knows nothing of the outer section and relies on its own "
        "end.  Up to v6.19 the flush of powerpc hash and sparc64 was empty, and nobody nested."
    ),
    citation=(
        "include/linux/pgtable.h, kernel-doc of lazy_mmu_mode_disable(), 5ab246749569 "
        '("mm: enable lazy_mmu sections to nest") (in v7.0)'
    ),
    party=Party.IMPLEMENTATION,
    kind=RuleKind.OBLIGATION,
    key="task",
    witnesses=(Witness.MACHINE,),
    events=(Observed,),
    status=lambda dialect: Status.DOCUMENTED if dialect.may_nest else Status.IMPLIED,
    message=lambda violation: _NOP_WORDS[violation.detail],
    step=stateless(_nop),
    check=_nop,
)


# ---- irq-deferred --------------------------------------------------------------------------


def _irq_deferred(before: TaskState, event: Observed, _dialect: Dialect) -> str | None:
    if event.at == "irq" and event.pending is True and before.irq and before.knows("irq"):
        return before.irq[-1]
    return None


IRQ_DEFERRED = Rule(
    name="irq-deferred",
    sentence=(
        "A page-table update made in interrupt context takes effect at once, also when the "
        "interrupted task is in a section."
    ),
    why=(
        "The handler knows nothing of the section and uses what it changed.  powerpc hash and "
        "sparc64 to v6.19 add the handler's update to the batch of the task that was interrupted; "
        "so did the first version of arm64's mode."
    ),
    citation=(
        "arch/x86/include/asm/xen/hypervisor.h, xen_get_lazy_mode(); arch/arm64/include/asm/"
        'pgtable.h, b81c688426a9 ("arm64/mm: Disable barrier batching in interrupt contexts") (in '
        "v6.16)"
    ),
    party=Party.IMPLEMENTATION,
    kind=RuleKind.OBLIGATION,
    key="task",
    witnesses=(Witness.MACHINE,),
    events=(Observed,),
    status=lambda dialect: (
        Status.DOCUMENTED if dialect.interrupts is Interrupts.NO_OP else Status.IMPLIED
    ),
    message=lambda violation: (
        "puts off a page-table update made in "
        + ("an NMI" if violation.detail == "nmi" else f"a {violation.detail} interrupt")
    ),
    step=stateless(_irq_deferred),
    check=_irq_deferred,
)
