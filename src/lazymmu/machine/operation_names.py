# SPDX-License-Identifier: GPL-2.0-or-later
"""The names of the operations that locks, the generic API and architectures have."""

from __future__ import annotations

__all__ = ["ARCH_OPERATIONS", "LOCK_OPERATIONS", "MODE_OPERATIONS"]

LOCK_OPERATIONS = (
    "mutex_lock",
    "mutex_trylock",
    "mutex_unlock",
    "spin_lock",
    "spin_trylock",
    "spin_unlock",
    "preempt_disable",
    "preempt_enable",
    "migrate_disable",
    "migrate_enable",
    "local_bh_disable",
    "local_bh_enable",
    "local_irq_disable",
    "local_irq_enable",
)
MODE_OPERATIONS = (
    "lazy_mmu_mode_enable",
    "lazy_mmu_mode_enable_with_ptes",
    "lazy_mmu_mode_disable",
    "arch_flush_lazy_mmu_mode",
    "lazy_mmu_mode_flush",
    "lazy_mmu_mode_pause",
    "lazy_mmu_mode_resume",
)
ARCH_OPERATIONS = (
    "ptep_get",
    "set_pte",
    "pte_clear",
    "set_pmd",
    "pmd_clear",
    "set_pmd_at",
    "pmdp_huge_get_and_clear",
    "ptep_get_and_clear",
    "ptep_set_wrprotect",
    "ptep_modify_prot_start",
    "ptep_modify_prot_commit",
    "ptep_try_set",
    "flush_tlb_range",
    "tlb_flush",
)
