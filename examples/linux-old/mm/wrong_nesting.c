// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Wrong: sections in sections. The widest case stands elsewhere: set_ptes(), which
 * every file here reaches through set_pte_at(), in include/linux/pgtable.h for the
 * architectures without one of their own and in sparc's header.
 */
#include <linux/mm.h>

void drop_access(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);

	if (!pte)
		return;
	arch_enter_lazy_mmu_mode();
	ptep_set_wrprotect(vma->vm_mm, addr, pte);
	arch_enter_lazy_mmu_mode();	/* expect: nested-section */
	ptep_test_and_clear_young(vma, addr, pte);
	arch_leave_lazy_mmu_mode();
	arch_leave_lazy_mmu_mode();
	pte_unmap_unlock(pte, ptl);
}

static void age_one(struct vm_area_struct *vma, unsigned long addr, pte_t *pte)
{
	arch_enter_lazy_mmu_mode();	/* expect: nested-section */
	ptep_test_and_clear_young(vma, addr, pte);
	arch_leave_lazy_mmu_mode();
}

/* Through a helper of this file. */
void age_pair(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);

	if (!pte)
		return;
	arch_enter_lazy_mmu_mode();
	age_one(vma, addr, pte);
	age_one(vma, addr + PAGE_SIZE, pte + 1);
	arch_leave_lazy_mmu_mode();
	pte_unmap_unlock(pte, ptl);
}

/* Through the walk that begins a section of its own for every table. */
static int forget_one(pte_t *pte, unsigned long addr, void *data)
{
	arch_enter_lazy_mmu_mode();	/* expect: nested-section */
	ptep_get_and_clear(&init_mm, addr, pte);
	arch_leave_lazy_mmu_mode();
	return 0;
}

int forget_kernel_range(unsigned long addr, unsigned long size)
{
	return apply_to_existing_page_range(&init_mm, addr, size, forget_one, NULL);
}
