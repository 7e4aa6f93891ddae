/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _LINUX_PREEMPT_H
#define _LINUX_PREEMPT_H

#include <linux/kernel.h>

void preempt_count_add(int value);
void preempt_count_sub(int value);
int preempt_count(void);

#define HARDIRQ_MASK	0x000f0000
#define SOFTIRQ_MASK	0x0000ff00
#define in_interrupt()	(preempt_count() & (HARDIRQ_MASK | SOFTIRQ_MASK))

#define preempt_disable()	preempt_count_add(1)
#define preempt_enable()	preempt_count_sub(1)

void local_bh_disable(void);
void local_bh_enable(void);
unsigned long raw_irq_save(void);
void raw_irq_restore(unsigned long flags);
#define local_irq_save(flags)		do { flags = raw_irq_save(); } while (0)
#define local_irq_restore(flags)	raw_irq_restore(flags)

#endif
