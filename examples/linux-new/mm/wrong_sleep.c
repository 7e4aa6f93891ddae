// SPDX-License-Identifier: GPL-2.0-or-later
/* Wrong: sections in which the task may wait. */
#include <linux/mm.h>
#include <linux/slab.h>

static struct mutex note_mutex;

/* Says it in so many words. */
void log_table(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return;
	lazy_mmu_mode_enable();
	mutex_lock(&note_mutex);	/* expect: sleep-in-section */
	ptep_set_wrprotect(mm, addr, pte);
	mutex_unlock(&note_mutex);
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
}

static int remember(unsigned long addr, gfp_t flags)
{
	unsigned long *note = kzalloc(sizeof(*note), flags);

	if (!note)
		return -ENOMEM;
	*note = addr;
	return 0;
}

/* With these flags the helper may wait for memory. */
int remember_table(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
	int err = 0;

	if (!pte)
		return 0;
	lazy_mmu_mode_enable();
	if (pte_present(ptep_get(pte)))
		err = remember(addr, GFP_KERNEL);	/* expect: sleep-in-section */
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
	return err;
}

/* What waits stands in another file, two calls down; the lock is dropped for it. */
int thin_table(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr,
	       unsigned long end)
{
	pte_t *start, *pte;
	spinlock_t *ptl;
	int err = 0;

	start = pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);
	if (!pte)
		return 0;
	lazy_mmu_mode_enable();
	for_each_entry_of_table(pte, addr, end) {
		struct folio *folio = vm_normal_folio(vma, addr, ptep_get(pte));

		if (!folio || !folio_order(folio))
			continue;
		folio_get(folio);
		pte_unmap_unlock(start, ptl);	/* expect: section-outside-lock */
		err = divide_folio(folio);	/* expect: sleep-in-section */
		folio_put(folio);
		start = pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);
		if (!pte || err)
			break;
	}
	lazy_mmu_mode_disable();
	if (pte)
		pte_unmap_unlock(start, ptl);
	return err;
}

static void rest(void)
{
	cond_resched();
}

static void relax(unsigned long addr)
{
	if (!(addr & (PMD_SIZE - 1)))
		rest();
}

void clear_slowly(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, unsigned long end)
{
	pte_t *start, *pte;
	spinlock_t *ptl;

	start = pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
	if (!pte)
		return;
	lazy_mmu_mode_enable();
	for_each_entry_of_table(pte, addr, end) {
		ptep_get_and_clear(mm, addr, pte);
		relax(addr);	/* expect: sleep-in-section */
	}
	lazy_mmu_mode_disable();
	pte_unmap_unlock(start, ptl);
}
