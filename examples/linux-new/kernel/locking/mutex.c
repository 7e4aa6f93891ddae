// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/mutex.h>
#include <linux/sched.h>

void mutex_lock(struct mutex *lock)
{
	might_sleep();
	while (!mutex_trylock(lock))
		schedule();
}

void down_read(struct rw_semaphore *sem)
{
	might_sleep();
	while (sem->count.counter < 0)
		schedule();
	sem->count.counter++;
}

void down_write(struct rw_semaphore *sem)
{
	might_sleep();
	while (sem->count.counter)
		schedule();
	sem->count.counter = -1;
}
