// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/sched.h>
#include <linux/mm.h>

#ifndef arch_start_context_switch
#define arch_start_context_switch(prev)	do {} while (0)
#define arch_end_context_switch(next)	do {} while (0)
#endif

struct task_struct *pick_next_task(void);
void switch_to(struct task_struct *prev, struct task_struct *next);

static void context_switch(struct task_struct *prev, struct task_struct *next)
{
	arch_start_context_switch(prev);
	switch_to(prev, next);
	arch_end_context_switch(next);
}

void schedule(void)
{
	struct task_struct *prev = current;
	struct task_struct *next = pick_next_task();

	if (prev != next)
		context_switch(prev, next);
}

int __cond_resched(void)
{
	if (!need_resched())
		return 0;
	schedule();
	return 1;
}
