// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/interrupt.h>

struct action {
	irq_handler_t handler;
	void *dev;
};

static struct action actions[64];

int request_irq(unsigned int irq, irq_handler_t handler, unsigned long flags,
		const char *name, void *dev)
{
	if (irq >= 64)
		return -EINVAL;
	actions[irq].handler = handler;
	actions[irq].dev = dev;
	return 0;
}

void init_timer_key(struct timer_list *timer, void (*fn)(struct timer_list *))
{
	timer->function = fn;
}

void tasklet_setup(struct tasklet_struct *t, void (*callback)(struct tasklet_struct *))
{
	t->callback = callback;
}
