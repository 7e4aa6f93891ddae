# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known to be wrong in real trees is found, by rule, function and architecture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from lazymmu.witness.finding import CheckResult, Confidence, Finding

Results = Callable[[str], CheckResult]

LOCKS = {"section-outside-lock", "unlock-before-flush"}


def found(result: CheckResult, function: str) -> list[Finding]:
    """The findings in a function that show at default confidence."""
    return [
        f
        for f in result.findings
        if f.function == function and f.confidence.rank >= Confidence.MEDIUM.rank
    ]


def rules(result: CheckResult, function: str) -> set[str]:
    """The rules that a function breaks, those in `also` among them."""
    return {rule for f in found(result, function) for rule in (f.rule, *f.also)}


def arches(result: CheckResult, function: str, rule: str) -> set[str]:
    """The architectures for which a function breaks a rule."""
    return {arch for f in found(result, function) if rule in (f.rule, *f.also) for arch in f.arches}


def everywhere(result: CheckResult, rule: str) -> set[str]:
    """The architectures for which a rule is broken anywhere."""
    return {arch for f in result.findings if rule in (f.rule, *f.also) for arch in f.arches}


def test_set_ptes_nests_on_x86_and_sparc_alone(result_of: Results) -> None:
    """6.12.8: the generic set_ptes() and sparc's begin a section in a section, powerpc's does not.

    691ee97e1a9d ("mm: fix lazy mmu docs and usage") and eb61ad14c459 ("sparc/mm: avoid calling
    arch_enter/leave_lazy_mmu() in set_ptes") (both in v6.15).
    """
    result = result_of("6.12.8")
    assert arches(result, "set_ptes", "nested-section") == {"x86", "sparc"}
    files = {f.file: set(f.arches) for f in found(result, "set_ptes") if f.rule == "nested-section"}
    assert files == {
        "include/linux/pgtable.h": {"x86"},
        "arch/sparc/include/asm/pgtable_64.h": {"sparc"},
    }


@pytest.mark.parametrize("release", ["6.1.176", "6.12.38", "6.17.8", "6.18.5", "6.19.6"])
def test_set_ptes_nests_nowhere_else(release: str, result_of: Results) -> None:
    """Before 6.6 there is no set_ptes(), and with the fix it begins no section."""
    assert rules(result_of(release), "set_ptes") == set()


@pytest.mark.parametrize("release", ["6.12.8", "6.12.38"])
def test_pagemap_scan_s_section_is_too_wide(release: str, result_of: Results) -> None:
    """Before 6.15 it begins before the lock, can sleep, flushes, and ends after the lock.

    ad449d856bd7 ("fs/proc/task_mmu: reduce scope of lazy mmu region") (in v6.15).
    """
    result = result_of(release)
    here = rules(result, "pagemap_scan_pmd_entry")
    assert {"section-outside-lock", "unlock-before-flush"} <= here
    assert {"sleep-in-section", "tlb-flush-in-section"} <= here
    assert "x86" in arches(result, "pagemap_scan_pmd_entry", "unlock-before-flush")


@pytest.mark.parametrize("release", ["6.17.8", "6.18.5", "6.19.6", "7.1.13", "7.3"])
def test_pagemap_scan_flushes_in_its_section_to_this_day(release: str, result_of: Results) -> None:
    """From 6.15 on the scope is right and the TLB flush still stands before the leave."""
    assert rules(result_of(release), "pagemap_scan_pmd_entry") == {"tlb-flush-in-section"}


@pytest.mark.parametrize("release", ["6.1.176", "6.12.8", "6.12.38", "6.17.8", "7.1.13", "7.3"])
def test_migrate_device_flushes_in_its_section(release: str, result_of: Results) -> None:
    """One flush stands in the section; those after a leave, or of ptep_clear_flush(), are right."""
    here = Counter(f.rule for f in found(result_of(release), "migrate_vma_collect_pmd"))
    assert here == {"tlb-flush-in-section": 1}


