// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/spinlock.h>

int try_word(unsigned int *word);
void clear_word(unsigned int *word);

void _raw_spin_lock(spinlock_t *lock)
{
	preempt_disable();
	while (!try_word(&lock->word))
		;
}

int _raw_spin_trylock(spinlock_t *lock)
{
	preempt_disable();
	if (try_word(&lock->word))
		return 1;
	preempt_enable();
	return 0;
}

void _raw_spin_unlock(spinlock_t *lock)
{
	clear_word(&lock->word);
	preempt_enable();
}
