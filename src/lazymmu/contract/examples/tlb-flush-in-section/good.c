// SPDX-License-Identifier: GPL-2.0-or-later
/* dialect: counted; file: mm/example.c */
/* Right: end, flush, unlock. */
#include <linux/mm.h>

void protect_entry(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);

	if (!pte)
		return;
	lazy_mmu_mode_enable();
	set_pte_at(vma->vm_mm, addr, pte, pte_wrprotect(ptep_get(pte)));
	lazy_mmu_mode_disable();
	flush_tlb_range(vma, addr, addr + PAGE_SIZE);
	pte_unmap_unlock(pte, ptl);
}
