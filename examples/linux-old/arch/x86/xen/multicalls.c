// SPDX-License-Identifier: GPL-2.0-or-later
/* The queue of calls that the hypervisor is asked to do at one go. */
#include <linux/kernel.h>
#include <linux/percpu.h>
#include <asm/xen/hypervisor.h>

#define QUEUE_SIZE	32

struct call_queue {
	unsigned int used;
	struct mmu_update calls[QUEUE_SIZE];
};

static DEFINE_PER_CPU(struct call_queue, call_queue);

void hypercall(struct call_queue *queue);

void xen_mc_flush(void)
{
	struct call_queue *queue;
	unsigned long flags;

	local_irq_save(flags);
	queue = this_cpu_ptr(&call_queue);
	if (queue->used)
		hypercall(queue);
	queue->used = 0;
	local_irq_restore(flags);
}

/* Interrupts are off. */
void xen_extend_mmu_update(const struct mmu_update *u)
{
	struct call_queue *queue = this_cpu_ptr(&call_queue);

	if (queue->used == QUEUE_SIZE)
		xen_mc_flush();
	queue->calls[queue->used] = *u;
	queue->used++;
}
