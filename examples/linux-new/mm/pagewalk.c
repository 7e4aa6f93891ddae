// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/pagewalk.h>

static int walk_tables(unsigned long addr, unsigned long end, struct mm_walk *walk)
{
	const struct mm_walk_ops *ops = walk->ops;
	unsigned long next;
	int err = 0;

	for (; addr < end && !err; addr = next) {
		pmd_t *pmd = pmd_offset_of(pgd_offset(walk->mm, addr), addr);

		next = pmd_addr_end(addr, end);
		if (pmd_none(pmdp_get(pmd))) {
			if (ops->pte_hole)
				err = ops->pte_hole(addr, next, 1, walk);
			continue;
		}
		if (ops->pmd_entry)
			err = ops->pmd_entry(pmd, addr, next, walk);
	}
	return err;
}

int walk_page_range(struct mm_struct *mm, unsigned long start, unsigned long end,
		    const struct mm_walk_ops *ops, void *private)
{
	struct mm_walk walk = {
		.ops = ops,
		.mm = mm,
		.private = private,
	};

	return walk_tables(start, end, &walk);
}
