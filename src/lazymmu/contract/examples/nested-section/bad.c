// SPDX-License-Identifier: GPL-2.0-or-later
/* dialect: ptl-held; file: mm/example.c */
/* Wrong: the helper begins a section of its own. */
#include <linux/mm.h>

static void write_one(pte_t *pte, pte_t new)
{
	arch_enter_lazy_mmu_mode();	/* expect: nested-section */
	set_pte(pte, new);
	arch_leave_lazy_mmu_mode();
}

void write_two(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, pte_t new)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return;
	arch_enter_lazy_mmu_mode();
	write_one(pte, new);
	write_one(pte + 1, new);
	arch_leave_lazy_mmu_mode();
	pte_unmap_unlock(pte, ptl);
}
