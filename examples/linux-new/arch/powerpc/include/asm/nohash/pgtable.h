/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Not the MMU of the powerpc profile: what stands here must not be believed. */
#ifndef _ASM_POWERPC_NOHASH_PGTABLE_H
#define _ASM_POWERPC_NOHASH_PGTABLE_H

static inline void pte_clear(struct mm_struct *mm, unsigned long addr, pte_t *ptep)
{
	lazy_mmu_mode_enable();
	*ptep = __pte(0);
	lazy_mmu_mode_disable();
}

#endif
