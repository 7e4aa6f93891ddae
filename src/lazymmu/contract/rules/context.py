# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules about the context of a section: sleeping, interrupts, preemption."""

from __future__ import annotations

from lazymmu.contract.dialects import Dialect, Interrupts, LockGuarantee, Status
from lazymmu.contract.events import (
    Disable,
    Enable,
    Event,
    IrqExit,
    MaySleep,
    SwitchIn,
    SwitchOut,
)
from lazymmu.contract.rules.rule import ALL_WITNESSES, Party, Rule, RuleKind, stateless
from lazymmu.contract.section import MAX_DEPTH, TaskState

# ---- sleep-in-section ----------------------------------------------------------------------

_SLEPT = {"blocked": "blocks (schedule())", "yielded": "gives up its CPU (schedule())"}
"""How a task that was seen to leave its CPU proves that it slept, or could have."""


def _sleep(before: TaskState, event: MaySleep | SwitchOut, _dialect: Dialect) -> str | None:
    if not before.on or not before.knows("mode", "pause"):
        return None
    if isinstance(event, SwitchOut):
        return _SLEPT.get(event.why)
    return f"{'blocks' if event.certain else 'may sleep'} ({event.why})"


SLEEP_IN_SECTION = Rule(
    name="sleep-in-section",
    sentence="Nothing that may sleep is called while the lazy MMU mode is on.",
    why=(
        "An implementation may have disabled preemption at the beginning of the section: powerpc "
        "hash does, and sparc64 since it was fixed; there it is a sleep in atomic context.  Xen PV "
        "and arm64 tolerate it."
    ),
    citation=(
        'include/linux/pgtable.h, f2be745071ff ("mm: clarify lazy_mmu sleeping constraints") '
        '(in v7.0); b6ea95a34cbd ("kasan: avoid sleepable page allocation from atomic context") '
        "(in v6.15)"
    ),
    party=Party.CALLER,
    kind=RuleKind.OBLIGATION,
    key="task",
    witnesses=ALL_WITNESSES,
    events=(MaySleep, SwitchOut),
    status=lambda dialect: Status.DOCUMENTED if dialect.sleep else Status.IMPLIED,
    message=lambda violation: f"{violation.detail} inside a lazy MMU section",
    step=stateless(_sleep),
    check=_sleep,
)


# ---- section-in-interrupt ------------------------------------------------------------------


def _interrupt(
    own: int, before: TaskState, event: Event, _dialect: Dialect
) -> tuple[int, tuple[str, ...]]:
    """Own state: sections begun since the interrupt began, which the finding has named already."""
    match event:
        case IrqExit():
            return 0, ()
        case _ if not before.knows("irq"):
            return own, ()
        case Enable() if before.irq or event.in_interrupt == "yes":
            return min(own + 1, MAX_DEPTH), ("begins",)
        case Disable() if before.irq or event.in_interrupt == "yes":
            return max(own - 1, 0), () if own else ("ends",)
    return own, ()


_INTERRUPT_STATUS = {
    Interrupts.SILENT: Status.IMPLIED,
    Interrupts.FORBIDDEN: Status.DOCUMENTED,
    Interrupts.NO_OP: Status.OFF,
}

SECTION_IN_INTERRUPT = Rule(
    name="section-in-interrupt",
    sentence="The lazy MMU mode is not used in interrupt context.",
    why=(
        "Per-CPU state belongs to the task that was interrupted: on powerpc hash and sparc64 the "
        "handler's end turns off the task's batch, and updates made in the handler join it and "
        "take effect only when the task ends its section; Xen PV meets a BUG_ON."
    ),
    citation=(
        'include/linux/pgtable.h, 691ee97e1a9d ("mm: fix lazy mmu docs and usage") (in v6.15); '
        'b81c688426a9 ("arm64/mm: Disable barrier batching in interrupt contexts") (in v6.16)'
    ),
    party=Party.CALLER,
    kind=RuleKind.OBLIGATION,
    key="task",
    witnesses=ALL_WITNESSES,
    events=(Enable, Disable, IrqExit),
    status=lambda dialect: _INTERRUPT_STATUS[dialect.interrupts],
    message=lambda violation: f"{violation.detail} a lazy MMU section in interrupt context",
    step=_interrupt,
    initial=0,
)


# ---- preempted-in-section ------------------------------------------------------------------


def _preempted(
    before: TaskState, event: Enable | SwitchIn | SwitchOut, _dialect: Dialect
) -> str | None:
    if not before.knows("mode", "pause"):
        return None
    if isinstance(event, SwitchOut):
        return "switched-out" if event.why in ("preempted", "lock") and before.on else None
    if isinstance(event, SwitchIn):
        moved = -1 not in (event.from_cpu, event.cpu) and event.from_cpu != event.cpu
        return "migrated" if moved and before.on else None
    fresh = before.depth == 0 and before.paused == 0 and event.in_interrupt == "no"
    if fresh and not before.pinned and before.knows("pins", "locks", "irq"):
        return "unpinned"
    return None


_PREEMPTED_WORDS = {
    "switched-out": "is preempted inside a lazy MMU section",
    "migrated": "moves to another CPU inside a lazy MMU section",
    "unpinned": ("begins a lazy MMU section with nothing that keeps the task from being preempted"),
}


PREEMPTED_IN_SECTION = Rule(
    name="preempted-in-section",
    sentence=(
        "A section begins with nothing pinning the task, is switched out against the task's will, "
        "or goes on on another CPU."
    ),
    why=(
        "Allowed, and worth knowing: it is what an implementation must survive, by disabling "
        "preemption itself (powerpc hash, sparc64) or by its context-switch hooks (Xen PV); "
        "sparc64 did neither before v6.15."
    ),
    citation=(
        'mm/memory.c, apply_to_pte_range(), 38e0edb15bd0 ("mm/apply_to_range: call pte function '
        'with lazy updates") (in v2.6.30); include/linux/pgtable.h, 691ee97e1a9d ("mm: fix lazy '
        'mmu docs and usage") (in v6.15)'
    ),
    party=Party.IMPLEMENTATION,
    kind=RuleKind.INFORMATION,
    key="task",
    witnesses=ALL_WITNESSES,
    events=(Enable, SwitchOut, SwitchIn),
    status=lambda dialect: (
        Status.DOCUMENTED if dialect.locks is LockGuarantee.PRACTICE else Status.IMPLIED
    ),
    message=lambda violation: _PREEMPTED_WORDS[violation.detail],
    step=stateless(_preempted),
    check=_preempted,
    predictive_details=frozenset({"unpinned"}),
)
