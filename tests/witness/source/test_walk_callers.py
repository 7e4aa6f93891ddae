# SPDX-License-Identifier: GPL-2.0-or-later
"""The walker on small functions: what callers hold for a section, and callbacks that flush."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lazymmu.contract.dialects import PTL_HELD
from lazymmu.witness.finding import Finding

Agrees = Callable[..., tuple[Finding, ...]]

HELPER = """
static void helper(struct vm_area_struct *vma, unsigned long addr, pte_t value)
{{
	pte_t *pte = find_entry(vma, addr);

	lazy_mmu_mode_enable();
	set_pte_at(vma->vm_mm, addr, pte, value);{0}
	lazy_mmu_mode_disable();
}}
"""
OUTSIDE = "	/* expect: section-outside-lock */"
HOLDING = [
    """
void by_name(struct vm_area_struct *vma, unsigned long addr, pte_t value)
{
	struct mm_struct *mm = vma->vm_mm;

	spin_lock(&mm->page_table_lock);
	helper(vma, addr, value);
	spin_unlock(&vma->vm_mm->page_table_lock);
}
""",
    """
void by_pointer(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, pte_t value)
{
	spinlock_t *ptl = pte_lockptr(vma->vm_mm, pmd);

	spin_lock(ptl);
	helper(vma, addr, value);
	spin_unlock(ptl);
}
""",
    """
void by_map(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, pte_t value)
{
	spinlock_t *ptl;
	pte_t *start = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);

	if (!start)
		return;
	helper(vma, addr, value);
	pte_unmap_unlock(start, ptl);
}
""",
    """
static void between(struct vm_area_struct *vma, unsigned long addr, pte_t value)
{
	helper(vma, addr, value);
}

void by_callers_caller(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, pte_t value)
{
	spinlock_t *ptl = pmd_lock(vma->vm_mm, pmd);

	between(vma, addr, value);
	spin_unlock(ptl);
}
""",
]
LACKING = """
void without(struct vm_area_struct *vma, unsigned long addr, pte_t value)
{
	helper(vma, addr, value);
}
"""


@pytest.mark.parametrize("caller", [*HOLDING, "".join(HOLDING)])
def test_a_section_whose_callers_hold_the_lock_is_right(agrees: Agrees, caller: str) -> None:
    """The lock may be taken by the caller, or by the caller's."""
    assert not agrees(HELPER.format("") + caller, dialect=PTL_HELD)


@pytest.mark.parametrize("caller", ["", LACKING, "".join(HOLDING) + LACKING])
def test_a_section_of_a_caller_without_the_lock_is_found(agrees: Agrees, caller: str) -> None:
    """One caller that does not hold it is enough, or that nobody is seen to call it."""
    (found,) = agrees(HELPER.format(OUTSIDE) + caller, dialect=PTL_HELD)
    assert found.function == "helper"


def test_the_path_leads_through_the_caller_that_lacks_the_lock(agrees: Agrees) -> None:
    """Not through those that hold it."""
    code = HELPER.format(OUTSIDE) + "".join(HOLDING) + LACKING
    (found,) = agrees(code, dialect=PTL_HELD)
    assert "helper" in {step.function for step in found.path}


CALLED_BACK = """
static void flush_all_of(unsigned long addr)
{
	flush_tlb_kernel_range(addr, addr + PAGE_SIZE);
}

static int set_one(pte_t *ptep, unsigned long addr, void *data)
{
	set_pte_at(&init_mm, addr, ptep, *(pte_t *)data);
	FLUSH
	return 0;
}

int f(unsigned long addr, pte_t value)
{
	TAKE
	AFTER
	return 0;
}

int apply_to_page_range(struct mm_struct *mm, unsigned long addr, unsigned long size,
			pte_fn_t fn, void *data)
{
	pte_t *pte = find_entry(mm, addr);

	lazy_mmu_mode_enable();
	fn(pte, addr, data);
	lazy_mmu_mode_disable();
	return 0;
}
"""
FLUSHED = "	/* expect: tlb-flush-in-section */"


@pytest.mark.parametrize(
    "flush",
    [
        "flush_tlb_kernel_range(addr, addr + PAGE_SIZE);",
        "flush_all_of(addr);",
        "flush_tlb_all();",
    ],
)
@pytest.mark.parametrize(
    "take",
    [
        "apply_to_page_range(&init_mm, addr, PAGE_SIZE, set_one, &value);",
        "pte_fn_t fn = set_one; apply_to_page_range(&init_mm, addr, PAGE_SIZE, fn, &value);",
    ],
)
def test_a_callback_that_flushes_what_it_wrote_is_found(
    agrees: Agrees, flush: str, take: str
) -> None:
    """By itself or by a near helper, which is given no mapping for kernel addresses."""
    code = CALLED_BACK.replace("FLUSH", flush + FLUSHED).replace("TAKE", take)
    agrees(code.replace("AFTER", ""))


def test_a_flush_after_all_was_called_back_is_right(agrees: Agrees) -> None:
    """The section has ended when apply_to_page_range() returns."""
    take = "apply_to_page_range(&init_mm, addr, PAGE_SIZE, set_one, &value);"
    code = CALLED_BACK.replace("FLUSH", "").replace("TAKE", take)
    assert not agrees(code.replace("AFTER", "flush_all_of(addr);"))


def test_a_flush_of_kernel_addresses_is_none_for_user_entries(agrees: Agrees) -> None:
    """What is pending is another mapping's."""
    assert not agrees("""
static void flush_it(unsigned long addr)
{
	flush_tlb_kernel_range(addr, addr + PAGE_SIZE);
}

void f(struct vm_area_struct *vma, pte_t *pte, unsigned long addr, pte_t value)
{
	spin_lock(&vma->vm_mm->page_table_lock);
	lazy_mmu_mode_enable();
	set_pte_at(vma->vm_mm, addr, pte, value);
	flush_it(addr);
	lazy_mmu_mode_disable();
	spin_unlock(&vma->vm_mm->page_table_lock);
}
""")


def test_what_is_called_later_does_nothing_here(agrees: Agrees) -> None:
    """A work item or RCU callback frees, begins sections and sleeps in a context of its own."""
    assert not agrees("""
static void free_later(struct rcu_head *head)
{
	__free_page(page_of(head));
	might_sleep();
}

static void work(struct work_struct *work)
{
	lazy_mmu_mode_enable();
	lazy_mmu_mode_disable();
	msleep(1);
}

void f(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, struct later *later)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	lazy_mmu_mode_enable();
	later->page = pte_page(ptep_get(pte));
	pte_clear(mm, addr, pte);
	INIT_WORK(&later->work, work);
	call_rcu(&later->rcu, free_later);
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
}
""")
