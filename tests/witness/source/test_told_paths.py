# SPDX-License-Identifier: GPL-2.0-or-later
"""Paths name every call that leads to what they tell, at the line that was taken."""

from __future__ import annotations

from collections.abc import Callable

from lazymmu.witness.finding import Finding

Agrees = Callable[..., tuple[Finding, ...]]


def told(found: Finding) -> list[tuple[int, str, str]]:
    """Line, function and note of each step."""
    return [(step.line, step.function, step.note) for step in found.path]


def test_the_call_that_began_the_section_is_named(agrees: Agrees) -> None:
    """Of two calls of one function the line of the one that was taken is told."""
    (found,) = agrees("""
static void begin(void)
{
	lazy_mmu_mode_enable();
}
static void start(void)
{
	begin();
}
static void stop(void)
{
	lazy_mmu_mode_disable();
}
void f(void)
{
	start();
	stop();
	start();
	msleep(1);	/* expect: sleep-in-section */
	stop();
}
""")
    assert told(found) == [
        (18, "f", "calls start()"),
        (8, "start", "calls begin()"),
        (4, "begin", "calls lazy_mmu_mode_enable()"),
        (19, "f", "calls msleep()"),
    ]


def test_the_call_in_which_an_entry_was_written_is_named(agrees: Agrees) -> None:
    """It has returned since, and is on the path all the same."""
    (found,) = agrees("""
static void put(struct mm_struct *mm, pte_t *pte, unsigned long addr, pte_t new)
{
	set_pte_at(mm, addr, pte, new);
}
static void look(pte_t *pte)
{
	use(ptep_get(pte));	/* expect: stale-read */
}
void f(struct mm_struct *mm, pte_t *pte, unsigned long addr, pte_t new)
{
	look(pte);
	lazy_mmu_mode_enable();
	look(pte);
	put(mm, pte, addr, new);
	look(pte);
	lazy_mmu_mode_disable();
}
""")
    assert told(found) == [
        (13, "f", "calls lazy_mmu_mode_enable()"),
        (15, "f", "calls put()"),
        (4, "put", "calls set_pte_at()"),
        (16, "f", "calls look()"),
        (8, "look", "calls ptep_get()"),
    ]


def test_a_callback_is_named_as_one_and_so_is_who_gave_it(agrees: Agrees) -> None:
    """The caller that hands it on, by the call that has it, and each call down to the section."""
    (found,) = agrees("""
static int nothing(pte_t *pte, unsigned long addr, void *data)
{
	return 0;
}
static int nap(pte_t *pte, unsigned long addr, void *data)
{
	msleep(4);	/* expect: sleep-in-section */
	return 0;
}
static int each(struct mm_struct *mm, pte_fn_t fn, void *data)
{
	pte_t *pte = find(mm);

	lazy_mmu_mode_enable();
	fn(pte, 0, data);
	lazy_mmu_mode_disable();
	return 0;
}
int apply_to_page_range(struct mm_struct *mm, unsigned long addr, unsigned long size,
			pte_fn_t fn, void *data)
{
	return each(mm, fn, data);
}
int f(struct mm_struct *mm)
{
	apply_to_page_range(mm, 1, 2, nothing, NULL);
	return apply_to_page_range(mm, 1, 2, nap, NULL);
}
""")
    assert told(found) == [
        (28, "f", "calls apply_to_page_range() with nap()"),
        (23, "apply_to_page_range", "calls each()"),
        (15, "each", "calls lazy_mmu_mode_enable()"),
        (16, "each", "calls back nap()"),
        (8, "nap", "calls msleep()"),
    ]


def test_a_function_that_is_called_back_below_a_call_is_named_as_one(agrees: Agrees) -> None:
    """What a callee may come to is told in the same words."""
    (found,) = agrees("""
static int slow(int n)
{
	msleep(n);
	return 0;
}
static int run(int (*fn)(int), int n)
{
	return fn(n);
}
void f(int n)
{
	lazy_mmu_mode_enable();
	run(slow, n);	/* expect: sleep-in-section */
	lazy_mmu_mode_disable();
}
""")
    assert told(found)[1:] == [
        (14, "f", "calls run()"),
        (9, "run", "calls back slow()"),
        (4, "slow", "calls msleep()"),
    ]
