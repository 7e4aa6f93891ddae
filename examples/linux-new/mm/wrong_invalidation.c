// SPDX-License-Identifier: GPL-2.0-or-later
/* Wrong where invalidations are batched: the entry is gone at once, the TLB's copy of it is not. */
#include <linux/mm.h>

/* The page goes back while a TLB may still hold its entry. */
void give_back(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr)
{
	struct mm_struct *mm = vma->vm_mm;
	struct page *page;
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return;
	lazy_mmu_mode_enable();
	page = pte_page(ptep_get_and_clear(mm, addr, pte));
	__free_page(page);	/* expect: free-before-flush powerpc sparc */
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
}

/* Who takes the lock next believes that nobody writes any more. */
void protect_and_unlock(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);

	if (!pte)
		return;
	lazy_mmu_mode_enable();
	ptep_set_wrprotect(vma->vm_mm, addr, pte);
	pte_unmap_unlock(pte, ptl);	/* expect: unlock-before-flush+section-outside-lock */
	lazy_mmu_mode_disable();
}

/* The flush does nothing there, and the batch waits on. */
void protect_and_flush(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);

	if (!pte)
		return;
	lazy_mmu_mode_enable();
	ptep_set_wrprotect(vma->vm_mm, addr, pte);
	flush_tlb_range(vma, addr, addr + PAGE_SIZE);	/* expect: tlb-flush-in-section powerpc sparc */
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
}

/* Right beside them: each after the end of the section, which does what waits. */
void give_back_late(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr)
{
	struct mm_struct *mm = vma->vm_mm;
	struct page *page;
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return;
	lazy_mmu_mode_enable();
	page = pte_page(ptep_get_and_clear(mm, addr, pte));
	lazy_mmu_mode_disable();
	flush_tlb_range(vma, addr, addr + PAGE_SIZE);
	pte_unmap_unlock(pte, ptl);
	__free_page(page);
}
