// SPDX-License-Identifier: GPL-2.0-or-later
/* Right in this dialect: in an interrupt the mode is off and its calls have no effect. */
#include <linux/interrupt.h>
#include <linux/mm.h>

struct window {
	pte_t *pte;
	struct timer_list timer;
};

static void close_window(struct window *window)
{
	lazy_mmu_mode_enable();
	ptep_get_and_clear(&init_mm, 0, window->pte);
	lazy_mmu_mode_disable();
}

static irqreturn_t window_irq(int irq, void *dev)
{
	close_window(dev);
	return IRQ_HANDLED;
}

static void window_timer(struct timer_list *timer)
{
	lazy_mmu_mode_enable();
	lazy_mmu_mode_disable();
}

int open_window(struct window *window, unsigned int irq)
{
	timer_setup(&window->timer, window_timer, 0);
	return request_irq(irq, window_irq, 0, "window", window);
}
