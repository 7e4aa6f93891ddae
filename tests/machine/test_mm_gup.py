# SPDX-License-Identifier: GPL-2.0-or-later
"""Readers without a lock, and operations that came with later kernels."""

from __future__ import annotations

import pytest

from lazymmu.contract.events import Use
from lazymmu.machine import ConfigError

from .mm import bench


def uses(events):
    """What was used of which entry."""
    return [(event.entry, event.what) for event in events if isinstance(event, Use)]


def test_a_reader_without_the_lock_sees_what_is_stored():
    """On Xen PV the old entry while its change is queued: stale once somebody counts on it."""
    on = bench("x86", "7.3.4", "p lock L = A")
    assert uses(on.do("gup_fast p")) == [("p", "page")]
    on.do("lazy_mmu_mode_enable; pte_clear p; settle p")
    assert uses(on.do("gup_fast p")) == [("p", "stale")]
    on.do("lazy_mmu_mode_disable")
    assert uses(on.do("gup_fast p")) == []


def test_with_a_sequence_count_it_keeps_away_from_a_fork():
    """write_protect_seq is odd while copy_page_range() is at work."""
    on = bench("x86", "7.3.4", "p lock L = A", "q lock N")
    on.do("copy_pte_range p q")
    assert uses(on.do("gup_fast_seqcount p")) == [("p", "page")]
    on.begin("copy_pte_range p q")
    while not on.machine.here(on.state, 0).system.write_protect_seq % 2:
        on.step()
    here = on.machine.here(on.state, 0)
    assert here.system.write_protect_seq % 2 == 1


@pytest.mark.parametrize(
    "line", ["migrate_vma_collect_pmd p", "madvise_cold_or_pageout_pte_range p"]
)
def test_what_walks_entries_of_one_table_leaves_none_behind(line):
    """The migration entry, and the page that is old, are in memory when the section has ended."""
    on = bench("x86", "7.3.4", "p lock L = A")
    on.do(line)
    assert on.stored("p") == ("migration-writable" if line.startswith("migrate") else "A:old")
    assert (on.pending, on.mode()) == ((), "off")
    with pytest.raises(ConfigError, match="no operation"):
        bench("x86", "3.12", "p lock L = A").do(line)
