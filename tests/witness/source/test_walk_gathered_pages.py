# SPDX-License-Identifier: GPL-2.0-or-later
"""The walker on small functions: pages that are gathered, freed later, and put."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lazymmu.witness.finding import Confidence, Finding

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


PUT = """
static void drop(struct page *page)
{{
	put_page(page);
}}

static void drop_folio(struct folio *folio)
{{
	folio_put(folio);
}}

static void hold(struct page *page)
{{
	get_page(page);
}}

static void hold_and_drop(struct page *page)
{{
	get_page(page);
	put_page(page);
}}

void f(struct vm_area_struct *vma, struct mm_struct *mm, unsigned long addr, pte_t *pte, int n)
{{
	struct page *page, *pages[4];
	struct folio *folio;

	lazy_mmu_mode_enable();
	page = vm_normal_page(vma, addr, ptep_get(pte));
	{0}
	lazy_mmu_mode_disable();
}}
"""

CLEAR = "pte_clear(mm, addr, pte);"


@pytest.mark.parametrize(
    "body",
    [
        "put_page(page);",
        "folio_put(page_folio(page));",
        "folio = page_folio(page); folio_put(folio);",
        "page_remove_rmap(page, vma, false); put_page(page);",
        "free_page_and_swap_cache(page);",
        "pages[0] = page; release_pages(pages, 1);",
        "pages[n++] = page; pte++; free_pages_and_swap_cache(pages, n);",
        "drop(page);",
        "folio = page_folio(page); drop_folio(folio);",
    ],
)
def test_the_reference_that_a_mapping_has_may_be_the_last(agrees: Agrees, body: str) -> None:
    """Who has taken none himself gives back that of the entry that he clears."""
    (found,) = agrees(PUT.format(f"{CLEAR} {body}{FREED}"))
    assert found.confidence is Confidence.MEDIUM


def test_a_put_after_get_and_clear_matters_where_invalidations_wait(agrees: Agrees) -> None:
    """The entry is gone at once, and the translation that TLBs hold is not."""
    body = "ptep_get_and_clear(mm, addr, pte); put_page(page);"
    agrees(PUT.format(body + FREED), arch="powerpc")
    assert not agrees(PUT.format(body))


@pytest.mark.parametrize(
    "body",
    [
        f"get_page(page); {CLEAR} put_page(page);",
        f"{CLEAR} if (get_page_unless_zero(page)) put_page(page);",
        f"folio = page_folio(page); if (folio_try_get(folio)) {{ {CLEAR} folio_put(folio); }}",
        f"hold(page); {CLEAR} put_page(page);",
        f"get_page(page); {CLEAR} drop(page);",
        f"{CLEAR} hold_and_drop(page);",
        f"{CLEAR} lazy_mmu_mode_disable(); put_page(page); lazy_mmu_mode_enable();",
        f"put_page(page); {CLEAR}",
        f"page = device_page(pte_to_swp_entry(ptep_get(pte))); {CLEAR} put_page(page);",
        f"page = pfn_swap_entry_to_page(softleaf_from_pte(*pte)); {CLEAR} put_page(page);",
        f"page = find_get_page(vma->vm_file->f_mapping, addr); {CLEAR} put_page(page);",
    ],
)
def test_who_has_taken_a_reference_gives_that_back(agrees: Agrees, body: str) -> None:
    """Here, in who is handed the page, or with it; and what is not mapped is in no TLB."""
    agrees(PUT.format(body))
