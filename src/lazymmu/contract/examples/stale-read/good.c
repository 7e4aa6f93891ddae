// SPDX-License-Identifier: GPL-2.0-or-later
/* dialect: counted; file: mm/example.c */
/* Right: the value to compare with is the one that was written. */
#include <linux/mm.h>

void clean_once(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
	pte_t new;

	if (!pte)
		return;
	lazy_mmu_mode_enable();
	new = pte_mkclean(ptep_get(pte));
	set_pte_at(mm, addr, pte, new);
	WARN_ON(!pte_present(new));
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
}
