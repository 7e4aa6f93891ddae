/* SPDX-License-Identifier: GPL-2.0-or-later */
/* This architecture has no such mode here: the empty generic macros are used. */
#ifndef _ASM_ARM64_PGTABLE_H
#define _ASM_ARM64_PGTABLE_H

#include <asm/page.h>

static inline void set_pte(pte_t *ptep, pte_t pte)
{
	WRITE_ONCE(*ptep, pte);
}

static inline void set_pmd(pmd_t *pmdp, pmd_t pmd)
{
	WRITE_ONCE(*pmdp, pmd);
}

#define pte_clear(mm, addr, ptep)	set_pte(ptep, __pte(0))

#endif
