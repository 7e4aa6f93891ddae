/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _LINUX_SCHED_H
#define _LINUX_SCHED_H

#include <linux/kernel.h>
#include <linux/preempt.h>

struct mm_struct;

struct lazy_mmu_state {
	u8 enable_count;
	u8 pause_count;
};

struct task_struct {
	unsigned long flags;
	struct mm_struct *mm;
	struct mm_struct *active_mm;
#ifdef CONFIG_ARCH_HAS_LAZY_MMU_MODE
	struct lazy_mmu_state lazy_mmu_state;
#endif
};

struct task_struct *get_current(void);
#define current	get_current()

void schedule(void);
int need_resched(void);
int __cond_resched(void);
#define cond_resched()	({ might_sleep(); __cond_resched(); })

#ifdef CONFIG_ARCH_HAS_LAZY_MMU_MODE
/* For implementations: whether the mode is on for a task, as far as its counters tell. */
static inline bool __task_lazy_mmu_mode_active(struct task_struct *task)
{
	return task->lazy_mmu_state.enable_count && !task->lazy_mmu_state.pause_count;
}

static inline bool is_lazy_mmu_mode_active(void)
{
	return !in_interrupt() && __task_lazy_mmu_mode_active(current);
}
#endif

int test_and_set_thread_flag(int flag);
int test_and_clear_thread_flag(int flag);

#endif
