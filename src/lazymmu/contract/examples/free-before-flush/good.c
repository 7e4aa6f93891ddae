// SPDX-License-Identifier: GPL-2.0-or-later
/* dialect: counted; file: mm/example.c */
/* Right: the page is freed after the section, when no entry maps it any more. */
#include <linux/mm.h>

void drop_page(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
	struct page *page;

	if (!pte)
		return;
	lazy_mmu_mode_enable();
	page = pte_page(ptep_get(pte));
	pte_clear(mm, addr, pte);
	lazy_mmu_mode_disable();
	__free_page(page);
	pte_unmap_unlock(pte, ptl);
}
