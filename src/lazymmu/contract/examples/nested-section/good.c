// SPDX-License-Identifier: GPL-2.0-or-later
/* dialect: ptl-held; file: mm/example.c */
/* Right: the helper leaves the section to its callers. */
#include <linux/mm.h>

static void write_one(pte_t *pte, pte_t new)
{
	set_pte(pte, new);
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
