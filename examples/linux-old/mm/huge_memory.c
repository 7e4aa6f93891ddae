// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/huge_mm.h>
#include <linux/mmu_notifier.h>

static void fill_table_from(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	set_pmd(pmd, __pmd(pmd_val(pmdp_get(pmd)) & ~_PAGE_HUGE));
}

void break_huge_pmd(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;

	mmu_range_change_start(vma->vm_mm, addr, addr + PMD_SIZE);
	ptl = pmd_lock(vma->vm_mm, pmd);
	if (pmd_trans_huge(pmdp_get(pmd)))
		fill_table_from(vma->vm_mm, pmd, addr);
	spin_unlock(ptl);	/* expect: unlock-before-flush */
	mmu_range_change_end(vma->vm_mm, addr, addr + PMD_SIZE);
}
