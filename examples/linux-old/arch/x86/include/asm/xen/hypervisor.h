/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _ASM_X86_XEN_HYPERVISOR_H
#define _ASM_X86_XEN_HYPERVISOR_H

#include <linux/percpu.h>

enum xen_lazy_mode {
	XEN_LAZY_NONE,
	XEN_LAZY_MMU,
	XEN_LAZY_CPU,
};

DECLARE_PER_CPU(enum xen_lazy_mode, xen_lazy_mode);

static inline void enter_lazy(enum xen_lazy_mode mode)
{
	BUG_ON(this_cpu_read(xen_lazy_mode) != XEN_LAZY_NONE);
	this_cpu_write(xen_lazy_mode, mode);
}

static inline void leave_lazy(enum xen_lazy_mode mode)
{
	BUG_ON(this_cpu_read(xen_lazy_mode) != mode);
	this_cpu_write(xen_lazy_mode, XEN_LAZY_NONE);
}

struct mmu_update {
	unsigned long ptr;
	unsigned long val;
};

enum xen_lazy_mode xen_get_lazy_mode(void);
void xen_mc_flush(void);
void xen_extend_mmu_update(const struct mmu_update *u);

#endif
