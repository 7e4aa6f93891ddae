// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/mm.h>

/* Called in sections: whatever it allocates must not wait. */
static bool next_batch(struct mmu_gather *tlb)
{
	struct gather_batch *batch;

	batch = (struct gather_batch *)__get_free_page(GFP_NOWAIT);
	if (!batch)
		return false;
	batch->next = NULL;
	batch->nr = 0;
	tlb->active->next = batch;
	tlb->active = batch;
	return true;
}

bool __tlb_remove_page(struct mmu_gather *tlb, struct page *page)
{
	struct gather_batch *batch = tlb->active;

	batch->pages[batch->nr++] = page;
	if (batch->nr == GATHER_PAGES)
		return !next_batch(tlb);
	return false;
}

void tlb_flush_mmu_tlbonly(struct mmu_gather *tlb)
{
	struct vm_area_struct vma = { .vm_mm = tlb->mm };

	if (tlb->end)
		flush_tlb_range(&vma, tlb->start, tlb->end);
	tlb->start = ~0ul;
	tlb->end = 0;
}

void tlb_flush_mmu(struct mmu_gather *tlb)
{
	struct gather_batch *batch;

	tlb_flush_mmu_tlbonly(tlb);
	for (batch = &tlb->local; batch; batch = batch->next) {
		while (batch->nr)
			put_page(batch->pages[--batch->nr]);
		cond_resched();
	}
}
