# SPDX-License-Identifier: GPL-2.0-or-later
"""A value that a function reads of an entry and gives back is that entry's.

Code is C of our own; `/* expect: rule */` stands on the line of each finding.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lazymmu.witness.finding import Finding

Agrees = Callable[..., tuple[Finding, ...]]

FREED = """
%s

void f(struct mm_struct *mm, unsigned long addr, pte_t *ptep, pte_t *other)
{
	struct page *page;
	pte_t old;

	lazy_mmu_mode_enable();
	old = take(mm, addr, ptep);
	%s
	page = pte_page(old);
	__free_page(page);%s
	lazy_mmu_mode_disable();
}
"""

TAKES = (
    "static pte_t take(struct mm_struct *mm, unsigned long a, pte_t *p)\n"
    "{\n\treturn ptep_get_and_clear(mm, a, p);\n}",
    "static pte_t take(struct mm_struct *mm, unsigned long a, pte_t *p)\n"
    "{\n\tpte_t old = ptep_get_and_clear(mm, a, p);\n\n\treturn old;\n}",
    "#define take(mm, a, p) ptep_get_and_clear(mm, a, p)",
    "static pte_t taken(pte_t *p, struct mm_struct *mm, unsigned long a)\n"
    "{\n\treturn ptep_get_and_clear(mm, a, p);\n}\n"
    "static pte_t take(struct mm_struct *mm, unsigned long a, pte_t *p)\n"
    "{\n\treturn taken(p, mm, a);\n}",
)


@pytest.mark.parametrize("take", TAKES)
def test_a_page_of_an_entry_that_a_function_has_taken_is_the_entrys(
    agrees: Agrees, take: str
) -> None:
    """What TLBs hold of it waits on powerpc hash, whoever has cleared the entry."""
    agrees(FREED % (take, "cpu_relax();", "	/* expect: free-before-flush */"), arch="powerpc")


@pytest.mark.parametrize("take", TAKES)
def test_what_is_read_of_another_entry_since_is_another(agrees: Agrees, take: str) -> None:
    """The page that is freed then is that of an entry to which nothing is pending."""
    agrees(FREED % (take, "old = ptep_get(other);", ""), arch="powerpc")
