// SPDX-License-Identifier: GPL-2.0-or-later
/* Copies the entries of a range to a child, and counts what it copied. */
#include <linux/mm.h>

#define MM_PAGES 0
#define MM_SLOTS 1
#define NR_MM_COUNTERS 2

static inline void begin_counts(int *counts)
{
	memset(counts, 0, sizeof(int) * NR_MM_COUNTERS);
}

static inline void end_counts(struct mm_struct *mm, int *counts)
{
	int i;

	for (i = 0; i < NR_MM_COUNTERS; i++)
		if (counts[i])
			add_mm_counter(mm, i, counts[i]);
}

static int copy_pte_range(struct vm_area_struct *dst_vma, struct vm_area_struct *src_vma,
			  pmd_t *dst_pmd, pmd_t *src_pmd, unsigned long addr,
			  unsigned long end)
{
	struct mm_struct *dst_mm = dst_vma->vm_mm;
	struct mm_struct *src_mm = src_vma->vm_mm;
	spinlock_t *src_ptl, *dst_ptl;
	pte_t *src_pte, *dst_pte, pte;
	int counts[NR_MM_COUNTERS];

	begin_counts(counts);
	dst_pte = pte_alloc_map_lock(dst_mm, dst_pmd, addr, &dst_ptl);
	if (!dst_pte)
		return -ENOMEM;
	src_pte = pte_offset_map_nolock(src_mm, src_pmd, addr, &src_ptl);
	if (!src_pte) {
		pte_unmap_unlock(dst_pte, dst_ptl);
		return 0;
	}
	spin_lock_nested(src_ptl, SINGLE_DEPTH_NESTING);
	lazy_mmu_mode_enable();
	for (; addr != end; src_pte++, dst_pte++, addr += PAGE_SIZE) {
		pte = ptep_get(src_pte);
		if (!pte_present(pte))
			continue;
		if (vma_is_cow_mapping(src_vma) && pte_write(pte)) {
			ptep_set_wrprotect(src_mm, addr, src_pte);
			pte = pte_wrprotect(pte);
		}
		if (src_vma->vm_flags & VM_SHARED)
			pte = pte_mkclean(pte);
		set_pte_at(dst_mm, addr, dst_pte, pte_mkold(pte));
		counts[MM_PAGES]++;
	}
	lazy_mmu_mode_disable();
	end_counts(dst_mm, counts);
	pte_unmap_unlock(src_pte - 1, src_ptl);
	pte_unmap_unlock(dst_pte - 1, dst_ptl);
	cond_resched();
	return 0;
}

int copy_page_range(struct vm_area_struct *dst_vma, struct vm_area_struct *src_vma,
		    pmd_t *dst, pmd_t *src, unsigned long addr)
{
	return copy_pte_range(dst_vma, src_vma, dst, src, addr, addr + PAGE_SIZE);
}
