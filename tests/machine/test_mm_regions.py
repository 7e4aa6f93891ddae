# SPDX-License-Identifier: GPL-2.0-or-later
"""The order of enter, lock, flush, leave and unlock in functions that change user mappings."""

from __future__ import annotations

import pytest

from .mm import bench, did, order, searched

ONE = ["p lock L = A"]
TWO = ["p lock L = A", "q lock N"]


def test_move_ptes_leaves_then_flushes_then_unlocks():
    """The order that all should have (R13)."""
    words = did("x86", "6.12.38", TWO, "move_ptes p q", "write")
    assert words == ["take L", "take N", "enable", "disable", "flush p", "drop N", "drop L"]


def test_move_ptes_does_not_flush_for_what_was_not_present():
    """A swap entry has no translation."""
    words = did("x86", "6.12.38", ["p lock L = swap", "q lock N"], "move_ptes p q", "take", "drop")
    assert words == ["enable", "write p", "write q", "disable"]


@pytest.mark.parametrize(("release", "warns"), [("6.12.38", False), ("6.17.8", True)])
def test_move_ptes_warns_of_a_target_that_is_taken_from_v6_17_on(release, warns):
    """From v6.17 on move_ptes() warns of a target that is taken.

    VM_WARN_ON_ONCE(!pte_none(*new_ptep)).
    """
    words = did("x86", release, ["p lock L = A", "q lock N = B"], "move_ptes p q")
    assert ("bug" in words) == warns


def test_move_present_ptes_takes_locks_in_one_order_and_looks_again():
    """And leaves, flushes, unlocks, as move_ptes() does; there is none before v6.18."""
    machine = bench("x86", "6.18.5", "p lock N = A", "q lock L")
    words = order(machine.do("move_present_ptes p q"), "read")
    assert words[:3] == ["take L", "take N", "enable"]
    assert words[3:] == ["write p", "write q", "disable", "flush p", "drop L", "drop N"]
    assert "move_present_ptes" not in bench("x86", "6.17.8", "p").machine.operations


def test_change_protection_flushes_after_the_lock():
    """mmu_gather's flush comes from the caller."""
    words = did("x86", "6.12.38", ONE, "change_protection p", "write")
    assert words == ["take L", "enable", "disable", "drop L", "flush p"]


def test_mprotect_takes_the_write_permission_and_nothing_else():
    """mprotect() takes the write permission and nothing else: none, swap and markers stay."""
    machine = bench("x86", "6.12.38", "p lock L = A", "q lock L = swap", "r lock L")
    machine.do("change_protection p q r")
    assert [machine.stored(name) for name in "pqr"] == ["A:ro", "swap", None]


WIDE = ["enable", "take L", "write p", "flush p", "drop L", "disable", "sleep cond_resched"]
NARROW = ["take L", "enable", "write p", "flush p", "disable", "drop L", "sleep cond_resched"]


@pytest.mark.parametrize(
    ("release", "expected"),
    [("6.12.8", WIDE), ("6.12.38", WIDE), ("6.17.8", NARROW), ("7.3.4", NARROW)],
)
def test_pagemap_scan_begins_before_its_lock_up_to_v6_14(release, expected):
    """ad449d856bd7 went into v6.15 and not into 6.12.y; all flush inside."""
    assert did("x86", release, ONE, "pagemap_scan_pmd_entry p") == expected


def test_pagemap_scan_leaves_alone_what_is_write_protected():
    """PAGEMAP_SCAN leaves alone what is write-protected, and then flushes nothing either."""
    words = did("x86", "6.17.8", ["p lock L = A:ro:wp"], "pagemap_scan_pmd_entry p")
    assert words == ["take L", "enable", "disable", "drop L", "sleep cond_resched"]


@pytest.mark.parametrize(("arch", "there"), [("x86", True), ("powerpc", False), ("sparc", False)])
def test_pagemap_scan_write_protects_only_where_userfaultfd_can(arch, there):
    """PAGEMAP_SCAN write-protects only where userfaultfd can, and nowhere before v6.7.

    HAVE_ARCH_USERFAULTFD_WP says where.
    """
    assert ("pagemap_scan_pmd_entry" in bench(arch, "6.12.8", "p").machine.operations) == there
    assert "pagemap_scan_pmd_entry" not in bench(arch, "6.1.176", "p").machine.operations


