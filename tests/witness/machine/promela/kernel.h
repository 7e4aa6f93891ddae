/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the models in this directory share.  They were written by hand, from the kernel's code and
 * for the questions of one shipped scenario each; nothing of them comes from the Python machines.
 *
 * Each is one process with an option for each step that the kernel can take next.  A task's place
 * is pc[task]; whatever the kernel does with preemption or interrupts off, or in one instruction
 * that others can tell from the next one, is one d_step.
 *
 * spin -DPREEMPTIONS=n   a BUG, and what the scenario watches, is a failed assertion; at most n
 *                        involuntary switches.  The least n that fails is the counterexample's.
 * spin -DCOUNT           nothing is asserted and nothing bounded: Spin counts states.  All states
 *                        after a BUG count as one.
 */
#ifdef COUNT
#define may_preempt	true
#define pay		skip
#define BUG_ON(c)	if :: (c) -> panicked = 1 :: else fi
#define NEVER(c)	skip
#else
byte left = PREEMPTIONS;
#define may_preempt	(left > 0)
#define pay		left--
#define BUG_ON(c)	assert(!(c))
#define NEVER(c)	assert(!(c))
#endif

bit panicked;
