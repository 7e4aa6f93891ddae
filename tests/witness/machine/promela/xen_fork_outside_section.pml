/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fork-outside-section on Linux 7.3.4 as a Xen PV guest, one CPU, full preemption, from
 *
 *	include/linux/pgtable.h		lazy_mmu_mode_enable(), lazy_mmu_mode_disable(),
 *					__task_lazy_mmu_mode_pause(), __task_lazy_mmu_mode_resume()
 *	arch/x86/include/asm/paravirt.h	arch_enter_lazy_mmu_mode(), arch_leave_lazy_mmu_mode()
 *	arch/x86/xen/mmu_pv.c		xen_flush_lazy_mmu(), xen_batched_set_pte()
 *	arch/x86/xen/enlighten_pv.c	xen_start_context_switch(), xen_end_context_switch()
 *	kernel/fork.c			dup_task_struct()
 *	arch/x86/kernel/process_64.c	__switch_to(), which a new task runs as well
 *
 * A task forks with the mode off.  Whoever has been switched out has a pause too many, which the
 * switch back takes away; the child is a copy of a task that runs and has none.
 *
 * A state is: the two places (which say who is dead or not born), whether T0 sleeps, who runs, all
 * counts, whether the store waits in the multicall queue, and whether it is in memory.
 */
#include "kernel.h"

#define T0	0
#define C	1
#define IDLE	2

#define UNBORN	9	/* the child's place before the fork */

byte curr = T0;
byte pc[2] = { 0, UNBORN };
bit blocked;			/* T0 is about to sleep */
byte enable_count[2];
byte pause_count[3] = { 0, 0, 1 };	/* idle has been switched out */
bit queued;
bit stored;			/* p = A */

#define active(t)	(enable_count[t] > 0 && pause_count[t] == 0)

inline xen_mc_flush()
{
	if
	:: queued -> queued = 0; stored = 1
	:: else
	fi
}

inline context_switch(next)
{
	/* xen_start_context_switch(prev): __task_lazy_mmu_mode_pause(prev) */
	pause_count[curr]++;
	if
	:: curr != IDLE && pause_count[curr] == 1 && enable_count[curr] > 0 -> xen_mc_flush()
	:: else
	fi;
	/* xen_end_context_switch(next): __task_lazy_mmu_mode_resume(next) */
	xen_mc_flush();
	NEVER(pause_count[next] == 0);	/* VM_WARN_ON_ONCE() */
	pause_count[next]--;		/* a u8 */
	if
	:: curr == T0 -> blocked = 0	/* it wakes up some time later */
	:: else
	fi;
	curr = next
}

#define runs(t, place)	(curr == t && pc[t] == place)
#define waits(t)	(curr != t && (t == T0 -> pc[T0] != 7 : pc[C] != 7 && pc[C] != UNBORN))
#define idles		(curr != IDLE && !waits(T0) && !waits(C))
#define goes_itself	(curr == IDLE || curr == T0 && blocked || pc[curr] == 7)

inline lazy_mmu_mode_enable(t)
{
	if
	:: pause_count[t] == 0 -> enable_count[t]++	/* arch_enter_lazy_mmu_mode() is empty */
	:: else
	fi
}

/* Goes on at `leave` for the architecture's flush, or at `over` where the call does nothing. */
inline lazy_mmu_mode_disable(t, leave, over)
{
	if
	:: pause_count[t] == 0 -> enable_count[t]--; pc[t] = leave
	:: else -> pc[t] = over
	fi
}

active proctype machine()
{
end:	do
	:: d_step { runs(T0, 0) -> lazy_mmu_mode_enable(T0); pc[T0] = 1 }
	:: d_step { runs(T0, 1) -> lazy_mmu_mode_disable(T0, 2, 3); skip }
	:: d_step { runs(T0, 2) -> xen_mc_flush(); pc[T0] = 3 }
	:: d_step { runs(T0, 3) ->
		enable_count[C] = enable_count[T0]; pause_count[C] = pause_count[T0];
		pc[C] = 0; pc[T0] = 4 }
	:: d_step { runs(T0, 4) -> blocked = 1; pc[T0] = 5 }
	:: d_step { runs(T0, 5) && !blocked -> pc[T0] = 6 }
	:: d_step { runs(T0, 6) -> pc[T0] = 7 }

	:: d_step { runs(C, 0) -> lazy_mmu_mode_enable(C); pc[C] = 1 }
	:: d_step { runs(C, 1) -> pc[C] = (active(C) -> 2 : 3) }	/* xen_batched_set_pte() */
	:: d_step { runs(C, 2) ->
		queued = 1;
		if
		:: !active(C) -> xen_mc_flush()
		:: else
		fi;
		pc[C] = 4 }
	:: d_step { runs(C, 3) -> stored = 1; pc[C] = 4 }
	:: d_step { runs(C, 4) -> lazy_mmu_mode_disable(C, 5, 6); skip }
	:: d_step { runs(C, 5) -> xen_mc_flush(); pc[C] = 6 }
	:: d_step { runs(C, 6) -> pc[C] = 7 }

	:: d_step { goes_itself && waits(T0) -> context_switch(T0) }
	:: d_step { goes_itself && waits(C) -> context_switch(C) }
	:: d_step { goes_itself && idles -> context_switch(IDLE) }
	:: d_step { !goes_itself && may_preempt && waits(T0) -> pay; context_switch(T0) }
	:: d_step { !goes_itself && may_preempt && waits(C) -> pay; context_switch(C) }
	:: d_step { !goes_itself && may_preempt && idles -> pay; context_switch(IDLE) }
	od
}
