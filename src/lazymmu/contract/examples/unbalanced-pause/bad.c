// SPDX-License-Identifier: GPL-2.0-or-later
/* dialect: counted; file: mm/example.c */
/* Wrong: the early return leaves the mode paused for good. */
#include <linux/mm.h>

int fill_shadow(pte_t *pte, unsigned long addr, void *data)
{
	lazy_mmu_mode_pause();
	if (!pte_none(ptep_get(pte)))
		return -EBUSY;	/* expect: unbalanced-pause */
	set_pte_at(&init_mm, addr, pte, *(pte_t *)data);
	lazy_mmu_mode_resume();
	return 0;
}
