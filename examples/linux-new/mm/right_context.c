// SPDX-License-Identifier: GPL-2.0-or-later
/* Right: what may wait does so under a condition that is not given here. */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/percpu.h>

static DEFINE_PER_CPU(unsigned long, hot_entries);

static void *note_entry(unsigned long addr, gfp_t flags)
{
	unsigned long *note = kmalloc(sizeof(*note), flags);

	if (note)
		*note = addr;
	return note;
}

/* The flags are a constant of the caller's: with these the helper never waits. */
void *note_table(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	void *note = NULL;
	spinlock_t *ptl;
	pte_t *pte;

	pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
	if (!pte)
		return NULL;
	lazy_mmu_mode_enable();
	if (pte_present(ptep_get(pte)))
		note = note_entry(addr, GFP_ATOMIC);
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
	return note;
}

/* The same helper may wait where no section is. */
void *note_early(unsigned long addr)
{
	return note_entry(addr, GFP_KERNEL);
}

static int visit(struct folio *folio, bool wait)
{
	if (wait)
		folio_lock(folio);
	else if (!folio_trylock(folio))
		return -EAGAIN;
	folio_unlock(folio);
	return 0;
}

int visit_table(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr)
{
	struct folio *folio;
	spinlock_t *ptl;
	pte_t *pte;
	int err = 0;

	pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);
	if (!pte)
		return 0;
	lazy_mmu_mode_enable();
	folio = vm_normal_folio(vma, addr, ptep_get(pte));
	if (folio)
		err = visit(folio, false);
	set_pte(pte, pte_mkold(ptep_get(pte)));
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
	return err;
}

int visit_early(struct folio *folio)
{
	return visit(folio, true);
}

/* Dropping another lock than that of a page table is nobody's business. */
void count_table(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, spinlock_t *stats)
{
	spinlock_t *ptl;
	pte_t *pte;

	pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
	if (!pte)
		return;
	lazy_mmu_mode_enable();
	set_pte(pte, pte_wrprotect(ptep_get(pte)));
	spin_lock(stats);
	this_cpu_write(hot_entries, addr);
	spin_unlock(stats);
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
}
