# SPDX-License-Identifier: GPL-2.0-or-later
"""The walker on small functions: which paths there are, and what balances on each.

Code is C of our own; `/* expect: rule */` stands on the line of each finding, and there is no
other finding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lazymmu.contract.dialects import NO_NESTING
from lazymmu.witness.finding import Confidence, Finding

Agrees = Callable[..., tuple[Finding, ...]]


# ---- ends of sections ------------------------------------------------------------------------


def test_an_early_return_leaves_the_mode_on(agrees: Agrees) -> None:
    """The return is the culprit, and the path begins where the section does."""
    (found,) = agrees("""
int f(pte_t *pte, int bad)
{
	lazy_mmu_mode_enable();
	if (bad)
		return -EINVAL;	/* expect: unbalanced-section */
	lazy_mmu_mode_disable();
	return 0;
}
""")
    assert [step.line for step in found.path] == [4, 6]
    assert found.confidence is Confidence.HIGH


def test_every_early_return_is_a_finding_of_its_own(agrees: Agrees) -> None:
    """Mending one leaves the others, even where they return the same."""
    agrees("""
int f(pte_t *pte, int bad, int worse)
{
	lazy_mmu_mode_enable();
	if (bad)
		return -EINVAL;	/* expect: unbalanced-section */
	if (worse)
		return -EINVAL;	/* expect: unbalanced-section */
	lazy_mmu_mode_disable();
	return 0;
}

void g(int bad, int worse)
{
	lazy_mmu_mode_enable();
	if (bad)
		return;	/* expect: unbalanced-section */
	if (worse)
		return;	/* expect: unbalanced-section */
	lazy_mmu_mode_disable();
}
""")


def test_running_off_the_end_leaves_the_mode_on(agrees: Agrees) -> None:
    """Then the closing brace is the culprit."""
    agrees("""
void f(int some)
{
	lazy_mmu_mode_enable();
	if (some)
		lazy_mmu_mode_disable();
}	/* expect: unbalanced-section */
""")


def test_an_end_without_a_beginning(agrees: Agrees) -> None:
    """An end without a beginning is found, and so is one too many."""
    agrees("""
void f(void)
{
	lazy_mmu_mode_disable();	/* expect: unbalanced-section */
}

void g(void)
{
	lazy_mmu_mode_enable();
	lazy_mmu_mode_disable();
	lazy_mmu_mode_disable();	/* expect: unbalanced-section */
}
""")


def test_an_error_path_by_goto_balances(agrees: Agrees) -> None:
    """The label stands before the end of the section."""
    agrees("""
int f(int bad)
{
	int err = -EINVAL;

	lazy_mmu_mode_enable();
	if (bad)
		goto out;
	err = 0;
out:
	lazy_mmu_mode_disable();
	return err;
}
""")


def test_an_error_path_to_the_wrong_label_does_not(agrees: Agrees) -> None:
    """The label stands behind the end of the section."""
    agrees("""
int f(int bad)
{
	int err = -EINVAL;

	lazy_mmu_mode_enable();
	if (bad)
		goto out;
	err = 0;
	lazy_mmu_mode_disable();
out:
	return err;	/* expect: unbalanced-section */
}
""")


def test_a_switch_that_ends_the_section_in_some_cases_only(agrees: Agrees) -> None:
    """Falling through is followed; no case need fit."""
    agrees("""
void f(int how)
{
	lazy_mmu_mode_enable();
	switch (how) {
	case 1:
		first();
		fallthrough;
	case 2:
		lazy_mmu_mode_disable();
		break;
	default:
		lazy_mmu_mode_disable();
	}
}

void g(int how)
{
	lazy_mmu_mode_enable();
	switch (how) {
	case 1:
	case 2:
		lazy_mmu_mode_disable();
		break;
	}
}	/* expect: unbalanced-section */
""")


# ---- conditions that belong together -----------------------------------------------------------


def test_a_condition_asked_twice_holds_twice(agrees: Agrees) -> None:
    """Whatever is between, as long as nothing changes it."""
    agrees("""
void f(int user)
{
	if (user)
		lazy_mmu_mode_enable();
	work();
	if (user)
		lazy_mmu_mode_disable();
}

void g(struct walk *walk)
{
	if (walk->user)
		lazy_mmu_mode_enable();
	work();
	if (walk->user != 0)
		lazy_mmu_mode_disable();
}

