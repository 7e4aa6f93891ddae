// SPDX-License-Identifier: GPL-2.0-or-later
/* Right: other ways to hold the lock of what is written. */
#include <linux/mm.h>

/* A lock that is only tried, and an unmap that comes before the leave. */
static int look_at_table(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr,
			 unsigned long end)
{
	int young = 0;
	pte_t *pte, *start;
	spinlock_t *ptl;

	start = pte = pte_offset_map_nolock(vma->vm_mm, pmd, addr, &ptl);
	if (!pte)
		return 0;
	if (!spin_trylock(ptl)) {
		pte_unmap(pte);
		return 0;
	}
	lazy_mmu_mode_enable();
	for_each_entry_of_table(pte, addr, end) {
		if (!pte_present(ptep_get(pte)))
			continue;
		if (ptep_test_and_clear_young(vma, addr, pte))
			young++;
	}
	pte_unmap(start);
	lazy_mmu_mode_disable();
	spin_unlock(ptl);
	return young;
}

/* The lock of the level above covers entries of that level. */
static int look_at_middle(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl = pmd_lockptr(vma->vm_mm, pmd);
	int young = 0;

	if (!spin_trylock(ptl))
		return 0;
	lazy_mmu_mode_enable();
	if (pmd_trans_huge(pmdp_get(pmd)) && pmdp_test_and_clear_young(vma, addr, pmd))
		young = 1;
	lazy_mmu_mode_disable();
	spin_unlock(ptl);
	return young;
}

/* The caller holds the lock, and says so. */
static int look_around(struct vm_area_struct *vma, pte_t *pte, spinlock_t *ptl,
		       unsigned long addr, unsigned long end)
{
	int young = 0;

	lockdep_assert_held(ptl);
	if (end - addr <= PAGE_SIZE)
		return 0;
	lazy_mmu_mode_enable();
	for_each_entry_of_table(pte, addr, end) {
		if (!pte_young(ptep_get(pte)))
			continue;
		if (ptep_test_and_clear_young(vma, addr, pte))
			young++;
	}
	lazy_mmu_mode_disable();
	return young;
}

int age_folios(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr,
	       unsigned long end)
{
	spinlock_t *ptl;
	int young = look_at_middle(vma, pmd, addr);
	pte_t *pte;

	young += look_at_table(vma, pmd, addr, end);
	pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);
	if (!pte)
		return young;
	young += look_around(vma, pte, ptl, addr, end);
	pte_unmap_unlock(pte, ptl);
	return young;
}
