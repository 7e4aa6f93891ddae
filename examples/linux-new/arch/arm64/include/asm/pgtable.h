/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Right: stores are made at once, only the barriers after them are put off. What is
 * pending is a flag of the task, so nothing needs to be pinned.
 */
#ifndef _ASM_ARM64_PGTABLE_H
#define _ASM_ARM64_PGTABLE_H

#include <asm/page.h>
#include <linux/sched.h>

#define TIF_LAZY_MMU_PENDING	31

#define dsb(domain)	asm volatile("dsb " #domain : : : "memory")
#define isb()		asm volatile("isb" : : : "memory")

static inline void emit_pte_barriers(void)
{
	dsb(ishst);
	isb();
}

static inline void queue_pte_barriers(void)
{
	if (is_lazy_mmu_mode_active())
		test_and_set_thread_flag(TIF_LAZY_MMU_PENDING);
	else
		emit_pte_barriers();
}

static inline void arch_enter_lazy_mmu_mode(void)
{
}

static inline void arch_flush_lazy_mmu_mode(void)
{
	if (test_and_clear_thread_flag(TIF_LAZY_MMU_PENDING))
		emit_pte_barriers();
}

static inline void arch_leave_lazy_mmu_mode(void)
{
	arch_flush_lazy_mmu_mode();
}

static inline void __set_pte(pte_t *ptep, pte_t pte)
{
	WRITE_ONCE(*ptep, pte);
	queue_pte_barriers();
}

static inline void set_pte(pte_t *ptep, pte_t pte)
{
	__set_pte(ptep, pte);
}

static inline void set_pmd(pmd_t *pmdp, pmd_t pmd)
{
	WRITE_ONCE(*pmdp, pmd);
	queue_pte_barriers();
}

#define pte_clear(mm, addr, ptep)	__set_pte(ptep, __pte(0))

#define __HAVE_ARCH_PTEP_GET_AND_CLEAR
static inline pte_t ptep_get_and_clear(struct mm_struct *mm, unsigned long addr,
				       pte_t *ptep)
{
	return __pte(xchg(&ptep->pte, 0));
}

#define __HAVE_ARCH_PTEP_SET_WRPROTECT
static inline void ptep_set_wrprotect(struct mm_struct *mm, unsigned long addr,
				      pte_t *ptep)
{
	clear_bit(1, (unsigned long *)&ptep->pte);
}

#endif