@pytest.mark.parametrize(("release", "sleeps_inside"), [("6.12.8", True), ("6.17.8", False)])
def test_pagemap_scan_splits_a_huge_page_inside_the_section_up_to_v6_14(release, sleeps_inside):
    """split_huge_pmd() tells the mmu notifiers, which may sleep."""
    entries = ["d pmd lock M = T", "p in d lock L = A"]
    words = did("x86", release, entries, "pagemap_scan_pmd_entry d p")
    sleeps = words.index("sleep mmu_notifier_invalidate_range_start")
    assert (words.index("enable") < sleeps) == sleeps_inside


def test_madvise_ends_its_section_to_split_from_v6_5_on():
    """q's folio reaches beyond the range: leave, unlock, split, lock, enter."""
    entries = ["p lock L = A", "q lock L = B", "r lock L = B"]
    program = "madvise_free_pte_range p q"
    old = did("x86", "6.1.176", entries, program, "write")
    new = did("x86", "6.12.38", entries, program, "write")
    assert old[2:5] == ["drop L", "sleep split_folio", "take L"]
    assert new[2:7] == ["disable", "drop L", "sleep split_folio", "take L", "enable"]


def test_madvise_makes_entries_old_and_clean():
    """A small folio is not split."""
    machine = bench("x86", "6.12.38", "p lock L = A")
    words = order(machine.do("madvise_free_pte_range p"), "read")
    assert words[:5] == ["take L", "enable", "write p", "write p", "disable"]
    assert machine.stored("p") == "A:old:clean"


@pytest.mark.parametrize(
    "program", ["change_protection p", "madvise_free_pte_range p", "unmap_page_range p"]
)
@pytest.mark.parametrize(("arch", "release"), [("x86", "7.3.4"), ("powerpc", "6.19.6")])
def test_they_are_right_against_each_other_on_two_cpus(arch, release, program):
    """Whatever comes between two of them, nothing is lost and nothing stale is used."""
    found = searched(arch, release, ONE, program, "unmap_page_range p")
    assert not found.broken


@pytest.mark.parametrize(
    ("release", "changes"),
    [("6.1.192", ["write p", "write p"]), ("6.12.8", ["write p"]), ("7.3.4", ["write p"])],
)
def test_madvise_cold_exchanges_no_entry_from_v6_10_on(release, changes):
    """ptep_test_and_clear_young() takes effect at once, and an exchange and a store do later."""
    machine = bench("x86-native", release, "p lock L = A")
    words = order(machine.do("madvise_cold_or_pageout_pte_range p"), "read")
    assert [word for word in words if word == "write p"] == changes
    assert machine.stored("p") == "A:old"
    assert "write p" not in order(machine.do("madvise_cold_or_pageout_pte_range p"), "read")


@pytest.mark.parametrize(
    ("value", "left"),
    [("swap", None), ("swap-exclusive", None), ("migration", "migration"), ("marker", "marker")],
)
def test_madvise_free_clears_what_is_in_swap_and_nothing_else_that_is_not_present(value, left):
    """A page that moves, and a marker of userfaultfd's, are none of its business."""
    machine = bench("x86-native", "7.3.4", f"p lock L = {value}")
    machine.do("madvise_free_pte_range p")
    assert machine.stored("p") == left


@pytest.mark.parametrize(("release", "flushes"), [("5.10", 1), ("6.1.192", 2), ("7.3.4", 2)])
def test_migrate_vma_flushes_where_it_takes_an_entry_out_from_v5_19_on(release, flushes):
    """ptep_clear_flush(), and at the end once more for the range."""
    machine = bench("x86-native", release, "p lock L = A")
    words = order(machine.do("migrate_vma_collect_pmd p"))
    assert (words.count("read p"), words.count("flush p")) == (1, flushes)
    assert machine.stored("p") == "migration-writable"


def test_migrate_vma_finds_a_hole_where_the_table_is_gone():
    """It asks the entry above, and not for the table again and again."""
    machine = bench("x86-native", "7.3.4", "d pmd lock M", "p in d lock L")
    assert "take L" not in order(machine.do("migrate_vma_collect_pmd p"), "read")
