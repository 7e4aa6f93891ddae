/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _LINUX_SCHED_H
#define _LINUX_SCHED_H

#include <linux/kernel.h>
#include <linux/preempt.h>

struct mm_struct;

struct task_struct {
	unsigned long flags;
	struct mm_struct *mm;
	struct mm_struct *active_mm;
};

struct task_struct *get_current(void);
#define current	get_current()

void schedule(void);
int need_resched(void);
int __cond_resched(void);
#define cond_resched()	({ might_sleep(); __cond_resched(); })

#define TIF_LAZY_MMU_UPDATES	27
void set_ti_thread_flag(struct task_struct *task, int flag);
int test_and_clear_ti_thread_flag(struct task_struct *task, int flag);

#endif
