# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules about implementations, and the one that keeps generic code away from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.contract.dialects import Dialect, LockGuarantee, Status
from lazymmu.contract.events import (
    BatchAdd,
    BatchKey,
    Disable,
    Enable,
    Event,
    Flush,
    FunctionCall,
    FunctionReturn,
    Pause,
    PerCpu,
    Resume,
)
from lazymmu.contract.rules.rule import Party, Rule, RuleKind, Witness
from lazymmu.contract.section import MAX_DEPTH, TaskState

if TYPE_CHECKING:
    from lazymmu.contract.monitor import Violation

# ---- raw-arch-call -------------------------------------------------------------------------

_RAW_VERBS: dict[type[Event], str] = {
    Enable: "enters",
    Disable: "leaves",
    Pause: "pauses",
    Resume: "resumes",
    Flush: "flushes",
}


def _raw(
    own: int, _before: TaskState, event: Event, _dialect: Dialect
) -> tuple[int, tuple[str, ...]]:
    """Own state: how many calls of the API itself, or of hooks, the path is in."""
    match event:
        case FunctionCall(role="api" | "arch-hook" | "switch-hook"):
            return min(own + 1, MAX_DEPTH), ()
        case FunctionReturn(role="api" | "arch-hook" | "switch-hook"):
            return max(own - 1, 0), ()
        case Enable() | Disable() | Flush() | Pause() | Resume() if event.layer == "arch":
            # What a directory of the kernel is for decides the party: arch/X implements the mode,
            # all else uses it.  An event without a place comes from a machine or a trace.
            generic = event.site is not None and not event.site.file.startswith("arch/")
            if generic and own == 0:
                return own, (_RAW_VERBS[type(event)],)
    return own, ()


def _raw_words(violation: Violation) -> str:
    return f"{violation.detail} the lazy MMU mode by the architecture's call, past the counters"


RAW_ARCH_CALL = Rule(
    name="raw-arch-call",
    sentence=(
        "Generic code uses lazy_mmu_mode_*() alone: arch_*_lazy_mmu_mode() and the calls that name "
        "a task are for architecture code."
    ),
    why=(
        "The hooks do not count: the task's counters and the architecture's state disagree "
        "afterwards, and a context switch, an interrupt or an inner section acts on the wrong one."
    ),
    citation=(
        'include/linux/pgtable.h, 0a096ab7a3a6 ("mm: introduce generic lazy_mmu helpers") '
        "(in v7.0), and kernel-doc of __task_lazy_mmu_mode_pause() (in v7.2)"
    ),
    party=Party.CALLER,
    kind=RuleKind.OBLIGATION,
    key="task",
    witnesses=(Witness.SOURCE,),
    events=(FunctionCall, FunctionReturn, Enable, Disable, Flush, Pause, Resume),
    status=lambda dialect: Status.DOCUMENTED if dialect.generic_api else Status.OFF,
    message=_raw_words,
    step=_raw,
    initial=0,
)


# ---- unpinned-batch ------------------------------------------------------------------------

_Hooks = tuple[int, int, frozenset[str]]


def _unpinned(
    own: _Hooks, before: TaskState, event: Event, _dialect: Dialect
) -> tuple[_Hooks, tuple[str, ...]]:
    """Own state: depth of implementation calls, of context-switch hooks, variables these carry."""
    hooks, switches, carried = own
    match event:
        case FunctionCall(role="arch-hook"):
            return (min(hooks + 1, MAX_DEPTH), switches, carried), ()
        case FunctionReturn(role="arch-hook"):
            return (max(hooks - 1, 0), switches, carried), ()
        case FunctionCall(role="switch-hook"):
            return (hooks, min(switches + 1, MAX_DEPTH), carried), ()
        case FunctionReturn(role="switch-hook"):
            return (hooks, max(switches - 1, 0), carried), ()
        case PerCpu() if switches:
            return (hooks, switches, carried | {event.variable}), ()
        case PerCpu() if hooks and not (
            event.carried
            or event.variable in carried
            or before.pinned
            or not before.knows("pins", "locks", "irq")
        ):
            return own, (event.variable,)
    return own, ()


UNPINNED_BATCH = Rule(
    name="unpinned-batch",
    sentence=(
        "Per-CPU state of the lazy MMU mode is touched only while the task cannot move to another "
        "CPU, unless the context-switch hooks carry that state with the task."
    ),
    why=(
        "Generic code begins sections over kernel mappings with preemption on.  A task that moves "
        "between two touches leaves the mode on, or its batch, on the old CPU: whoever updates "
        "page tables there next believes that an invalidation happened which nobody will do."
    ),
    citation=(
        'arch/sparc/mm/tlb.c, a1d416bf9faf ("sparc/mm: disable preemption in lazy mmu mode") (in '
        'v6.15); b9ef323ea168 ("powerpc/64s: Disable preemption in hash lazy mmu mode") (in v6.2)'
    ),
    party=Party.IMPLEMENTATION,
    kind=RuleKind.OBLIGATION,
    key="task x variable",
    witnesses=(Witness.SOURCE, Witness.MACHINE),
    events=(FunctionCall, FunctionReturn, PerCpu),
    status=lambda dialect: (
        Status.DOCUMENTED if dialect.locks is LockGuarantee.PRACTICE else Status.IMPLIED
    ),
    message=lambda violation: (
        f"touches per-CPU `{violation.detail}` while nothing keeps the task on its CPU"
    ),
    step=_unpinned,
    initial=(0, 0, frozenset()),
)


# ---- batch-mixes-mm ------------------------------------------------------------------------

_Checked = tuple[int, frozenset[str]]


def _mixes(
    own: _Checked, _before: TaskState, event: Event, _dialect: Dialect
) -> tuple[_Checked, tuple[str, ...]]:
    """Own state: depth of implementation calls, batches whose mm was compared since the first."""
    hooks, checked = own
    match event:
        case FunctionCall(role="arch-hook"):
            return (min(hooks + 1, MAX_DEPTH), checked if hooks else frozenset()), ()
        case FunctionReturn(role="arch-hook"):
            return (max(hooks - 1, 0), checked if hooks > 1 else frozenset()), ()
        case BatchKey(checked=True):
            return (hooks, checked | {event.variable}), ()
        case BatchAdd() if event.variable not in checked:
            return own, (event.variable,)
    return own, ()


BATCH_MIXES_MM = Rule(
    name="batch-mixes-mm",
    sentence=(
        "One batch holds entries of one mm: before an entry is added, the batch's mm is compared "
        "with the entry's and the batch flushed when they differ."
    ),
    why=(
        "A batch is flushed for its one mm; an entry of another one keeps its stale translation in "
        "the TLB while its page is reused."
    ),
    citation=(
        "arch/powerpc/mm/book3s64/hash_tlb.c, hpte_need_flush(); arch/sparc/mm/tlb.c, "
        "tlb_batch_add_one()"
    ),
    party=Party.IMPLEMENTATION,
    kind=RuleKind.OBLIGATION,
    key="task x variable",
    witnesses=(Witness.SOURCE, Witness.MACHINE),
    events=(FunctionCall, FunctionReturn, BatchKey, BatchAdd),
    status=lambda _dialect: Status.IMPLIED,
    message=lambda violation: f"adds to batch `{violation.detail}` without comparing its mm",
    step=_mixes,
    initial=(0, frozenset()),
)
