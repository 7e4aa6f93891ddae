/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _LINUX_HUGE_MM_H
#define _LINUX_HUGE_MM_H

#include <linux/mm.h>

#ifdef CONFIG_TRANSPARENT_HUGEPAGE
void break_huge_pmd(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr);

static inline spinlock_t *pmd_trans_huge_lock(pmd_t *pmd, struct vm_area_struct *vma)
{
	spinlock_t *ptl;

	if (!pmd_trans_huge(pmdp_get(pmd)))
		return NULL;
	ptl = pmd_lock(vma->vm_mm, pmd);
	if (likely(pmd_trans_huge(pmdp_get(pmd))))
		return ptl;
	spin_unlock(ptl);
	return NULL;
}
#else
static inline void break_huge_pmd(struct vm_area_struct *vma, pmd_t *pmd,
				  unsigned long addr) {}

static inline spinlock_t *pmd_trans_huge_lock(pmd_t *pmd, struct vm_area_struct *vma)
{
	return NULL;
}
#endif

#endif
