/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _LINUX_PGTABLE_H
#define _LINUX_PGTABLE_H

#include <linux/mm_types.h>
#include <linux/sched.h>
#include <asm/pgtable.h>

#define _PAGE_PRESENT	0x01ul
#define _PAGE_RW	0x02ul
#define _PAGE_YOUNG	0x04ul
#define _PAGE_DIRTY	0x08ul
#define _PAGE_HUGE	0x10ul

static inline int pte_none(pte_t pte)
{
	return !pte_val(pte);
}

static inline int pte_present(pte_t pte)
{
	return !!(pte_val(pte) & _PAGE_PRESENT);
}

static inline int pte_write(pte_t pte)
{
	return !!(pte_val(pte) & _PAGE_RW);
}

static inline int pte_young(pte_t pte)
{
	return !!(pte_val(pte) & _PAGE_YOUNG);
}

static inline int pte_same(pte_t a, pte_t b)
{
	return pte_val(a) == pte_val(b);
}

static inline pte_t pte_wrprotect(pte_t pte)
{
	return __pte(pte_val(pte) & ~_PAGE_RW);
}

static inline pte_t pte_mkold(pte_t pte)
{
	return __pte(pte_val(pte) & ~_PAGE_YOUNG);
}

static inline pte_t pte_mkclean(pte_t pte)
{
	return __pte(pte_val(pte) & ~_PAGE_DIRTY);
}

static inline pte_t pte_modify(pte_t pte, pgprot_t prot)
{
	return __pte((pte_val(pte) & ~_PAGE_RW) | prot.pgprot);
}

static inline pte_t pfn_pte(unsigned long pfn, pgprot_t prot)
{
	return __pte((pfn << PAGE_SHIFT) | prot.pgprot);
}

static inline int pmd_none(pmd_t pmd)
{
	return !pmd_val(pmd);
}

static inline int pmd_trans_huge(pmd_t pmd)
{
	return !!(pmd_val(pmd) & _PAGE_HUGE);
}

#ifndef ptep_get
static inline pte_t ptep_get(pte_t *ptep)
{
	return READ_ONCE(*ptep);
}
#endif

static inline pmd_t pmdp_get(pmd_t *pmdp)
{
	return READ_ONCE(*pmdp);
}

/*
 * Lazy MMU batching. While the mode is on, an architecture may put off PTE updates
 * and page invalidations until it is disabled. A read through the pointer of an
 * entry that was changed before, in the same section, may still see the old value:
 * the code must be free of such read hazards.
 *
 * In the general case no lock is guaranteed to be held. In practice the page table
 * locks are held for entries of a user, and none for entries of the kernel. The
 * implementation must assume that preemption may be enabled upon entry and that the
 * task can migrate to another cpu. It may disable preemption itself; therefore
 * generic code may not sleep while the lazy MMU mode is active.
 *
 * The mode is disabled in interrupt context, where calls have no effect.
 *
 * Every lazy_mmu_mode_enable() must be paired with a lazy_mmu_mode_disable() on each
 * path. Nesting is permitted. Any disable makes all earlier updates take effect, and only
 * the outermost one turns the mode off. lazy_mmu_mode_pause() turns the mode off at
 * any depth until lazy_mmu_mode_resume(); every call between the two has no effect.
 */
#ifdef CONFIG_ARCH_HAS_LAZY_MMU_MODE
/* Begins a section; the outermost one turns the mode on. */
static inline void lazy_mmu_mode_enable(void)
{
	struct lazy_mmu_state *state = &current->lazy_mmu_state;

	if (in_interrupt() || state->pause_count)
		return;
	state->enable_count++;
	if (state->enable_count == 1)
		arch_enter_lazy_mmu_mode();
}

/* Ends a section: what was put off is done, and the outermost end turns the mode off. */
static inline void lazy_mmu_mode_disable(void)
{
	struct lazy_mmu_state *state = &current->lazy_mmu_state;

	if (in_interrupt() || state->pause_count)
		return;
	state->enable_count--;
	if (state->enable_count)
		arch_flush_lazy_mmu_mode();
	else
		arch_leave_lazy_mmu_mode();
}

