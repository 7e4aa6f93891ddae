# SPDX-License-Identifier: GPL-2.0-or-later
"""Entries that are changed at once, and whose invalidation waits for the section's end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lazymmu.witness.finding import Finding, Severity

Agrees = Callable[..., tuple[Finding, ...]]

BATCHING = pytest.mark.parametrize("arch", ["powerpc", "sparc"])
OTHERS = pytest.mark.parametrize("arch", ["x86", "arm64"])

AT_ONCE = (
    "ptep_get_and_clear(mm, addr, pte)",
    "ptep_get_and_clear_full(mm, addr, pte, 0)",
    "get_and_clear_full_ptes(mm, addr, pte, 4, 0)",
    "ptep_clear(mm, addr, pte)",
    "ptep_set_wrprotect(mm, addr, pte)",
    "wrprotect_ptes(mm, addr, pte, 4)",
    "ptep_test_and_clear_young(vma, addr, pte)",
    "ptep_modify_prot_start(vma, addr, pte)",
    "ptep_clear_flush(vma, addr, pte)",
    "huge_ptep_get_and_clear(mm, addr, pte)",
)
"""Accessors whose store is immediate everywhere, and whose invalidation is not."""

HEAD = """
void f(struct vm_area_struct *vma, struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return;
	lazy_mmu_mode_enable();
"""

TAIL = """
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
}
"""


def inside(agrees: Agrees, body: str, **given: object) -> tuple[Finding, ...]:
    """Check statements in a section and under its lock."""
    return agrees(HEAD + body + TAIL, **given)


@BATCHING
@pytest.mark.parametrize("change", AT_ONCE)
def test_a_page_is_freed_while_tlbs_may_hold_its_entry(
    agrees: Agrees, change: str, arch: str
) -> None:
    """The entry is gone from memory and not from the TLB; the machine shows the harm."""
    body = f"""
	struct page *page = pte_page(ptep_get(pte));

	{change};
	__free_page(page);	/* expect: free-before-flush */
"""
    (found,) = inside(agrees, body, arch=arch)
    assert found.severity is Severity.HURTS
    assert found.harms[0].scenario.endswith("free-after-get-and-clear")


@BATCHING
def test_the_page_may_come_from_the_accessor_itself(agrees: Agrees, arch: str) -> None:
    """What ptep_get_and_clear() returns tells which page was mapped."""
    inside(
        agrees,
        """
	struct page *page = pte_page(ptep_get_and_clear(mm, addr, pte));

	__free_page(page);	/* expect: free-before-flush */
""",
        arch=arch,
    )


@OTHERS
@pytest.mark.parametrize("change", AT_ONCE)
def test_where_nothing_is_batched_nothing_waits(agrees: Agrees, change: str, arch: str) -> None:
    """Xen PV and arm64 leave the TLB to who flushes it, in and out of sections."""
    body = f"""
	struct page *page = pte_page(ptep_get(pte));

	{change};
	__free_page(page);
"""
    inside(agrees, body, arch=arch)


@BATCHING
def test_the_lock_is_dropped_while_an_invalidation_waits(agrees: Agrees, arch: str) -> None:
    """Whoever takes it next finds the new entry, and the TLB has the old one."""
    (found,) = agrees(
        """
void f(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return;
	lazy_mmu_mode_enable();
	ptep_set_wrprotect(mm, addr, pte);
	pte_unmap_unlock(pte, ptl);	/* expect: unlock-before-flush, section-outside-lock */
	lazy_mmu_mode_disable();
}
""",
        arch=arch,
    )
    assert found.rule == "unlock-before-flush"
    assert found.severity is Severity.HURTS
    assert "invalidations" in found.message
    assert "unlock-after" in found.harms[0].scenario


@BATCHING
def test_a_flush_in_the_section_does_not_do_what_waits(agrees: Agrees, arch: str) -> None:
    """flush_tlb_range() is empty there: the text is broken, and by that alone nobody hurt."""
    (found,) = inside(
        agrees,
        """
	ptep_get_and_clear(mm, addr, pte);
	flush_tlb_range(vma, addr, addr + 4096);	/* expect: tlb-flush-in-section */
""",
        arch=arch,
    )
    assert found.severity is Severity.BREAKS_TEXT


@BATCHING
def test_the_flush_of_an_accessor_is_no_flush_on_top_of_it(agrees: Agrees, arch: str) -> None:
    """ptep_clear_flush() is one operation, and nobody asked for a second."""
    inside(agrees, "	ptep_clear_flush(vma, addr, pte);", arch=arch)


@BATCHING
@pytest.mark.parametrize(
    "end",
    [
        "lazy_mmu_mode_disable();\n\t__free_page(page);\n\tlazy_mmu_mode_enable();",
        "lazy_mmu_mode_pause();\n\t__free_page(page);\n\tlazy_mmu_mode_resume();",
        "tlb_flush(tlb);\n\t__free_page(page);",
    ],
)
def test_what_was_flushed_waits_no_more(agrees: Agrees, end: str, arch: str) -> None:
    """The section's end, a pause, and the gather's own flush, which empties the batch."""
    inside(
        agrees,
        f"""
	struct page *page = pte_page(ptep_get_and_clear(mm, addr, pte));

	{end}
""",
        arch=arch,
    )


@BATCHING
def test_an_entry_that_was_changed_at_once_may_be_read_and_changed_again(
    agrees: Agrees, arch: str
) -> None:
    """Memory has the new entry: what waits is no write."""
    inside(
        agrees,
        """
	ptep_set_wrprotect(mm, addr, pte);
	use(ptep_get(pte));
	ptep_test_and_clear_young(vma, addr, pte);
""",
        arch=arch,
    )


KERNEL_ENTRY = """
static int unmap_one(pte_t *pte, unsigned long addr, void *data)
{
	struct page *page = pte_page(ptep_get_and_clear(&init_mm, addr, pte));

	__free_page(page);%s
	return 0;
}

int apply_to_page_range(struct mm_struct *mm, unsigned long addr, unsigned long size,
			pte_fn_t fn, void *data)
{
	pte_t *pte = pte_of(addr);
	int err;

	lazy_mmu_mode_enable();
	err = fn(pte, addr, data);
	lazy_mmu_mode_disable();
	return err;
}

int unmap_all(unsigned long addr, unsigned long size)
{
	return apply_to_page_range(&init_mm, addr, size, unmap_one, NULL);
}
"""


@pytest.mark.parametrize(
    ("arch", "said"), [("powerpc", "	/* expect: free-before-flush */"), ("sparc", "")]
)
def test_kernel_entries_wait_on_powerpc_alone(agrees: Agrees, arch: str, said: str) -> None:
    """sparc64 adds no entry of init_mm to its batch (maybe_tlb_batch_add())."""
    agrees(KERNEL_ENTRY % said, arch=arch)


@pytest.mark.parametrize(
    ("arch", "said"), [("sparc", "	/* expect: free-before-flush */"), ("powerpc", "")]
)
def test_huge_pages_wait_on_sparc_alone(agrees: Agrees, arch: str, said: str) -> None:
    """powerpc hash invalidates them at once (hash__pmd_hugepage_update())."""
    agrees(
        f"""
void f(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{{
	spinlock_t *ptl = pmd_lock(mm, pmd);
	struct page *page = pmd_page(pmdp_get(pmd));

	lazy_mmu_mode_enable();
	pmdp_huge_get_and_clear(mm, addr, pmd);
	__free_page(page);{said}
	lazy_mmu_mode_disable();
	spin_unlock(ptl);
}}
""",
        arch=arch,
    )
