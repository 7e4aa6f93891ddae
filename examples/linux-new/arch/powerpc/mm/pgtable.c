// SPDX-License-Identifier: GPL-2.0-or-later
/* Right: this architecture's own run of entries begins no section. */
#include <linux/mm.h>

void set_ptes(struct mm_struct *mm, unsigned long addr, pte_t *ptep, pte_t pte,
	      unsigned int nr)
{
	for (; nr; nr--, ptep++) {
		set_pte(ptep, pte);
		pte = __pte(pte_val(pte) + PAGE_SIZE);
	}
}
