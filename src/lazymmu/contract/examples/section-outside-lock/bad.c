// SPDX-License-Identifier: GPL-2.0-or-later
/* dialect: counted; file: mm/example.c */
/* Wrong: the section begins before the page-table lock is taken. */
#include <linux/mm.h>

static spinlock_t scan_lock;

void clean_entry(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte;

	spin_lock(&scan_lock);
	lazy_mmu_mode_enable();
	pte = pte_offset_map_lock(mm, pmd, addr, &ptl);	/* expect: section-outside-lock */
	if (!pte) {
		lazy_mmu_mode_disable();
		goto out;
	}
	set_pte_at(mm, addr, pte, pte_mkclean(ptep_get(pte)));
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
out:
	spin_unlock(&scan_lock);
}
