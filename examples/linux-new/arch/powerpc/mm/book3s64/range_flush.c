// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Right: no page-table lock, but interrupts are off and no entry is written; the
 * batch only collects what the hash table must forget.
 */
#include <linux/mm.h>

void forget_range(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	unsigned long flags;
	unsigned long addr;

	local_irq_save(flags);
	lazy_mmu_mode_enable();
	for (addr = start; addr < end; addr += PAGE_SIZE) {
		pmd_t *pmd = pmd_offset_of(pgd_offset(mm, addr), addr);
		pte_t *ptep;

		if (pmd_none(pmdp_get(pmd)))
			goto out;
		ptep = pte_offset_kernel(pmd, addr);
		if (pte_present(ptep_get(ptep)))
			hpte_need_flush(mm, addr, ptep, pte_val(ptep_get(ptep)));
	}
out:
	lazy_mmu_mode_disable();
	local_irq_restore(flags);
}
