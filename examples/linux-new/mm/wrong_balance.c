// SPDX-License-Identifier: GPL-2.0-or-later
/* Wrong: paths on which a section never ends, or ends twice. */
#include <linux/mm.h>

/* An early return in the loop. */
int insert_pages(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, pte_t *values,
		 unsigned int nr)
{
	pte_t *start, *pte;
	spinlock_t *ptl;
	unsigned int i;

	start = pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
	if (!pte)
		return -EAGAIN;
	lazy_mmu_mode_enable();
	for (i = 0; i < nr; i++, pte++) {
		if (!pte_none(ptep_get(pte))) {
			pte_unmap_unlock(start, ptl);
			return -EBUSY;	/* expect: unbalanced-section+section-outside-lock+unlock-before-flush */
		}
		set_pte(pte, values[i]);
	}
	lazy_mmu_mode_disable();
	pte_unmap_unlock(start, ptl);
	return 0;
}

/* A jump over the leave. */
int check_pages(struct mm_struct *mm, pte_t *pte, spinlock_t *ptl, unsigned int nr)
{
	int err = 0;

	lockdep_assert_held(ptl);
	lazy_mmu_mode_enable();
	while (nr--) {
		if (pte_none(ptep_get(pte))) {
			err = -EINVAL;
			goto out;
		}
		ptep_set_wrprotect(mm, 0, pte);
		pte++;
	}
	lazy_mmu_mode_disable();
out:
	return err;	/* expect: unbalanced-section */
}

/* The end depends on something else than the begin. */
void protect_some(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, bool batch,
		  bool done)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return;
	if (batch)
		lazy_mmu_mode_enable();
	ptep_set_wrprotect(mm, addr, pte);
	if (done)
		lazy_mmu_mode_disable();	/* expect: unbalanced-section */
	pte_unmap_unlock(pte, ptl);
}	/* expect: unbalanced-section+section-outside-lock+unlock-before-flush */

/* The loop leaves, and what follows the loop leaves again. */
void age_some(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, unsigned long end)
{
	pte_t *start, *pte;
	spinlock_t *ptl;

	start = pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);
	if (!pte)
		return;
	lazy_mmu_mode_enable();
	for_each_entry_of_table(pte, addr, end) {
		if (need_resched()) {
			lazy_mmu_mode_disable();
			break;
		}
		ptep_test_and_clear_young(vma, addr, pte);
	}
	lazy_mmu_mode_disable();	/* expect: unbalanced-section */
	pte_unmap_unlock(start, ptl);
}

static int begin_run(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, pte_t **ptep,
		     spinlock_t **ptlp)
{
	*ptep = pte_offset_map_lock(mm, pmd, addr, ptlp);
	if (!*ptep)
		return -EAGAIN;
	lazy_mmu_mode_enable();
	return 0;
}

/* What the helper is for: its caller ends the section. */
int clean_run(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte;
	int err;

	err = begin_run(mm, pmd, addr, &pte, &ptl);
	if (err)
		return err;
	set_pte(pte, pte_mkclean(ptep_get(pte)));
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
	return 0;
}

/* The helper began the section; the caller does not know. */
int probe_run(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte;
	int err;

	err = begin_run(mm, pmd, addr, &pte, &ptl);
	if (err)
		return err;
	err = pte_present(ptep_get(pte)) ? 0 : -EINVAL;
	pte_unmap_unlock(pte, ptl);
	return err;	/* expect: unbalanced-section+section-outside-lock */
}

/* An assembly statement that jumps over the leave, as a static key or a user access does. */
int patch_page(struct mm_struct *mm, pte_t *pte, pte_t value, spinlock_t *ptl)
{
	lockdep_assert_held(ptl);
	lazy_mmu_mode_enable();
	asm goto("1: nop" : : : "memory" : fault);
	set_pte(pte, value);
	lazy_mmu_mode_disable();
	return 0;
fault:
	return -EINVAL;	/* expect: unbalanced-section */
}
