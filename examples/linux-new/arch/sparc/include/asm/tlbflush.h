/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _ASM_SPARC_TLBFLUSH_H
#define _ASM_SPARC_TLBFLUSH_H
#if defined(__sparc__) && defined(__arch64__)
#include <asm/tlbflush_64.h>
#else
void flush_tlb_range(struct vm_area_struct *vma, unsigned long start, unsigned long end);
void flush_tlb_page(struct vm_area_struct *vma, unsigned long addr);
void flush_tlb_kernel_range(unsigned long start, unsigned long end);
#endif
#endif
