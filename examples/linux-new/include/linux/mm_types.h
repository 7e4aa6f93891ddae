/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _LINUX_MM_TYPES_H
#define _LINUX_MM_TYPES_H

#include <linux/bitops.h>
#include <linux/spinlock.h>
#include <linux/mutex.h>
#include <asm/page.h>

struct page {
	unsigned long flags;
	spinlock_t ptl;
	atomic_t refs;
};

struct folio {
	struct page page;
	unsigned int order;
};

struct mm_struct {
	pgd_t *pgd;
	spinlock_t page_table_lock;
	struct rw_semaphore mmap_lock;
	unsigned long context;
};

struct vm_area_struct {
	unsigned long vm_start;
	unsigned long vm_end;
	unsigned long vm_flags;
	pgprot_t vm_page_prot;
	struct mm_struct *vm_mm;
};

extern struct mm_struct init_mm;

#endif
