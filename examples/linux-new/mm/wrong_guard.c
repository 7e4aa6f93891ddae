// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Wrong: what a scope gives up, it gives up at its end, which is too late or
 * in the middle of a section; and a macro leaves with the section open.
 */
#include <linux/cleanup.h>
#include <linux/mm.h>
#include <linux/mutex.h>

#define GIVE_UP_IF(condition)	({ if (condition) return -EBUSY; 0; })
#define batched()		guard(fill)()

static struct mutex fill_mutex;

DEFINE_LOCK_GUARD_0(fill, lazy_mmu_mode_enable(), lazy_mmu_mode_disable())
DEFINE_FREE(stale, struct page *, if (_T) __free_page(_T))

static void end_batch(int *begun)
{
	if (*begun)
		lazy_mmu_mode_disable();
}

/* The guard holds on until the function ends. */
int fill_entry(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, pte_t value)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return -EAGAIN;
	batched();
	set_pte_at(mm, addr, pte, value);
	pte_unmap_unlock(pte, ptl);	/* expect: section-outside-lock+unlock-before-flush */
	return 0;
}

/* Waits for a lock that a guard takes. */
void fill_slowly(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, pte_t value)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return;
	scoped_guard(fill) {
		guard(mutex)(&fill_mutex);	/* expect: sleep-in-section */
		set_pte_at(mm, addr, pte, value);
	}
	pte_unmap_unlock(pte, ptl);
}

/* Ends when the variable says so, and that is set too late for the first way out. */
int fill_twice(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, pte_t value)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return -EAGAIN;
	{
		int begun __attribute__((cleanup(end_batch))) = 0;

		lazy_mmu_mode_enable();
		if (!pte_none(ptep_get(pte))) {
			pte_unmap_unlock(pte, ptl);
			return -EBUSY;	/* expect: unbalanced-section+section-outside-lock */
		}
		begun = 1;
	}
	pte_unmap_unlock(pte, ptl);
	return 0;
}

/* The page goes with its block, while the entry still waits. */
void drop_entry(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return;
	lazy_mmu_mode_enable();
	{
		struct page *page __free(stale) = pte_page(ptep_get(pte));

		pte_clear(mm, addr, pte);
	}	/* expect: free-before-flush */
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
}

/* The macro returns. */
int fill_if_idle(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, pte_t value)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return -EAGAIN;
	lazy_mmu_mode_enable();
	GIVE_UP_IF(need_resched());	/* expect: unbalanced-section */
	set_pte_at(mm, addr, pte, value);
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
	return 0;
}
