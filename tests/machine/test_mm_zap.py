# SPDX-License-Identifier: GPL-2.0-or-later
"""zap_pte_range(), and the page tables that it takes away from v6.14 on."""

from __future__ import annotations

import pytest

from .mm import bench, did, order, searched

TABLE = ["d pmd lock M = T", "p in d lock L = A"]
EMPTY = ["d pmd lock M = T", "p in d lock L"]
SHARED = ["d pmd lock L = T", "p in d lock L = A"]
DONTNEED = "madvise_dontneed_single_vma p"


def test_pages_are_freed_after_the_flush_and_the_flush_comes_after_the_lock():
    """Pages are freed after the flush, which comes after the lock, in mmu_gather's order."""
    words = did("x86", "6.12.38", ["p lock L = A"], "unmap_page_range p")
    assert words == ["take L", "enable", "write p", "disable", "drop L", "flush p", "free p"]


def test_a_walk_by_itself_gives_nothing_back():
    """zap_pte_range() leaves that to its callers."""
    words = did("x86", "6.12.38", ["p lock L = A"], "zap_pte_range p")
    assert words == ["take L", "enable", "write p", "disable", "drop L"]


def test_what_maps_a_file_may_be_dirty_and_is_flushed_under_the_lock():
    """force_flush: after the section, before the unlock."""
    words = did("x86", "6.12.38", ["p lock L = A"], "unmap_mapping_range p")
    assert words[:6] == ["take L", "enable", "write p", "disable", "flush p", "drop L"]


def test_before_v6_14_the_table_stays():
    """And on powerpc and sparc ever since."""
    for arch, release in (("x86", "6.12.38"), ("powerpc", "7.3.4"), ("sparc", "7.3.4")):
        assert "take M" not in did(arch, release, TABLE, DONTNEED)


@pytest.mark.parametrize(
    ("release", "slow"), [("6.17.8", "try_to_free_pte"), ("7.1.13", "zap_pte_table_if_empty")]
)
def test_from_v6_14_the_pmd_entry_goes_inside_the_section_under_a_lock_that_is_dropped_there(
    release, slow
):
    """The pmd lock is taken by trylock, and dropped before the section ends."""
    words = did("x86", release, TABLE, DONTNEED)
    between = words[words.index("enable") : words.index("disable")]
    assert between == ["enable", "write p", "take M", "write d", "drop M"]
    assert words[-3:] == ["flush p", "free p", "free d"]
    assert slow in bench("x86", release, "p").machine.operations


@pytest.mark.parametrize(("release", "inside"), [("6.17.8", False), ("7.1.13", True)])
def test_where_both_locks_are_one_the_fast_path_works_from_v7_1_on(release, inside):
    """Before, the trylock of a lock that is held failed, and the slow path did it."""
    words = did("x86", release, SHARED, DONTNEED)
    assert (words.index("write d") < words.index("disable")) == inside


@pytest.mark.parametrize("release", ["6.17.8", "7.3.4"])
def test_while_somebody_has_the_pmd_lock_the_slow_path_waits_for_it(release):
    """pmd lock, page-table lock, empty: clear; both dropped."""
    machine = bench("x86", release, *TABLE)
    words = order(machine.do("pmd_lock M; zap_pte_range p; spin_unlock M"), "read")
    assert "write d" not in words
    words = order(machine.do(f"{_slow(release)} p"), "read")
    assert words == ["take M", "take L", "write d", "drop L", "drop M", "flush p", "free d"]


@pytest.mark.parametrize("release", ["6.17.8", "7.3.4"])
def test_the_slow_path_leaves_a_table_that_is_in_use(release):
    """The slow path leaves a table in which somebody filled an entry meanwhile."""
    machine = bench("x86", release, *TABLE)
    machine.do(f"{_slow(release)} p")
    assert (machine.stored("d"), machine.stored("p")) == ("T", "A")


def _slow(release):
    return "try_to_free_pte" if release == "6.17.8" else "zap_pte_table_if_empty"


@pytest.mark.parametrize("release", ["6.17.8", "7.1.13", "7.3.4"])
def test_xen_frees_a_table_twice(release):
    """The pmd lock is dropped with the cleared pmd entry pending.

    The slow path of another walk comes in: docs/findings, 7.3.4.
    """
    found = searched("x86", release, EMPTY, DONTNEED, f"{_slow(release)} p", stop=("kernel-bug",))
    assert {"unlock-before-flush", "lost-update", "kernel-bug"} <= found.broken


@pytest.mark.parametrize("arch", ["arm64", "x86-native"])
def test_who_stores_at_once_breaks_the_text_alone(arch):
    """The other walk finds the pmd entry cleared."""
    found = searched(arch, "7.3.4", EMPTY, DONTNEED, f"{_slow('7.3.4')} p")
    assert found.broken == {"unlock-before-flush"}


@pytest.mark.parametrize(
    ("arch", "release", "warns"),
    [
        ("x86", "6.1.176", True),
        ("x86", "6.12.8", False),
        ("x86", "7.1.13", False),
        ("x86", "7.3.4", True),
        ("arm64", "7.3.4", False),
        ("x86-native", "7.3.4", False),
        ("powerpc", "7.3.4", False),
    ],
)
def test_xen_warns_of_a_swap_entry_that_was_just_cleared(arch, release, warns):
    """pte_clear() waits in the queue, and the check reads what was there.

    In 7.3 again, because the check comes before anonymous memory is let go.
    """
    machine = bench(arch, release, "p lock L = swap")
    words = order(machine.do(DONTNEED), "read")
    assert ("bug" in words) == warns
    assert machine.stored("p") is None


def test_a_present_entry_is_exchanged_at_once_and_does_not_warn():
    """A present entry is exchanged at once and does not warn, even with Xen on 7.3."""
    assert "bug" not in did("x86", "7.3.4", ["p lock L = A:ro:wp"], DONTNEED)


def test_a_marker_is_put_where_a_file_was_write_protected():
    """Truncation keeps it; munmap() does not."""
    machine = bench("x86-native", "7.3.4", "p lock L = A:ro:wp")
    machine.do("unmap_mapping_range p")
    assert machine.stored("p") == "marker"
    machine.do("unmap_mapping_range p")
    assert machine.stored("p") == "marker"
    machine.do("unmap_page_range p")
    assert machine.stored("p") is None


def test_an_unmapping_that_has_flushed_gives_its_pages_back_and_flushes_no_more():
    """tlb_flush_mmu() after the unlock: nothing is left for the end."""
    words = did("x86", "6.12.38", ["p lock L = A"], "unmap_mapping_range p")
    assert words[-4:] == ["disable", "flush p", "drop L", "free p"]
