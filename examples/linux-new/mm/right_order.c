// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Right: write, leave, flush the TLB, unlock, free. In this order nothing can be
 * seen half done by another processor.
 */
#include <linux/mm.h>

void relocate_table(struct vm_area_struct *vma, pmd_t *old_pmd, pmd_t *new_pmd,
		    unsigned long old_addr, unsigned long old_end, unsigned long new_addr)
{
	struct mm_struct *mm = vma->vm_mm;
	pte_t *old_start, *old_pte, *new_pte;
	spinlock_t *old_ptl, *new_ptl;
	unsigned long start = old_addr;
	bool force_flush = false;

	old_start = old_pte = pte_offset_map_lock(mm, old_pmd, old_addr, &old_ptl);
	if (!old_pte)
		return;
	new_pte = pte_offset_map_nolock(mm, new_pmd, new_addr, &new_ptl);
	if (!new_pte) {
		pte_unmap_unlock(old_start, old_ptl);
		return;
	}
	if (new_ptl != old_ptl)
		spin_lock_nested(new_ptl, SINGLE_DEPTH_NESTING);
	lazy_mmu_mode_enable();
	for (; old_addr < old_end; old_pte++, old_addr += PAGE_SIZE,
				   new_pte++, new_addr += PAGE_SIZE) {
		pte_t pte;

		if (pte_none(ptep_get(old_pte)))
			continue;
		pte = ptep_get_and_clear(mm, old_addr, old_pte);
		if (pte_present(pte))
			force_flush = true;
		set_pte_at(mm, new_addr, new_pte, pte);
	}
	lazy_mmu_mode_disable();
	if (force_flush)
		flush_tlb_range(vma, start, old_end);
	if (new_ptl != old_ptl)
		spin_unlock(new_ptl);
	pte_unmap_unlock(old_start, old_ptl);
}

/* The gathering only takes notes in the section; memory for notes never waits. */
void empty_table(struct mmu_gather *tlb, struct vm_area_struct *vma, pmd_t *pmd,
		 unsigned long addr, unsigned long end)
{
	bool force_flush = false;
	pte_t *start, *pte;
	spinlock_t *ptl;

	start = pte = pte_offset_map_lock(tlb->mm, pmd, addr, &ptl);
	if (!pte)
		return;
	lazy_mmu_mode_enable();
	do {
		pte_t ptent = ptep_get(pte);

		if (pte_none(ptent))
			continue;
		if (need_resched())
			break;
		if (!pte_present(ptent)) {
			pte_clear(tlb->mm, addr, pte);
			continue;
		}
		ptent = ptep_get_and_clear(tlb->mm, addr, pte);
		tlb_remove_tlb_entry(tlb, pte, addr);
		if (__tlb_remove_page(tlb, pte_page(ptent))) {
			force_flush = true;
			break;
		}
	} while (pte++, addr += PAGE_SIZE, addr != end);
	lazy_mmu_mode_disable();
	if (force_flush)
		tlb_flush_mmu_tlbonly(tlb);
	pte_unmap_unlock(start, ptl);
	if (force_flush)
		tlb_flush_mmu(tlb);
}

/* Reads one entry and writes the next: no entry is read after its own write. */
void shift_down(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, unsigned long end)
{
	pte_t *start, *pte;
	spinlock_t *ptl;

	start = pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
	if (!pte)
		return;
	lazy_mmu_mode_enable();
	for (; addr < end; addr += PAGE_SIZE) {
		pte_t next = ptep_get(pte + 1);

		set_pte(pte, next);
		pte++;
	}
	lazy_mmu_mode_disable();
	pte_unmap_unlock(start, ptl);
}

/* An immediate operation first, a deferred one after it: nothing is overtaken. */
void replace_entry(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, pte_t new)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);

	if (!pte)
		return;
	lazy_mmu_mode_enable();
	if (pte_present(ptep_get(pte))) {
		ptep_clear_flush(vma, addr, pte);
		set_pte(pte, new);
	}
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
}

/* Locks of folios that are only tried, and references that are not the last. */
void collect_table(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr,
		   unsigned long end)
{
	pte_t *start, *pte;
	spinlock_t *ptl;

	start = pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);
	if (!pte)
		return;
	lazy_mmu_mode_enable();
	for_each_entry_of_table(pte, addr, end) {
		pte_t ptent = ptep_get(pte);
		struct folio *folio = vm_normal_folio(vma, addr, ptent);

		if (!folio || !folio_trylock(folio))
			continue;
		ptep_set_wrprotect(vma->vm_mm, addr, pte);
		folio_unlock(folio);
	}
	lazy_mmu_mode_disable();
	pte_unmap_unlock(start, ptl);
}
