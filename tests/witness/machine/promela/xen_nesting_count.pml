/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xen-preempted-at-depth-two on Linux 6.12.8 as a Xen PV guest, one CPU, full preemption, from
 *
 *	arch/x86/include/asm/xen/hypervisor.h	enter_lazy(), leave_lazy()
 *	arch/x86/xen/mmu_pv.c			xen_leave_lazy_mmu(), xen_batched_set_pte()
 *	arch/x86/xen/enlighten_pv.c		xen_start_context_switch(), xen_end_context_switch()
 *	kernel/sched/core.c			context_switch()
 *
 * T0 updates an entry of a kernel mapping by set_ptes() (which has a section of its own in v6.6 to
 * v6.14) inside the section of apply_to_pte_range(); T1 offers to yield; both end.
 *
 * A state is: the two places, whether a task has offered to yield or is dead, who runs, the CPU's
 * mode and nesting, each task's TIF_LAZY_MMU_UPDATES, whether the store waits in the multicall
 * queue, and whether it is in memory.
 */
#include "kernel.h"

#define NONE	0	/* enum xen_lazy_mode */
#define MMU	1
#define CPU	2

#define T0	0
#define T1	1
#define IDLE	2

#define OFFERS	1
#define DEAD	2

byte curr = T0;
byte pc[2];
byte status[3];			/* 0: runs, or waits for the CPU */
byte xen_lazy_mode = NONE;
byte xen_lazy_nesting;
bit TIF_LAZY_MMU_UPDATES[3];
bit queued;			/* mmu_update of p in the multicall queue */
bit stored;			/* p = A */

inline reset()
{
	if
	:: panicked ->
		curr = 0; pc[0] = 0; pc[1] = 0; status[0] = 0; status[1] = 0;
		xen_lazy_mode = 0; xen_lazy_nesting = 0; queued = 0; stored = 0;
		TIF_LAZY_MMU_UPDATES[0] = 0; TIF_LAZY_MMU_UPDATES[1] = 0;
		TIF_LAZY_MMU_UPDATES[2] = 0
	:: else
	fi
}

inline enter_lazy(mode)
{
	if
	:: xen_lazy_mode == mode -> xen_lazy_nesting++
	:: else ->
		BUG_ON(xen_lazy_mode != NONE);
		xen_lazy_mode = mode
	fi
}

inline leave_lazy(mode)
{
	BUG_ON(xen_lazy_mode != mode);
	if
	:: xen_lazy_nesting == 0 -> xen_lazy_mode = NONE
	:: else -> xen_lazy_nesting--
	fi
}

inline xen_mc_flush()
{
	if
	:: queued -> queued = 0; stored = 1
	:: else
	fi
}

inline context_switch(next)
{
	/* xen_start_context_switch(prev) */
	if
	:: xen_lazy_mode == MMU ->
		xen_mc_flush();
		leave_lazy(MMU);
		TIF_LAZY_MMU_UPDATES[curr] = 1
	:: else
	fi;
	enter_lazy(CPU);
	/* xen_end_context_switch(next) */
	xen_mc_flush();
	leave_lazy(CPU);
	if
	:: TIF_LAZY_MMU_UPDATES[next] -> TIF_LAZY_MMU_UPDATES[next] = 0; enter_lazy(MMU)
	:: else
	fi;
	if
	:: status[curr] == OFFERS -> status[curr] = 0
	:: else
	fi;
	curr = next
}

#define runs(t, place)	(!panicked && curr == t && pc[t] == place)
#define waits(t)	(curr != t && status[t] != DEAD)
#define comes(t)	(t == IDLE -> !waits(T0) && !waits(T1) && curr != IDLE : waits(t))
#define goes_itself	(curr == IDLE || status[curr] == OFFERS || status[curr] == DEAD)

active proctype machine()
{
end:	do
	/* T0 */
	:: d_step { runs(T0, 0) -> enter_lazy(MMU); pc[T0] = 1; reset() }
	:: d_step { runs(T0, 1) -> enter_lazy(MMU); pc[T0] = 2; reset() }
	/* xen_batched_set_pte() asks with interrupts on */
	:: d_step { runs(T0, 2) -> pc[T0] = (xen_lazy_mode == MMU -> 3 : 4) }
	:: d_step { runs(T0, 3) ->
		queued = 1;
		if
		:: xen_lazy_mode != MMU -> xen_mc_flush()	/* xen_mc_issue() */
		:: else
		fi;
		pc[T0] = 5 }
	:: d_step { runs(T0, 4) -> stored = 1; pc[T0] = 5 }
	:: d_step { runs(T0, 5) -> xen_mc_flush(); leave_lazy(MMU); pc[T0] = 6; reset() }
	:: d_step { runs(T0, 6) -> xen_mc_flush(); leave_lazy(MMU); pc[T0] = 7; reset() }
	:: d_step { runs(T0, 7) -> status[T0] = DEAD; pc[T0] = 8 }
	/* T1: cond_resched(), which returns with or without a switch */
	:: d_step { runs(T1, 0) -> status[T1] = OFFERS; pc[T1] = 1 }
	:: d_step { runs(T1, 1) -> status[T1] = 0; pc[T1] = 2 }
	:: d_step { runs(T1, 2) -> status[T1] = DEAD; pc[T1] = 3 }
	/* the scheduler */
	:: d_step { !panicked && goes_itself && comes(T0) -> context_switch(T0); reset() }
	:: d_step { !panicked && goes_itself && comes(T1) -> context_switch(T1); reset() }
	:: d_step { !panicked && goes_itself && comes(IDLE) -> context_switch(IDLE); reset() }
	:: d_step { !panicked && !goes_itself && may_preempt && comes(T0) ->
		pay; context_switch(T0); reset() }
	:: d_step { !panicked && !goes_itself && may_preempt && comes(T1) ->
		pay; context_switch(T1); reset() }
	:: d_step { !panicked && !goes_itself && may_preempt && comes(IDLE) ->
		pay; context_switch(IDLE); reset() }
	od
}
