// SPDX-License-Identifier: GPL-2.0-or-later
/* dialect: counted; file: mm/example.c */
/* Right: every path resumes what it paused. */
#include <linux/mm.h>

int fill_shadow(pte_t *pte, unsigned long addr, void *data)
{
	int err = 0;

	lazy_mmu_mode_pause();
	if (pte_none(ptep_get(pte)))
		set_pte_at(&init_mm, addr, pte, *(pte_t *)data);
	else
		err = -EBUSY;
	lazy_mmu_mode_resume();
	return err;
}
