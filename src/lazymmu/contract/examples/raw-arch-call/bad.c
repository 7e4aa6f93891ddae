// SPDX-License-Identifier: GPL-2.0-or-later
/* dialect: counted; file: mm/example.c */
/* Wrong: the hooks of the architecture do not count. */
#include <linux/mm.h>

void clean_entry(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return;
	arch_enter_lazy_mmu_mode();	/* expect: raw-arch-call */
	set_pte_at(mm, addr, pte, pte_mkclean(ptep_get(pte)));
	arch_leave_lazy_mmu_mode();	/* expect: raw-arch-call */
	pte_unmap_unlock(pte, ptl);
}
