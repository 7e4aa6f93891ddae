# SPDX-License-Identifier: GPL-2.0-or-later
"""The walker on small functions: entries that are asked for near a pointer that has moved."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lazymmu.witness.finding import Confidence, Finding

Agrees = Callable[..., tuple[Finding, ...]]

SECTION = """
static bool gone(pte_t *entry)
{{
	return pte_none(ptep_get(entry));{1}
}}

void f(struct mm_struct *mm, unsigned long addr, pte_t *pte, pte_t value, int i, int n)
{{
	pte_t old, *first = pte, *q;

	lazy_mmu_mode_enable();
	set_pte_at(mm, addr, pte, value);
	{0}
	lazy_mmu_mode_disable();
}}
"""

STALE = "	/* expect: stale-read */"


@pytest.mark.parametrize(
    "body",
    [
        "first = NULL; pte++; old = ptep_get(pte - 1);",
        "pte++; old = ptep_get(pte - 1);",
        "pte++; old = *first;",
        "pte++; old = *(pte - 1);",
        "pte++; old = pte[-1];",
        "pte++; old = ptep_get(&pte[-1]);",
        "++pte; old = ptep_get(pte - 1);",
        "pte += 2; old = ptep_get(pte - 2);",
        "pte = pte + 1; old = ptep_get(pte - 1);",
        "pte += n; old = ptep_get(pte - n);",
        "pte = &pte[n]; old = ptep_get(pte - n);",
        "pte++; pte++; old = ptep_get(pte - 2);",
        "pte++; pte--; old = ptep_get(pte);",
        "pte += n; pte -= n; old = ptep_get(pte);",
        "pte++; q = pte - 1; old = ptep_get(q);",
        "set_pte_at(mm, addr, pte + 1, value); pte++; old = ptep_get(pte);",
        "while (i--) set_pte_at(mm, addr, pte++, value); old = ptep_get(pte - 1);",
        "for (; i; i--, pte++) set_pte_at(mm, addr, pte, value); old = ptep_get(pte - 1);",
        "do { i--; } while (set_pte_at(mm, addr, pte, value), pte++, i); old = ptep_get(pte - 1);",
    ],
)
def test_where_a_pointer_was_is_the_entry_that_it_pointed_to(agrees: Agrees, body: str) -> None:
    """By a number of entries, or by a variable's value that is the same still."""
    (found,) = agrees(SECTION.format(body + STALE, ""))
    assert found.confidence is Confidence.HIGH


def test_a_callee_may_be_handed_where_a_pointer_was(agrees: Agrees) -> None:
    """It reads the entry under a name of its own."""
    agrees(SECTION.format("pte++; if (gone(pte - 1)) n++;", STALE))


@pytest.mark.parametrize(
    "body",
    [
        "pte++; old = ptep_get(pte);",
        "pte++; old = ptep_get(pte + 1);",
        "pte++; old = ptep_get(pte - 2);",
        "pte += 2; old = ptep_get(pte - 1);",
        "pte += n; n++; old = ptep_get(pte - n);",
        "pte += n; old = ptep_get(pte - i);",
        "pte += n; old = ptep_get(pte - 1);",
        "pte++; q = pte - 1; q++; old = ptep_get(q);",
        "pte++; pte = next_table(mm); old = ptep_get(pte - 1);",
        "lazy_mmu_mode_disable(); pte++; old = ptep_get(pte - 1); lazy_mmu_mode_enable();",
        "pte++; first++; old = *first;",
    ],
)
def test_another_place_near_a_pointer_is_another_entry(agrees: Agrees, body: str) -> None:
    """So is one by a variable that has changed, and one of a table that nobody knows."""
    assert not agrees(SECTION.format(body, ""))
