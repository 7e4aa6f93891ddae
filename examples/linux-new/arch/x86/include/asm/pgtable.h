/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _ASM_X86_PGTABLE_H
#define _ASM_X86_PGTABLE_H

#include <asm/page.h>

static inline void native_set_pte(pte_t *ptep, pte_t pte)
{
	WRITE_ONCE(*ptep, pte);
}

#ifdef CONFIG_PARAVIRT_XXL
#include <asm/paravirt.h>
#else
#define set_pte(ptep, pte)		native_set_pte(ptep, pte)
#define set_pmd(pmdp, pmd)		WRITE_ONCE(*(pmdp), pmd)
#define pte_clear(mm, addr, ptep)	native_set_pte(ptep, __pte(0))
#endif

#define __HAVE_ARCH_PTEP_GET_AND_CLEAR
static inline pte_t ptep_get_and_clear(struct mm_struct *mm, unsigned long addr,
				       pte_t *ptep)
{
	return __pte(xchg(&ptep->pte, 0));
}

#define __HAVE_ARCH_PTEP_SET_WRPROTECT
static inline void ptep_set_wrprotect(struct mm_struct *mm, unsigned long addr,
				      pte_t *ptep)
{
	clear_bit(1, (unsigned long *)&ptep->pte);
}

#define __HAVE_ARCH_PTEP_TEST_AND_CLEAR_YOUNG
int ptep_test_and_clear_young(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep);

#endif
