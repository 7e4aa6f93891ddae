// SPDX-License-Identifier: GPL-2.0-or-later
/* Right: a test nests and pauses on purpose, and is balanced. */
#include <linux/mm.h>

void check_active(bool expected);

void test_counters(void)
{
	check_active(false);
	lazy_mmu_mode_enable();	/* expect: preempted-in-section x86 arm64 */
	check_active(true);
	lazy_mmu_mode_enable();
	check_active(true);
	lazy_mmu_mode_pause();
	check_active(false);
	lazy_mmu_mode_enable();
	lazy_mmu_mode_pause();
	lazy_mmu_mode_resume();
	lazy_mmu_mode_disable();
	check_active(false);
	lazy_mmu_mode_resume();
	check_active(true);
	lazy_mmu_mode_disable();
	check_active(true);
	lazy_mmu_mode_disable();
	check_active(false);
}
