// SPDX-License-Identifier: GPL-2.0-or-later
/* dialect: counted; file: mm/example.c */
/* Right: the operation that takes effect at once comes first. */
#include <linux/mm.h>

void protect_and_clean(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return;
	lazy_mmu_mode_enable();
	ptep_set_wrprotect(mm, addr, pte);
	set_pte_at(mm, addr, pte, pte_mkclean(ptep_get(pte)));
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
}
