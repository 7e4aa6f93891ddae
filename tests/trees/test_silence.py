# SPDX-License-Identifier: GPL-2.0-or-later
"""Correct code of real trees is silent: the shapes that simple checkers get wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lazymmu.witness.finding import CheckResult, Confidence, Severity

Results = Callable[[str], CheckResult]

ALL = ["6.1.176", "6.12.8", "6.12.38", "6.17.8", "6.18.5", "6.19.6", "7.1.13", "7.3"]
SINCE_612 = ALL[1:]
SINCE_617 = ALL[3:]
SINCE_618 = ALL[4:]
SINCE_70 = ALL[6:]

CORRECT: dict[str, tuple[list[str], list[str]]] = {
    "leaves before it sleeps, and begins again if the lock succeeds": (
        ["madvise_cold_or_pageout_pte_range", "madvise_free_pte_range"],
        SINCE_612,
    ),
    "begins anew from a label, with one leave for each begin": (
        ["copy_pte_range", "zap_pte_range"],
        ["6.1.176", "6.12.8", "6.12.38"],
    ),
    "goes back to a label inside the section": (["walk_pte_range"], ALL),
    "leaves and begins again in a callback": (
        ["kasan_populate_vmalloc_pte", "kasan_depopulate_vmalloc_pte"],
        SINCE_617,
    ),
    "carries the mode over a context switch": (
        [
            "xen_start_context_switch",
            "xen_end_context_switch",
            "paravirt_start_context_switch",
            "paravirt_end_context_switch",
        ],
        ALL,
    ),
    "flushes by leaving and entering": (
        ["xen_flush_lazy_mmu", "paravirt_flush_lazy_mmu", "arch_flush_lazy_mmu_mode"],
        ALL,
    ),
    "implements one hook by another": (["arch_leave_lazy_mmu_mode"], [*ALL[:1], *ALL[2:]]),
    "implements the API over the hooks": (
        [
            "lazy_mmu_mode_enable",
            "lazy_mmu_mode_disable",
            "lazy_mmu_mode_pause",
            "lazy_mmu_mode_resume",
            "__task_lazy_mmu_mode_pause",
            "__task_lazy_mmu_mode_resume",
        ],
        SINCE_70,
    ),
    "flushes outside any section": (["kernel_map_pages", "__kernel_map_pages"], ALL),
    "walks with interrupts off and writes nothing": (
        ["__flush_hash_table_range", "flush_hash_table_pmd_range"],
        ALL,
    ),
    "is called with the lock held, or holds that of the level above": (
        ["lru_gen_look_around", "walk_pmd_range_locked"],
        ALL,
    ),
    "takes notes of what is to be flushed after the leave": (["change_pte_range"], ALL),
    "leaves, flushes and unlocks, in this order": (["move_ptes"], ALL),
    "does the same with two locks": (["move_present_ptes"], SINCE_618),
    "breaks out of the loop to the one leave": (["remap_pte_range"], ALL),
    "asks for memory that must come at once": (["tlb_next_batch"], ALL),
    "flushes the TLB of what it wrote at once": (["change_page_attr"], ALL),
}

INFORMATION_ONLY: dict[str, tuple[list[str], list[str]]] = {
    "writes kernel mappings, which have no lock": (
        ["vmap_pte_range", "vunmap_pte_range", "vmap_pages_pte_range", "update_range_prot"],
        SINCE_617,
    ),
    "sleeps in a section of an architecture whose mode pins nothing": (
        ["split_kernel_leaf_mapping", "range_split_to_ptes"],
        SINCE_618,
    ),
    "nests and pauses on purpose, being a test": (["lazy_mmu_mode_active"], SINCE_70),
}


def said(result: CheckResult, functions: list[str], *, information: bool) -> list[str]:
    """What a check says of functions at default confidence."""
    return [
        f"{f.file}:{f.line}: {f.function}: {f.rule} {' '.join(f.arches)}"
        for f in result.findings
        if f.function in functions
        and f.confidence.rank >= Confidence.MEDIUM.rank
        and (information or f.severity is not Severity.INFORMATION)
    ]


@pytest.mark.parametrize("release", ALL)
@pytest.mark.parametrize("shape", CORRECT)
def test_correct_code_is_silent(shape: str, release: str, result_of: Results) -> None:
    """Nothing at all is said of the functions with this shape."""
    functions, releases = CORRECT[shape]
    if release not in releases:
        pytest.skip("the shape is not in this release, or not correct there")
    assert said(result_of(release), functions, information=True) == []


@pytest.mark.parametrize("release", ALL)
@pytest.mark.parametrize("shape", INFORMATION_ONLY)
def test_what_is_allowed_is_information(shape: str, release: str, result_of: Results) -> None:
    """Nothing is held against the functions with this shape."""
    functions, releases = INFORMATION_ONLY[shape]
    if release not in releases:
        pytest.skip("the shape is not in this release")
    assert said(result_of(release), functions, information=False) == []


@pytest.mark.parametrize("release", SINCE_70)
def test_sections_may_nest_since_they_are_counted(release: str, result_of: Results) -> None:
    """No section in a section is held against a tree whose text allows it.

    5ab246749569 ("mm: enable lazy_mmu sections to nest") (in v7.0).
    """
    assert not [f for f in result_of(release).findings if f.rule == "nested-section"]


@pytest.mark.parametrize("release", ALL)
def test_no_section_is_unbalanced(release: str, result_of: Results) -> None:
    """No released tree has a path that loses the mode: conditions and labels are followed."""
    assert not [
        f"{f.file}:{f.line}: {f.function}"
        for f in result_of(release).findings
        if f.rule in {"unbalanced-section", "unbalanced-pause", "bh-across-section"}
        and f.confidence.rank >= Confidence.MEDIUM.rank
    ]


@pytest.mark.parametrize("release", ALL)
def test_every_finding_is_under_the_architecture_that_it_names(
    release: str, result_of: Results
) -> None:
    """What stands in arch/X is found for X alone."""
    for f in result_of(release).findings:
        parts = f.file.split("/")
        if parts[0] == "arch":
            assert f.arches == (parts[1],), f
