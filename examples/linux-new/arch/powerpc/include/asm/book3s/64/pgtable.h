/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _ASM_POWERPC_BOOK3S_64_PGTABLE_H
#define _ASM_POWERPC_BOOK3S_64_PGTABLE_H

void hpte_need_flush(struct mm_struct *mm, unsigned long addr, pte_t *ptep,
		     unsigned long old);

static inline unsigned long pte_update(struct mm_struct *mm, unsigned long addr,
				       pte_t *ptep, unsigned long clear, unsigned long set)
{
	unsigned long old = pte_val(READ_ONCE(*ptep));

	WRITE_ONCE(*ptep, __pte((old & ~clear) | set));
	if (old)
		hpte_need_flush(mm, addr, ptep, old);
	return old;
}

static inline void set_pte(pte_t *ptep, pte_t pte)
{
	WRITE_ONCE(*ptep, pte);
}

static inline void set_pmd(pmd_t *pmdp, pmd_t pmd)
{
	WRITE_ONCE(*pmdp, pmd);
}

static inline void pte_clear(struct mm_struct *mm, unsigned long addr, pte_t *ptep)
{
	pte_update(mm, addr, ptep, ~0ul, 0);
}

#define __HAVE_ARCH_PTEP_GET_AND_CLEAR
static inline pte_t ptep_get_and_clear(struct mm_struct *mm, unsigned long addr,
				       pte_t *ptep)
{
	return __pte(pte_update(mm, addr, ptep, ~0ul, 0));
}

#define __HAVE_ARCH_PTEP_SET_WRPROTECT
static inline void ptep_set_wrprotect(struct mm_struct *mm, unsigned long addr,
				      pte_t *ptep)
{
	pte_update(mm, addr, ptep, 2, 0);
}

#endif
