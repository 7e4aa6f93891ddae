# SPDX-License-Identifier: GPL-2.0-or-later
"""A missing end, or a missing beginning, is one finding, with what follows from it.

Code is C of our own; `/* expect: rule */` stands on the line of each finding, those that lead and
those that follow, and there is no other finding.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lazymmu.contract.dialects import NO_NESTING, PTL_HELD
from lazymmu.witness.finding import Finding

Agrees = Callable[..., tuple[Finding, ...]]

SCAN = """
int scan(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, unsigned long end,
		pte_t new)
{{
	spinlock_t *ptl;
	pte_t *start, *pte;
	int ret = 0;

again:
	start = pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);
	if (!pte)
		return -EAGAIN;
	arch_enter_lazy_mmu_mode();
	{first}
	for (; addr != end; pte++, addr += PAGE_SIZE) {{
		{loop}
		set_pte_at(vma->vm_mm, addr, pte, new);
	}}
	{end}
	pte_unmap_unlock(start, ptl);
	{after}
	return ret;{expect}
}}
"""


def scan(**given: str) -> str:
    """A function with a loop in a section under its lock, with something put in its places."""
    places = dict.fromkeys(("first", "loop", "after", "expect"), "")
    return SCAN.format(**({"end": "arch_leave_lazy_mmu_mode();"} | places | given))


ALL = "	/* expect: unbalanced-section, section-outside-lock, unlock-before-flush{} */"


def test_a_missing_end_is_one_finding(agrees: Agrees) -> None:
    """The lock is dropped and something sleeps in the section: one end before both mends it."""
    (found,) = agrees(
        scan(end="", after="cond_resched();", expect=ALL.format(", sleep-in-section")),
        dialect=PTL_HELD,
    )
    assert found.rule == "unbalanced-section"
    assert [step.note for step in found.path[-2:]] == [
        "in consequence, section-outside-lock and unlock-before-flush: calls pte_unmap_unlock()",
        "in consequence, sleep-in-section: calls cond_resched()",
    ]


def test_giving_back_a_mapping_is_no_work_on_entries(agrees: Agrees) -> None:
    """The flush before it follows from the missing end, too."""
    agrees(
        scan(
            end="flush_tlb_range(vma, addr, end); pte_unmap(start);",
            expect=ALL.format(", tlb-flush-in-section"),
        ),
        dialect=PTL_HELD,
    )


def test_a_missing_end_before_another_round_is_one_finding(agrees: Agrees) -> None:
    """The next round begins a section in the one that is open, and fails with it open."""
    (found,) = agrees(
        scan(
            end="", after="if (more()) goto again;", expect=ALL.format(", nested-section")
        ).replace("return -EAGAIN;", "return -EAGAIN;	/* likewise */"),
        dialect=PTL_HELD,
    )
    assert "likewise: returns" in {step.note for step in found.path}
    assert found.function == "scan"


def test_a_section_begun_in_an_open_one_follows_from_that(agrees: Agrees) -> None:
    """In a dialect without nesting the first section's end is missing, the second is right."""
    agrees(
        """
void f(struct mm_struct *mm, pte_t *pte, unsigned long addr)
{
	arch_enter_lazy_mmu_mode();
	ptep_set_wrprotect(mm, addr, pte);
	arch_enter_lazy_mmu_mode();
	ptep_set_wrprotect(mm, addr, pte);
	arch_leave_lazy_mmu_mode();
}	/* expect: unbalanced-section, nested-section */
""",
        dialect=NO_NESTING,
    )


@pytest.mark.parametrize("where", ["first", "loop"])
def test_what_is_wrong_before_the_missing_end_is_a_mistake_of_its_own(
    agrees: Agrees, where: str
) -> None:
    """Entries are still to be changed there, so that no end could stand before it."""
    sleep = "cond_resched();	/* expect: sleep-in-section */"
    agrees(scan(end="", expect=ALL.format(""), **{where: sleep}), dialect=PTL_HELD)


def test_two_branches_that_forget_their_ends_are_two_mistakes(agrees: Agrees) -> None:
    """Each needs an end of its own, and says what follows from its own."""
    branch = """if ({0}) {{
			pte_unmap_unlock(start, ptl);
			return {0};	/* expect: unbalanced-section, {1} */
		}}"""
    lock = "section-outside-lock, unlock-before-flush"
    agrees(
        scan(
            first=branch.format("bad(start)", "section-outside-lock"),
            loop=branch.format("bad(pte)", lock),
        ),
        dialect=PTL_HELD,
    )


def test_an_end_in_the_wrong_order_stays_beside_a_missing_one(agrees: Agrees) -> None:
    """Where the section ends after its lock, that is wrong whatever another branch forgets."""
    agrees(
        """
int f(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, int bad)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);

	if (!pte)
		return 0;
	arch_enter_lazy_mmu_mode();
	if (bad)
		return 1;	/* expect: unbalanced-section */
	pte_unmap_unlock(pte, ptl);	/* expect: section-outside-lock */
	arch_leave_lazy_mmu_mode();
	return 0;
}
""",
        dialect=PTL_HELD,
    )


def test_a_missing_beginning_is_one_finding(agrees: Agrees) -> None:
    """However many ends there are on the ways out, one beginning mends them all."""
    (found,) = agrees("""
int f(pte_t *pte, int bad)
{
	if (bad) {
		lazy_mmu_mode_disable();	/* expect: unbalanced-section */
		return 1;
	}
	lazy_mmu_mode_disable();
	return 0;
}
""")
    assert [step.note for step in found.path if step.line == 8] == [
        "likewise: calls lazy_mmu_mode_disable()"
    ]


