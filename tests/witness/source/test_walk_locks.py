# SPDX-License-Identifier: GPL-2.0-or-later
"""The walker on small functions: locks, however they are taken, passed on and given back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lazymmu.contract.dialects import NO_NESTING, PTL_HELD
from lazymmu.witness.finding import Finding

Agrees = Callable[..., tuple[Finding, ...]]


def test_the_lock_is_taken_before_and_dropped_after(agrees: Agrees) -> None:
    """The right order; the lock comes back through an argument."""
    agrees("""
void f(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, pte_t new)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return;
	lazy_mmu_mode_enable();
	set_pte_at(mm, addr, pte, new);
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
}
""")


def test_calls_in_the_arguments_of_a_lock_do_not_hide_which_one_it_is(agrees: Agrees) -> None:
    """The variable that receives a lock keeps it, whatever else the expression calls."""
    agrees("""
void f(struct vm_area_struct *vma, pmd_t *old, pmd_t *pmd, unsigned long addr, pte_t new)
{
	spinlock_t *ptl, *second;
	pte_t *from = pte_offset_map_lock(mm_of(vma), old, addr, &ptl);
	pte_t *to = pte_offset_map_lock(mm_of(vma), pmd, addr, &second);

	if (!from || !to)
		return;
	lazy_mmu_mode_enable();
	set_pte_at(vma->vm_mm, addr, to, new);
	spin_unlock(ptl);	/* expect: unlock-before-flush */
	lazy_mmu_mode_disable();
	spin_unlock(second);
}
""")


def test_a_lock_inside_of_an_object_is_the_same_in_a_helper(agrees: Agrees) -> None:
    """A helper that is handed the object drops the lock in it under another name."""
    agrees("""
static void early(struct mm_struct *its, pte_t *entry)
{
	use(entry);
	spin_unlock(&its->page_table_lock);	/* expect: unlock-before-flush */
}

void f(struct mm_struct *mm, struct mm_struct *other, pte_t *pte, unsigned long addr, pte_t new)
{
	spin_lock(&other->page_table_lock);
	spin_lock(&mm->page_table_lock);
	lazy_mmu_mode_enable();
	set_pte_at(mm, addr, pte, new);
	early(mm, pte);
	lazy_mmu_mode_disable();
	spin_unlock(&other->page_table_lock);
}
""")


def test_a_section_that_begins_before_the_lock(agrees: Agrees) -> None:
    """The lock's taking is the culprit."""
    agrees("""
void f(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, pte_t new)
{
	spinlock_t *ptl;
	pte_t *pte;

	lazy_mmu_mode_enable();
	pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);	/* expect: section-outside-lock */
	set_pte_at(vma->vm_mm, addr, pte, new);
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
}
""")


def test_a_section_that_ends_after_the_lock(agrees: Agrees) -> None:
    """Dropping it is wrong twice: it stands in the section, and before the write took effect."""
    agrees("""
void f(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, pte_t new)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);

	if (!pte)
		return;
	lazy_mmu_mode_enable();
	set_pte_at(vma->vm_mm, addr, pte, new);
	pte_unmap_unlock(pte, ptl);	/* expect: unlock-before-flush, section-outside-lock */
	lazy_mmu_mode_disable();
}
""")


def test_a_flush_before_the_unlock_makes_the_write_take_effect(agrees: Agrees) -> None:
    """What remains is that the lock is dropped inside."""
    agrees(
        """
void f(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, pte_t new)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return;
	arch_enter_lazy_mmu_mode();
	set_pte_at(mm, addr, pte, new);
	arch_flush_lazy_mmu_mode();
	pte_unmap_unlock(pte, ptl);	/* expect: section-outside-lock */
	arch_leave_lazy_mmu_mode();
}
""",
        dialect=NO_NESTING,
    )


def test_no_lock_at_all(agrees: Agrees) -> None:
    """Wrong for a user's entries, right for the kernel's."""
    agrees("""
void user(struct vm_area_struct *vma, pte_t *pte, unsigned long addr, pte_t new)
{
	lazy_mmu_mode_enable();
	set_pte_at(vma->vm_mm, addr, pte, new);	/* expect: section-outside-lock */
	lazy_mmu_mode_disable();
}

void kernel(pte_t *pte, unsigned long addr, pte_t new)
{
	lazy_mmu_mode_enable();
	set_pte_at(&init_mm, addr, pte, new);
	lazy_mmu_mode_disable();
}
""")


