/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _LINUX_MM_H
#define _LINUX_MM_H

#include <linux/sched.h>
#include <linux/gfp.h>
#include <linux/mm_types.h>
#include <linux/pgtable.h>
#include <asm/tlbflush.h>
#include <asm/tlb.h>

typedef int (*pte_fn_t)(pte_t *pte, unsigned long addr, void *data);

int apply_to_page_range(struct mm_struct *mm, unsigned long addr,
			unsigned long size, pte_fn_t fn, void *data);
int apply_to_existing_page_range(struct mm_struct *mm, unsigned long addr,
				 unsigned long size, pte_fn_t fn, void *data);

spinlock_t *pte_lockptr(struct mm_struct *mm, pmd_t *pmd);
spinlock_t *pmd_lockptr(struct mm_struct *mm, pmd_t *pmd);

static inline spinlock_t *pmd_lock(struct mm_struct *mm, pmd_t *pmd)
{
	spinlock_t *ptl = pmd_lockptr(mm, pmd);

	spin_lock(ptl);
	return ptl;
}

pte_t *__pte_offset_map(pmd_t *pmd, unsigned long addr);
static inline pte_t *pte_offset_map(pmd_t *pmd, unsigned long addr)
{
	return __pte_offset_map(pmd, addr);
}

#define pte_unmap(pte)	do { (void)(pte); } while (0)

pte_t *pte_offset_map_lock(struct mm_struct *mm, pmd_t *pmd,
			   unsigned long addr, spinlock_t **ptlp);
pte_t *pte_offset_map_nolock(struct mm_struct *mm, pmd_t *pmd,
			     unsigned long addr, spinlock_t **ptlp);

#define pte_unmap_unlock(pte, ptl) do {		\
	spin_unlock(ptl);			\
	pte_unmap(pte);				\
} while (0)

int __pte_alloc(struct mm_struct *mm, pmd_t *pmd);
#define pte_alloc(mm, pmd)	(unlikely(pmd_none(pmdp_get(pmd))) && __pte_alloc(mm, pmd))
#define pte_alloc_map_lock(mm, pmd, addr, ptlp) \
	(pte_alloc(mm, pmd) ? NULL : pte_offset_map_lock(mm, pmd, addr, ptlp))

struct page *pfn_to_page(unsigned long pfn);
struct page *pte_page(pte_t pte);
struct folio *page_folio(struct page *page);
struct folio *vm_normal_folio(struct vm_area_struct *vma, unsigned long addr, pte_t pte);

static inline unsigned int folio_order(struct folio *folio)
{
	return folio->order;
}

int folio_trylock(struct folio *folio);
void folio_lock(struct folio *folio);
void folio_unlock(struct folio *folio);
void folio_get(struct folio *folio);
void folio_put(struct folio *folio);
void put_page(struct page *page);
void folio_dup_rmap(struct folio *folio);
void folio_remove_rmap(struct folio *folio);

/* Breaks a large folio into pages; may wait for others that use it. */
int divide_folio(struct folio *folio);

#endif
