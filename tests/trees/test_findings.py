# SPDX-License-Identifier: GPL-2.0-or-later
"""What must be said of real trees, and what must not: by rule, function and architecture."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .conftest import Found

Ask = Callable[[str], Found]

RIGHT_EVERYWHERE = (
    ("mm/mremap.c", "move_ptes"),
    ("mm/vmalloc.c", "vmap_pte_range"),
    ("mm/vmalloc.c", "vunmap_pte_range"),
    ("mm/vmalloc.c", "vmap_pages_pte_range"),
    ("mm/vmscan.c", "walk_pte_range"),
    ("mm/vmscan.c", "walk_pmd_range_locked"),
    ("mm/vmscan.c", "lru_gen_look_around"),
    ("mm/userfaultfd.c", "move_present_ptes"),
    ("arch/powerpc/mm/book3s64/hash_tlb.c", "__flush_hash_table_range"),
    ("arch/powerpc/mm/book3s64/hash_tlb.c", "flush_hash_table_pmd_range"),
    ("arch/powerpc/mm/book3s64/subpage_prot.c", "hpte_flush_range"),
    ("arch/arm64/mm/mmu.c", "split_kernel_leaf_mapping"),
    ("arch/arm64/mm/mmu.c", "range_split_to_ptes"),
    ("arch/arm64/mm/pageattr.c", "update_range_prot"),
    ("arch/x86/xen/enlighten_pv.c", "xen_start_context_switch"),
    ("arch/x86/xen/enlighten_pv.c", "xen_end_context_switch"),
    ("arch/x86/xen/mmu_pv.c", "xen_flush_lazy_mmu"),
    ("arch/x86/kernel/paravirt.c", "paravirt_start_context_switch"),
    ("arch/x86/kernel/paravirt.c", "paravirt_end_context_switch"),
    ("arch/x86/kernel/paravirt.c", "enter_lazy"),
    ("arch/x86/mm/pat/set_memory.c", "__kernel_map_pages"),
    ("mm/tests/lazy_mmu_mode_kunit.c", "lazy_mmu_mode_active"),
)
"""Functions that use the mode rightly in every release, or only as far as nesting goes."""


def test_set_ptes_nests_on_x86_and_sparc_but_not_on_powerpc(found: Ask) -> None:
    """The generic set_ptes() and sparc's own begin sections; powerpc overrides it without."""
    tree = found("6.12.8")
    assert tree.arches("nested-section", "set_ptes") == {"x86", "sparc"}


def test_pagemap_scan_begins_before_the_lock_and_ends_after_it(found: Ask) -> None:
    """Its section is too wide: taken and dropped lock, flush, and a huge page split inside."""
    tree = found("6.12.8")
    for rule in ("section-outside-lock", "unlock-before-flush", "tlb-flush-in-section"):
        assert "x86" in tree.arches(rule, "pagemap_scan_pmd_entry", "fs/proc/task_mmu.c"), rule
    assert tree.of("sleep-in-section", "pagemap_scan_pmd_entry")


def test_kasan_allocates_inside_the_section_of_apply_to_pte_range(found: Ask) -> None:
    """The callback allocates with GFP_KERNEL; no architecture with KASAN is hurt by the sleep."""
    tree = found("6.12.8")
    (finding,) = tree.of("sleep-in-section", "kasan_populate_vmalloc_pte")
    assert finding.arches == ("x86",)
    assert finding.severity == "breaks-text"
    assert "apply_to_pte_range" in {step.function for step in finding.path}
    assert "CONFIG_KASAN_VMALLOC" in finding.conditions


def test_sparcs_batch_is_touched_unpinned(found: Ask) -> None:
    """Neither Xen's per-CPU mode, which the switch hooks carry, nor powerpc's, which is pinned."""
    tree = found("6.12.8")
    batches = [f for f in tree.findings if f.rule == "unpinned-batch"]
    assert {f.arches for f in batches} == {("sparc",)}


def test_sparcs_batch_is_pinned_where_the_fix_was_backported(found: Ask) -> None:
    """A feature of the tree, not of its version: 6.1.y has what 6.12.8 lacks."""
    tree = found("6.1")
    assert not [f for f in tree.findings if f.rule == "unpinned-batch"]


def test_powerpcs_batch_is_touched_unpinned_in_older_kernels(found: Ask) -> None:
    """5.10 begins a batch without preempt_disable(), which 6.1 has; sparc and Xen are pinned."""
    tree = found("5.10")
    batches = [f for f in tree.findings if f.rule == "unpinned-batch"]
    assert {f.arches for f in batches} == {("powerpc",)}


@pytest.mark.parametrize("version", ["5.10", "6.1"])
@pytest.mark.parametrize(
    "function", ["madvise_cold_or_pageout_pte_range", "madvise_free_pte_range"]
)
def test_madvise_unlocks_and_sleeps_inside_a_section(
    found: Ask, function: str, version: str
) -> None:
    """Up to 6.4 splitting a large folio dropped the lock and slept with the mode on."""
    tree = found(version)
    assert tree.of("section-outside-lock", function, "mm/madvise.c")
    assert tree.of("sleep-in-section", function, "mm/madvise.c")


@pytest.mark.parametrize("function", ["pagemap_scan_pmd_entry", "migrate_vma_collect_pmd"])
def test_one_flush_inside_a_section_is_left(found: Ask, function: str) -> None:
    """One each, and not the flushes that come after a disable."""
    assert len(found("7.3").of("tlb-flush-in-section", function)) == 1


def test_madvise_is_right_since_it_leaves_first(found: Ask) -> None:
    """Leave, split, enter again in a loop, and a leave under the pointer that guarded the enter."""
    for version in ("6.12.8", "7.3"):
        assert not [f for f in found(version).findings if f.file == "mm/madvise.c"], version


@pytest.mark.parametrize("version", ["5.10", "6.1", "6.12.8", "7.3"])
def test_right_code_is_silent(found: Ask, version: str) -> None:
    """Nothing is charged to functions that do it right; information is no charge."""
    charged = {
        (f.file, f.function): f.rule for f in found(version).findings if f.severity != "information"
    }
    assert {place: rule for place, rule in charged.items() if place in RIGHT_EVERYWHERE} == {}


def test_sections_over_kernel_mappings_are_information(found: Ask) -> None:
    """They begin with nothing that pins the task, which the text allows and ports must survive."""
    tree = found("7.3")
    told = {f.function for f in tree.findings if f.rule == "preempted-in-section"}
    assert {"apply_to_pte_range", "vmap_pte_range", "vunmap_pte_range"} <= told
    assert all(
        f.severity == "information" for f in tree.findings if f.rule == "preempted-in-section"
    )


@pytest.mark.parametrize("version", ["5.10", "6.1", "6.12.8", "7.3"])
def test_almost_everything_is_understood(found: Ask, version: str) -> None:
    """What the parser could not read is a fraction of a percent, and listed."""
    coverage = found(version).result.coverage
    assert len(coverage.unparsed) < coverage.functions_parsed / 100
