# SPDX-License-Identifier: GPL-2.0-or-later
"""The walker on small functions: pages that are gathered, and freed when their pointer has moved."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lazymmu.witness.finding import Finding

Agrees = Callable[..., tuple[Finding, ...]]

SECTION = """
static void give_back(struct page *page)
{{
	__free_page(page);
}}

void f(struct mm_struct *mm, unsigned long addr, pte_t *pte, int i, int n)
{{
	struct page *page, *other, *pages[4];
	pte_t *first = pte;

	lazy_mmu_mode_enable();
	{0}
	lazy_mmu_mode_disable();
}}
"""

TAKE = "page = pte_page(ptep_get(pte)); pte_clear(mm, addr, pte);"
KEEP = "pages[n++] = pte_page(ptep_get(pte)); pte_clear(mm, addr, pte);"
FREED = "	/* expect: free-before-flush */"


@pytest.mark.parametrize(
    "body",
    [
        f"{TAKE} pte++; __free_page(page);",
        f"{TAKE} first = NULL; pte++; __free_page(page);",
        f"{TAKE} first = NULL; pte++; give_back(page);",
        f"{TAKE} first = NULL; other = page; pte++; page = NULL; __free_page(other);",
        f"{KEEP} __free_page(pages[0]);",
        f"{KEEP} first = NULL; pte++; __free_page(pages[0]);",
        f"{KEEP} pte++; for (i = 0; i < n; i++) __free_page(pages[i]);",
        f"for (; n < 4; pte++) {{ {KEEP} }} while (n--) __free_page(pages[n]);",
        f"for (; n < 4; pte++) {{ {TAKE} pages[n++] = page; }} while (n--) __free_page(pages[n]);",
    ],
)
def test_a_page_is_that_of_its_entry_when_the_pointer_has_moved(agrees: Agrees, body: str) -> None:
    """By itself, or among others in an array whose entries wait all."""
    agrees(SECTION.format(body + FREED))


@pytest.mark.parametrize(
    "body",
    [
        f"{TAKE} pte++; page = alloc_page(GFP_ATOMIC); __free_page(page);",
        "page = pte_page(ptep_get(pte)); pte++; pte_clear(mm, addr, pte); __free_page(page);",
        f"{TAKE} pte++; lazy_mmu_mode_disable(); __free_page(page); lazy_mmu_mode_enable();",
        f"{KEEP} pte++; __free_page(other);",
        "pages[0] = alloc_page(GFP_ATOMIC); pte_clear(mm, addr, pte); __free_page(pages[0]);",
        f"for (; n < 4; pte++) {{ {KEEP} }} lazy_mmu_mode_disable();"
        " while (n--) __free_page(pages[n]); lazy_mmu_mode_enable();",
    ],
)
def test_the_page_of_no_waiting_entry_may_be_freed(agrees: Agrees, body: str) -> None:
    """Another page, that of an entry which is as it was, or after the section's end."""
    assert not agrees(SECTION.format(body))
