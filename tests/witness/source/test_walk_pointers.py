# SPDX-License-Identifier: GPL-2.0-or-later
"""Sections that end, or begin, by a function's own pointer to one of a few functions."""

from __future__ import annotations

import pytest

import lazymmu
from lazymmu.snapshot.tree import Tree
from lazymmu.witness.finding import CheckResult, Confidence
from tests.witness.source.same_as_plain import EXAMPLES, INCLUDE

CODE = """
static int count;
static void end_a(void) { lazy_mmu_mode_disable(); }
static void end_b(void) { lazy_mmu_mode_disable(); count++; }
static void skip(void) { count++; }
static void begin_a(void) { count++; lazy_mmu_mode_enable(); }
static void begin_b(void) { count--; lazy_mmu_mode_enable(); }

int f(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, pte_t new, int some)
{
	void (*fin)(void) = NULL, (*start)(void);
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return 0;
	BODY
	pte_unmap_unlock(pte, ptl);
	return 0;
}

int g(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, pte_t new, int some)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return 0;
	begin_a();
	set_pte_at(mm, addr, pte, new);
	end_b();
	begin_b();
	set_pte_at(mm, addr, pte, new);
	end_b();
	pte_unmap_unlock(pte, ptl);
	return 0;
}
"""
ON, SET = "lazy_mmu_mode_enable();", "set_pte_at(mm, addr, pte, new);"
EITHER = "fin = some ? end_a : end_b;"
STARTS = "start = some ? begin_a : begin_b;"


def checked(body: str) -> CheckResult:
    """What the newer example tree comes to with a function of this body."""
    root = EXAMPLES / "linux-new"
    makefile = (root / "mm" / "Makefile").read_bytes() + b"obj-y += own.o\n"
    own = (INCLUDE + CODE.replace("BODY", body)).encode()
    tree = Tree.open(root).over({"mm/own.c": own, "mm/Makefile": makefile})
    return lazymmu.check(tree, arches=["x86"], jobs=1)


def told(body: str) -> dict[str, Confidence]:
    """The rules that are broken in mm/own.c, each in f(), and how sure that is."""
    found = [one for one in checked(body).findings if one.file == "mm/own.c"]
    assert {one.function for one in found} <= {"f"}
    return {one.rule: one.confidence for one in found}


@pytest.mark.parametrize(
    "body",
    [
        f"{EITHER} {ON} {SET} fin();",
        f"if (some) fin = end_a; else fin = end_b; {ON} {SET} fin();",
        f"fin = some ? end_b : lazy_mmu_mode_disable; {ON} {SET} fin();",
        f"{STARTS} start(); {SET} lazy_mmu_mode_disable();",
        f"fin = some ? skip : NULL; {ON} {SET} fin(); end_b();",
    ],
)
def test_one_of_two_functions_that_do_the_same_is_what_both_do(body: str) -> None:
    """Whichever it is, the section is begun and ended; and no place of the mode is lost."""
    result = checked(body)
    assert not [one for one in result.findings if one.file == "mm/own.c"]
    assert not [lost for lost in result.coverage.blind if lost.file == "mm/own.c"]


@pytest.mark.parametrize(
    ("body", "sure"),
    [
        (f"fin = some ? end_b : skip; {ON} {SET} fin();", Confidence.LOW),
        (f"fin = some ? end_b : skip; {ON} {SET} fin(); lazy_mmu_mode_disable();", Confidence.LOW),
        (f"fin = some ? skip : NULL; {ON} {SET} fin();", Confidence.HIGH),
        (f"{EITHER} {ON} {SET} if (pte_none(new)) goto out; fin(); out: ;", Confidence.HIGH),
        (f"{EITHER} {ON} {SET} fin(); {ON}", Confidence.HIGH),
        (f"{EITHER} {ON} {SET} fin(); lazy_mmu_mode_disable();", Confidence.HIGH),
    ],
)
def test_one_of_two_functions_that_do_not_do_the_same_is_a_guess(
    body: str, sure: Confidence
) -> None:
    """What is wrong whichever it is, is not."""
    assert told(body)["unbalanced-section"] is sure


def test_what_sleeps_behind_one_of_two_begins_is_told_for_sure() -> None:
    """Both of the functions that the pointer may be have begun the section."""
    body = f"{STARTS} start(); {SET} cond_resched(); lazy_mmu_mode_disable();"
    assert told(body) == {"sleep-in-section": Confidence.HIGH}


def test_a_pointer_that_may_be_anything_else_is_relied_on_for_nothing() -> None:
    """One of its values is what somebody returns that nobody can look into."""
    body = f"fin = some ? end_b : (void (*)(void))unknown(pte); {ON} {SET} fin();"
    assert checked(body).coverage.blind
