// SPDX-License-Identifier: GPL-2.0-or-later
/* Right in this dialect: a section in a section, directly, by a helper, in a callback. */
#include <linux/mm.h>

static void age_one(struct vm_area_struct *vma, unsigned long addr, pte_t *pte)
{
	lazy_mmu_mode_enable();
	ptep_test_and_clear_young(vma, addr, pte);
	lazy_mmu_mode_disable();
}

void age_pair(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);

	if (!pte)
		return;
	lazy_mmu_mode_enable();
	age_one(vma, addr, pte);
	age_one(vma, addr + PAGE_SIZE, pte + 1);
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
}

/* The inner disable makes the write real, though the outer section goes on. */
int write_and_verify(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, pte_t new)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
	int same;

	if (!pte)
		return -EAGAIN;
	lazy_mmu_mode_enable();
	lazy_mmu_mode_enable();
	set_pte_at(mm, addr, pte, new);
	lazy_mmu_mode_disable();
	same = pte_same(ptep_get(pte), new);
	set_pte_at(mm, addr + PAGE_SIZE, pte + 1, new);
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
	return same ? 0 : -EAGAIN;
}

static int forget_one(pte_t *pte, unsigned long addr, void *data)
{
	lazy_mmu_mode_enable();
	ptep_get_and_clear(&init_mm, addr, pte);
	lazy_mmu_mode_disable();
	return 0;
}

int forget_kernel_range(unsigned long addr, unsigned long size)
{
	return apply_to_existing_page_range(&init_mm, addr, size, forget_one, NULL);
}
