/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _ASM_POWERPC_BOOK3S_64_TLBFLUSH_H
#define _ASM_POWERPC_BOOK3S_64_TLBFLUSH_H

#include <asm/book3s/64/tlbflush-hash.h>

void radix_flush_range(struct mm_struct *mm, unsigned long start, unsigned long end);

static inline void flush_tlb_range(struct vm_area_struct *vma, unsigned long start,
				   unsigned long end)
{
	if (radix_enabled())
		radix_flush_range(vma->vm_mm, start, end);
}

static inline void flush_tlb_page(struct vm_area_struct *vma, unsigned long addr)
{
	if (radix_enabled())
		radix_flush_range(vma->vm_mm, addr, addr + PAGE_SIZE);
}

static inline void flush_tlb_kernel_range(unsigned long start, unsigned long end)
{
	if (radix_enabled())
		radix_flush_range(NULL, start, end);
}

#endif
