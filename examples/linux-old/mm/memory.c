// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Walks a range and hands every entry to a function of the caller's.
 *
 * The walk of kernel mappings holds no lock. That is allowed, and worth knowing:
 * nothing but the architecture keeps the task on its processor there.
 */
#include <linux/mm.h>

static int call_for_table(struct mm_struct *mm, pmd_t *pmd, unsigned long addr,
			  unsigned long end, pte_fn_t fn, void *data, bool create)
{
	spinlock_t *ptl;
	pte_t *start, *pte;
	int err = 0;

	if (mm == &init_mm)
		start = pte_offset_kernel(pmd, addr);
	else if (create)
		start = pte_alloc_map_lock(mm, pmd, addr, &ptl);
	else
		start = pte_offset_map_lock(mm, pmd, addr, &ptl);
	if (!start)
		return -ENOMEM;

	arch_enter_lazy_mmu_mode();	/* expect: preempted-in-section x86 sparc */
	for (pte = start; addr != end; pte++, addr += PAGE_SIZE) {
		if (!create && pte_none(ptep_get(pte)))
			continue;
		err = fn(pte, addr, data);
		if (err)
			break;
	}
	arch_leave_lazy_mmu_mode();

	if (mm != &init_mm)
		pte_unmap_unlock(start, ptl);
	return err;
}

static int call_for_range(struct mm_struct *mm, unsigned long addr, unsigned long size,
			  pte_fn_t fn, void *data, bool create)
{
	unsigned long end = addr + size;
	unsigned long next;
	int err = 0;

	for (; addr < end && !err; addr = next) {
		pmd_t *pmd = pmd_offset_of(pgd_offset(mm, addr), addr);

		next = pmd_addr_end(addr, end);
		if (pmd_none(pmdp_get(pmd)) && !create)
			continue;
		err = call_for_table(mm, pmd, addr, next, fn, data, create);
	}
	return err;
}

int apply_to_page_range(struct mm_struct *mm, unsigned long addr, unsigned long size,
			pte_fn_t fn, void *data)
{
	return call_for_range(mm, addr, size, fn, data, true);
}

int apply_to_existing_page_range(struct mm_struct *mm, unsigned long addr,
				 unsigned long size, pte_fn_t fn, void *data)
{
	return call_for_range(mm, addr, size, fn, data, false);
}

pte_t *pte_offset_map_lock(struct mm_struct *mm, pmd_t *pmd, unsigned long addr,
			   spinlock_t **ptlp)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_nolock(mm, pmd, addr, &ptl);

	if (pte) {
		spin_lock(ptl);
		*ptlp = ptl;
	}
	return pte;
}

pte_t *pte_offset_map_nolock(struct mm_struct *mm, pmd_t *pmd, unsigned long addr,
			     spinlock_t **ptlp)
{
	pte_t *pte = __pte_offset_map(pmd, addr);

	if (pte)
		*ptlp = pte_lockptr(mm, pmd);
	return pte;
}

int __pte_alloc(struct mm_struct *mm, pmd_t *pmd)
{
	struct page *table = alloc_page(GFP_KERNEL | __GFP_ZERO);
	spinlock_t *ptl;

	if (!table)
		return -ENOMEM;
	ptl = pmd_lock(mm, pmd);
	if (pmd_none(pmdp_get(pmd)))
		set_pmd(pmd, __pmd((unsigned long)table));
	spin_unlock(ptl);
	return 0;
}
