// SPDX-License-Identifier: GPL-2.0-or-later
/* Wrong: memory that goes back while the hardware may still find it. */
#include <linux/mm.h>

/* The page behind an entry whose clearing may be on its way. */
void release_entry(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	struct page *page;
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return;
	lazy_mmu_mode_enable();
	page = pte_page(ptep_get(pte));
	pte_clear(mm, addr, pte);
	__free_page(page);	/* expect: free-before-flush */
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
}

/* Right beside it: the same with the free after the leave. */
void release_entry_late(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	struct page *page;
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return;
	lazy_mmu_mode_enable();
	page = pte_page(ptep_get(pte));
	pte_clear(mm, addr, pte);
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
	__free_page(page);
}