def test_a_lock_that_the_caller_holds(agrees: Agrees) -> None:
    """A lock that the caller holds counts as held where that is asserted."""
    agrees("""
void f(struct vm_area_struct *vma, pte_t *pte, unsigned long addr, spinlock_t *ptl, pte_t new)
{
	lockdep_assert_held(ptl);
	lazy_mmu_mode_enable();
	set_pte_at(vma->vm_mm, addr, pte, new);
	lazy_mmu_mode_disable();
}
""")


@pytest.mark.parametrize("lock", ["&vma->vm_mm->page_table_lock", "pte_lockptr(vma->vm_mm, pmd)"])
def test_a_lock_of_a_known_class_that_the_caller_holds(agrees: Agrees, lock: str) -> None:
    """A lock that is asserted by its name counts as held, and without that it does not."""
    for held, expect in ((f"lockdep_assert_held({lock});", ""), ("", "section-outside-lock")):
        comment = f"/* expect: {expect} */" if expect else ""
        agrees(f"""
void f(struct vm_area_struct *vma, pmd_t *pmd, pte_t *pte, unsigned long addr, pte_t new)
{{
	{held}
	lazy_mmu_mode_enable();
	set_pte_at(vma->vm_mm, addr, pte, new);	{comment}
	lazy_mmu_mode_disable();
}}
""")


def test_a_lock_that_a_helper_takes_in_an_object_is_dropped_by_its_name_here(
    agrees: Agrees,
) -> None:
    """The name that a helper has for a lock is translated on the way out."""
    agrees("""
static pte_t *begin(struct mm_struct *its, pte_t *entry)
{
	spin_lock(&its->page_table_lock);
	return entry;
}

void f(struct mm_struct *mm, struct mm_struct *other, pte_t *pte, unsigned long addr, pte_t new)
{
	spin_lock(&other->page_table_lock);
	begin(mm, pte);
	lazy_mmu_mode_enable();
	set_pte_at(mm, addr, pte, new);
	spin_unlock(&mm->page_table_lock);	/* expect: unlock-before-flush */
	lazy_mmu_mode_disable();
	spin_unlock(&other->page_table_lock);
}
""")


def test_a_map_that_fails_has_taken_nothing(agrees: Agrees) -> None:
    """Going on without the lock is found, giving up is not."""
    agrees("""
void right(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, pte_t new)
{
	spinlock_t *ptl;
	pte_t *pte;

	pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);
	if (unlikely(!pte))
		return;
	lazy_mmu_mode_enable();
	set_pte_at(vma->vm_mm, addr, pte, new);
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
}

void wrong(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, pte_t new)
{
	spinlock_t *ptl;
	pte_t *pte;

	pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);
	lazy_mmu_mode_enable();
	set_pte_at(vma->vm_mm, addr, pte, new);	/* expect: section-outside-lock */
	lazy_mmu_mode_disable();
}
""")


def test_a_map_that_cannot_fail_in_this_tree_is_not_said_to(agrees: Agrees) -> None:
    """Up to 6.4 it always took the lock, and its callers do not ask."""
    agrees(
        {
            "include/linux/mm.h": """
#define pte_offset_map_lock(mm, pmd, address, ptlp)	\\
({							\\
	spinlock_t *__ptl = pte_lockptr(mm, pmd);	\\
	pte_t *__pte = table_of(pmd, address);		\\
	*(ptlp) = __ptl;				\\
	spin_lock(__ptl);				\\
	__pte;						\\
})

static inline pte_t *table_of(pmd_t *pmd, unsigned long address)
{
	return (pte_t *)pmd_page_vaddr(*pmd) + pte_index(address);
}
""",
            "mm/a.c": """
void f(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, pte_t new)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);

	arch_enter_lazy_mmu_mode();
	set_pte_at(vma->vm_mm, addr, pte, new);
	arch_leave_lazy_mmu_mode();
	pte_unmap_unlock(pte, ptl);
}
""",
        },
        dialect=PTL_HELD,
    )


def test_a_trylock_that_fails_has_taken_nothing(agrees: Agrees) -> None:
    """The paths of success and of failure are told apart by its value."""
    agrees("""
int right(struct vm_area_struct *vma, pmd_t *pmd, pte_t *pte, unsigned long addr, pte_t new)
{
	spinlock_t *ptl = pte_lockptr(vma->vm_mm, pmd);

	if (!spin_trylock(ptl))
		return -EAGAIN;
	lazy_mmu_mode_enable();
	set_pte_at(vma->vm_mm, addr, pte, new);
	lazy_mmu_mode_disable();
	spin_unlock(ptl);
	return 0;
}

int wrong(struct vm_area_struct *vma, pmd_t *pmd, pte_t *pte, unsigned long addr, pte_t new)
{
	spinlock_t *ptl = pte_lockptr(vma->vm_mm, pmd);
	int locked = spin_trylock(ptl);

	lazy_mmu_mode_enable();
	set_pte_at(vma->vm_mm, addr, pte, new);	/* expect: section-outside-lock */
	lazy_mmu_mode_disable();
	if (locked)
		spin_unlock(ptl);
	return 0;
}
""")


