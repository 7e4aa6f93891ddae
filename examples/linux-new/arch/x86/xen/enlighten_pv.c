// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Right: the mode belongs to the task, the state to the processor. The hooks of
 * the context switch carry it over, so one of them leaves a section that it did
 * not begin and the other returns with one begun. Neither is a lost section.
 */
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/mm.h>
#include <asm/xen/hypervisor.h>

DEFINE_PER_CPU(enum xen_lazy_mode, xen_lazy_mode) = XEN_LAZY_NONE;

static void xen_start_context_switch(struct task_struct *prev)
{
	if (this_cpu_read(xen_lazy_mode) == XEN_LAZY_MMU)
		arch_leave_lazy_mmu_mode();
	enter_lazy(XEN_LAZY_CPU);
}

static void xen_end_context_switch(struct task_struct *next)
{
	xen_mc_flush();
	leave_lazy(XEN_LAZY_CPU);
	if (__task_lazy_mmu_mode_active(next))
		arch_enter_lazy_mmu_mode();
}

static const typeof(pv_ops) xen_cpu_ops = {
	.cpu = {
		.start_context_switch = xen_start_context_switch,
		.end_context_switch = xen_end_context_switch,
	},
};

void __init xen_init_cpu_ops(void)
{
	pv_ops.cpu = xen_cpu_ops.cpu;
}
