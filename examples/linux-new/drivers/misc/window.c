// SPDX-License-Identifier: GPL-2.0-or-later
/* Wrong, and far from mm/: a driver that sleeps in a section it cannot see. */
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
	set_pte_at(&init_mm, addr, pte, __pte(slot->pfn++ << PAGE_SHIFT));
	return 0;
}

/* Right: memory that must come at once, or not at all. */
static int place_slot_now(pte_t *pte, unsigned long addr, void *data)
{
	struct slot *slot = data;

	slot->log = kmalloc(sizeof(*slot->log), GFP_NOWAIT);
	if (!slot->log)
		return -ENOMEM;
	set_pte_at(&init_mm, addr, pte, __pte(slot->pfn++ << PAGE_SHIFT));
	return 0;
}

int map_slots(unsigned long addr, unsigned long size, struct slot *slot, bool atomic)
{
	if (atomic)
		return apply_to_page_range(&init_mm, addr, size, place_slot_now, slot);
	return apply_to_page_range(&init_mm, addr, size, place_slot, slot);
}