def test_a_lock_through_an_out_parameter_of_a_helper(agrees: Agrees) -> None:
    """The helper passes on what it is given; the lock has the caller's name again."""
    agrees("""
static pte_t *map(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, spinlock_t **ptlp)
{
	return pte_offset_map_lock(mm, pmd, addr, ptlp);
}

void right(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, pte_t new)
{
	spinlock_t *ptl;
	pte_t *pte = map(vma->vm_mm, pmd, addr, &ptl);

	if (!pte)
		return;
	lazy_mmu_mode_enable();
	set_pte_at(vma->vm_mm, addr, pte, new);
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
}

void wrong(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, pte_t new)
{
	spinlock_t *ptl;
	pte_t *pte = map(vma->vm_mm, pmd, addr, &ptl);

	if (!pte)
		return;
	lazy_mmu_mode_enable();
	set_pte_at(vma->vm_mm, addr, pte, new);
	pte_unmap_unlock(pte, ptl);	/* expect: unlock-before-flush, section-outside-lock */
	lazy_mmu_mode_disable();
}
""")


def test_a_lock_that_a_primitive_returns(agrees: Agrees) -> None:
    """A lock that a primitive returns is held.

    Always by pmd_lock(), or not at NULL by pmd_trans_huge_lock().
    """
    agrees("""
void f(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, pmd_t new)
{
	spinlock_t *ptl = pmd_lock(vma->vm_mm, pmd);

	lazy_mmu_mode_enable();
	set_pmd_at(vma->vm_mm, addr, pmd, new);
	lazy_mmu_mode_disable();
	spin_unlock(ptl);
}

void g(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, pmd_t new)
{
	spinlock_t *ptl = pmd_trans_huge_lock(pmd, vma);

	if (ptl) {
		lazy_mmu_mode_enable();
		set_pmd_at(vma->vm_mm, addr, pmd, new);
		spin_unlock(ptl);	/* expect: unlock-before-flush, section-outside-lock */
		lazy_mmu_mode_disable();
	}
}
""")


def test_a_lock_that_a_helper_returns(agrees: Agrees) -> None:
    """Taken inside, named by the caller."""
    agrees("""
static spinlock_t *take(struct mm_struct *mm, pmd_t *pmd)
{
	spinlock_t *ptl = pmd_lockptr(mm, pmd);

	spin_lock(ptl);
	return ptl;
}

void right(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, pmd_t new)
{
	spinlock_t *ptl = take(vma->vm_mm, pmd);

	lazy_mmu_mode_enable();
	set_pmd_at(vma->vm_mm, addr, pmd, new);
	lazy_mmu_mode_disable();
	spin_unlock(ptl);
}

void wrong(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, pmd_t new)
{
	spinlock_t *ptl = take(vma->vm_mm, pmd);

	lazy_mmu_mode_enable();
	set_pmd_at(vma->vm_mm, addr, pmd, new);
	spin_unlock(ptl);	/* expect: unlock-before-flush, section-outside-lock */
	lazy_mmu_mode_disable();
}
""")


def test_a_lock_that_is_passed_to_a_helper(agrees: Agrees) -> None:
    """A helper that drops it, and one that asserts it."""
    agrees("""
static void finish(pte_t *pte, spinlock_t *lock)
{
	pte_unmap_unlock(pte, lock);	/* expect: unlock-before-flush, section-outside-lock */
}

static void write(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep, spinlock_t *lock)
{
	lockdep_assert_held(lock);
	set_pte_at(vma->vm_mm, addr, ptep, make());
}

void f(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);

	if (!pte)
		return;
	lazy_mmu_mode_enable();
	write(vma, addr, pte, ptl);
	finish(pte, ptl);
	lazy_mmu_mode_disable();
}
""")


