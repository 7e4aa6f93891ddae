// SPDX-License-Identifier: GPL-2.0-or-later
/* Wrong: pauses without their resume, and the other way round. */
#include <linux/mm.h>

static int fill_entry(pte_t *ptep, unsigned long addr, void *data)
{
	lazy_mmu_mode_pause();
	if (!pte_none(ptep_get(ptep)))
		return -EBUSY;	/* expect: unbalanced-pause */
	set_pte_at(&init_mm, addr, ptep, *(pte_t *)data);
	lazy_mmu_mode_resume();
	return 0;
}

int fill_entries(unsigned long addr, unsigned long size, pte_t *value)
{
	return apply_to_page_range(&init_mm, addr, size, fill_entry, value);
}

void touch_entry(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, bool settle)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return;
	lazy_mmu_mode_enable();
	if (settle)
		lazy_mmu_mode_pause();
	ptep_set_wrprotect(mm, addr, pte);
	lazy_mmu_mode_resume();	/* expect: unbalanced-pause */
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
}
