/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _ASM_GENERIC_PERCPU_H
#define _ASM_GENERIC_PERCPU_H

unsigned long my_cpu_offset(void);
#define arch_this_cpu_ptr(ptr)	((typeof(ptr))((char *)(ptr) + my_cpu_offset()))

#endif