void h(struct mm_struct *mm)
{
	if (mm != &init_mm)
		lazy_mmu_mode_enable();
	work();
	if (!(mm == &init_mm))
		lazy_mmu_mode_disable();
}
""")


def test_a_condition_asked_the_other_way_round_does_not_balance(agrees: Agrees) -> None:
    """Both mistakes are on real paths."""
    agrees("""
void f(int user)
{
	if (user)
		lazy_mmu_mode_enable();
	if (!user)
		lazy_mmu_mode_disable();	/* expect: unbalanced-section */
}	/* expect: unbalanced-section */
""")


def test_a_condition_that_changes_in_between_is_asked_anew(agrees: Agrees) -> None:
    """An assignment makes the second one another condition."""
    agrees("""
void f(int user)
{
	if (user)
		lazy_mmu_mode_enable();
	user = again();
	if (user)
		lazy_mmu_mode_disable();	/* expect: unbalanced-section */
}	/* expect: unbalanced-section */
""")


def test_the_mapped_entry_tells_whether_the_section_is_open(agrees: Agrees) -> None:
    """`if (start_pte)` at the end: NULL exactly when the loop left it and did not begin again."""
    agrees("""
int f(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, unsigned long end)
{
	struct mm_struct *mm = vma->vm_mm;
	pte_t *start_pte, *pte;
	spinlock_t *ptl;

	start_pte = pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
	if (!start_pte)
		return 0;
	lazy_mmu_mode_enable();
	for (; addr != end; pte++, addr += PAGE_SIZE) {
		struct folio *folio = folio_of(ptep_get(pte));

		if (folio_large(folio)) {
			int err;

			lazy_mmu_mode_disable();
			pte_unmap_unlock(start_pte, ptl);
			start_pte = NULL;
			err = divide(folio);
			if (err)
				break;
			start_pte = pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
			if (!start_pte)
				break;
			lazy_mmu_mode_enable();
			continue;
		}
		set_pte_at(mm, addr, pte, pte_mkold(ptep_get(pte)));
	}
	if (start_pte) {
		lazy_mmu_mode_disable();
		pte_unmap_unlock(start_pte, ptl);
	}
	cond_resched();
	return 0;
}
""")


def test_the_mapped_entry_that_is_not_cleared_tells_nothing(agrees: Agrees) -> None:
    """Without `start_pte = NULL` the break after a failed split ends the section twice."""
    agrees("""
int f(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, unsigned long end)
{
	struct mm_struct *mm = vma->vm_mm;
	pte_t *start_pte, *pte;
	spinlock_t *ptl;

	start_pte = pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
	if (!start_pte)
		return 0;
	lazy_mmu_mode_enable();
	for (; addr != end; pte++, addr += PAGE_SIZE) {
		struct folio *folio = folio_of(ptep_get(pte));

		if (folio_large(folio)) {
			lazy_mmu_mode_disable();
			pte_unmap_unlock(start_pte, ptl);
			if (divide(folio))
				break;
			start_pte = pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
			if (!start_pte)
				break;
			lazy_mmu_mode_enable();
		}
	}
	if (start_pte) {
		lazy_mmu_mode_disable();	/* expect: unbalanced-section */
		pte_unmap_unlock(start_pte, ptl);
	}
	return 0;
}
""")


def test_a_flag_variable_tells_whether_the_section_is_open(agrees: Agrees) -> None:
    """Set and cleared beside the calls."""
    agrees("""
void f(struct list *list)
{
	bool lazy = false;
	struct item *item;

	for_each_entry(item, list) {
		if (!lazy && wanted(item)) {
			lazy_mmu_mode_enable();
			lazy = true;
		}
		if (lazy && full(item)) {
			lazy_mmu_mode_disable();
			lazy = false;
		}
	}
	if (lazy)
		lazy_mmu_mode_disable();
}
""")


def test_a_flag_variable_that_is_forgotten_once(agrees: Agrees) -> None:
    """The mistake shows at the second end."""
    agrees("""
void f(struct list *list)
{
	bool lazy = false;
	struct item *item;

	for_each_entry(item, list) {
		if (!lazy) {
			lazy_mmu_mode_enable();
			lazy = true;
		}
		if (full(item))
			lazy_mmu_mode_disable();	/* expect: unbalanced-section */
	}
	if (lazy)
		lazy_mmu_mode_disable();	/* expect: unbalanced-section */
}
""")


def test_a_flag_in_a_structure_tells_whether_the_section_is_open(agrees: Agrees) -> None:
    """A member is as good as a variable."""
    agrees("""
