// SPDX-License-Identifier: GPL-2.0-or-later
/* Right: a callback that needs its writes to be real turns the mode off for a while. */
#include <linux/mm.h>

struct supply {
	struct page *page;
};

static int fill_shadow(pte_t *ptep, unsigned long addr, void *data)
{
	struct supply *supply = data;
	int err = 0;
	pte_t pte;

	if (!pte_none(ptep_get(ptep)))
		return 0;
	pte = __pte((unsigned long)supply->page | _PAGE_PRESENT | _PAGE_RW);

	lazy_mmu_mode_pause();
	spin_lock(&init_mm.page_table_lock);
	if (pte_none(ptep_get(ptep))) {
		set_pte_at(&init_mm, addr, ptep, pte);
		if (!pte_same(ptep_get(ptep), pte))
			err = -EAGAIN;
		supply->page = NULL;
	}
	spin_unlock(&init_mm.page_table_lock);
	lazy_mmu_mode_resume();
	return err;
}

int fill_shadow_page(unsigned long addr)
{
	struct supply supply = { .page = alloc_page(GFP_KERNEL) };
	int err;

	if (!supply.page)
		return -ENOMEM;
	err = apply_to_page_range(&init_mm, addr, PAGE_SIZE, fill_shadow, &supply);
	if (supply.page)
		__free_page(supply.page);
	return err;
}

static int drain_shadow(pte_t *ptep, unsigned long addr, void *data)
{
	struct page *page = pte_page(ptep_get(ptep));
	bool had = false;

	lazy_mmu_mode_pause();
	spin_lock(&init_mm.page_table_lock);
	if (!pte_none(ptep_get(ptep))) {
		pte_clear(&init_mm, addr, ptep);
		had = true;
	}
	spin_unlock(&init_mm.page_table_lock);
	lazy_mmu_mode_resume();
	if (had)
		__free_page(page);
	return 0;
}

int drain_shadow_range(unsigned long addr, unsigned long size)
{
	return apply_to_existing_page_range(&init_mm, addr, size, drain_shadow, NULL);
}

/* Kernel entries, no lock: the owner of the range is the only one who touches it. */
int map_window(pmd_t *pmd, unsigned long addr, unsigned long end, unsigned long pfn,
	       pgprot_t prot)
{
	pte_t *pte = pte_offset_kernel(pmd, addr);
	int err = 0;

	lazy_mmu_mode_enable();	/* expect: preempted-in-section x86 arm64 */
	for (; addr < end; addr += PAGE_SIZE) {
		if (WARN_ON_ONCE(!pte_none(ptep_get(pte)))) {
			err = -EBUSY;
			break;
		}
		set_pte_at(&init_mm, addr, pte, pfn_pte(pfn, prot));
		pfn++;
		pte++;
	}
	lazy_mmu_mode_disable();
	return err;
}
