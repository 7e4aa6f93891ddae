/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _LINUX_PERCPU_H
#define _LINUX_PERCPU_H

#include <linux/preempt.h>
#include <asm/percpu.h>

#define DECLARE_PER_CPU(type, name)	extern __percpu __typeof__(type) name
#define DEFINE_PER_CPU(type, name)	__percpu __typeof__(type) name

#define this_cpu_ptr(ptr)		arch_this_cpu_ptr(ptr)
#define this_cpu_read(var)		(*arch_this_cpu_ptr(&(var)))
#define this_cpu_write(var, val)	(*arch_this_cpu_ptr(&(var)) = (val))

#define get_cpu_var(var)	(*({ preempt_disable(); this_cpu_ptr(&var); }))
#define put_cpu_var(var)	do { (void)&(var); preempt_enable(); } while (0)

#endif
