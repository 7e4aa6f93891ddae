/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _ASM_GENERIC_TLB_H
#define _ASM_GENERIC_TLB_H

struct mm_struct;
struct page;

#define GATHER_PAGES	64

struct gather_batch {
	struct gather_batch *next;
	unsigned int nr;
	struct page *pages[GATHER_PAGES];
};

struct mmu_gather {
	struct mm_struct *mm;
	unsigned long start;
	unsigned long end;
	struct gather_batch *active;
	struct gather_batch local;
};

/* Only notes the range; whoever finishes the gathering flushes. */
static inline void tlb_flush_pte_range(struct mmu_gather *tlb, unsigned long addr,
				       unsigned long size)
{
	tlb->start = min(tlb->start, addr);
	if (tlb->end < addr + size)
		tlb->end = addr + size;
}

static inline void tlb_remove_tlb_entry(struct mmu_gather *tlb, pte_t *ptep,
					unsigned long addr)
{
	tlb_flush_pte_range(tlb, addr, PAGE_SIZE);
}

bool __tlb_remove_page(struct mmu_gather *tlb, struct page *page);
void tlb_flush_mmu_tlbonly(struct mmu_gather *tlb);
void tlb_flush_mmu(struct mmu_gather *tlb);

#endif
