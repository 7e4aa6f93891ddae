// SPDX-License-Identifier: GPL-2.0-or-later
/* dialect: counted; file: mm/example.c */
/* Wrong: the error path returns in the middle of the section. */
#include <linux/mm.h>

int map_under_lock(struct mm_struct *mm, spinlock_t *ptl, pte_t *pte,
		   unsigned long addr, pte_t new)
{
	lockdep_assert_held(ptl);
	lazy_mmu_mode_enable();
	if (!pte_none(ptep_get(pte)))
		return -EBUSY;	/* expect: unbalanced-section */
	set_pte_at(mm, addr, pte, new);
	lazy_mmu_mode_disable();
	return 0;
}
