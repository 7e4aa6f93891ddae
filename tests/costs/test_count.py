# SPDX-License-Identifier: GPL-2.0-or-later
"""What an operation costs is what it costs when it is counted by hand in the kernel's source."""

from __future__ import annotations

import pytest

from lazymmu.costs import count
from lazymmu.costs.counts import Counts, Scope
from lazymmu.costs.tables import PTRS_PER_PTE
from lazymmu.machine import ConfigError

NEW = "7.3.4"

# By hand, 200 entries of one table. Xen: struct mmu_update has 16 bytes and MC_ARGS is 512, of
# which the last is never used, so that 31 stores go out together (multicalls.c): 200 are 7 times.
# Batches of hash and sparc64 go out at 192: 200 are twice. arm64 has one flag: once.
BY_HAND = [
    # mprotect: ptep_modify_prot_commit() of Xen is queued; start takes the entry away on the others
    ("change_pte_range", "x86", "user", "hypercalls", 200, 7),
    ("change_pte_range", "powerpc", "user", "invalidations", 200, 2),
    ("change_pte_range", "sparc", "user", "invalidations", 200, 2),
    ("change_pte_range", "arm64", "user", "barriers", 0, 0),
    # vmalloc: stores into entries that are none; no batch has them, arm64 owes barriers for them
    ("vmap_pages_pte_range", "x86", "kernel", "hypercalls", 200, 7),
    ("vmap_pages_pte_range", "powerpc", "kernel", "invalidations", 0, 0),
    ("vmap_pages_pte_range", "sparc", "kernel", "invalidations", 0, 0),
    ("vmap_pages_pte_range", "arm64", "kernel", "barriers", 200, 1),
    # munmap: an exchange, which Xen does not queue; arm64 invalidates at the end, by one flush
    ("zap_pte_range", "x86", "user", "hypercalls", 0, 0),
    ("zap_pte_range", "powerpc", "user", "invalidations", 200, 2),
    ("zap_pte_range", "sparc", "user", "invalidations", 200, 2),
    ("zap_pte_range", "arm64", "user", "barriers", 0, 0),
]


@pytest.mark.parametrize(("name", "arch", "space", "kind", "without", "with_"), BY_HAND)
def test_an_operation_costs_what_was_counted_by_hand(name, arch, space, kind, without, with_):
    """Three operations on four architectures, without sections and with those of the kernel."""
    none = count.operation(arch, NEW, name, 200, space, Scope.NONE)
    table = count.operation(arch, NEW, name, 200, space, Scope.TABLE)
    assert (getattr(none, kind), getattr(table, kind)) == (without, with_)
    assert (none.slow, table.slow) == (without, with_)
    assert (none.sections, table.sections) == (0, 1)


@pytest.mark.parametrize(("arch", "most"), [("x86", 31), ("powerpc", 192), ("sparc", 192)])
def test_a_batch_holds_as_much_as_the_kernels_and_not_one_more(arch, most):
    """One more entry than fits is one more flush."""
    full = count.operation(arch, NEW, "change_pte_range", most, "user", Scope.RANGE)
    more = count.operation(arch, NEW, "change_pte_range", most + 1, "user", Scope.RANGE)
    assert (full.slow, more.slow) == (1, 2)


@pytest.mark.parametrize(
    ("arch", "table", "around"),
    [("x86", 34, 34), ("powerpc", 8, 6), ("sparc", 6, 6), ("arm64", 2, 1)],
)
def test_a_section_of_one_table_keeps_most_of_what_a_wide_one_saves(arch, table, around):
    """By hand: 1024 entries; tables of x86 and arm64 have 512, of powerpc 256, of sparc64 1024."""
    name, space = (
        ("vmap_pages_pte_range", "kernel") if arch == "arm64" else ("change_pte_range", "user")
    )
    found = [count.operation(arch, NEW, name, 1024, space, scope) for scope in Scope]
    assert [counts.slow for counts in found] == [1024, table, around]


def test_a_nested_set_ptes_loses_all_that_the_outer_section_saves():
    """6.12.8: the inner end flushes on Xen, so that each of 32 entries is a hypercall again."""
    found = [
        count.operation("x86", release, "remap_pte_range", 32, "user", Scope.TABLE)
        for release in ("6.12.8", "6.12.38")
    ]
    assert [counts.hypercalls for counts in found] == [32, 2]
    assert found[0].sections == 33


def test_the_longest_stretch_with_preemption_off_is_told():
    """A kernel section of the hash MMU pins the task, one of Xen does not."""
    hash_, xen = (
        count.operation(arch, NEW, "vmap_pages_pte_range", 8, "kernel", Scope.TABLE)
        for arch in ("powerpc", "x86")
    )
    assert (hash_.pinned, xen.pinned) == (8, 0)


