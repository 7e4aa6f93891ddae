# SPDX-License-Identifier: GPL-2.0-or-later
"""A table of functions that is handed to one that calls back, in a tree as a whole."""

from __future__ import annotations

from pathlib import Path

import lazymmu
from lazymmu.snapshot.tree import Tree

NEW = Path(__file__).parents[3] / "examples/linux-new"
BOTH = b"""
#include <linux/mm.h>
#include <linux/sched.h>

static int waits(pmd_t *pmd, unsigned long addr, unsigned long next, struct mm_walk *walk)
{
	cond_resched();
	return 0;
}

static int counts(unsigned long addr, unsigned long next, int depth, struct mm_walk *walk)
{
	return 0;
}

static const struct mm_walk_ops both_ops = {
	.pte_hole = counts,
	.pmd_entry = waits,
};

void look_at_both(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	lazy_mmu_mode_enable();
	walk_page_range(mm, start, end, &both_ops, NULL);
	lazy_mmu_mode_disable();
}
"""


def test_each_function_of_a_table_that_is_handed_on_may_be_called() -> None:
    """One table has several functions, and whichever of them sleeps does so in the section."""
    makefile = (NEW / "mm/Makefile").read_bytes() + b"obj-y += both.o\n"
    tree = Tree.open(NEW).over({"mm/both.c": BOTH, "mm/Makefile": makefile})
    result = lazymmu.check(tree, arches=["x86"])
    found = [(one.rule, one.function) for one in result.findings if one.file == "mm/both.c"]
    assert ("sleep-in-section", "look_at_both") in found
