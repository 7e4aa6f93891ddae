/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _LINUX_CLEANUP_H
#define _LINUX_CLEANUP_H

#include <linux/compiler.h>

/* A lock that the compiler drops wherever the scope of its guard ends. */
#define DEFINE_LOCK_GUARD(name, type, take, drop)			\
static inline void guard_drop_##name(type **lock)			\
{									\
	drop(*lock);							\
}									\
static inline type *guard_take_##name(type *lock)			\
{									\
	take(lock);							\
	return lock;							\
}

#define guard(name)	guard_variable_##name

#define scoped_guard(name, lock) \
	for (int once = (guard_take_##name(lock), 1); once; once = (guard_drop_##name(&(lock)), 0))

#endif