@pytest.mark.parametrize(
    ("take", "drop"),
    [
        ("spin_lock(&init_mm.page_table_lock)", "spin_unlock(&init_mm.page_table_lock)"),
        ("guard(spinlock)(&init_mm.page_table_lock)", ""),
    ],
)
def test_the_lock_of_kernel_tables(agrees: Agrees, take: str, drop: str) -> None:
    """A section may lie outside of it, as long as the writes took effect before it is dropped."""
    if drop:
        agrees(f"""
void f(pte_t *pte, unsigned long addr, pte_t new)
{{
	lazy_mmu_mode_enable();
	{take};
	set_pte_at(&init_mm, addr, pte, new);
	{drop};	/* expect: unlock-before-flush */
	lazy_mmu_mode_disable();
}}
""")
    else:
        agrees(f"""
void f(pte_t *pte, unsigned long addr, pte_t new)
{{
	lazy_mmu_mode_enable();
	{{
		{take};
		set_pte_at(&init_mm, addr, pte, new);
	}}	/* expect: unlock-before-flush */
	lazy_mmu_mode_disable();
}}

void g(pte_t *pte, unsigned long addr, pte_t new)
{{
	{take};
	lazy_mmu_mode_enable();
	set_pte_at(&init_mm, addr, pte, new);
	lazy_mmu_mode_disable();
}}
""")


def test_a_scoped_guard_holds_its_lock_for_its_body(agrees: Agrees) -> None:
    """And drops it at its end."""
    agrees("""
void f(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, pmd_t new)
{
	spinlock_t *ptl = pmd_lockptr(vma->vm_mm, pmd);

	scoped_guard(spinlock, ptl) {
		lazy_mmu_mode_enable();
		set_pmd_at(vma->vm_mm, addr, pmd, new);
		lazy_mmu_mode_disable();
	}
	scoped_guard(spinlock, ptl) {
		lazy_mmu_mode_enable();
		set_pmd_at(vma->vm_mm, addr, pmd, new);
	}	/* expect: unlock-before-flush, section-outside-lock */
	lazy_mmu_mode_disable();
}
""")


def test_other_locks_may_be_dropped_in_a_section(agrees: Agrees) -> None:
    """Other locks may be dropped in a section, because they cover no entry."""
    agrees("""
static spinlock_t stats;

void f(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, pte_t new)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return;
	lazy_mmu_mode_enable();
	set_pte_at(mm, addr, pte, new);
	spin_lock(&stats);
	count(addr);
	spin_unlock(&stats);
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
}
""")


def test_two_locks_of_two_tables(agrees: Agrees) -> None:
    """The second may be given back early, when nothing that it covers is pending."""
    agrees("""
void f(struct mm_struct *mm, pmd_t *from, pmd_t *to, unsigned long addr, pte_t new)
{
	spinlock_t *old_ptl, *new_ptl;
	pte_t *old = pte_offset_map_lock(mm, from, addr, &old_ptl);
	pte_t *pte;

	if (!old)
		return;
	pte = pte_offset_map_rw_nolock(mm, to, addr, &dummy, &new_ptl);
	if (!pte) {
		pte_unmap_unlock(old, old_ptl);
		return;
	}
	if (new_ptl != old_ptl)
		spin_lock_nested(new_ptl, SINGLE_DEPTH_NESTING);
	lazy_mmu_mode_enable();
	set_pte_at(mm, addr, pte, new);
	lazy_mmu_mode_disable();
	if (new_ptl != old_ptl)
		spin_unlock(new_ptl);
	pte_unmap_unlock(old, old_ptl);
}
""")


def test_a_walk_over_mappings_holds_its_lock(agrees: Agrees) -> None:
    """page_vma_mapped_walk() returns true with `pvmw.ptl` held, false with nothing."""
    agrees("""
void f(struct vm_area_struct *vma, pte_t new)
{
	DEFINE_FOLIO_VMA_WALK(pvmw, folio, vma, addr, 0);

	while (page_vma_mapped_walk(&pvmw)) {
		lazy_mmu_mode_enable();
		set_pte_at(vma->vm_mm, pvmw.address, pvmw.pte, new);
		lazy_mmu_mode_disable();
	}
}
""")


def test_a_lock_that_is_taken_again_in_a_loop(agrees: Agrees) -> None:
    """Under its old name, for another entry."""
    agrees("""
void f(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, unsigned long end, pte_t new)
{
	spinlock_t *ptl;
	pte_t *pte;

	for (; addr != end; pmd++, addr += PMD_SIZE) {
		pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);
		if (!pte)
			continue;
		lazy_mmu_mode_enable();
		set_pte_at(vma->vm_mm, addr, pte, new);
		lazy_mmu_mode_disable();
		pte_unmap_unlock(pte, ptl);
		cond_resched();
	}
}
""")


