// SPDX-License-Identifier: GPL-2.0-or-later
/* Wrong: the calls of the layer below, which skip the counters. */
#include <linux/mm.h>

void clear_behind_the_api(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return;
	arch_enter_lazy_mmu_mode();	/* expect: raw-arch-call */
	pte_clear(mm, addr, pte);
	arch_leave_lazy_mmu_mode();	/* expect: raw-arch-call */
	pte_unmap_unlock(pte, ptl);
}
