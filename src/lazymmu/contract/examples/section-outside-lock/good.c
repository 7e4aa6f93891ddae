// SPDX-License-Identifier: GPL-2.0-or-later
/* dialect: counted; file: mm/example.c */
/* Right: lock, begin, end, unlock. */
#include <linux/mm.h>

static spinlock_t scan_lock;

void clean_entry(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte;

	spin_lock(&scan_lock);
	pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
	if (pte) {
		lazy_mmu_mode_enable();
		set_pte_at(mm, addr, pte, pte_mkclean(ptep_get(pte)));
		lazy_mmu_mode_disable();
		pte_unmap_unlock(pte, ptl);
	}
	spin_unlock(&scan_lock);
}
