/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _ASM_SPARC_PGTABLE_64_H
#define _ASM_SPARC_PGTABLE_64_H

#include <asm/page.h>
#include <asm/tlbflush.h>

void tlb_batch_add(struct mm_struct *mm, unsigned long addr, pte_t old);

static inline void __set_pte_at(struct mm_struct *mm, unsigned long addr, pte_t *ptep,
				pte_t pte)
{
	pte_t old = *ptep;

	*ptep = pte;
	if (mm != &init_mm && pte_val(old))
		tlb_batch_add(mm, addr, old);
}

static inline void set_pte(pte_t *ptep, pte_t pte)
{
	*ptep = pte;
}

static inline void set_pmd(pmd_t *pmdp, pmd_t pmd)
{
	*pmdp = pmd;
}

#define pte_clear(mm, addr, ptep)	__set_pte_at(mm, addr, ptep, __pte(0))

static inline void set_ptes(struct mm_struct *mm, unsigned long addr, pte_t *ptep,
			    pte_t pte, unsigned int nr)
{
	for (; nr; nr--) {
		__set_pte_at(mm, addr, ptep, pte);
		ptep++;
		addr += PAGE_SIZE;
		pte = __pte(pte_val(pte) + PAGE_SIZE);
	}
}
#define set_ptes set_ptes

#endif
