# SPDX-License-Identifier: GPL-2.0-or-later
"""set_ptes() and its kin begin a section of their own from v6.6 to v6.14, on x86 and sparc."""

from __future__ import annotations

import pytest

from .mm import bench, did, order

NESTED = ["enable", "write p", "disable"]


@pytest.mark.parametrize(
    ("arch", "release", "expected"),
    [
        ("x86", "6.1.176", ["write p"]),
        ("x86", "6.12.8", NESTED),
        ("x86", "6.12.38", ["write p"]),
        ("x86", "6.17.8", ["write p"]),
        ("x86", "7.3.4", ["write p"]),
        ("sparc", "6.1.176", ["write p"]),
        ("sparc", "6.12.8", NESTED),
        ("sparc", "6.12.38", ["write p"]),
        ("powerpc", "6.12.8", ["write p"]),
        ("arm64", "6.17.8", ["write p"]),
    ],
)
def test_set_pte_at_has_a_section_of_its_own_where_set_ptes_had(arch, release, expected):
    """powerpc's and arm64's own set_ptes() never had one; v6.1 has no set_ptes()."""
    assert did(arch, release, ["p"], "set_pte_at p A") == expected


def test_set_ptes_begins_one_section_for_all_its_entries():
    """The generic one loops inside it."""
    expected = ["enable", "write p", "write q", "disable"]
    assert did("x86", "6.12.8", ["p", "q"], "set_ptes A p q") == expected


@pytest.mark.parametrize(
    "program",
    [
        "pte_clear p",
        "ptep_get_and_clear p",
        "ptep_set_wrprotect p",
        "ptep_modify_prot_start p",
        "ptep_modify_prot_commit p A:ro",
    ],
)
def test_on_sparc_everything_that_is_made_of_set_pte_at_nests_too(program):
    """The header pgtable_64.h makes pte_clear() of set_pte_at().

    The generic helpers end in one of them; x86 has all of these to itself.
    """
    assert did("sparc", "6.12.8", ["p = A"], program)[:1] == ["enable"]
    assert "enable" not in did("x86", "6.12.8", ["p = A"], program)


def test_xen_batches_nothing_while_set_pte_at_nests():
    """Each inner end flushes: as many hypercalls as entries, where one is enough."""

    def hypercalls(release):
        machine = bench("x86", release, "p lock L", "q lock L")
        machine.do("remap_pte_range A p q")
        return machine.costs["hypercall"]

    assert [hypercalls(release) for release in ("6.1.176", "6.12.8", "6.12.38")] == [1, 2, 1]


def test_sparc_queues_nothing_while_set_pte_at_nests():
    """The inner end turns the mode off for the rest of the outer section."""
    machine = bench("sparc", "6.12.8", "p = A", "q = B")
    machine.do("lazy_mmu_mode_enable; set_pte_at p none")
    assert machine.mode() == "off"
    machine = bench("sparc", "6.12.38", "p = A", "q = B")
    machine.do("lazy_mmu_mode_enable; set_pte_at p none")
    assert machine.mode() == "on"


def test_before_v6_6_there_is_no_set_ptes():
    """A scenario that needs it is of no concern to v6.1."""
    assert "set_ptes" not in bench("x86", "6.1.176", "p").machine.operations
    assert "set_ptes" in bench("x86", "6.12.8", "p").machine.operations


def test_the_words_of_the_order_are_those_of_the_events():
    """What these tests compare is what the machine said."""
    machine = bench("x86", "6.12.38", "p lock L = A")
    events = machine.do("pte_offset_map_lock L; ptep_get p; pte_unmap_unlock L")
    assert order(events) == ["take L", "read p", "drop L"]
