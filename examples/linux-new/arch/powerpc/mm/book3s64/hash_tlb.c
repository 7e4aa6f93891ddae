// SPDX-License-Identifier: GPL-2.0-or-later
/* Right: one batch holds one address space. */
#include <linux/mm.h>
#include <linux/percpu.h>

DEFINE_PER_CPU(struct ppc64_tlb_batch, ppc64_tlb_batch);

void flush_hash_page(unsigned long vpn, int pte, int psize, int ssize, int local);

void hpte_need_flush(struct mm_struct *mm, unsigned long addr, pte_t *ptep,
		     unsigned long old)
{
	struct ppc64_tlb_batch *batch = &get_cpu_var(ppc64_tlb_batch);
	unsigned long i;

	if (!is_lazy_mmu_mode_active()) {
		flush_hash_page(addr, 0, 0, 0, 0);
		put_cpu_var(ppc64_tlb_batch);
		return;
	}
	i = batch->index;
	if (i != 0 && batch->mm != mm) {
		__flush_tlb_pending(batch);
		i = 0;
	}
	if (i == 0)
		batch->mm = mm;
	batch->addr[i] = addr;
	batch->index = ++i;
	if (i == PPC64_TLB_BATCH_NR)
		__flush_tlb_pending(batch);
	put_cpu_var(ppc64_tlb_batch);
}

void __flush_tlb_pending(struct ppc64_tlb_batch *batch)
{
	unsigned long i;

	for (i = 0; i < batch->index; i++)
		flush_hash_page(batch->addr[i], 0, 0, 0, 0);
	batch->index = 0;
}
