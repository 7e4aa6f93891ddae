/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _LINUX_MMU_NOTIFIER_H
#define _LINUX_MMU_NOTIFIER_H

#include <linux/mm_types.h>

#ifdef CONFIG_MMU_NOTIFIER
void mmu_range_change_start(struct mm_struct *mm, unsigned long start, unsigned long end);
void mmu_range_change_end(struct mm_struct *mm, unsigned long start, unsigned long end);
#else
static inline void mmu_range_change_start(struct mm_struct *mm, unsigned long start,
					  unsigned long end) {}
static inline void mmu_range_change_end(struct mm_struct *mm, unsigned long start,
					unsigned long end) {}
#endif

#endif
