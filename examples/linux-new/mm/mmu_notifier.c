// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/mmu_notifier.h>
#include <linux/kernel.h>

void tell_secondary_mmus(struct mm_struct *mm, unsigned long start, unsigned long end, bool on);

void mmu_range_change_start(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	might_sleep();
	tell_secondary_mmus(mm, start, end, true);
}

void mmu_range_change_end(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	tell_secondary_mmus(mm, start, end, false);
}
