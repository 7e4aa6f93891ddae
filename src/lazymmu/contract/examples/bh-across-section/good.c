// SPDX-License-Identifier: GPL-2.0-or-later
/* dialect: counted; file: mm/example.c */
/* Right: bottom halves go off after the section has ended. */
#include <linux/mm.h>

static spinlock_t stats_lock;
static unsigned long cleaned;

void clean_and_count(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return;
	lazy_mmu_mode_enable();
	set_pte_at(mm, addr, pte, pte_mkclean(ptep_get(pte)));
	lazy_mmu_mode_disable();
	spin_lock_bh(&stats_lock);
	cleaned++;
	spin_unlock_bh(&stats_lock);
	pte_unmap_unlock(pte, ptl);
}
