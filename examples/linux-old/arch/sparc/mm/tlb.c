// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Wrong, twice: nothing keeps the task on its processor between the calls that
 * touch the batch, and the batch does not ask whose address space it holds.
 */
#include <linux/mm.h>
#include <linux/percpu.h>

static DEFINE_PER_CPU(struct tlb_batch, tlb_batch);

void global_flush_tlb_page(struct mm_struct *mm, unsigned long addr);
void smp_flush_tlb_pending(struct mm_struct *mm, unsigned long nr, unsigned long *addrs);

void flush_tlb_pending(void)
{
	struct tlb_batch *tb = &get_cpu_var(tlb_batch);

	if (tb->tlb_nr)
		smp_flush_tlb_pending(tb->mm, tb->tlb_nr, tb->vaddrs);
	tb->tlb_nr = 0;
	put_cpu_var(tlb_batch);
}

void arch_enter_lazy_mmu_mode(void)
{
	struct tlb_batch *tb = this_cpu_ptr(&tlb_batch);	/* expect: unpinned-batch sparc */

	tb->active = 1;
}

void arch_leave_lazy_mmu_mode(void)
{
	struct tlb_batch *tb = this_cpu_ptr(&tlb_batch);

	if (tb->tlb_nr)
		flush_tlb_pending();
	tb->active = 0;
}

void tlb_batch_add(struct mm_struct *mm, unsigned long addr, pte_t old)
{
	struct tlb_batch *tb = &get_cpu_var(tlb_batch);
	unsigned long nr = tb->tlb_nr;

	if (!tb->active) {
		global_flush_tlb_page(mm, addr);
		goto out;
	}
	if (nr == 0)
		tb->mm = mm;
	tb->vaddrs[nr] = addr;	/* expect: batch-mixes-mm sparc */
	tb->tlb_nr = ++nr;
	if (nr == TLB_BATCH_NR)
		flush_tlb_pending();
out:
	put_cpu_var(tlb_batch);
}
