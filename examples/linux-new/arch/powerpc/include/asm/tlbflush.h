/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _ASM_POWERPC_TLBFLUSH_H
#define _ASM_POWERPC_TLBFLUSH_H

#ifdef CONFIG_PPC_BOOK3S_64
#include <asm/book3s/64/tlbflush.h>
#else
void flush_tlb_range(struct vm_area_struct *vma, unsigned long start, unsigned long end);
void flush_tlb_page(struct vm_area_struct *vma, unsigned long addr);
void flush_tlb_kernel_range(unsigned long start, unsigned long end);
#endif

#endif
