// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Right here, wrong elsewhere: this architecture's mode does not pin the task, so its
 * own code may wait in a section. Code under arch/ is held to its own row.
 */
#include <linux/mm.h>

static struct mutex split_mutex;

static int split_entry(pmd_t *pmd, unsigned long addr)
{
	struct page *table = alloc_page(GFP_KERNEL | __GFP_ZERO);

	if (!table)
		return -ENOMEM;
	set_pmd(pmd, __pmd((unsigned long)table));
	return 0;
}

int split_kernel_entry(pmd_t *pmd, unsigned long start, unsigned long end)
{
	int err;

	mutex_lock(&split_mutex);
	lazy_mmu_mode_enable();	/* expect: preempted-in-section arm64 */
	err = split_entry(pmd, start);
	if (!err && end != start + PMD_SIZE)
		err = split_entry(pmd + 1, end);
	lazy_mmu_mode_disable();
	mutex_unlock(&split_mutex);
	return err;
}
