/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Not the MMU of the powerpc profile: what stands here must not be believed. */
#ifndef _ASM_POWERPC_NOHASH_PGTABLE_H
#define _ASM_POWERPC_NOHASH_PGTABLE_H

static inline void pte_clear(struct mm_struct *mm, unsigned long addr, pte_t *ptep)
{
	arch_enter_lazy_mmu_mode();
	*ptep = __pte(0);
	arch_leave_lazy_mmu_mode();
}

#endif
