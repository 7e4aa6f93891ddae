// SPDX-License-Identifier: GPL-2.0-or-later
/* dialect: counted; file: mm/example.c */
/* A section that may be preempted: kernel mappings have no lock, and need none. */
#include <linux/mm.h>

void map_kernel_pages(pmd_t *pmd, unsigned long addr, unsigned long end, pte_t new)
{
	pte_t *pte = pte_offset_kernel(pmd, addr);

	lazy_mmu_mode_enable();	/* expect: preempted-in-section */
	for (; addr != end; pte++, addr += PAGE_SIZE)
		set_pte_at(&init_mm, addr, pte, new);
	lazy_mmu_mode_disable();
}
