// SPDX-License-Identifier: GPL-2.0-or-later
/* Clears the entries of a range; their pages are given back after the flush. */
#include <linux/mm.h>

#define MM_PAGES 0
#define MM_SLOTS 1
#define NR_MM_COUNTERS 2

static unsigned long zap_pte_range(struct mmu_gather *tlb, struct vm_area_struct *vma,
				   pmd_t *pmd, unsigned long addr, unsigned long end,
				   struct zap_details *details)
{
	struct mm_struct *mm = tlb->mm;
	bool reclaim = details && details->reclaim_pt && end - addr >= PMD_SIZE;
	unsigned long start = addr;
	bool force_flush = false;
	int counts[NR_MM_COUNTERS];
	spinlock_t *ptl, *pml;
	pte_t *start_pte, *pte;
	pmd_t pmdval;

	memset(counts, 0, sizeof(counts));
	start_pte = pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
	if (!pte)
		return addr;
	lazy_mmu_mode_enable();
	for (; addr != end; pte++, addr += PAGE_SIZE) {
		pte_t ptent = ptep_get(pte);
		struct page *page;

		if (pte_none(ptent))
			continue;
		if (!pte_present(ptent)) {
			pte_clear_not_present_full(mm, addr, pte, tlb->fullmm);
			counts[MM_SLOTS]--;
			continue;
		}
		page = vm_normal_page(vma, addr, ptent);
		ptent = ptep_get_and_clear(mm, addr, pte);
		tlb_remove_tlb_entry(tlb, pte, addr);
		if (!folio_test_anon(page_folio(page)) && pte_dirty(ptent))
			force_flush = true;
		counts[MM_PAGES]--;
		__tlb_remove_page(tlb, page);
	}
	pml = pmd_lockptr(mm, pmd);
	if (reclaim && pml != ptl && spin_trylock(pml)) {
		pmdval = pmdp_get(pmd);
		pmd_clear(pmd);
		spin_unlock(pml);
	} else {
		reclaim = false;
	}
	if (counts[MM_PAGES])
		add_mm_counter(mm, MM_PAGES, counts[MM_PAGES]);
	lazy_mmu_mode_disable();
	if (force_flush)
		tlb_flush_mmu_tlbonly(tlb);
	pte_unmap_unlock(start_pte, ptl);
	if (force_flush)
		tlb_flush_mmu(tlb);
	if (reclaim)
		pte_free_tlb(tlb, pmd_pgtable(pmdval), start);
	return addr;
}

void unmap_page_range(struct mmu_gather *tlb, struct vm_area_struct *vma, pmd_t *pmd,
		      unsigned long addr, struct zap_details *details)
{
	zap_pte_range(tlb, vma, pmd, addr, addr + PAGE_SIZE, details);
}
