// SPDX-License-Identifier: GPL-2.0-or-later
/* dialect: counted; file: mm/example.c */
/* Right: the error path ends the section, too. */
#include <linux/mm.h>

int map_under_lock(struct mm_struct *mm, spinlock_t *ptl, pte_t *pte,
		   unsigned long addr, pte_t new)
{
	int err = -EBUSY;

	lockdep_assert_held(ptl);
	lazy_mmu_mode_enable();
	if (!pte_none(ptep_get(pte)))
		goto out;
	set_pte_at(mm, addr, pte, new);
	err = 0;
out:
	lazy_mmu_mode_disable();
	return err;
}
