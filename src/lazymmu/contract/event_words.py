# SPDX-License-Identifier: GPL-2.0-or-later
"""Words that events are made of, the kernel's own.

* an *entry* is a page-table entry, named by the reader (`ptep#1`, a virtual address, `pte0`);
  the name `UNKNOWN_ENTRY` stands for an entry that cannot be told from others: it may be
  pending, it never matches a read;
* a *level* is `pte`, `pmd`, `pud`, `p4d` or `pgd`;
* a *space* says whose mapping an entry belongs to;
* a *lock class* says what a lock protects: `ptl` the page-table lock of a PTE table, `pmd` that of
  a PMD table, `mm` the page_table_lock of a user mm, `kernel-pt` init_mm.page_table_lock,
  `other` anything else.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Literal, TypeAlias

Layer: TypeAlias = Literal["generic", "arch"]
Known: TypeAlias = Literal["yes", "no", "unknown"]
Level: TypeAlias = Literal["pte", "pmd", "pud", "p4d", "pgd"]
Space: TypeAlias = Literal["user", "kernel", "unknown"]
How: TypeAlias = Literal["deferred", "immediate"]
PutOff: TypeAlias = Literal["write", "invalidation"]
LockClass: TypeAlias = Literal["ptl", "pmd", "mm", "kernel-pt", "other"]
LockHow: TypeAlias = Literal["lock", "try", "caller-holds"]
PinKind: TypeAlias = Literal["preempt", "migrate", "irq", "irqsave", "bh"]
IrqKind: TypeAlias = Literal["hard", "soft", "nmi"]
TaskContext: TypeAlias = Literal["hard", "soft", "nmi", "preempt", "bh", "irq", "lock"]
FlushWhy: TypeAlias = Literal["api", "leave", "full", "switch", "key-change", "irq"]
FlushHow: TypeAlias = Literal["now", "noop"]
SwitchWhy: TypeAlias = Literal["preempted", "yielded", "blocked", "lock", "exit"]
TlbScope: TypeAlias = Literal["entry", "range", "mm", "all"]
TlbHow: TypeAlias = Literal["now", "queued", "noop"]
What: TypeAlias = Literal["page", "table", "stale"]
Access: TypeAlias = Literal["read", "write", "address"]
Role: TypeAlias = Literal["generic", "api", "arch-hook", "switch-hook"]
Check: TypeAlias = Literal["BUG_ON", "BUG", "WARN", "VM_WARN"]
Aspect: TypeAlias = Literal["mode", "pause", "pending", "locks", "pins", "irq", "all"]
Mode: TypeAlias = Literal["on", "off", "unknown"]
Moment: TypeAlias = Literal[
    "enable",
    "disable",
    "flush",
    "update",
    "switch-out",
    "switch-in",
    "irq",
    "start",
    "user-return",
    "exit",
]

Identity: TypeAlias = Hashable
"""How a reader names an entry or a lock: a string, or a value of a class of its own. It is only
compared."""
