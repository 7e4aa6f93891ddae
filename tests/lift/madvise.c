// SPDX-License-Identifier: GPL-2.0-or-later
/* Makes the entries of a range old, and splits a folio that reaches beyond it. */
#include <linux/mm.h>

struct list_head {
	struct list_head *next, *prev;
};

#define LIST_HEAD_INIT(name) { &(name), &(name) }
#define LIST_HEAD(name) struct list_head name = LIST_HEAD_INIT(name)

static int madvise_free_pte_range(pmd_t *pmd, unsigned long addr, unsigned long end,
				  struct mm_walk *walk)
{
	struct vm_area_struct *vma = walk->vma;
	pte_t *start, *pte, old;
	struct folio *folio;
	spinlock_t *ptl;
	LIST_HEAD(folios);
	int nr;

again:
	start = pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);
	if (!start)
		return 0;
	lazy_mmu_mode_enable();
	for (; addr != end; pte += nr, addr += PAGE_SIZE * nr) {
		nr = 1;
		old = ptep_get(pte);
		if (!pte_present(old))
			continue;
		folio = vm_normal_folio(vma, addr, old);
		if (folio_test_large(folio) && folio_nr_pages(folio) > nr) {
			lazy_mmu_mode_disable();
			pte_unmap_unlock(start, ptl);
			split_folio(folio);
			goto again;
		}
		ptep_test_and_clear_young(vma, addr, pte);
		list_add(&folio->lru, &folios);
	}
	lazy_mmu_mode_disable();
	pte_unmap_unlock(start, ptl);
	cond_resched();
	return 0;
}

void madvise_free_single_vma(pmd_t *pmd, unsigned long addr, struct mm_walk *walk)
{
	madvise_free_pte_range(pmd, addr, addr + PAGE_SIZE, walk);
}
