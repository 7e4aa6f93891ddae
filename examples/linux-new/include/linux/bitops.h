/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _LINUX_BITOPS_H
#define _LINUX_BITOPS_H

void clear_bit(long nr, volatile unsigned long *addr);
int test_and_clear_bit(long nr, volatile unsigned long *addr);

#define xchg(ptr, value)	__atomic_exchange_n((ptr), (value), __ATOMIC_SEQ_CST)

#endif
