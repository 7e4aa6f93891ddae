# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of sections: where they begin and end, under what, and what they reach."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lazymmu.witness.finding import SectionRow
from lazymmu.witness.source.findings import to_report
from lazymmu.witness.source.section_table import rows

Make = Callable[..., Any]


def table(kernel: Make, code: str, **given: Any) -> dict[str, SectionRow]:
    """The rows of a file's sections, by function."""
    seen = kernel(code, **given)
    roots = seen.roots()
    culprits = [
        to_report("x86", raw, root.step, (), "unknown")
        for root in roots
        for raw in root.raw_reports
    ]
    found = rows("x86", seen.walker, roots, seen.program, seen.summaries, culprits)
    return {row.function: row for row in found}


CODE = """
static spinlock_t some;

void user(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, pte_t new)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);

	if (!pte)
		return;
	lazy_mmu_mode_enable();
	set_pte_at(vma->vm_mm, addr, pte, new);
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
}

void kernel(pte_t *pte, unsigned long addr, pte_t new)
{
	preempt_disable();
	lazy_mmu_mode_enable();
	set_pte_at(&init_mm, addr, pte, new);
	lazy_mmu_mode_disable();
	preempt_enable();
}

void early(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, pte_t new)
{
	spinlock_t *ptl;
	pte_t *pte;

	lazy_mmu_mode_enable();
	pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);
	if (pte) {
		might_sleep();
		set_pte_at(vma->vm_mm, addr, pte, new);
		flush_tlb_range(vma, addr, addr + 1);
		pte_unmap_unlock(pte, ptl);
	}
	lazy_mmu_mode_disable();
}

void without(int x)
{
	use(x);
}
"""


def test_each_function_with_sections_has_a_row(kernel: Make) -> None:
    """Each function with sections has a row in the table, and no other has."""
    assert set(table(kernel, CODE)) == {"user", "kernel", "early"}


def test_a_row_says_whose_entries_under_which_locks(kernel: Make) -> None:
    """Space, locks at both ends, what pins the task."""
    found = table(kernel, CODE)
    assert found["user"].space == "user"
    assert found["user"].locks_begin == found["user"].locks_end == ("page-table lock ptl",)
    assert found["kernel"].space == "kernel"
    assert found["kernel"].locks_begin == ("nothing",)
    assert found["kernel"].pinned == ("preempt",)
    assert found["early"].locks_begin == ("nothing",)


def test_a_row_lists_the_calls_of_the_mode(kernel: Make) -> None:
    """A row lists the calls of the mode in it, by line."""
    assert table(kernel, CODE)["user"].actions == ((11, "enable"), (13, "disable"))


def test_a_row_says_what_its_sections_reach(kernel: Make) -> None:
    """What sleeps and what flushes, with the architecture."""
    found = table(kernel, CODE)
    assert found["user"].sleeps == found["user"].flushes == ()
    (sleep,) = found["early"].sleeps
    assert sleep.startswith("x86: ")
    assert "might_sleep" in sleep
    assert found["early"].flushes


def test_what_a_callback_writes_belongs_to_the_section_it_runs_in(kernel: Make) -> None:
    """The taker's own function names no mm that could tell."""
    code = """
int apply_to_page_range(struct mm_struct *mm, unsigned long addr, pte_fn_t fn)
{
	pte_t *pte = pte_of(mm, addr);

	lazy_mmu_mode_enable();
	fn(pte, addr);
	lazy_mmu_mode_disable();
	return 0;
}

static int fill(pte_t *pte, unsigned long addr)
{
	set_pte_at(&init_mm, addr, pte, make());
	return 0;
}

int g(unsigned long addr)
{
	return apply_to_page_range(&init_mm, addr, fill);
}
"""
    assert table(kernel, code)["apply_to_page_range"].space == "kernel"


BOTH_WAYS = """
static void change(pte_t *pte)
{
	lazy_mmu_mode_enable();
	set_pte(pte, other(pte));
	lazy_mmu_mode_disable();
}

void locked(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *dst_ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &dst_ptl);

	if (!pte)
		return;
	lazy_mmu_mode_enable();
	change(pte);
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, dst_ptl);
}

static spinlock_t *begin_pair(struct mm_struct *mm, pmd_t *pmd)
{
	spinlock_t *ptl = pmd_lock(mm, pmd);

	lazy_mmu_mode_enable();
	return ptl;
}

void paired(struct mm_struct *mm, pmd_t *pmd)
{
	spinlock_t *mine = begin_pair(mm, pmd);

	lazy_mmu_mode_disable();
	spin_unlock(mine);
}
"""


def test_locks_are_told_in_words(kernel: Make) -> None:
    """Whose lock it is, and what it is for; no mark that has to be looked up."""
    found = table(kernel, BOTH_WAYS)
    assert found["locked"].locks_begin == ("page-table lock dst_ptl",)
    assert found["begin_pair"].locks_begin == ("pmd lock ptl",)
    for row in found.values():
        for said in (*row.locks_begin, *row.locks_end):
            assert not set(said) & set("^:"), said


def test_a_row_says_that_a_section_is_pinned_on_some_paths_alone(kernel: Make) -> None:
    """A lock that is taken for a user's mapping alone pins no section over the kernel's."""
    found = table(
        kernel,
        """
void both(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, pte_t new)
{
	spinlock_t *ptl;
	pte_t *pte;

	if (mm == &init_mm)
		pte = pte_offset_kernel(pmd, addr);
	else
		pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
	if (!pte)
		return;
	lazy_mmu_mode_enable();
	set_pte_at(mm, addr, pte, new);
	lazy_mmu_mode_disable();
	if (mm != &init_mm)
		pte_unmap_unlock(pte, ptl);
}

static void end(void)
{
	lazy_mmu_mode_disable();
}

void user(void)
{
	local_irq_disable();
	lazy_mmu_mode_enable();
	end();
	local_irq_enable();
}

void paused(void)
{
	lazy_mmu_mode_pause();
	lazy_mmu_mode_enable();
	lazy_mmu_mode_disable();
	lazy_mmu_mode_resume();
}
""",
    )
    assert found["both"].pinned == ("nothing", "spinlock")
    assert found["end"].pinned == ("its callers",)
    assert found["user"].pinned == ("irq",)
    assert found["paused"].pinned == ("paused",)