void f(struct walk *walk, int some)
{
	walk->lazy = 0;
	if (some) {
		lazy_mmu_mode_enable();
		walk->lazy = 1;
	}
	work(some);
	if (walk->lazy) {
		lazy_mmu_mode_disable();
		walk->lazy = 0;
	}
}
""")


def test_a_flag_copied_to_another_variable_is_the_same_flag(agrees: Agrees) -> None:
    """`b = a` carries what is known of `a`."""
    agrees("""
void f(int some)
{
	int lazy = 0, was;

	if (some) {
		lazy_mmu_mode_enable();
		lazy = 1;
	}
	was = lazy;
	lazy = 0;
	if (was)
		lazy_mmu_mode_disable();
}
""")


# ---- loops -------------------------------------------------------------------------------------


def test_a_loop_that_leaves_and_begins_again(agrees: Agrees) -> None:
    """One end for each beginning, around what may not run inside."""
    agrees("""
void f(struct list *list)
{
	struct item *item;

	lazy_mmu_mode_enable();
	for_each_entry(item, list) {
		lazy_mmu_mode_disable();
		cond_resched();
		lazy_mmu_mode_enable();
	}
	lazy_mmu_mode_disable();
}
""")


def test_again_after_the_end_begins_anew(agrees: Agrees) -> None:
    """`goto again` to before the beginning."""
    agrees("""
void f(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte;
	int more;

again:
	pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
	if (!pte)
		return;
	lazy_mmu_mode_enable();
	more = work_on(pte);
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
	if (more) {
		cond_resched();
		goto again;
	}
}
""")


def test_again_without_the_end_begins_inside(agrees: Agrees) -> None:
    """The second round finds the section open: one mistake, told where it comes to light."""
    agrees(
        """
void f(void)
{
again:
	arch_enter_lazy_mmu_mode();
	if (more())
		goto again;
	arch_leave_lazy_mmu_mode();
}	/* expect: unbalanced-section, nested-section */
""",
        dialect=NO_NESTING,
    )


def test_restart_inside_the_section_does_not_begin_again(agrees: Agrees) -> None:
    """The label stands behind the beginning."""
    agrees("""
void f(void)
{
	lazy_mmu_mode_enable();
restart:
	if (more())
		goto restart;
	lazy_mmu_mode_disable();
}
""")


def test_a_break_out_of_the_section_is_found_behind_the_loop(agrees: Agrees) -> None:
    """Where the end of the section stands in the loop's body."""
    agrees("""
void f(struct list *list)
{
	struct item *item;

	for_each_entry(item, list) {
		lazy_mmu_mode_enable();
		if (bad(item))
			break;
		lazy_mmu_mode_disable();
	}
}	/* expect: unbalanced-section */
""")


def test_do_with_commas_is_a_loop_like_any_other(agrees: Agrees) -> None:
    """A do with commas is a loop like any other, whose entries step in its condition."""
    agrees("""
void f(struct mm_struct *mm, pte_t *pte, unsigned long addr, unsigned long end, spinlock_t *ptl)
{
	lockdep_assert_held(ptl);
	lazy_mmu_mode_enable();
	do {
		set_pte_at(mm, addr, pte, make(ptep_get(pte)));
	} while (pte++, addr += PAGE_SIZE, addr != end);
	lazy_mmu_mode_disable();
}
""")


def test_a_section_that_a_loop_leaks_is_open_twice_and_no_deeper(
    kernel: Callable[..., Any],
) -> None:
    """Each round more would be walked for nothing new."""
    looked = kernel("""
void f(int n)
{
	while (n--) {
		lazy_mmu_mode_enable();
		if (more())
			continue;
		lazy_mmu_mode_disable();
	}
}
""")
    (definition,) = looked.source.definitions("f")
    recording = looked.walker.record(looked.program.function(definition))
    depths = {move.after.depth for moves in recording.moves.values() for move in moves}
    assert depths == {0, 1, 2}


def test_a_section_begun_by_another_line_counts(agrees: Agrees) -> None:
    """However deep it stands in others."""
    agrees("""
void f(int n)
{
	lazy_mmu_mode_enable();
	while (n--) {
		lazy_mmu_mode_enable();
		lazy_mmu_mode_disable();
	}
	lazy_mmu_mode_enable();
	lazy_mmu_mode_disable();
	lazy_mmu_mode_disable();
}
""")
