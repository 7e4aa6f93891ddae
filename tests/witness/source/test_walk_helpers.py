# SPDX-License-Identifier: GPL-2.0-or-later
"""The walker on small functions: halves of pairs in helpers, flags between them, macros.

Code is C of our own; `/* expect: rule */` stands on the line of each finding, and there is no
other finding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lazymmu.witness.finding import Finding
from lazymmu.witness.source import halves
from lazymmu.witness.source.path import walker

Agrees = Callable[..., tuple[Finding, ...]]


def test_the_value_of_a_helper_tells_what_it_did(agrees: Agrees) -> None:
    """A helper that begins and returns whether it did; the path leads to who does not ask."""
    (found,) = agrees("""
static bool begin(int some)
{
	if (!some)
		return false;
	lazy_mmu_mode_enable();
	return true;
}

static void end(void)
{
	lazy_mmu_mode_disable();	/* expect: unbalanced-section */
}

void f(int some)
{
	if (!begin(some))
		return;
	work();
	end();
}

void g(int some)
{
	bool lazy = begin(some);

	work();
	if (lazy)
		end();
}

void h(int some)
{
	begin(some);
	work();
	end();
}
""")
    assert [step.function for step in found.path] == ["h", "end"]


def test_one_half_may_be_a_helper(agrees: Agrees) -> None:
    """The other half stands in the caller."""
    agrees("""
static void begin(void)
{
	prepare();
	lazy_mmu_mode_enable();
}

void f(void)
{
	begin();
	might_sleep();	/* expect: sleep-in-section */
	lazy_mmu_mode_disable();
}
""")


def test_halves_may_lie_in_another_file(agrees: Agrees) -> None:
    """And their callers be several, some of them wrong."""
    agrees(
        {
            "mm/halves.c": """
void begin(void)
{
	lazy_mmu_mode_enable();
}

void end(void)
{
	lazy_mmu_mode_disable();
}
""",
            "mm/a.c": """
void f(void)
{
	begin();
	work();
	end();
}

void g(int bad)
{
	begin();
	if (bad)
		return;	/* expect: unbalanced-section */
	end();
}
""",
        }
    )


def test_a_half_may_be_called_by_a_half(agrees: Agrees) -> None:
    """The function that closes stands further up."""
    agrees("""
static void begin(void)
{
	lazy_mmu_mode_enable();
}

static void start(void)
{
	prepare();
	begin();
}

void f(void)
{
	start();
	work();
	lazy_mmu_mode_disable();
}
""")


def test_a_function_that_nobody_balances_is_wrong(agrees: Agrees) -> None:
    """A function that nobody balances is wrong, and having callers is no excuse."""
    agrees("""
static void leaky(int bad)
{
	lazy_mmu_mode_enable();
	if (bad)
		return;	/* expect: unbalanced-section */
	lazy_mmu_mode_disable();
}

void f(int bad)
{
	leaky(bad);
}
""")


# ---- macros and helpers --------------------------------------------------------------------------


def test_a_flag_is_handed_to_the_helper_that_acts_on_it(agrees: Agrees) -> None:
    """What is known of an argument is known of the parameter, until that is overwritten."""
    agrees("""
static void finish(pte_t *pte, int lazy)
{
	if (lazy)
		lazy_mmu_mode_disable();
	lazy = 0;
	if (lazy)
		lazy_mmu_mode_disable();
}

void f(pte_t *pte, int some)
{
	if (some)
		lazy_mmu_mode_enable();
	finish(pte, some);
}
""")


def test_a_macro_of_statements_is_walked_in_its_place(agrees: Agrees) -> None:
    """It ends the section and drops the lock that its arguments name."""
    agrees("""
#define finish_on(pte, ptl) do {	\\
	lazy_mmu_mode_disable();	\\
	pte_unmap_unlock(pte, ptl);	\\
} while (0)

void f(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, pte_t new)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);

	if (!pte)
		return;
	lazy_mmu_mode_enable();
	set_pte_at(vma->vm_mm, addr, pte, new);
	finish_on(pte, ptl);
	flush_tlb_range(vma, addr, addr + PAGE_SIZE);
}
""")


def test_a_macro_that_steps_its_argument_steps_the_callers(agrees: Agrees) -> None:
    """A macro has no copies of its own."""
    agrees("""
#define write_next(mm, addr, pte, new) do { set_pte_at(mm, addr, pte, new); (pte)++; } while (0)

void f(struct mm_struct *mm, pte_t *pte, unsigned long addr, pte_t new)
{
	lazy_mmu_mode_enable();
	write_next(mm, addr, pte, new);
	use(ptep_get(pte));
	set_pte_at(mm, addr, pte, new);
	use(ptep_get(pte));	/* expect: stale-read */
	lazy_mmu_mode_disable();
}
""")


@pytest.mark.parametrize("levels", range(1, 7))
def test_the_other_half_is_looked_for_a_few_callers_up(agrees: Agrees, levels: int) -> None:
    """A half is balanced by callers up to a bound, and beyond it is wrong by itself."""
    far = levels > halves.MAX_LEVELS + 1
    end = "	/* expect: unbalanced-section */" if far else ""
    callers = "".join(
        f"void level_{n}(void)\n{{\n\tlevel_{n - 1}();\n}}\n\n" for n in range(1, levels)
    )
    agrees(f"""
