# SPDX-License-Identifier: GPL-2.0-or-later
"""What an architecture lacks: no path goes there, nobody is hurt, and what is assumed is named."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lazymmu.witness.finding import Confidence, Finding, Severity

Agrees = Callable[..., tuple[Finding, ...]]

WITHOUT = {"HAVE_ARCH_USERFAULTFD_WP": "n"}

SCAN = """
#define PM_SCAN_WP_MATCHING (1 << 0)

int scan(struct scan *p, struct vm_area_struct *vma, struct mm_struct *mm, pmd_t *pmd,
		unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return 0;
	lazy_mmu_mode_enable();
	%s
	set_pte_at(mm, addr, pte, protected(ptep_get(pte)));
	flush_tlb_range(vma, addr, addr + 4096);%s
out:
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
	return 0;
}
"""

GUARDS = (
    "if (~p->arg.flags & PM_SCAN_WP_MATCHING)\n\t\tgoto out;",
    "if (!(p->arg.flags & PM_SCAN_WP_MATCHING))\n\t\tgoto out;",
    "if (!(PM_SCAN_WP_MATCHING & p->arg.flags))\n\t\tgoto out;",
    "if (p->off || !(p->arg.flags & PM_SCAN_WP_MATCHING))\n\t\tgoto out;",
    "if (!(vma->vm_flags & VM_UFFD_WP))\n\t\tgoto out;",
    "if (!userfaultfd_wp(vma))\n\t\tgoto out;",
    "if (userfaultfd_wp_async(vma) == 0)\n\t\tgoto out;",
)


@pytest.mark.parametrize("guard", GUARDS)
def test_no_path_needs_a_feature_that_the_architecture_lacks(agrees: Agrees, guard: str) -> None:
    """Write-protection by userfaultfd is x86's and arm64's: others never set the flag."""
    agrees(SCAN % (guard, ""), config=WITHOUT, arch="sparc")


@pytest.mark.parametrize("guard", GUARDS[:-1])
def test_where_the_feature_may_be_it_is_a_condition(agrees: Agrees, guard: str) -> None:
    """Such a path has assumed the symbol, and nothing that was assumed is sure."""
    (found,) = agrees(SCAN % (guard, "	/* expect: tlb-flush-in-section */"), arch="x86")
    assert "CONFIG_HAVE_ARCH_USERFAULTFD_WP" in found.conditions
    assert found.confidence is Confidence.MEDIUM


def test_the_other_side_of_the_question_needs_nothing(agrees: Agrees) -> None:
    """Whoever goes on because the flag is not set has assumed no symbol."""
    guard = "if (p->arg.flags & PM_SCAN_WP_MATCHING)\n\t\tgoto out;"
    for arch, config in (("sparc", WITHOUT), ("x86", {})):
        (found,) = agrees(
            SCAN % (guard, "	/* expect: tlb-flush-in-section */"), arch=arch, config=config
        )
        assert found.conditions == ()
        assert found.confidence is Confidence.HIGH


UNLOCK = """
void f(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, pmd_t value)
{
	spinlock_t *ptl = pmd_lock(mm, pmd);

	lazy_mmu_mode_enable();
	%s
	spin_unlock(ptl);	/* expect: unlock-before-flush, section-outside-lock */
	lazy_mmu_mode_disable();
}
"""


@pytest.mark.parametrize(
    ("write", "hurt"),
    [
        ("set_pmd_at(mm, addr, pmd, value);", False),
        ("set_pmd(pmd, value);", True),
        ("pmd_clear(pmd);", True),
        ("pmd_clear(pmd);\n\tset_pmd_at(mm, addr, pmd + 1, value);", True),
    ],
)
def test_xen_has_no_huge_pages_to_be_hurt_by(agrees: Agrees, write: str, hurt: bool) -> None:
    """The finding stays, because the text is broken; tables are there on Xen PV as well."""
    (found,) = agrees(UNLOCK % write, arch="x86")
    assert found.severity is (Severity.HURTS if hurt else Severity.BREAKS_TEXT)


def test_sparc_has_huge_pages_and_is_hurt(agrees: Agrees) -> None:
    """The same on an architecture with huge pages, which puts off their invalidation."""
    (found,) = agrees(UNLOCK % "set_pmd_at(mm, addr, pmd, value);", arch="sparc")
    assert found.severity is Severity.HURTS


def test_what_another_way_does_not_assume_is_no_condition(agrees: Agrees) -> None:
    """Of two ways to the same place, the one that needs nothing is told."""
    guard = "if (!(vma->vm_flags & VM_UFFD_WP))\n\t\tcount(vma);"
    (found,) = agrees(SCAN % (guard, "	/* expect: tlb-flush-in-section */"), arch="x86")
    assert found.conditions == ()
    assert found.confidence is Confidence.HIGH
