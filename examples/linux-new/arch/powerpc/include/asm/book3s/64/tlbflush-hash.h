/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _ASM_POWERPC_BOOK3S_64_TLBFLUSH_HASH_H
#define _ASM_POWERPC_BOOK3S_64_TLBFLUSH_HASH_H

#include <linux/percpu.h>

#define PPC64_TLB_BATCH_NR	192

struct ppc64_tlb_batch {
	unsigned long index;
	struct mm_struct *mm;
	unsigned long addr[PPC64_TLB_BATCH_NR];
};

DECLARE_PER_CPU(struct ppc64_tlb_batch, ppc64_tlb_batch);

void __flush_tlb_pending(struct ppc64_tlb_batch *batch);
int radix_enabled(void);

static inline void arch_enter_lazy_mmu_mode(void)
{
	if (radix_enabled())
		return;
	preempt_disable();
}

static inline void arch_flush_lazy_mmu_mode(void)
{
	struct ppc64_tlb_batch *batch;

	if (radix_enabled())
		return;
	batch = this_cpu_ptr(&ppc64_tlb_batch);
	if (batch->index)
		__flush_tlb_pending(batch);
}

/* Wrong: lets go of the processor first and looks for its batch then. */
static inline void arch_leave_lazy_mmu_mode(void)
{
	struct ppc64_tlb_batch *batch;

	if (radix_enabled())
		return;
	preempt_enable();
	batch = this_cpu_ptr(&ppc64_tlb_batch);	/* expect: unpinned-batch powerpc */
	if (batch->index)
		__flush_tlb_pending(batch);
}

#endif
