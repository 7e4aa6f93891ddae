# SPDX-License-Identifier: GPL-2.0-or-later
"""The walker on small functions: functions that call themselves, by themselves or by others."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lazymmu.contract.dialects import COUNTED, NO_NESTING
from lazymmu.witness.finding import Finding

Agrees = Callable[..., tuple[Finding, ...]]

ITSELF = """
void one(struct mm_struct *mm, pte_t *pte, int n)
{
	lazy_mmu_mode_enable();
	if (n)
		one(mm, pte + 1, n - 1);	/* expect: nested-section */
	lazy_mmu_mode_disable();
}
"""
BY_TWO_OTHERS = """
void three(struct mm_struct *mm, pte_t *pte, int n);
void two(struct mm_struct *mm, pte_t *pte, int n)
{
	three(mm, pte, n);
}
void one(struct mm_struct *mm, pte_t *pte, int n)
{
	lazy_mmu_mode_enable();
	if (n)
		two(mm, pte, n - 1);	/* expect: nested-section */
	lazy_mmu_mode_disable();
}
void three(struct mm_struct *mm, pte_t *pte, int n)
{
	one(mm, pte, n);
}
"""
WITHOUT_AN_ENTRY = """
void walk(int n);
void again(int n)
{
	if (n)
		walk(n - 1);
}
void walk(int n)
{
	lazy_mmu_mode_enable();
	again(n);	/* expect: nested-section */
	lazy_mmu_mode_disable();
}
"""


@pytest.mark.parametrize("code", [ITSELF, BY_TWO_OTHERS, WITHOUT_AN_ENTRY])
def test_recursion_with_an_open_section_nests(agrees: Agrees, code: str) -> None:
    """Charged to the call by which the function comes to itself again; once."""
    (found,) = agrees(code, dialect=NO_NESTING)
    assert [step.note for step in found.path].count("calls lazy_mmu_mode_enable()") == 2


@pytest.mark.parametrize("code", [ITSELF, BY_TWO_OTHERS, WITHOUT_AN_ENTRY])
def test_recursion_is_right_where_sections_nest(agrees: Agrees, code: str) -> None:
    """Where the contract allows it there is nothing to tell."""
    assert not agrees(code.replace("/* expect: nested-section */", ""), dialect=COUNTED)


def test_recursion_over_files_nests(agrees: Agrees) -> None:
    """The circle may lead through other files."""
    one, rest = BY_TWO_OTHERS.split("void one(")
    body, three = rest.split("\nvoid three(")
    agrees(
        {"mm/a.c": "void one(" + body + "\n", "mm/b.c": one, "mm/c.c": "void three(" + three},
        dialect=NO_NESTING,
    )


def test_recursion_outside_of_the_section_does_not_nest(agrees: Agrees) -> None:
    """A function that calls itself when its section has ended is right, and so is a helper."""
    code = """
static void clear(struct mm_struct *mm, unsigned long addr, pte_t *pte, int n)
{
	pte_clear(mm, addr, pte);
	if (n)
		clear(mm, addr, pte + 1, n - 1);
}
void one(struct mm_struct *mm, unsigned long addr, pte_t *pte, int n)
{
	lazy_mmu_mode_enable();
	clear(mm, addr, pte, n);
	lazy_mmu_mode_disable();
	if (n)
		one(mm, addr, pte + 1, n - 1);
}
"""
    assert not agrees(code, dialect=NO_NESTING)


CIRCLE = """
void even(int n);
void odd(int n)
{
	if (n)
		even(n - 1);
}
void even(int n)
{
	if (n > 3)
		odd(n - 1);
	else
		cond_resched();
}
"""
FIRST = """
void f(int n)
{
	lazy_mmu_mode_enable();
	even(n);	/* expect: sleep-in-section */
	lazy_mmu_mode_disable();
}
"""
SECOND = """
void g(int n)
{
	lazy_mmu_mode_enable();
	odd(n);	/* expect: sleep-in-section */
	lazy_mmu_mode_disable();
}
"""


@pytest.mark.parametrize("sections", [FIRST, SECOND, FIRST + SECOND, SECOND + FIRST])
def test_what_a_circle_of_calls_comes_to_does_not_depend_on_who_asks_first(
    agrees: Agrees, sections: str
) -> None:
    """A sleep at the bottom of a circle is found from each of its functions."""
    agrees(CIRCLE + sections)


def test_a_circle_that_only_sleeps_where_it_may_is_right(agrees: Agrees) -> None:
    """A sleep that lies below a lock of the circle's own cannot happen, however it is reached."""
    assert not agrees("""
void even(struct thing *thing, int n);
void odd(struct thing *thing, int n)
{
	spin_lock(&thing->lock);
	even(thing, n - 1);
	spin_unlock(&thing->lock);
}
void even(struct thing *thing, int n)
{
	if (n)
		odd(thing, n - 1);
}
void f(struct thing *thing, int n)
{
	lazy_mmu_mode_enable();
	even(thing, n);
	lazy_mmu_mode_disable();
}
""")


@pytest.mark.parametrize("count", ["count", "3", "0"])
def test_the_bottom_is_come_to_whatever_the_count_is(agrees: Agrees, count: str) -> None:
    """With a constant as with a variable, where the table that is locked is handed down."""
    agrees(
        """
static void lower(struct mm_struct *mm, pmd_t *pmd, int n);

static void again(struct mm_struct *mm, pmd_t *pmd, int n)
{
	if (n)
		lower(mm, pmd + 1, n - 1);
	else
		might_sleep();
}

static void lower(struct mm_struct *mm, pmd_t *pmd, int n)
{
	again(mm, pmd, n);
}

void f(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, int count)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	lazy_mmu_mode_enable();
	lower(mm, pmd, COUNT);	/* expect: sleep-in-section */
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
}
""".replace("COUNT", count)
    )
