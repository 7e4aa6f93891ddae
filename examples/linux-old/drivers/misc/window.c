// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Wrong, and far from mm/: a driver's callback of apply_to_page_range() for a user's
 * mapping. It is found by the call that it makes, not by the directory it is in.
 */
#include <linux/mm.h>
#include <linux/slab.h>

struct slot {
	unsigned long pfn;
	unsigned long *log;
};

static int place_slot(pte_t *pte, unsigned long addr, void *data)
{
	struct slot *slot = data;

	slot->log = kmalloc(sizeof(*slot->log), GFP_KERNEL);	/* expect: sleep-in-section */
	if (!slot->log)
		return -ENOMEM;
	set_pte(pte, __pte(slot->pfn++ << PAGE_SHIFT));
	return 0;
}

int map_slots(struct vm_area_struct *vma, struct slot *slot)
{
	return apply_to_page_range(vma->vm_mm, vma->vm_start,
				   vma->vm_end - vma->vm_start, place_slot, slot);
}
