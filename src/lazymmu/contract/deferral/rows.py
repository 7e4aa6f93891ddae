# SPDX-License-Identifier: GPL-2.0-or-later
"""The deferral table: what each implementation puts off, and how it keeps its books.

One row per feature state of an architecture, not per release: a row is found by the words that the
architecture's hooks use, because stable and distribution kernels backport.  Severity, machines and
`explain --arch` read this one table; `harms.py` says what each row makes of each rule.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from lazymmu.contract.event_words import Space


class Deferred(StrEnum):
    """What is put off."""

    NOTHING = "nothing"
    STORE = "the store itself, and TLB flushes behind it in one queue"
    INVALIDATION = "the TLB invalidation; the store is immediate"
    BARRIERS = "the barriers after the store; the store is immediate"
    ALL = "the store, the TLB invalidation and the barriers, but not TLB flushes that are asked for"


class Owner(StrEnum):
    """Whose state the mode is."""

    NOBODY = "there is none"
    CPU = "per CPU"
    BATCH = "per-CPU batch, mode counted per task"
    TASK = "per task"


class NestedSection(StrEnum):
    """What a section inside a section does."""

    NOTHING = "nothing"
    BUG = "BUG_ON() at the inner beginning"
    COUNTED_PER_CPU = "counted per CPU; BUG_ON() when the task is switched out at depth two"
    ENDS_OUTER = "the inner end turns the mode off for the rest of the outer section"
    WARNS = "WARN at the inner beginning; the inner end turns the mode off for the rest"
    COUNTED = "counted per task; the inner end flushes"


class OnContextSwitch(StrEnum):
    """What a context switch does with the mode."""

    NOTHING = "nothing: there is no mode"
    HOOKS = "the switch hooks flush and take the mode along"
    PINNED = "cannot happen while the mode is on: preemption is disabled"
    FLAG_STAYS = "nothing: the mode stays with the CPU"
    TASK = "nothing needed: the state is the task's"


class Interrupt(StrEnum):
    """What an update done in an interrupt does while the interrupted task is in the mode."""

    IMMEDIATE = "takes effect at once"
    JOINS = "joins the interrupted task's batch"


@dataclass(frozen=True, slots=True)
class DeferralRow:
    """One implementation.

    :param name: of the row.
    :param arch: of the kernel's directory.
    :param label: of the MMU.
    :param spaces: mappings whose updates are deferred.
    :param pins: the beginning disables preemption.
    :param flush: arch_flush_lazy_mmu_mode() does something.
    :param limit: updates after which a batch is flushed, 0 = none.
    :param seen: releases where it was read.
    :param source: files and functions.
    :param read_through: accessors see what the CPU they run on has put off.
    :param huge_pages: there are any.
    :param pauses_out: the hooks of a switch pause the task that goes and resume the one that comes,
        so that pause_count is one more while a task waits for a CPU.
    :param insists: with counters, beginning and end insist on the CPU's mode being what they
        expect.
    """

    name: str
    arch: str
    label: str
    deferred: Deferred
    spaces: tuple[Space, ...]
    owner: Owner
    pins: bool
    nested_section: NestedSection
    on_context_switch: OnContextSwitch
    interrupt: Interrupt
    flush: bool
    limit: int
    seen: str
    source: str
    read_through: bool = False
    huge_pages: bool = True
    pauses_out: bool = False
    insists: bool = False

    @property
    def stores_late(self) -> bool:
        """Whether memory keeps the old entry while the mode is on."""
        return self.deferred in (Deferred.STORE, Deferred.ALL)

    @property
    def survives_a_switch(self) -> bool:
        """Whether a section may be switched out and go on, also on another CPU."""
        return not self.pins and self.on_context_switch is not OnContextSwitch.FLAG_STAYS

    @property
    def counted(self) -> bool:
        """Whether depth and pauses are the generic counters of the task (v7.0 on)."""
        return self.nested_section is NestedSection.COUNTED

    def defers(self, space: str) -> bool:
        """Whether updates of mappings in `space` may be deferred; an unknown space may be."""
        return space == "unknown" or space in self.spaces


_XEN_SOURCE = "arch/x86/xen/mmu_pv.c, xen_set_pte() and xen_flush_lazy_mmu(); multicalls.c"
_HASH_SOURCE = (
    "arch/powerpc/include/asm/book3s/64/tlbflush-hash.h; arch/powerpc/mm/book3s64/hash_tlb.c, "
    "hpte_need_flush()"
)
_SPARC_SOURCE = "arch/sparc/mm/tlb.c, arch_enter_lazy_mmu_mode() and tlb_batch_add_one()"
_ARM64_SOURCE = (
    "arch/arm64/include/asm/pgtable.h, queue_pte_barriers() and arch_flush_lazy_mmu_mode()"
)


def _xen(name: str, owner: Owner, inner: NestedSection, seen: str) -> DeferralRow:
    return DeferralRow(
        name=name,
        arch="x86",
        label="Xen PV on x86-64",
        deferred=Deferred.STORE,
        spaces=("user", "kernel"),
        owner=owner,
        pins=False,
        nested_section=inner,
        on_context_switch=OnContextSwitch.HOOKS,
        interrupt=Interrupt.IMMEDIATE,
        flush=True,
        # A run of PTE updates extends one mmu_update entry: 16 bytes each in 512 bytes, and the
        # 32nd would fill them (arch/x86/xen/multicalls.c, MC_ARGS, __xen_mc_entry()).
        limit=31,
        seen=seen,
        source=_XEN_SOURCE,
        # The hypervisor hides PSE from PV guests, and has_transparent_hugepage() and
        # hugepages_supported() ask for it (arch/x86/include/asm/pgtable.h, hugetlb.h).
        huge_pages=False,
    )


def _hash(
    name: str, inner: NestedSection, interrupt: Interrupt, seen: str, *, pins: bool = True
) -> DeferralRow:
    counted = inner is NestedSection.COUNTED
    return DeferralRow(
        name=name,
        arch="powerpc",
        label="Book3S-64 hash",
        deferred=Deferred.INVALIDATION,
        spaces=("user", "kernel"),
        owner=Owner.BATCH if counted else Owner.CPU,
        pins=pins,
        nested_section=inner,
        on_context_switch=OnContextSwitch.PINNED if pins else OnContextSwitch.HOOKS,
        interrupt=interrupt,
        flush=counted,
        limit=192,  # PPC64_TLB_BATCH_NR
        seen=seen,
        source=_HASH_SOURCE,
    )


def _sparc(
    name: str, inner: NestedSection, interrupt: Interrupt, seen: str, *, pins: bool = True
) -> DeferralRow:
    counted = inner is NestedSection.COUNTED
    return DeferralRow(
        name=name,
        arch="sparc",
        label="sparc64",
        deferred=Deferred.INVALIDATION,
        # __set_pte_at() adds to the batch only for mm != &init_mm (pgtable_64.h,
        # maybe_tlb_batch_add()).
        spaces=("user",),
        owner=Owner.BATCH if counted else Owner.CPU,
        pins=pins,
        nested_section=inner,
        on_context_switch=OnContextSwitch.PINNED if pins else OnContextSwitch.FLAG_STAYS,
        interrupt=interrupt,
        flush=counted,
        limit=192,  # TLB_BATCH_NR
        seen=seen,
        source=_SPARC_SOURCE,
    )


def _arm64(
    name: str, inner: NestedSection, seen: str, interrupt: Interrupt = Interrupt.IMMEDIATE
) -> DeferralRow:
    return DeferralRow(
        name=name,
        arch="arm64",
        label="arm64",
        deferred=Deferred.BARRIERS,
        # __set_pte_complete() queues for valid kernel entries alone (pte_valid_not_user()).
        spaces=("kernel",),
        owner=Owner.TASK,
        pins=False,
        nested_section=inner,
        on_context_switch=OnContextSwitch.TASK,
        interrupt=interrupt,
        flush=True,
        limit=0,
        seen=seen,
        source=_ARM64_SOURCE,
    )


XEN_EXCLUSIVE = _xen("xen-exclusive", Owner.CPU, NestedSection.BUG, "v6.1, v6.15 to v6.19")
XEN_NESTING_COUNT = _xen(
    "xen-nesting-count", Owner.CPU, NestedSection.COUNTED_PER_CPU, "v6.6 to v6.14, v6.12.38"
)
# v7.0 has no question before enter_lazy() and leave_lazy(), so that a task which is preempted
# between its counter and the hook meets a BUG_ON when it goes on; v7.1 asks first.
XEN_CPU_STRICT = replace(
    _xen("xen-cpu-strict", Owner.CPU, NestedSection.COUNTED, "v7.0"), insists=True
)
XEN_CPU_MODE = _xen("xen-cpu-mode", Owner.CPU, NestedSection.COUNTED, "v7.1")
# xen_start_context_switch() and xen_end_context_switch() (arch/x86/xen/enlighten_pv.c) since v7.2.
XEN_TASK = replace(_xen("xen-task", Owner.TASK, NestedSection.COUNTED, "v7.2 on"), pauses_out=True)

HASH_UNPINNED = _hash(
    "hash-unpinned", NestedSection.ENDS_OUTER, Interrupt.JOINS, "before v6.2 and v6.1.y", pins=False
)
HASH_ACTIVE = _hash(
    "hash-active", NestedSection.ENDS_OUTER, Interrupt.JOINS, "v6.1.y, v6.2 to v6.19"
)
HASH_COUNTED = _hash("hash-counted", NestedSection.COUNTED, Interrupt.IMMEDIATE, "v7.0 on")

SPARC_UNPINNED = _sparc(
    "sparc-unpinned", NestedSection.ENDS_OUTER, Interrupt.JOINS, "before v6.15, v6.12.8", pins=False
)
SPARC_ACTIVE = _sparc(
    "sparc-active", NestedSection.ENDS_OUTER, Interrupt.JOINS, "v6.15 to v6.19, v6.12.38, v6.1.176"
)
SPARC_COUNTED = _sparc("sparc-counted", NestedSection.COUNTED, Interrupt.IMMEDIATE, "v7.0 on")

# 5fdd05efa1cd ("arm64/mm: Batch barriers when updating kernel mappings"), before b81c688426a9
# ("arm64/mm: Disable barrier batching in interrupt contexts") and 1ef3095b1405 ("arm64/mm: Permit
# lazy_mmu_mode to be nested") made it what v6.16 has.
ARM64_WARNS = _arm64(
    "arm64-warns", NestedSection.WARNS, "linux-next before v6.16-rc1", Interrupt.JOINS
)
ARM64_FLAG = _arm64("arm64-flag", NestedSection.ENDS_OUTER, "v6.16 to v6.19")
ARM64_COUNTED = _arm64("arm64-counted", NestedSection.COUNTED, "v7.0 on")

ROWS: dict[str, tuple[DeferralRow, ...]] = {
    "x86": (XEN_EXCLUSIVE, XEN_NESTING_COUNT, XEN_CPU_STRICT, XEN_CPU_MODE, XEN_TASK),
    "powerpc": (HASH_UNPINNED, HASH_ACTIVE, HASH_COUNTED),
    "sparc": (SPARC_UNPINNED, SPARC_ACTIVE, SPARC_COUNTED),
    "arm64": (ARM64_WARNS, ARM64_FLAG, ARM64_COUNTED),
}
"""The rows of each architecture, oldest features first."""


def invalidates_late(arch: str, space: str) -> bool:
    """Whether `arch` puts off, of mappings in `space`, the invalidation and not the store."""
    return any(
        row.deferred is Deferred.INVALIDATION and row.defers(space) for row in ROWS.get(arch, ())
    )


def classify(
    arch: str, words: Collection[str], enter: Collection[str] | None = None
) -> DeferralRow:
    """The row of `arch` whose features the hooks' words show.

    `words`: identifiers in the bodies of the architecture's hooks and of what they call; `enter`:
    those in the enter hook's own body and, where it is a pv call, in the body of its target
    (default: `words`). Whether the hook pins is read from `enter` alone, because somebody deep
    below a flush always does.

    :raises ValueError: for an architecture that the table lacks.
    """
    own = words if enter is None else enter
    match arch:
        case "x86":
            return _x86(words, own)
        case "powerpc":
            if "active" not in words:
                return HASH_COUNTED
            return HASH_ACTIVE if "preempt_disable" in own else HASH_UNPINNED
        case "sparc":
            if "active" not in words:
                return SPARC_COUNTED
            return SPARC_ACTIVE if "preempt_disable" in own else SPARC_UNPINNED
        case "arm64":
            if "TIF_LAZY_MMU" not in words:
                return ARM64_COUNTED
            return ARM64_WARNS if "VM_WARN_ON" in own else ARM64_FLAG
    raise ValueError(f"the deferral table has no architecture `{arch}`")


def _x86(words: Collection[str], enter: Collection[str]) -> DeferralRow:
    if "xen_lazy_nesting" in words:
        return XEN_NESTING_COUNT
    if not {"XEN_LAZY_MMU", "PARAVIRT_LAZY_MMU"}.intersection(words):
        return XEN_TASK
    # v7.1 made the enter hook look first, which needs a stable CPU; 291b3abed657 ("x86/xen: use
    # lazy_mmu_state when context-switching") (in v7.0) the switch hooks ask the task's counters.
    if "preempt_disable" in enter:
        return XEN_CPU_MODE
    return XEN_CPU_STRICT if "__task_lazy_mmu_mode_active" in words else XEN_EXCLUSIVE
