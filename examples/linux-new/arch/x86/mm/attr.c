// SPDX-License-Identifier: GPL-2.0-or-later
/* Right: a flush works in a section and outside one (the caller may be in either). */
#include <linux/mm.h>

void set_direct_map_entry(pte_t *ptep, pte_t pte)
{
	set_pte(ptep, pte);
	arch_flush_lazy_mmu_mode();
}

int ptep_test_and_clear_young(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep)
{
	return test_and_clear_bit(2, (unsigned long *)&ptep->pte);
}
