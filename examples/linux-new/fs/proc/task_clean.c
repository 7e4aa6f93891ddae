// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The scope is right: lock, begin, end, unlock. The TLB flush in it comes too early,
 * as it would for an architecture that puts off the store and not the flush.
 */
#include <linux/huge_mm.h>
#include <linux/pagewalk.h>

static int clean_table(pmd_t *pmd, unsigned long start, unsigned long end,
		       struct mm_walk *walk)
{
	struct vm_area_struct *vma = walk->vma;
	unsigned long addr = start;
	pte_t *first, *pte;
	bool flush = false;
	spinlock_t *ptl;

	ptl = pmd_trans_huge_lock(pmd, vma);
	if (ptl) {
		spin_unlock(ptl);
		break_huge_pmd(vma, pmd, addr);
		return 0;
	}
	first = pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);
	if (!pte)
		return 0;
	lazy_mmu_mode_enable();
	for_each_entry_of_table(pte, addr, end) {
		pte_t old;

		if (!pte_present(ptep_get(pte)))
			continue;
		old = ptep_modify_prot_start(vma, addr, pte);
		ptep_modify_prot_commit(vma, addr, pte, old, pte_mkclean(old));
		flush = true;
	}
	if (flush)
		flush_tlb_range(vma, start, end);	/* expect: tlb-flush-in-section */
	lazy_mmu_mode_disable();
	pte_unmap_unlock(first, ptl);
	cond_resched();
	return 0;
}

static const struct mm_walk_ops clean_ops = {
	.pmd_entry = clean_table,
};

int clean_range(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	int err;

	down_read(&mm->mmap_lock);
	err = walk_page_range(mm, start, end, &clean_ops, NULL);
	up_read(&mm->mmap_lock);
	return err;
}
