/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _ASM_POWERPC_PGTABLE_H
#define _ASM_POWERPC_PGTABLE_H

#include <asm/page.h>
#include <asm/tlbflush.h>

#ifdef CONFIG_PPC_BOOK3S
#include <asm/book3s/64/pgtable.h>
#else
#include <asm/nohash/pgtable.h>
#endif

/* Writes a run of entries that were not valid before: nothing to put off. */
void set_ptes(struct mm_struct *mm, unsigned long addr, pte_t *ptep, pte_t pte,
	      unsigned int nr);
#define set_ptes set_ptes

#endif
