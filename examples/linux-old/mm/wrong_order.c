// SPDX-License-Identifier: GPL-2.0-or-later
/* Wrong: code that takes a change for made while it may still be on its way. */
#include <linux/mm.h>

int clear_and_check(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
	int err = 0;

	if (!pte)
		return -EAGAIN;
	arch_enter_lazy_mmu_mode();
	pte_clear(mm, addr, pte);
	if (!pte_none(ptep_get(pte)))	/* expect: stale-read */
		err = -EBUSY;
	arch_leave_lazy_mmu_mode();
	pte_unmap_unlock(pte, ptl);
	return err;
}

static int entry_is_young(pte_t *pte)
{
	return pte_young(ptep_get(pte));	/* expect: stale-read */
}

/* The read stands in a helper. */
int write_and_look(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, pte_t value)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
	int young;

	if (!pte)
		return 0;
	arch_enter_lazy_mmu_mode();
	set_pte(pte, value);
	young = entry_is_young(pte);
	arch_leave_lazy_mmu_mode();
	pte_unmap_unlock(pte, ptl);
	return young;
}

/* The immediate operation works on the old value and is then overwritten. */
void write_and_protect(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, pte_t value)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return;
	arch_enter_lazy_mmu_mode();
	set_pte(pte, value);
	ptep_set_wrprotect(mm, addr, pte);	/* expect: mixed-write */
	arch_leave_lazy_mmu_mode();
	pte_unmap_unlock(pte, ptl);
}

void clean_and_flush(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr,
		     unsigned long end)
{
	unsigned long start = addr;
	pte_t *first, *pte;
	spinlock_t *ptl;

	first = pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);
	if (!pte)
		return;
	arch_enter_lazy_mmu_mode();
	for_each_entry_of_table(pte, addr, end) {
		pte_t old = ptep_modify_prot_start(vma, addr, pte);

		ptep_modify_prot_commit(vma, addr, pte, old, pte_mkclean(old));
	}
	flush_tlb_range(vma, start, end);	/* expect: tlb-flush-in-section x86 powerpc */
	arch_leave_lazy_mmu_mode();
	pte_unmap_unlock(first, ptl);
}
