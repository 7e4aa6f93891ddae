# SPDX-License-Identifier: GPL-2.0-or-later
"""Sections that end in a cleanup function which asks whether its variable is empty."""

from __future__ import annotations

import pytest

from tests.witness.source.same_as_plain import INCLUDE, seen

CLEANUP = """
#include <linux/cleanup.h>
struct batch { int nr; };
static struct batch *batch_begin(struct batch *b) { BEGIN }
DEFINE_FREE(batch, struct batch *, if (_T) lazy_mmu_mode_disable())
"""
FUNCTION = """
int NAME(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, pte_t new, struct batch *given)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return 0;
	{
		struct batch *b __free(batch) = batch_begin(given);

		BODY
	}
	pte_unmap_unlock(pte, ptl);
	return 0;
}
"""
BEGINS = (
    "lazy_mmu_mode_enable(); return b;",
    "lazy_mmu_mode_enable(); b->nr = 0; return b;",
    "if (!b) return NULL; lazy_mmu_mode_enable(); return b;",
    "if (b) lazy_mmu_mode_enable(); return b;",
)
BODIES = {
    "set_pte_at(mm, addr, pte, new);": "",
    "cond_resched();": "sleep-in-section",
    "pte_unmap_unlock(pte, ptl); return 1;": "section-outside-lock",
    "set_pte_at(mm, addr, pte, new); b = NULL;": "unbalanced-section",
    "set_pte_at(mm, addr, pte, new); b = given->next;": "unbalanced-section",
    "set_pte_at(mm, addr, pte, new); no_free_ptr(b);": "unbalanced-section",
    "set_pte_at(mm, addr, pte, new); take(&b);": "unbalanced-section",
}


@pytest.mark.parametrize("begin", BEGINS)
def test_what_a_begin_hands_back_is_there_until_it_is_emptied(begin: str) -> None:
    """A begin that does not ask for what it is handed takes it to be there, as guards do."""
    text = INCLUDE + CLEANUP.replace("BEGIN", begin)
    for number, body in enumerate(BODIES):
        text += FUNCTION.replace("NAME", f"f{number}").replace("BODY", body)
    found = {(function, rule) for rule, _, function, _ in seen("new", text, {}).findings}
    assert {name for name, _ in found} <= {f"f{n}" for n in range(1, len(BODIES))}
    assert {(f"f{n}", rule) for n, rule in enumerate(BODIES.values()) if rule} <= found


@pytest.mark.parametrize("asks", ["int n = b ? 1 : 0;", "int n = !b;", "int n = b && b->nr;"])
def test_a_begin_that_asks_for_what_it_is_handed_may_be_handed_nothing(asks: str) -> None:
    """Its section is begun then, and nobody ends it."""
    begin = f"{asks} lazy_mmu_mode_enable(); note(n); return b;"
    text = INCLUDE + CLEANUP.replace("BEGIN", begin)
    text += FUNCTION.replace("NAME", "f").replace("BODY", "set_pte_at(mm, addr, pte, new);")
    (found,) = seen("new", text, {}).findings
    assert found[0] == "unbalanced-section"


OWN = {
    "set_pte_at(mm, addr, pte, new);": "",
    "cond_resched();": "sleep-in-section",
    "set_pte_at(mm, addr, pte, new); b = NULL;": "unbalanced-section",
    "set_pte_at(mm, addr, pte, new); if (given) cpu_relax();": "unbalanced-section",
    "set_pte_at(mm, addr, pte, new); given = given->next;": "unbalanced-section",
}


def test_a_pointer_that_a_function_was_given_is_there_if_it_does_not_ask() -> None:
    """Who asks for it, or gives the variable another, may have nothing in it."""
    text = INCLUDE + CLEANUP.replace("BEGIN", "return b;")
    for number, body in enumerate(OWN):
        function = FUNCTION.replace("NAME", f"f{number}").replace("batch_begin(given)", "given")
        text += function.replace("BODY", f"lazy_mmu_mode_enable(); {body}")
    found = {(function, rule) for rule, _, function, _ in seen("new", text, {}).findings}
    assert found == {(f"f{n}", rule) for n, rule in enumerate(OWN.values()) if rule}


NUMBER = """
#include <linux/cleanup.h>
static TYPE batch_begin(void) { lazy_mmu_mode_enable(); return FULL; }
DEFINE_FREE(batch, TYPE, if (_T) lazy_mmu_mode_disable())
"""


@pytest.mark.parametrize(("kind", "full"), [("bool", "true"), ("int", "1")])
def test_a_number_that_is_emptied_ends_nothing(kind: str, full: str) -> None:
    """What a begin returns is in the variable at first, and what it is given later counts."""
    bodies = {
        "set_pte_at(mm, addr, pte, new);": False,
        "set_pte_at(mm, addr, pte, new); b = 0;": True,
        "set_pte_at(mm, addr, pte, new); if (addr) b = 0;": True,
        "set_pte_at(mm, addr, pte, new); b = some(addr);": True,
        "set_pte_at(mm, addr, pte, new); empty(&b);": True,
    }
    text = INCLUDE + NUMBER.replace("TYPE", kind).replace("FULL", full)
    for number, body in enumerate(bodies):
        function = FUNCTION.replace("struct batch *b", f"{kind} b").replace("(given)", "()")
        text += function.replace("NAME", f"f{number}").replace("BODY", body)
    found = {(function, rule) for rule, _, function, _ in seen("new", text, {}).findings}
    wrong = {(f"f{n}", "unbalanced-section") for n, told in enumerate(bodies.values()) if told}
    assert found == wrong
