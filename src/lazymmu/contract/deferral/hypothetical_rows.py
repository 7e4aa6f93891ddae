# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows that no release has: no mode at all, the weakest that a dialect allows, a posted design.

Generic code is written for every implementation that the text allows, not for those that happen to
exist.  The worst case of a dialect defers all that may be deferred, in no order, flushes only where
it must, and keeps its state per CPU.  There are two of it, because the text lets an implementation
disable preemption and does not make it do so: a caller may not sleep because one may, and may be
preempted because one may not.

Where the text is silent, the rules for implementations that are implied hold for the worst case as
well, with one exception: to v6.14 the text let an implementation rely on the page-table lock, and
so the one that does not pin leaves its mode on the CPU, as sparc64 did.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from lazymmu.contract.deferral.rows import (
    ROWS,
    DeferralRow,
    Deferred,
    Interrupt,
    NestedSection,
    OnContextSwitch,
    Owner,
)
from lazymmu.contract.dialects import DIALECTS, Dialect, LockGuarantee

NONE: Final = DeferralRow(
    name="none",
    arch="none",
    label="no lazy MMU mode",
    deferred=Deferred.NOTHING,
    spaces=(),
    owner=Owner.NOBODY,
    pins=False,
    nested_section=NestedSection.NOTHING,
    on_context_switch=OnContextSwitch.NOTHING,
    interrupt=Interrupt.IMMEDIATE,
    flush=False,
    limit=0,
    seen="every release",
    source="include/linux/pgtable.h",
)
"""Every call of the API does nothing; from v7.0 on the counters may be kept all the same."""

X86_NATIVE: Final = replace(
    NONE,
    name="x86-native",
    arch="x86-native",
    label="x86 without Xen PV",
    source="arch/x86/kernel/paravirt.c, pv_ops: the hooks are nops, and patched out",
)

POWERPC_RADIX: Final = replace(
    NONE,
    name="powerpc-radix",
    arch="powerpc-radix",
    label="Book3S-64 radix",
    source="arch/powerpc/include/asm/book3s/64/tlbflush-hash.h: radix_enabled() returns at once",
)

S390_POSTED: Final = DeferralRow(
    name="s390-posted",
    arch="s390",
    label="s390, as posted and not merged",
    deferred=Deferred.STORE,
    spaces=("user", "kernel"),
    owner=Owner.BATCH,
    pins=True,
    nested_section=NestedSection.COUNTED,
    on_context_switch=OnContextSwitch.PINNED,
    interrupt=Interrupt.IMMEDIATE,
    flush=True,
    limit=0,  # a section covers a range in one page table, and the batch has a slot for each entry
    seen="patches on linux-s390, April 2026",
    source="arch/s390/mm/ipte_batch.c, enter_ipte_batch() and ipte_batch_ptep_get()",
    read_through=True,
)
"""A deferred store whose pending value every accessor sees, on the CPU that put it off."""


def _worst(dialect: Dialect, *, pins: bool) -> DeferralRow:
    if pins:
        carried = OnContextSwitch.PINNED
    elif dialect.locks is LockGuarantee.REQUIRED:
        carried = OnContextSwitch.FLAG_STAYS
    else:
        carried = OnContextSwitch.HOOKS
    return DeferralRow(
        name=f"worst-{dialect.name}{'-pinned' if pins else ''}",
        arch="worst-case",
        label=f"the weakest that `{dialect.name}` allows",
        deferred=Deferred.ALL,
        spaces=("user", "kernel"),
        owner=Owner.BATCH if dialect.may_nest else Owner.CPU,
        pins=pins,
        nested_section=NestedSection.COUNTED if dialect.may_nest else NestedSection.BUG,
        on_context_switch=carried,
        interrupt=Interrupt.IMMEDIATE,
        flush=dialect.may_nest,
        limit=0,
        seen="none",
        source="include/linux/pgtable.h, the comment above the mode's API",
    )


WORST_CASE: Final[dict[str, tuple[DeferralRow, DeferralRow]]] = {
    name: (_worst(dialect, pins=False), _worst(dialect, pins=True))
    for name, dialect in DIALECTS.items()
}
"""The weakest implementations that each dialect allows: one that does not pin, one that does."""

HYPOTHETICAL_ROWS: Final[dict[str, tuple[DeferralRow, ...]]] = {
    "none": (NONE,),
    "x86-native": (X86_NATIVE,),
    "powerpc-radix": (POWERPC_RADIX,),
    "worst-case": tuple(row for pair in WORST_CASE.values() for row in pair),
    "s390": (S390_POSTED,),
}
"""By what stands for the architecture, as `ROWS`."""

ROW_BY_NAME: Final[dict[str, DeferralRow]] = {
    row.name: row for rows in (*ROWS.values(), *HYPOTHETICAL_ROWS.values()) for row in rows
}
"""Every row by its name."""
