# SPDX-License-Identifier: GPL-2.0-or-later
"""Reclaim, whose TLB flush waits where the architecture lets it, and fork of entries of one mm."""

from __future__ import annotations

import pytest

from .mm import bench


@pytest.mark.parametrize(
    ("arch", "release", "waits"),
    [
        ("x86", "6.12.8", True),
        ("arm64", "7.3.4", True),
        ("powerpc", "7.3.4", False),
        ("sparc", "6.12.8", False),
    ],
)
def test_reclaim_leaves_its_flush_to_who_needs_it(arch, release, waits):
    """try_to_unmap_one() leaves the old translation in TLBs, and zapping flushes it first."""
    on = bench(arch, release, "p lock L = A", "q lock L = B")
    on.do("try_to_unmap_one p")
    assert on.stored("p") == "swap"
    assert on.tlb("p") == ({"A"} if waits else set())
    on.do("change_pte_range q")
    assert on.tlb("p") == set()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("swap-exclusive", "swap"),
        ("migration-writable", "migration"),
        ("swap", "swap"),
        ("marker", "marker"),
    ],
)
def test_fork_makes_what_was_one_mm_s_own_shared_in_both(before, after):
    """pte_swp_clear_exclusive() and make_readable_migration_entry() change the parent as well."""
    on = bench("x86", "6.12.8", f"p lock L = {before}", "q lock N")
    on.do("copy_pte_range p q")
    assert (on.stored("p"), on.stored("q")) == (after, after)
