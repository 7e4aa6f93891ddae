// SPDX-License-Identifier: GPL-2.0-or-later
/* Moves the entries of a range to another table. */
#include <linux/mm.h>

static void move_ptes(struct vm_area_struct *vma, pmd_t *old_pmd, unsigned long old_addr,
		      unsigned long old_end, pmd_t *new_pmd, unsigned long new_addr)
{
	unsigned long begin = old_addr;
	spinlock_t *from_lock, *to_lock;
	bool moved = false;
	pte_t *from = pte_offset_map_lock(vma->vm_mm, old_pmd, old_addr, &from_lock);
	pte_t *to;

	if (!from)
		return;
	to = pte_offset_map_nolock(vma->vm_mm, new_pmd, new_addr, &to_lock);
	if (!to)
		goto out;
	if (to_lock != from_lock)
		spin_lock(to_lock);
	lazy_mmu_mode_enable();
	for (; old_addr < old_end; from++, to++, old_addr += PAGE_SIZE, new_addr += PAGE_SIZE) {
		pte_t pte = ptep_get(from);

		if (pte_none(pte))
			continue;
		if (pte_present(pte))
			moved = true;
		pte = ptep_get_and_clear(vma->vm_mm, old_addr, from);
		set_pte_at(vma->vm_mm, new_addr, to, pte);
	}
	lazy_mmu_mode_disable();
	if (moved)
		flush_tlb_range(vma, begin, old_end);
	if (to_lock != from_lock)
		spin_unlock(to_lock);
out:
	pte_unmap_unlock(from - 1, from_lock);
}

void move_page_tables(struct vm_area_struct *vma, pmd_t *from, pmd_t *to, unsigned long addr)
{
	move_ptes(vma, from, addr, addr + PAGE_SIZE, to, addr);
}
