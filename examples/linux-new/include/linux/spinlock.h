/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _LINUX_SPINLOCK_H
#define _LINUX_SPINLOCK_H

#include <linux/preempt.h>
#include <linux/cleanup.h>

typedef struct spinlock {
	unsigned int word;
} spinlock_t;

void _raw_spin_lock(spinlock_t *lock);
void _raw_spin_unlock(spinlock_t *lock);
int _raw_spin_trylock(spinlock_t *lock);

static inline void spin_lock_init(spinlock_t *lock)
{
	lock->word = 0;
}

static inline void spin_lock(spinlock_t *lock)
{
	_raw_spin_lock(lock);
}

static inline void spin_unlock(spinlock_t *lock)
{
	_raw_spin_unlock(lock);
}

static inline int spin_trylock(spinlock_t *lock)
{
	return _raw_spin_trylock(lock);
}

static inline void spin_lock_bh(spinlock_t *lock)
{
	local_bh_disable();
	_raw_spin_lock(lock);
}

static inline void spin_unlock_bh(spinlock_t *lock)
{
	_raw_spin_unlock(lock);
	local_bh_enable();
}

#define spin_lock_nested(lock, subclass)	spin_lock(lock)
#define lockdep_assert_held(lock)		do { (void)(lock); } while (0)
#define SINGLE_DEPTH_NESTING	1

DEFINE_LOCK_GUARD_1(spinlock, spinlock_t, spin_lock(_T->lock), spin_unlock(_T->lock))

#endif
