// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Right: sections whose begin and end are not side by side. Every path through
 * these functions is balanced, though no two of its lines say so together.
 */
#include <linux/mm.h>

/* Leaves before it waits, takes the lock again, and begins anew if that worked. */
int cool_table(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr,
	       unsigned long end)
{
	struct mm_struct *mm = vma->vm_mm;
	pte_t *start_pte, *pte;
	struct folio *folio;
	spinlock_t *ptl;
	int err;

restart:
	start_pte = pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
	if (!start_pte)
		return 0;
	lazy_mmu_mode_enable();
	for (; addr < end; pte++, addr += PAGE_SIZE) {
		pte_t ptent = ptep_get(pte);

		if (need_resched()) {
			lazy_mmu_mode_disable();
			pte_unmap_unlock(start_pte, ptl);
			cond_resched();
			goto restart;
		}
		if (!pte_present(ptent))
			continue;
		folio = vm_normal_folio(vma, addr, ptent);
		if (!folio)
			continue;
		if (folio_order(folio)) {
			if (!folio_trylock(folio))
				break;
			folio_get(folio);
			lazy_mmu_mode_disable();
			pte_unmap_unlock(start_pte, ptl);
			start_pte = NULL;
			err = divide_folio(folio);
			folio_unlock(folio);
			folio_put(folio);
			if (err)
				break;
			start_pte = pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
			if (!start_pte)
				break;
			lazy_mmu_mode_enable();
			pte--;
			addr -= PAGE_SIZE;
			continue;
		}
		if (pte_young(ptent))
			ptep_test_and_clear_young(vma, addr, pte);
	}
	if (start_pte) {
		lazy_mmu_mode_disable();
		pte_unmap_unlock(start_pte, ptl);
	}
	cond_resched();
	return 0;
}

/* Gives up in the middle, waits for memory outside, and comes back for the rest. */
int duplicate_table(struct mm_struct *to, struct mm_struct *from, pmd_t *to_pmd,
		    pmd_t *from_pmd, unsigned long addr, unsigned long end)
{
	pte_t *to_start, *to_pte, *from_start, *from_pte;
	spinlock_t *to_ptl, *from_ptl;
	struct page *spare = NULL;
	int err;

again:
	err = 0;
	to_start = to_pte = pte_alloc_map_lock(to, to_pmd, addr, &to_ptl);
	if (!to_pte) {
		err = -ENOMEM;
		goto out;
	}
	from_start = from_pte = pte_offset_map_nolock(from, from_pmd, addr, &from_ptl);
	if (!from_pte) {
		pte_unmap_unlock(to_start, to_ptl);
		goto out;
	}
	spin_lock_nested(from_ptl, SINGLE_DEPTH_NESTING);
	lazy_mmu_mode_enable();
	do {
		pte_t pte = ptep_get(from_pte);

		if (pte_none(pte))
			continue;
		if (!pte_present(pte)) {
			err = -EAGAIN;
			break;
		}
		if (!spare && pte_write(pte)) {
			err = -ENOMEM;
			break;
		}
		if (pte_write(pte)) {
			ptep_set_wrprotect(from, addr, from_pte);
			pte = pte_wrprotect(pte);
		}
		set_pte_at(to, addr, to_pte, pte_mkold(pte));
	} while (from_pte++, to_pte++, addr += PAGE_SIZE, addr != end);
	lazy_mmu_mode_disable();
	pte_unmap_unlock(from_start, from_ptl);
	pte_unmap_unlock(to_start, to_ptl);
	cond_resched();

	if (err == -ENOMEM && !spare) {
		spare = alloc_page(GFP_KERNEL);
		if (spare)
			goto again;
	}
	if (err == -EAGAIN)
		err = 0;
	else if (!err && addr != end)
		goto again;
out:
	if (spare)
		__free_page(spare);
	return err;
}

/* The label stands inside the section: going back to it begins nothing. */
int mark_areas(struct vm_area_struct *vma, struct vm_area_struct *last, pmd_t *pmd)
{
	unsigned long addr = vma->vm_start;
	unsigned long end = vma->vm_end;
	spinlock_t *ptl;
	int young = 0;
	pte_t *pte;

	pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);
	if (!pte)
		return 0;
	lazy_mmu_mode_enable();
restart:
	for (; addr != end; addr += PAGE_SIZE) {
		if (!pte_present(ptep_get(pte + (addr >> PAGE_SHIFT))))
			continue;
		if (ptep_test_and_clear_young(vma, addr, pte + (addr >> PAGE_SHIFT)))
			young++;
	}
	if (vma != last) {
		vma = last;
		addr = vma->vm_start;
		end = vma->vm_end;
		goto restart;
	}
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
	return young;
}

/* One flag decides about the begin and about the end. */
void protect_table(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr,
		   unsigned long end, pgprot_t prot, bool batch)
{
	spinlock_t *ptl;
	pte_t *start, *pte;

	start = pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);
	if (!pte)
		return;
	if (batch)
		lazy_mmu_mode_enable();
	for_each_entry_of_table(pte, addr, end) {
		pte_t old, new;

		if (!pte_present(ptep_get(pte)))
			continue;
		old = ptep_modify_prot_start(vma, addr, pte);
		new = pte_modify(old, prot);
		ptep_modify_prot_commit(vma, addr, pte, old, new);
	}
	if (batch)
		lazy_mmu_mode_disable();
	pte_unmap_unlock(start, ptl);
}

static pte_t *begin_table(struct mm_struct *mm, pmd_t *pmd, unsigned long addr,
			  spinlock_t **ptlp)
{
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, ptlp);

	if (pte)
		lazy_mmu_mode_enable();
	return pte;
}

static void end_table(pte_t *pte, spinlock_t *ptl)
{
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
}

/* Begin and end each live in a helper: together they are one section. */
void clean_table(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = begin_table(vma->vm_mm, pmd, addr, &ptl);

	if (!pte)
		return;
	set_pte(pte, pte_mkclean(ptep_get(pte)));
	end_table(pte, ptl);
}

static void write_run(pte_t *pte, pte_t value, unsigned int nr)
{
	switch (nr) {
	case 0:
		return;
	case 1:
		set_pte(pte, value);
		break;
	default:
		while (nr--)
			set_pte(pte++, value);
	}
}

/* A helper that returns early in the section returns into it. */
void fill_table(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, pte_t value,
		unsigned int nr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return;
	lazy_mmu_mode_enable();
	write_run(pte, value, nr);
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
}
