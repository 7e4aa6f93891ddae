/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sparc-stuck-active on Linux 6.12.8 on sparc64, two CPUs, full preemption, from
 *
 *	arch/sparc/mm/tlb.c	arch_enter_lazy_mmu_mode(), arch_leave_lazy_mmu_mode(),
 *				tlb_batch_add_one(), flush_tlb_pending(), set_pmd_at()
 *	mm/huge_memory.c	zap_huge_pmd()
 *
 * T0 has an empty section over kernel mappings, with nothing that keeps it on its CPU.  T1, on
 * cpu0 alone, zaps a huge page and frees it; T2, on cpu1 alone, uses the mapping once.  Where T0
 * has moved on and left `active` set behind, T1's invalidation waits in a batch that nobody flushes.
 *
 * A state is: the three places (which say who is dead, who holds the pmd lock and whether the page
 * is free), T0's pointer to a batch, who runs on each CPU, each CPU's `active`, and whether the huge
 * page's address is in its batch and its old translation in its TLB.  Each TLB may have held the
 * translation when it went.
 */
#include "kernel.h"

#define T0	0
#define T1	1
#define T2	2
#define IDLE0	3	/* swapper/0 */
#define IDLE1	4

byte curr[2] = { T0, T2 };
byte pc[3];
byte tb;			/* T0's struct tlb_batch *: the number of its CPU */
bit mode[2];			/* tlb_batch.active: `active` is a word of Promela */
bit batched[2];			/* tlb_nr: the page's address is in vaddrs[] */
bit stale[2];			/* the TLB has the translation that is gone */

inline flush_tlb_pending(k)
{
	/* get_cpu_var(); smp_flush_tlb_pending() reaches all CPUs and waits */
	if
	:: batched[k] -> batched[k] = 0; stale[0] = 0; stale[1] = 0
	:: else
	fi
}

#define dead(t)		(t == T0 && pc[T0] == 6 || t == T1 && pc[T1] == 8 || t == T2 && pc[T2] == 2)
#define away(t)		(curr[0] != t && curr[1] != t && !dead(t))
#define is_idle(t)	(t == IDLE0 || t == IDLE1)
/* pmd_lock() and get_cpu_var() disable preemption. */
#define pinned(t)	(t == T1 && pc[T1] > 0 && pc[T1] < 6)

#define runs(c, t, place)	(curr[c] == t && pc[t] == place)
#define goes_itself(c)		(is_idle(curr[c]) || dead(curr[c]))
#define preemptible(c)		(!goes_itself(c) && !pinned(curr[c]))
#define idles(c)	(!is_idle(curr[c]) && !away(T0) && \
				 !(c == 0 && away(T1)) && !(c == 1 && away(T2)))

#define c _pid

active [2] proctype cpu()
{
end:	do
	/* T0: apply_to_pte_range() of init_mm without anything to do */
	:: d_step { runs(c, T0, 0) -> tb = c; pc[T0] = 1 }		/* this_cpu_ptr() */
	:: d_step { runs(c, T0, 1) -> mode[tb] = 1; tb = 0; pc[T0] = 2 }
	:: d_step { runs(c, T0, 2) -> tb = c; pc[T0] = (batched[c] -> 3 : 4) }
	:: d_step { runs(c, T0, 3) -> flush_tlb_pending(c); pc[T0] = 4 }
	:: d_step { runs(c, T0, 4) -> mode[tb] = 0; tb = 0; pc[T0] = 5 }
	:: d_step { runs(c, T0, 5) -> pc[T0] = 6 }
	/* T1: zap_huge_pmd() */
	:: d_step { runs(c, T1, 0) -> pc[T1] = 1 }			/* pmd_lock() */
	:: d_step { runs(c, T1, 1) -> stale[0] = 1; stale[1] = 1; pc[T1] = 2 }
	:: d_step { runs(c, T1, 2) ->	/* tlb_batch_add_one(): interrupts are on */
		if
		:: mode[c] -> pc[T1] = 3
		:: else -> stale[0] = 0; stale[1] = 0; pc[T1] = 4	/* global_flush_tlb_page() */
		fi;
		skip }
	:: d_step { runs(c, T1, 3) -> batched[c] = 1; pc[T1] = 4 }
	:: d_step { runs(c, T1, 4) -> pc[T1] = 5 }			/* flush_tlb_range(): nothing */
	:: d_step { runs(c, T1, 5) -> pc[T1] = 6 }			/* spin_unlock() */
	:: d_step { runs(c, T1, 6) -> pc[T1] = 7 }			/* the page is freed */
	:: d_step { runs(c, T1, 7) -> pc[T1] = 8 }
	/* T2: a load from the huge page */
	:: d_step { runs(c, T2, 0) -> NEVER(stale[c] && pc[T1] > 6); pc[T2] = 1 }
	:: d_step { runs(c, T2, 1) -> pc[T2] = 2 }
	/* the scheduler */
	:: d_step { goes_itself(c) && away(T0) -> curr[c] = T0 }
	:: d_step { goes_itself(c) && c == 0 && away(T1) -> curr[c] = T1 }
	:: d_step { goes_itself(c) && c == 1 && away(T2) -> curr[c] = T2 }
	:: d_step { goes_itself(c) && idles(c) -> curr[c] = IDLE0 + c }
	:: d_step { preemptible(c) && may_preempt && away(T0) -> pay; curr[c] = T0 }
	:: d_step { preemptible(c) && may_preempt && c == 0 && away(T1) -> pay; curr[c] = T1 }
	:: d_step { preemptible(c) && may_preempt && c == 1 && away(T2) -> pay; curr[c] = T2 }
	:: d_step { preemptible(c) && may_preempt && idles(c) -> pay; curr[c] = IDLE0 + c }
	od
}
