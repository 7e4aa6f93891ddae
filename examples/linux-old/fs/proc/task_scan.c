// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Wrong: the section is as wide as the function. It begins before any lock, covers
 * a branch that waits, flushes the TLB while it has changes pending, and ends when
 * the lock is gone. Every path is balanced, all the same.
 */
#include <linux/huge_mm.h>
#include <linux/pagewalk.h>

struct scan {
	unsigned long found;
	bool protect;
};

static int scan_huge(pmd_t *pmd, unsigned long addr, unsigned long end,
		     struct mm_walk *walk)
{
	struct scan *scan = walk->private;
	spinlock_t *ptl = pmd_trans_huge_lock(pmd, walk->vma);

	if (!ptl)
		return -EINVAL;
	if (!scan->protect) {
		scan->found++;
		spin_unlock(ptl);
		return 0;
	}
	spin_unlock(ptl);
	break_huge_pmd(walk->vma, pmd, addr);
	return -EINVAL;
}

static void protect_entry(struct vm_area_struct *vma, unsigned long addr, pte_t *pte)
{
	pte_t old = ptep_modify_prot_start(vma, addr, pte);

	ptep_modify_prot_commit(vma, addr, pte, old, pte_wrprotect(old));
}

static int scan_table(pmd_t *pmd, unsigned long start, unsigned long end,
		      struct mm_walk *walk)
{
	struct vm_area_struct *vma = walk->vma;
	struct scan *scan = walk->private;
	unsigned long addr = start;
	pte_t *first, *pte;
	spinlock_t *ptl;

	arch_enter_lazy_mmu_mode();	/* expect: preempted-in-section x86 sparc */
	if (!scan_huge(pmd, start, end, walk)) {	/* expect: sleep-in-section */
		arch_leave_lazy_mmu_mode();
		return 0;
	}
	first = pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);	/* expect: section-outside-lock */
	if (!pte) {
		arch_leave_lazy_mmu_mode();
		return 0;
	}
	for_each_entry_of_table(pte, addr, end) {
		if (!pte_write(ptep_get(pte)))
			continue;
		scan->found++;
		if (scan->protect)
			protect_entry(vma, addr, pte);
	}
	if (scan->found)
		flush_tlb_range(vma, start, end);	/* expect: tlb-flush-in-section x86 powerpc sparc */
	pte_unmap_unlock(first, ptl);	/* expect: unlock-before-flush x86 powerpc */
	arch_leave_lazy_mmu_mode();
	cond_resched();
	return 0;
}

static const struct mm_walk_ops scan_ops = {
	.pmd_entry = scan_table,
};

int scan_range(struct mm_struct *mm, unsigned long start, unsigned long end, bool protect)
{
	struct scan scan = { .protect = protect };
	int err;

	down_read(&mm->mmap_lock);
	err = walk_page_range(mm, start, end, &scan_ops, &scan);
	up_read(&mm->mmap_lock);
	return err;
}
