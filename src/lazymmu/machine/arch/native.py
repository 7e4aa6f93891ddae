# SPDX-License-Identifier: GPL-2.0-or-later
"""x86 on bare metal or as any guest but Xen PV: the hooks are patched to nothing.

arch/x86/kernel/paravirt.c, pv_ops; without PARAVIRT_XXL the mode does not exist at all.  Stores are
stores, and flush_tlb_range() returns when every CPU has done it (arch/x86/mm/tlb.c,
flush_tlb_mm_range()).
"""

from __future__ import annotations

from lazymmu.machine.arch.base import Arch


class Native(Arch):
    """Defers nothing, at any release."""

    fault = "arch/x86/mm/fault.c"
    row = "x86-native"
