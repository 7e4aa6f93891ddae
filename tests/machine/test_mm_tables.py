# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables go away under those who look for them: pte_offset_map_lock() looks twice from v6.5 on."""

from __future__ import annotations

from .mm import bench, did, order, searched

TABLE = ["d pmd lock M = T", "p in d lock L"]
GONE = ["d pmd lock M", "p in d lock L"]


def test_it_maps_locks_and_looks_again():
    """The order of __pte_offset_map_lock(): what leads to the table is read on both sides."""
    events = bench("x86", "6.12.38", *TABLE).do("do_anonymous_page p A")
    assert order(events)[:3] == ["read d", "take L", "read d"]


def test_without_a_table_it_fails_and_takes_no_lock():
    """Without a table mapping fails and takes no lock, so that the caller does nothing."""
    assert did("x86", "6.12.38", GONE, "do_anonymous_page p A") == []


def test_before_v6_5_the_lock_is_all_there_is():
    """Before v6.5 the lock is all there is, because callers had looked before."""
    assert did("x86", "6.1.176", GONE, "do_anonymous_page p A") == ["take L", "write p", "drop L"]


def test_it_sees_memory_and_not_what_is_pending():
    """A pmd entry that is cleared inside a section still leads to the table for everybody."""
    machine = bench("x86", "6.12.38", *TABLE)
    machine.do("lazy_mmu_mode_enable; pmd_clear d")
    assert order(machine.do("do_anonymous_page p A"), "read") == ["take L", "write p", "drop L"]
    machine.do("lazy_mmu_mode_disable")
    assert order(machine.do("do_anonymous_page p A"), "read") == []


def test_it_lets_go_of_the_lock_when_the_table_went_away_meanwhile():
    """Whoever waits for the lock of a table that is unlinked under it never writes to it."""
    unlink = "pte_offset_map_lock L\npmd_lock M\npmd_clear d\nspin_unlock M\npte_unmap_unlock L"
    found = searched("x86-native", "6.12.38", TABLE, unlink, "do_anonymous_page p A")
    assert not found.broken
    writes = searched("x86-native", "6.1.176", TABLE, unlink, "do_anonymous_page p A")
    assert not writes.broken
    assert writes.states != found.states


def test_locks_are_found_by_the_entries():
    """Two tables with one lock (no split locks) are locked once by who has both."""
    both = ["p lock L = A", "q lock L"]
    words = did("x86", "6.12.38", both, "move_ptes p q", "write")
    assert words == ["take L", "enable", "disable", "flush p", "drop L"]
