/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unlock-before-leave on Linux 6.12.8 as a Xen PV guest, two CPUs, full preemption, from
 *
 *	fs/proc/task_mmu.c			pagemap_scan_pmd_entry(), make_uffd_wp_pte()
 *	arch/x86/include/asm/xen/hypervisor.h	enter_lazy(), leave_lazy()
 *	arch/x86/xen/mmu_pv.c			xen_ptep_modify_prot_commit(), xen_leave_lazy_mmu(),
 *						xen_flush_tlb_multi()
 *	arch/x86/xen/xen-ops.h			xen_mc_batch(), xen_mc_issue()
 *	arch/x86/xen/enlighten_pv.c		xen_start_context_switch(), xen_end_context_switch()
 *
 * T0 scans the page map and write-protects an entry; T1 unmaps the page.  Both take the page-table
 * lock; T0 drops it before its section ends, so that its store may still wait in the queue of its
 * CPU when T1 clears the entry, and undo that.
 *
 * A state is: the two places (which say who has the lock, and who is dead), who runs on each CPU,
 * each CPU's mode, nesting and queue, each task's TIF_LAZY_MMU_UPDATES, and what is in memory.
 * Whoever waits for the lock has not begun to take it.
 */
#include "kernel.h"

#define NONE	0	/* enum xen_lazy_mode */
#define MMU	1
#define CPU	2

#define T0	0
#define T1	1
#define IDLE0	2	/* swapper/0 */
#define IDLE1	3
#define FREE	4

#define A	0	/* what the entry holds */
#define A_WP	1
#define CLEAR	2

byte curr[2] = { T0, T1 };
byte pc[2];
byte L = FREE;
byte xen_lazy_mode[2] = NONE;
byte xen_lazy_nesting[2];
bit TIF_LAZY_MMU_UPDATES[4];
bit queued[2];			/* mmu_update of p to A_WP */
bit queued_flush[2];		/* TLB flush, behind it */
byte stored = A;

#define dead(t)		(t == T0 && pc[T0] == 9 || t == T1 && pc[T1] == 6)
#define away(t)		(curr[0] != t && curr[1] != t && !dead(t))
#define is_idle(t)	(t == IDLE0 || t == IDLE1)

inline reset()
{
	if
	:: panicked ->
		curr[0] = 0; curr[1] = 0; pc[0] = 0; pc[1] = 0; L = 0; stored = 0;
		xen_lazy_mode[0] = 0; xen_lazy_mode[1] = 0;
		xen_lazy_nesting[0] = 0; xen_lazy_nesting[1] = 0;
		TIF_LAZY_MMU_UPDATES[0] = 0; TIF_LAZY_MMU_UPDATES[1] = 0;
		TIF_LAZY_MMU_UPDATES[2] = 0; TIF_LAZY_MMU_UPDATES[3] = 0;
		queued[0] = 0; queued[1] = 0; queued_flush[0] = 0; queued_flush[1] = 0
	:: else
	fi
}

inline enter_lazy(k, mode)
{
	if
	:: xen_lazy_mode[k] == mode -> xen_lazy_nesting[k]++
	:: else ->
		BUG_ON(xen_lazy_mode[k] != NONE);
		xen_lazy_mode[k] = mode
	fi
}

inline leave_lazy(k, mode)
{
	BUG_ON(xen_lazy_mode[k] != mode);
	if
	:: xen_lazy_nesting[k] == 0 -> xen_lazy_mode[k] = NONE
	:: else -> xen_lazy_nesting[k]--
	fi
}

inline xen_mc_flush(k)
{
	if
	:: queued[k] ->
		NEVER(pc[T1] > 1);	/* T1 has cleared the entry: its update is lost */
		queued[k] = 0;
		stored = A_WP
	:: else
	fi;
	queued_flush[k] = 0
}

inline xen_mc_issue(k)
{
	if
	:: xen_lazy_mode[k] != MMU -> xen_mc_flush(k)
	:: else
	fi
}

inline context_switch(k, next)
{
	/* xen_start_context_switch(prev) */
	if
	:: xen_lazy_mode[k] == MMU ->
		xen_mc_flush(k);
		leave_lazy(k, MMU);
		TIF_LAZY_MMU_UPDATES[curr[k]] = 1
	:: else
	fi;
	enter_lazy(k, CPU);
	/* xen_end_context_switch(next) */
	xen_mc_flush(k);
	leave_lazy(k, CPU);
	if
	:: TIF_LAZY_MMU_UPDATES[next] -> TIF_LAZY_MMU_UPDATES[next] = 0; enter_lazy(k, MMU)
	:: else
	fi;
	curr[k] = next
}

#define runs(c, t, place)	(!panicked && curr[c] == t && pc[t] == place)
#define goes_itself(c)		(is_idle(curr[c]) || dead(curr[c]))
#define preemptible(c)		(!goes_itself(c) && L != curr[c])
#define idles(c)		(!is_idle(curr[c]) && !away(T0) && !away(T1))

#define c _pid

active [2] proctype cpu()
{
end:	do
	/* T0: pagemap_scan_pmd_entry() */
	:: d_step { runs(c, T0, 0) -> enter_lazy(c, MMU); pc[T0] = 1; reset() }
	:: d_step { runs(c, T0, 1) && L == FREE -> L = T0; pc[T0] = 2 }
	:: d_step { runs(c, T0, 2) -> pc[T0] = (stored != CLEAR -> 3 : 6) }	/* ptep_get() */
	:: d_step { runs(c, T0, 3) -> pc[T0] = 4 }	/* ptep_modify_prot_start(): reads */
	:: d_step { runs(c, T0, 4) -> queued[c] = 1; xen_mc_issue(c); pc[T0] = 5 }
	:: d_step { runs(c, T0, 5) -> queued_flush[c] = 1; xen_mc_issue(c); pc[T0] = 6 }
	:: d_step { runs(c, T0, 6) -> L = FREE; pc[T0] = 7 }
	:: d_step { runs(c, T0, 7) -> xen_mc_flush(c); leave_lazy(c, MMU); pc[T0] = 8; reset() }
	:: d_step { runs(c, T0, 8) -> pc[T0] = 9 }
	/* T1: zap_pte_range() of one page */
	:: d_step { runs(c, T1, 0) && L == FREE -> L = T1; pc[T1] = 1 }
	:: d_step { runs(c, T1, 1) -> stored = CLEAR; pc[T1] = 2 }	/* an xchg, at once */
	:: d_step { runs(c, T1, 2) -> queued_flush[c] = 1; xen_mc_issue(c); pc[T1] = 3 }
	:: d_step { runs(c, T1, 3) -> L = FREE; pc[T1] = 4 }
	:: d_step { runs(c, T1, 4) -> pc[T1] = 5 }	/* the page is freed */
	:: d_step { runs(c, T1, 5) -> pc[T1] = 6 }
	/* the scheduler */
	:: d_step { !panicked && goes_itself(c) && away(T0) -> context_switch(c, T0); reset() }
	:: d_step { !panicked && goes_itself(c) && away(T1) -> context_switch(c, T1); reset() }
	:: d_step { !panicked && goes_itself(c) && idles(c) ->
		context_switch(c, IDLE0 + c); reset() }
	:: d_step { !panicked && preemptible(c) && may_preempt && away(T0) ->
		pay; context_switch(c, T0); reset() }
	:: d_step { !panicked && preemptible(c) && may_preempt && away(T1) ->
		pay; context_switch(c, T1); reset() }
	:: d_step { !panicked && preemptible(c) && may_preempt && idles(c) ->
		pay; context_switch(c, IDLE0 + c); reset() }
	od
}
