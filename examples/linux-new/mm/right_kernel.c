// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Right: callbacks that run in the section of the walk over a kernel range. They
 * write one entry each, allocate nothing that waits, and rely on nothing yet.
 */
#include <linux/mm.h>

struct run {
	unsigned long pfn;
	pgprot_t prot;
};

static int map_one(pte_t *pte, unsigned long addr, void *data)
{
	struct run *run = data;

	if (!pte_none(ptep_get(pte)))
		return -EBUSY;
	set_pte(pte, pfn_pte(run->pfn++, run->prot));
	return 0;
}

static int unmap_one(pte_t *pte, unsigned long addr, void *data)
{
	ptep_get_and_clear(&init_mm, addr, pte);
	return 0;
}

int map_kernel_range(unsigned long addr, unsigned long size, unsigned long pfn, pgprot_t prot)
{
	struct run run = { .pfn = pfn, .prot = prot };
	int err;

	err = apply_to_page_range(&init_mm, addr, size, map_one, &run);
	if (err)
		apply_to_existing_page_range(&init_mm, addr, size, unmap_one, NULL);
	flush_tlb_kernel_range(addr, addr + size);
	return err;
}