/* Turns the mode off at any depth, until it is resumed. */
static inline void lazy_mmu_mode_pause(void)
{
	struct lazy_mmu_state *state = &current->lazy_mmu_state;

	if (in_interrupt())
		return;
	state->pause_count++;
	if (state->pause_count == 1 && state->enable_count)
		arch_leave_lazy_mmu_mode();
}

static inline void lazy_mmu_mode_resume(void)
{
	struct lazy_mmu_state *state = &current->lazy_mmu_state;

	if (in_interrupt())
		return;
	state->pause_count--;
	if (!state->pause_count && state->enable_count)
		arch_enter_lazy_mmu_mode();
}
#else
static inline void lazy_mmu_mode_enable(void) {}
static inline void lazy_mmu_mode_disable(void) {}
static inline void lazy_mmu_mode_pause(void) {}
static inline void lazy_mmu_mode_resume(void) {}
#endif

#ifndef pte_next_pfn
static inline pte_t pte_next_pfn(pte_t pte)
{
	return __pte(pte_val(pte) + PAGE_SIZE);
}
#endif

#ifndef set_ptes
/* Write a run of entries; an architecture may bring its own. */
static inline void set_ptes(struct mm_struct *mm, unsigned long addr,
			    pte_t *ptep, pte_t pte, unsigned int nr)
{
	while (nr) {
		set_pte(ptep, pte);
		pte = pte_next_pfn(pte);
		ptep++;
		nr--;
	}
}
#endif
#define set_pte_at(mm, addr, ptep, pte)	set_ptes(mm, addr, ptep, pte, 1)

#ifndef __HAVE_ARCH_PTEP_GET_AND_CLEAR
static inline pte_t ptep_get_and_clear(struct mm_struct *mm, unsigned long addr,
				       pte_t *ptep)
{
	pte_t old = ptep_get(ptep);

	pte_clear(mm, addr, ptep);
	return old;
}
#endif

#ifndef __HAVE_ARCH_PTEP_SET_WRPROTECT
static inline void ptep_set_wrprotect(struct mm_struct *mm, unsigned long addr,
				      pte_t *ptep)
{
	set_pte_at(mm, addr, ptep, pte_wrprotect(ptep_get(ptep)));
}
#endif

#ifndef __HAVE_ARCH_PTEP_TEST_AND_CLEAR_YOUNG
static inline int ptep_test_and_clear_young(struct vm_area_struct *vma,
					    unsigned long addr, pte_t *ptep)
{
	pte_t pte = ptep_get(ptep);

	if (!pte_young(pte))
		return 0;
	set_pte_at(vma->vm_mm, addr, ptep, pte_mkold(pte));
	return 1;
}
#endif

#ifndef __HAVE_ARCH_PTEP_MODIFY_PROT_TRANSACTION
static inline pte_t ptep_modify_prot_start(struct vm_area_struct *vma,
					   unsigned long addr, pte_t *ptep)
{
	return ptep_get_and_clear(vma->vm_mm, addr, ptep);
}

static inline void ptep_modify_prot_commit(struct vm_area_struct *vma,
					   unsigned long addr, pte_t *ptep,
					   pte_t old, pte_t new)
{
	set_pte_at(vma->vm_mm, addr, ptep, new);
}
#endif

pte_t ptep_clear_flush(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep);
int pmdp_test_and_clear_young(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmdp);

pgd_t *pgd_offset(struct mm_struct *mm, unsigned long addr);
pmd_t *pmd_offset_of(pgd_t *pgd, unsigned long addr);
pte_t *pte_offset_kernel(pmd_t *pmd, unsigned long addr);

static inline unsigned long pmd_addr_end(unsigned long addr, unsigned long end)
{
	unsigned long next = (addr + PMD_SIZE) & ~(PMD_SIZE - 1);

	return min(next, end);
}

/* Every entry of one table between two addresses. */
#define for_each_entry_of_table(ptep, addr, end) \
	for (; (addr) != (end); (ptep)++, (addr) += PAGE_SIZE)

#endif