def test_a_pause_that_is_not_resumed_is_one_finding(agrees: Agrees) -> None:
    """Both returns lie behind the same missing call."""
    (found,) = agrees("""
int f(int bad)
{
	lazy_mmu_mode_pause();
	if (bad) {
		work();
		return 1;	/* expect: unbalanced-pause */
	}
	lazy_mmu_mode_resume();
	lazy_mmu_mode_pause();
	use(bad);
	if (other())
		return 2;	/* expect: unbalanced-pause */
	return 0;
}
""")[1:]
    assert "likewise: returns" in {step.note for step in found.path}


# ---- who calls it --------------------------------------------------------------------------------

LEAKY = """
static int part(struct mm_struct *mm, pte_t *pte, unsigned long addr)
{
	arch_enter_lazy_mmu_mode();
	ptep_set_wrprotect(mm, addr, pte);
	return 0;	/* expect: unbalanced-section */
}
"""


def test_callers_of_a_function_that_leaks_are_not_told(agrees: Agrees) -> None:
    """They sleep, begin sections of their own, end those: all of it right but for the one."""
    agrees(
        LEAKY
        + """
static int whole(struct mm_struct *mm, pte_t *pte, unsigned long addr)
{
	part(mm, pte, addr);
	cond_resched();
	part(mm, pte, addr + PAGE_SIZE);
	return use(ptep_get(pte));
}

void top(struct mm_struct *mm, pte_t *pte, unsigned long addr)
{
	whole(mm, pte, addr);
	arch_enter_lazy_mmu_mode();
	ptep_set_wrprotect(mm, addr, pte);
	arch_leave_lazy_mmu_mode();
	msleep(1);
}
""",
        dialect=NO_NESTING,
    )


def test_a_mistake_of_a_caller_stays_beside_its_callees(agrees: Agrees) -> None:
    """Each is told where it is, the callee's once."""
    agrees(
        LEAKY
        + """
int top(struct mm_struct *mm, pte_t *pte, unsigned long addr, int bad)
{
	part(mm, pte, addr);
	arch_enter_lazy_mmu_mode();
	ptep_set_wrprotect(mm, addr, pte);
	if (bad)
		return 1;	/* expect: unbalanced-section */
	arch_leave_lazy_mmu_mode();
	return 0;
}
""",
        dialect=NO_NESTING,
    )


def test_a_function_that_leaks_in_a_callers_section_is_wrong(agrees: Agrees) -> None:
    """Where sections nest, the caller's end is the caller's own, and shows no pair."""
    agrees("""
static int part(struct mm_struct *mm, pte_t *pte, unsigned long addr, int bad)
{
	lazy_mmu_mode_enable();
	ptep_set_wrprotect(mm, addr, pte);
	if (bad)
		return 1;	/* expect: unbalanced-section */
	lazy_mmu_mode_disable();
	return 0;
}

int top(struct mm_struct *mm, pte_t *pte, unsigned long addr, int bad)
{
	int ret;

	lazy_mmu_mode_enable();
	ret = part(mm, pte, addr, bad);
	lazy_mmu_mode_disable();
	return ret;
}
""")


# ---- pairs of helpers ----------------------------------------------------------------------------

PAIR = """
static void begin(int some)
{
	prepare(some);
	lazy_mmu_mode_enable();
}

static void end(int some)
{
	lazy_mmu_mode_disable();
	finish(some);
}
"""


def test_who_skips_the_second_helper_is_wrong_and_not_the_helper(agrees: Agrees) -> None:
    """Also where nobody else calls the pair: one path shows what the helpers are for."""
    (found,) = agrees(
        PAIR
        + """
int f(int bad)
{
	begin(bad);
	work();
	if (bad)
		return 1;	/* expect: unbalanced-section */
	end(bad);
	return 0;
}
"""
    )
    assert [(step.line, step.note) for step in found.path] == [
        (16, "calls begin()"),
        (5, "calls lazy_mmu_mode_enable()"),
        (19, "returns"),
    ]


def test_who_skips_the_first_helper_is_wrong_and_not_the_helper(agrees: Agrees) -> None:
    """The end is told, with the call that led to it."""
    (found,) = agrees(
        PAIR.replace("mode_disable();", "mode_disable();	/* expect: unbalanced-section */")
        + """
int f(int some)
{
	if (some)
		begin(some);
	work();
	end(1);
	return 0;
}
"""
    )
    assert [(step.line, step.note) for step in found.path] == [
        (19, "calls end()"),
        (10, "calls lazy_mmu_mode_disable()"),
    ]


def test_helpers_in_a_header_are_a_pair_of_whoever_calls_them(agrees: Agrees) -> None:
    """A static function of a header is called by other files."""
    agrees(
        {
            "include/linux/batch.h": PAIR.replace("static", "static inline"),
            "mm/a.c": "void f(int n)\n{\n\tbegin(n);\n\twork();\n\tend(n);\n}\n",
            "mm/b.c": (
                "int g(int n)\n{\n\tbegin(n);\n\tif (n)\n"
                "\t\treturn 1;	/* expect: unbalanced-section */\n\tend(n);\n\treturn 0;\n}\n"
            ),
        }
    )


def test_a_helper_that_is_given_an_entry_may_be_a_half(agrees: Agrees) -> None:
    """It is walked in its callers' place before anybody asks whether it is one."""
    agrees("""
static void begin_at(pte_t *pte)
{
	lazy_mmu_mode_enable();
	use(ptep_get(pte));
}

int f(pte_t *pte, int bad)
{
	begin_at(pte);
	if (bad)
		return 1;	/* expect: unbalanced-section */
	lazy_mmu_mode_disable();
	return 0;
}
""")
