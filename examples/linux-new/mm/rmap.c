// SPDX-License-Identifier: GPL-2.0-or-later
/* What other files call, and what may wait: who maps a folio, and breaking one up. */
#include <linux/mm.h>

static struct mutex map_mutex;

static int wait_for_mappers(struct folio *folio)
{
	mutex_lock(&map_mutex);
	folio_remove_rmap(folio);
	mutex_unlock(&map_mutex);
	return 0;
}

int divide_folio(struct folio *folio)
{
	if (!folio_order(folio))
		return -EINVAL;
	return wait_for_mappers(folio);
}

void folio_lock(struct folio *folio)
{
	might_sleep();
	while (!folio_trylock(folio))
		schedule();
}

pte_t ptep_clear_flush(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep)
{
	pte_t old = ptep_get_and_clear(vma->vm_mm, addr, ptep);

	if (pte_present(old))
		flush_tlb_page(vma, addr);
	return old;
}
