// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Wrong: a callback of apply_to_page_range() runs in a section, though nothing in
 * this file says so. It waits for memory, and it drops the lock of an entry whose
 * new value may still be on its way.
 */
#include <linux/mm.h>

static int fill_shadow(pte_t *ptep, unsigned long addr, void *data)
{
	unsigned long page;
	pte_t pte;

	if (!pte_none(ptep_get(ptep)))
		return 0;
	page = __get_free_page(GFP_KERNEL);	/* expect: sleep-in-section x86 */
	if (!page)
		return -ENOMEM;
	pte = __pte(page | _PAGE_PRESENT | _PAGE_RW);

	spin_lock(&init_mm.page_table_lock);
	if (pte_none(ptep_get(ptep))) {
		set_pte(ptep, pte);
		page = 0;
	}
	spin_unlock(&init_mm.page_table_lock);	/* expect: unlock-before-flush x86 */
	if (page)
		free_page(page);
	return 0;
}

int fill_shadow_range(unsigned long addr, unsigned long size)
{
	return apply_to_page_range(&init_mm, addr, size, fill_shadow, NULL);
}
