// SPDX-License-Identifier: GPL-2.0-or-later
/* Wrong: handlers run on top of whatever task the processor had, section or not. */
#include <linux/interrupt.h>
#include <linux/mm.h>

struct window {
	pte_t *pte;
	struct timer_list timer;
	struct tasklet_struct tasklet;
};

static void close_window(struct window *window)
{
	arch_enter_lazy_mmu_mode();	/* expect: section-in-interrupt */
	ptep_get_and_clear(&init_mm, 0, window->pte);
	arch_leave_lazy_mmu_mode();
}

static irqreturn_t window_irq(int irq, void *dev)
{
	struct window *window = dev;

	close_window(window);
	return IRQ_HANDLED;
}

static void window_timer(struct timer_list *timer)
{
	arch_enter_lazy_mmu_mode();	/* expect: section-in-interrupt */
	arch_leave_lazy_mmu_mode();
}

/* Right: an update in a handler, without a section, takes effect at once. */
static void window_tasklet(struct tasklet_struct *tasklet)
{
	flush_tlb_kernel_range(0, PAGE_SIZE);
}

int open_window(struct window *window, unsigned int irq)
{
	timer_setup(&window->timer, window_timer, 0);
	tasklet_setup(&window->tasklet, window_tasklet);
	return request_irq(irq, window_irq, 0, "window", window);
}