def test_a_flush_of_a_range_is_one_hypercall_on_xen():
    """One mmuext_op is for all of it (xen_flush_tlb_multi()), in the queue with the stores too."""
    found = count.operation("x86", NEW, "flush_tlb_range", 8, "user", Scope.NONE)
    assert (found.hypercalls, found.multicall_entries, found.updates) == (1, 1, 0)


@pytest.mark.parametrize("arch", [arch for arch in PTRS_PER_PTE if arch != "s390"])
def test_every_operation_can_be_counted_on_every_machine(arch):
    """None waits, and none stops at a BUG; on the newest release sections cost no more."""
    for name in count.operations(arch, NEW):
        for space in count.spaces_of(arch, NEW, name):
            entries = 1 if "move_" in name else 3
            none, table, around = (
                count.operation(arch, NEW, name, entries, space, scope) for scope in Scope
            )
            assert none.slow >= table.slow >= around.slow, name
            assert none.sections == 0


def test_what_does_not_exist_is_refused_with_the_reason():
    """One sentence, for a function that a release lacks and for one that changes nothing."""
    with pytest.raises(ConfigError, match="no set_ptes"):
        count.operation("x86", "5.10", "set_ptes", 1, "user", Scope.TABLE)
    with pytest.raises(ConfigError, match="nothing to count"):
        count.operation("x86", NEW, "spin_lock", 1, "user", Scope.TABLE)


def test_counts_are_subtracted_field_by_field():
    """What one has more than the other."""
    assert Counts(hypercalls=5, writes=3) - Counts(hypercalls=2) == Counts(hypercalls=3, writes=3)


def test_a_folio_of_kernel_entries_owes_its_barriers_once_on_arm64():
    """__set_ptes_anysz() stores all, and completes the last (asm/pgtable.h): one barrier anyway."""
    found = [count.operation("arm64", NEW, "set_ptes", 8, "kernel", scope) for scope in Scope]
    assert [counts.barriers for counts in found] == [1, 1, 1]


def test_fork_is_counted_with_the_one_section_of_a_table():
    """By hand: each ptep_set_wrprotect() of 300 entries is an invalidation.

    Three batches in two tables; both page-table locks are held for a table, whose entries are each
    two writes.
    """
    none, table, _ = (
        count.operation("powerpc", NEW, "copy_pte_range", 300, "user", scope) for scope in Scope
    )
    assert (none.invalidations, table.invalidations) == (300, 3)
    assert (none.pinned, table.pinned) == (512, 512)


def test_what_flushes_after_each_pair_is_not_counted_as_if_the_kernel_did():
    """move_ptes() flushes once; that of machines takes one entry, and would flush each time."""
    with pytest.raises(ConfigError, match="no count for more"):
        count.operation("x86", NEW, "move_ptes", 8, "user", Scope.TABLE)
    assert count.operation("x86", NEW, "move_ptes", 1, "user", Scope.TABLE).sections == 1


BATCHES = {"x86": 31, "powerpc": 192, "sparc": 192}
TABLES = {"x86": 512, "powerpc": 256, "sparc": 1024}


@pytest.mark.parametrize("arch", BATCHES)
@pytest.mark.parametrize("entries", [1, 31, 32, 193, 257, 513])
def test_a_count_is_what_the_lengths_of_batches_and_tables_say(arch, entries):
    """By hand: of each table its entries by the batch, rounded up; around all, of all of them."""
    batch, table = BATCHES[arch], TABLES[arch]
    full, rest = divmod(entries, table)
    by_tables = full * -(-table // batch) + -(-rest // batch)
    none, tables, around = (
        count.operation(arch, NEW, "change_pte_range", entries, "user", scope) for scope in Scope
    )
    assert none.slow == entries
    assert (tables.slow, tables.sections) == (by_tables, full + bool(rest))
    assert (around.slow, around.sections) == (-(-entries // batch), 1)
    assert {none.writes, tables.writes, around.writes} == {none.writes}


@pytest.mark.parametrize(("entries", "tables"), [(1, 1), (32, 1), (513, 2)])
def test_barriers_of_arm64_are_one_for_each_section_that_owes_some(entries, tables):
    """By hand: a flag has no length (TIF_LAZY_MMU_PENDING): once a table, or once around all."""
    found = [
        count.operation("arm64", NEW, "vmap_pages_pte_range", entries, "kernel", scope).barriers
        for scope in Scope
    ]
    assert found == [entries, tables, 1]