def test_a_section_over_two_locks_in_turn(agrees: Agrees) -> None:
    """Each drop is wrong; the section is one cause."""
    agrees("""
void f(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, pte_t new)
{
	spinlock_t *ptl;

	lazy_mmu_mode_enable();
	ptl = pmd_lock(vma->vm_mm, pmd);	/* expect: section-outside-lock */
	set_pmd_at(vma->vm_mm, addr, pmd, new);
	spin_unlock(ptl);	/* expect: unlock-before-flush */
	lazy_mmu_mode_disable();
}
""")


@pytest.mark.parametrize(
    ("pin", "unpin"),
    [
        ("preempt_disable()", "preempt_enable()"),
        ("migrate_disable()", "migrate_enable()"),
        ("local_irq_disable()", "local_irq_enable()"),
        ("spin_lock(&some)", "spin_unlock(&some)"),
        ("get_cpu()", "put_cpu()"),
    ],
)
def test_what_pins_the_task_at_the_beginning(agrees: Agrees, pin: str, unpin: str) -> None:
    """Information: a section that begins with nothing pinning it may be preempted."""
    agrees(
        f"""
static spinlock_t some;

void f(void)
{{
	{pin};
	lazy_mmu_mode_enable();
	lazy_mmu_mode_disable();
	{unpin};
	lazy_mmu_mode_enable();	/* expect: preempted-in-section */
	lazy_mmu_mode_disable();
}}
""",
        information=True,
    )


@pytest.mark.parametrize(
    ("off", "on"),
    [
        ("local_irq_disable()", "local_irq_enable()"),
        ("spin_lock_irq(&some)", "spin_unlock_irq(&some)"),
    ],
)
def test_interrupts_that_are_let_in_pin_no_more_whoever_kept_them(
    agrees: Agrees, off: str, on: str
) -> None:
    """Whether they are off is a flag, and no count; what was kept is set again at the end."""
    agrees(
        f"""
static spinlock_t some;

void f(void)
{{
	unsigned long flags;

	local_irq_save(flags);
	{off};
	{on};
	lazy_mmu_mode_enable();	/* expect: preempted-in-section */
	lazy_mmu_mode_disable();
	local_irq_restore(flags);
}}

void g(void)
{{
	unsigned long flags;

	local_irq_disable();
	local_irq_save(flags);
	local_irq_restore(flags);
	lazy_mmu_mode_enable();
	lazy_mmu_mode_disable();
	local_irq_enable();
	lazy_mmu_mode_enable();	/* expect: preempted-in-section */
	lazy_mmu_mode_disable();
}}
""",
        information=True,
    )


@pytest.mark.parametrize("fails", [True, False])
def test_a_lock_taken_by_way_of_another_fails_when_that_does(agrees: Agrees, fails: bool) -> None:
    """Whether it may return without the lock is read off the tree, through what it calls."""
    give_up = "\tif (!pte)\n\t\treturn NULL;\n" if fails else ""
    comment = "	/* expect: section-outside-lock */" if fails else ""
    agrees(f"""
pte_t *pte_offset_map_lock(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, spinlock_t **ptlp)
{{
	pte_t *pte = look_up(pmd, addr);

{give_up}	return pte;
}}

pte_t *pte_alloc_map_lock(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, spinlock_t **ptlp)
{{
	return pte_offset_map_lock(mm, pmd, addr, ptlp);
}}

void f(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, pte_t new)
{{
	spinlock_t *ptl;
	pte_t *pte = pte_alloc_map_lock(vma->vm_mm, pmd, addr, &ptl);

	lazy_mmu_mode_enable();
	set_pte_at(vma->vm_mm, addr, pte, new);{comment}
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
}}
""")


@pytest.mark.parametrize("late", [True, False])
def test_a_lock_in_a_structure_is_dropped_by_who_is_handed_that(
    agrees: Callable[..., object], late: bool
) -> None:
    """The structure's address goes to a helper, and the lock in it has the helper's name there."""
    end = "lazy_mmu_mode_disable();"
    wrong = "	/* expect: section-outside-lock, unlock-before-flush */" if late else ""
    agrees(f"""
struct walk {{ pte_t *pte; spinlock_t *ptl; }};

static void put(struct walk *w)
{{
	pte_unmap_unlock(w->pte, w->ptl);{wrong}
}}

void f(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, pte_t value)
{{
	struct walk walk;
	pte_t *pte;

	pte = walk.pte = pte_offset_map_lock(mm, pmd, addr, &walk.ptl);
	if (!pte)
		return;
	lazy_mmu_mode_enable();
	set_pte_at(mm, addr, pte, value);
	{"" if late else end}
	put(&walk);
	{end if late else ""}
}}
""")
