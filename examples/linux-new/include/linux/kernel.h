/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _LINUX_KERNEL_H
#define _LINUX_KERNEL_H

#include <linux/types.h>

#define EAGAIN	11
#define ENOMEM	12
#define EBUSY	16
#define EINVAL	22

#define min(a, b)	((a) < (b) ? (a) : (b))

void panic(const char *why, ...);
int printk(const char *format, ...);
#define pr_warn(format, ...)	printk(format, ##__VA_ARGS__)

#define BUG_ON(condition) do {			\
	if (unlikely(condition))		\
		panic("bug");			\
} while (0)

#define WARN_ON_ONCE(condition) ({		\
	int __warn = !!(condition);		\
	if (unlikely(__warn))			\
		printk("warning");		\
	unlikely(__warn);			\
})

#ifdef CONFIG_DEBUG_ATOMIC_SLEEP
void __might_sleep(const char *file, int line);
#define might_sleep()	__might_sleep(__FILE__, __LINE__)
#else
#define might_sleep()	do { } while (0)
#endif
#define might_sleep_if(condition) do {		\
	if (condition)				\
		might_sleep();			\
} while (0)

#endif
