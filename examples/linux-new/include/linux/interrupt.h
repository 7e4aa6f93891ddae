/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _LINUX_INTERRUPT_H
#define _LINUX_INTERRUPT_H

#include <linux/kernel.h>

typedef int irqreturn_t;
#define IRQ_NONE	0
#define IRQ_HANDLED	1

typedef irqreturn_t (*irq_handler_t)(int irq, void *dev);

int request_irq(unsigned int irq, irq_handler_t handler, unsigned long flags,
		const char *name, void *dev);

struct timer_list {
	void (*function)(struct timer_list *timer);
	unsigned long expires;
};

void init_timer_key(struct timer_list *timer, void (*fn)(struct timer_list *));
#define timer_setup(timer, callback, flags)	init_timer_key((timer), (callback))

struct tasklet_struct {
	void (*callback)(struct tasklet_struct *t);
};

void tasklet_setup(struct tasklet_struct *t, void (*callback)(struct tasklet_struct *));

#endif
