// SPDX-License-Identifier: GPL-2.0-or-later
/* dialect: counted; file: mm/example.c */
/* Wrong: the allocation may wait for memory. */
#include <linux/mm.h>
#include <linux/slab.h>

static void *note_entry(gfp_t flags)
{
	return kmalloc(64, flags);
}

void note_and_clear(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
	void *note;

	if (!pte)
		return;
	lazy_mmu_mode_enable();
	pte_clear(mm, addr, pte);
	note = note_entry(GFP_KERNEL);	/* expect: sleep-in-section */
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
	kfree(note);
}
