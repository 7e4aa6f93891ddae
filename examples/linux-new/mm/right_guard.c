// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Right: sections, locks and pages that are given up where a scope ends, and
 * macros that leave the function they are used in.
 */
#include <linux/cleanup.h>
#include <linux/mm.h>
#include <linux/mutex.h>

#define LEAVE_IF(condition, value) do {	\
	if (condition)			\
		return value;		\
} while (0)

DEFINE_LOCK_GUARD_0(batch, lazy_mmu_mode_enable(), lazy_mmu_mode_disable())
DEFINE_LOCK_GUARD_0(unbatched, lazy_mmu_mode_pause(), lazy_mmu_mode_resume())
DEFINE_FREE(spare, struct page *, if (_T) __free_page(_T))

/* The section ends with its block, on every way out of it, before the lock is dropped. */
int wipe_range(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, unsigned long end)
{
	int wiped = 0;

	for (; addr < end; addr += PAGE_SIZE) {
		spinlock_t *ptl;
		pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

		LEAVE_IF(!pte, wiped);
		scoped_guard(batch) {
			if (pte_none(ptep_get(pte)))
				break;
			if (need_resched())
				continue;
			pte_clear(mm, addr, pte);
			wiped++;
		}
		pte_unmap_unlock(pte, ptl);
		cond_resched();
	}
	return wiped;
}

/* Dropped in reverse: the mode first, then the lock, once the value is made. */
int wipe_table(struct mm_struct *mm, pmd_t *pmd)
{
	guard(spinlock)(pmd_lockptr(mm, pmd));
	guard(batch)();
	if (pmd_none(*pmd))
		return 0;
	set_pmd(pmd, __pmd(0));
	return 1;
}

/* The pause ends with the block, and the page is freed behind the section. */
void replace_entry(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, pte_t value)
{
	struct page *old __free(spare) = NULL;
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return;
	{
		CLASS(batch, batch)();

		old = pte_page(ptep_get(pte));
		{
			guard(unbatched)();
			pte_clear(mm, addr, pte);
			if (!pte_none(ptep_get(pte)))
				goto out;
		}
		set_pte_at(mm, addr, pte, value);
	}
out:
	pte_unmap_unlock(pte, ptl);
}
