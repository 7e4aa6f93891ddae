// SPDX-License-Identifier: GPL-2.0-or-later
/* dialect: counted; file: mm/example.c */
/* Right: the write took effect before the next holder of the lock looks. */
#include <linux/mm.h>

void map_kernel_page(pmd_t *pmd, unsigned long addr, pte_t new)
{
	pte_t *pte = pte_offset_kernel(pmd, addr);

	spin_lock(&init_mm.page_table_lock);
	lazy_mmu_mode_enable();
	if (pte_none(ptep_get(pte)))
		set_pte_at(&init_mm, addr, pte, new);
	lazy_mmu_mode_disable();
	spin_unlock(&init_mm.page_table_lock);
}
