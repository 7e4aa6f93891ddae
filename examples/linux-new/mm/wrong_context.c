// SPDX-License-Identifier: GPL-2.0-or-later
/* Wrong: a call that counts on one side and has no effect on the other. */
#include <linux/mm.h>

static spinlock_t stats_lock;

/* The disable is counted out of a stretch in which it has no effect. */
void count_and_clean(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return;
	lazy_mmu_mode_enable();
	set_pte_at(mm, addr, pte, pte_mkclean(ptep_get(pte)));
	spin_lock_bh(&stats_lock);
	lazy_mmu_mode_disable();	/* expect: bh-across-section */
	spin_unlock_bh(&stats_lock);
	pte_unmap_unlock(pte, ptl);
}

/* Right: softirqs are off around all of it, and so is the mode. */
void count_around(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return;
	spin_lock_bh(&stats_lock);
	lazy_mmu_mode_enable();
	set_pte_at(mm, addr, pte, pte_mkclean(ptep_get(pte)));
	lazy_mmu_mode_disable();
	spin_unlock_bh(&stats_lock);
	pte_unmap_unlock(pte, ptl);
}

/* Right: off and on again within the section. */
void count_within(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return;
	lazy_mmu_mode_enable();
	spin_lock_bh(&stats_lock);
	spin_unlock_bh(&stats_lock);
	set_pte_at(mm, addr, pte, pte_mkclean(ptep_get(pte)));
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
}
