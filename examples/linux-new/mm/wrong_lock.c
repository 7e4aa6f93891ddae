// SPDX-License-Identifier: GPL-2.0-or-later
/* Wrong: sections that begin before the lock, or end after it. */
#include <linux/mm.h>

void soften_table(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr,
		  unsigned long end)
{
	pte_t *start, *pte;
	spinlock_t *ptl;

	lazy_mmu_mode_enable();	/* expect: preempted-in-section x86 arm64 */
	start = pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);	/* expect: section-outside-lock */
	if (!pte) {
		lazy_mmu_mode_disable();
		return;
	}
	for_each_entry_of_table(pte, addr, end)
		set_pte(pte, pte_mkold(ptep_get(pte)));
	lazy_mmu_mode_disable();
	pte_unmap_unlock(start, ptl);
}

void harden_table(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr,
		  unsigned long end)
{
	pte_t *start, *pte;
	spinlock_t *ptl;

	start = pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);
	if (!pte)
		return;
	lazy_mmu_mode_enable();
	for_each_entry_of_table(pte, addr, end) {
		pte_t old = ptep_modify_prot_start(vma, addr, pte);

		ptep_modify_prot_commit(vma, addr, pte, old, pte_wrprotect(old));
	}
	pte_unmap_unlock(start, ptl);	/* expect: unlock-before-flush+section-outside-lock */
	lazy_mmu_mode_disable();
}

/* The lock goes out of scope before the section ends. */
void guard_table(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl = pmd_lockptr(mm, pmd);

	scoped_guard(spinlock, ptl) {
		lazy_mmu_mode_enable();
		set_pmd(pmd, __pmd(0));
	}	/* expect: unlock-before-flush+section-outside-lock */
	lazy_mmu_mode_disable();
}

/* Entries of a user's address space, and no lock anywhere. */
void strip_table(struct vm_area_struct *vma, pte_t *pte, unsigned long addr,
		 unsigned long end)
{
	lazy_mmu_mode_enable();	/* expect: preempted-in-section x86 arm64 */
	for_each_entry_of_table(pte, addr, end)
		ptep_modify_prot_commit(vma, addr, pte, ptep_get(pte), __pte(0));	/* expect: section-outside-lock */
	lazy_mmu_mode_disable();
}
