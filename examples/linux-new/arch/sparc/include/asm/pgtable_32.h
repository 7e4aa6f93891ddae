/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The 32-bit MMU never has the mode; it is not the sparc profile. */
#ifndef _ASM_SPARC_PGTABLE_32_H
#define _ASM_SPARC_PGTABLE_32_H

#include <asm/page.h>

#define set_pte(ptep, pte)		(*(ptep) = (pte))
#define set_pmd(pmdp, pmd)		(*(pmdp) = (pmd))
#define pte_clear(mm, addr, ptep)	set_pte(ptep, __pte(0))

#endif