@pytest.mark.parametrize("release", ["6.1.176", "6.12.8", "6.12.38"])
def test_kasan_s_callback_allocates_in_a_section(release: str, result_of: Results) -> None:
    """To 6.14 it asks for memory with GFP_KERNEL, and drops a lock with its write pending.

    b6ea95a34cbd ("kasan: avoid sleepable page allocation from atomic context") (in v6.15); the
    callback runs in the section of apply_to_pte_range(), in another file.
    """
    result = result_of(release)
    assert "sleep-in-section" in rules(result, "kasan_populate_vmalloc_pte")
    assert "unlock-before-flush" in rules(result, "kasan_depopulate_vmalloc_pte")
    (sleep,) = [
        f for f in found(result, "kasan_populate_vmalloc_pte") if f.rule == "sleep-in-section"
    ]
    assert "apply_to_pte_range" in {step.function for step in sleep.path}
    assert any("KASAN" in condition for condition in sleep.conditions)
    assert "sparc" not in sleep.arches  # which has no KASAN


def test_sparc_s_batch_is_touched_unpinned(result_of: Results) -> None:
    """6.12.8's sparc64 enter does not pin, and is the only one.

    a1d416bf9faf ("sparc/mm: disable preemption in lazy mmu mode") (in v6.15, and in 6.1.y).
    """
    result = result_of("6.12.8")
    assert "unpinned-batch" in rules(result, "arch_enter_lazy_mmu_mode")
    assert everywhere(result, "unpinned-batch") == {"sparc"}


@pytest.mark.parametrize("release", ["6.1.176", "6.12.38", "6.17.8", "6.19.6", "7.1.13", "7.3"])
def test_no_other_batch_is_touched_unpinned(release: str, result_of: Results) -> None:
    """Where enter pins, or the context-switch hooks carry the state, nothing is reported."""
    assert everywhere(result_of(release), "unpinned-batch") == set()


@pytest.mark.parametrize(
    "function", ["madvise_cold_or_pageout_pte_range", "madvise_free_pte_range"]
)
def test_madvise_unlocks_and_sleeps_in_its_section(function: str, result_of: Results) -> None:
    """6.1: both functions split a large folio with the mode on and the lock dropped.

    f3cd4ab0aabf ("mm/madvise: clean up pte_offset_map_lock() scans") (in v6.5).
    """
    here = rules(result_of("6.1.176"), function)
    assert "sleep-in-section" in here
    assert here & LOCKS


@pytest.mark.parametrize(
    "release", ["6.1.176", "6.12.8", "6.12.38", "6.17.8", "6.18.5", "6.19.6", "7.1.13", "7.3"]
)
def test_sections_over_kernel_mappings_can_be_preempted(release: str, result_of: Results) -> None:
    """apply_to_pte_range() begins its section for init_mm with nothing that pins the task."""
    here = found(result_of(release), "apply_to_pte_range")
    assert {(f.rule, f.severity) for f in here} == {("preempted-in-section", "information")}


@pytest.mark.parametrize(
    ("release", "arches"),
    [
        ("6.1.176", {"x86", "powerpc", "sparc"}),
        ("6.12.8", {"x86", "powerpc", "sparc"}),
        ("6.12.38", {"x86", "powerpc", "sparc"}),
        ("6.17.8", {"x86", "powerpc", "sparc", "arm64"}),
        ("7.3", {"x86", "powerpc", "sparc", "arm64"}),
    ],
)
def test_the_architectures_with_the_mode(
    release: str, arches: set[str], result_of: Results
) -> None:
    """arm64 has the mode since 6.16: 5fdd05efa1cd ("arm64/mm: batch barriers ...") (in v6.16)."""
    assert set(result_of(release).arches) == arches


@pytest.mark.parametrize(
    ("release", "dialect"),
    [
        ("6.1.176", "ptl-held"),
        ("6.12.8", "ptl-held"),
        ("6.12.38", "no-nesting"),
        ("6.17.8", "no-nesting"),
        ("6.19.6", "no-nesting"),
        ("7.1.13", "counted"),
        ("7.3", "counted-task"),
    ],
)
def test_the_dialect_is_what_the_text_says(release: str, dialect: str, result_of: Results) -> None:
    """6.12.38 speaks the text of 6.15: the dialect is not the version."""
    assert result_of(release).tree.dialect == dialect