static void level_0(void)
{{
	lazy_mmu_mode_enable();
	work();
}}{end}

{callers}
void top(void)
{{
	level_{levels - 1}();
	lazy_mmu_mode_disable();{end}
}}
""")


def test_of_a_caller_that_is_too_large_the_first_paths_count(
    kernel: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One path in balance shows what a half is for, whatever was not walked to its end."""
    monkeypatch.setattr(walker, "MAX_BELOW", 15)
    of = kernel("""
static void half(void)
{
	lazy_mmu_mode_enable();
	work();
}

void f(int a, int b, int c)
{
	half();
	if (a)
		work();
	if (b)
		work();
	if (c)
		work();
	if (a + b)
		work();
	if (b + c)
		work();
	lazy_mmu_mode_disable();
}
""")
    assert not of.findings()
    assert [name for _, _, name in of.walker.bounded] == ["f"], "which is told as a loss"


SWITCHED = {
    "a condition": """
static inline void sw(bool on)
{
	if (on)
		lazy_mmu_mode_enable();
	else
		lazy_mmu_mode_disable();
}
""",
    "a switch": """
enum way { OTHER = 3, true_ /* the next */, OFF };
static inline void sw(enum way way)
{
	switch (way) {
	case true_:
		lazy_mmu_mode_enable();
		break;
	case OFF:
		lazy_mmu_mode_disable();
		break;
	default:
		break;
	}
}
""",
    "a comparison": """
enum { OFF, true_ };
static void sw(int way)
{
	if (way == true_)
		lazy_mmu_mode_enable();
	if (way == OFF)
		lazy_mmu_mode_disable();
}
""",
}


@pytest.mark.parametrize("how", SWITCHED)
def test_which_half_a_helper_is_may_hang_on_an_argument(agrees: Agrees, how: str) -> None:
    """It is told of who forgets the second call, and of nobody else."""
    on, off = ("true", "false") if how == "a condition" else ("true_", "OFF")
    agrees(
        SWITCHED[how]
        + """
void f(void)
{
	sw(ON);
	work();
	sw(OFF);
}

int g(int bad)
{
	sw(ON);
	if (bad)
		return 1;	/* expect: unbalanced-section */
	sw(OFF);
	return 0;
}

void h(void)
{
	sw(ON);
	might_sleep();	/* expect: sleep-in-section */
	sw(OFF);
}
""".replace("ON", on).replace("OFF", off)
    )


def test_halves_that_hand_on_what_decides_are_halves_themselves(agrees: Agrees) -> None:
    """Two helpers of a helper that does both, each with its own constant."""
    agrees(
        SWITCHED["a condition"]
        + """
static void start(void)
{
	sw(true);
}

static void stop(void)
{
	sw(false);
}

int f(int bad)
{
	start();
	if (bad)
		return 1;	/* expect: unbalanced-section */
	stop();
	return 0;
}
"""
    )


def test_a_helper_may_sleep_while_it_pauses_the_mode(agrees: Agrees) -> None:
    """However deep it is called; before the pause and after the resume it may not."""
    agrees("""
static void waits(void)
{
	lazy_mmu_mode_pause();
	might_sleep();
	lazy_mmu_mode_resume();
}

static void waits_late(void)
{
	lazy_mmu_mode_pause();
	prepare();
	lazy_mmu_mode_resume();
	might_sleep();
}

static void deeper(void)
{
	waits();
}

void f(void)
{
	lazy_mmu_mode_enable();
	waits();
	deeper();
	waits_late();	/* expect: sleep-in-section */
	lazy_mmu_mode_disable();
}
""")


@pytest.mark.parametrize(
    ("more", "left"), [("return pte + 1;", True), ("return next_of(pte);", False)]
)
def test_a_pointer_that_was_moved_is_there(agrees: Agrees, more: str, left: bool) -> None:
    """So a loop over entries ends where the helper that ends the section says that it does."""
    told = "" if left else "	/* expect: unbalanced-section */"
    agrees(f"""
static pte_t *next(pte_t *pte, unsigned long *addr, unsigned long end)
{{
	*addr += PAGE_SIZE;
	if (*addr < end)
		{more}
	lazy_mmu_mode_disable();
	return NULL;
}}

void f(pte_t *pte, unsigned long addr, unsigned long end)
{{
	if (!pte)
		return;
	lazy_mmu_mode_enable();
	for (; pte; pte = next(pte, &addr, end))
		use(addr);
}}{told}
""")
