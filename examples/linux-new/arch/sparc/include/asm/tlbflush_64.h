/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _ASM_SPARC_TLBFLUSH_64_H
#define _ASM_SPARC_TLBFLUSH_64_H

#define TLB_BATCH_NR	192

struct tlb_batch {
	struct mm_struct *mm;
	unsigned long tlb_nr;
	unsigned long vaddrs[TLB_BATCH_NR];
};

void flush_tlb_kernel_range(unsigned long start, unsigned long end);
void flush_tlb_pending(void);

/* The batch does the work; these have nothing left to do. */
static inline void flush_tlb_page(struct vm_area_struct *vma, unsigned long addr)
{
}

static inline void flush_tlb_range(struct vm_area_struct *vma, unsigned long start,
				   unsigned long end)
{
}

void arch_enter_lazy_mmu_mode(void);
void arch_leave_lazy_mmu_mode(void);
void arch_flush_lazy_mmu_mode(void);

#endif
