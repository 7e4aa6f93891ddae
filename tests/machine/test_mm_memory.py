# SPDX-License-Identifier: GPL-2.0-or-later
"""apply_to_page_range(), remap_pfn_range() and fork, in the kernel's order of steps."""

from __future__ import annotations

import pytest

from lazymmu.machine import ConfigError, Op
from lazymmu.machine.workbench import CannotError

from .mm import bench, did, order, parsed, searched

CALLBACK = "set_pte_at ptep A"


def test_user_mappings_are_locked_around_the_section():
    """Lock, enter, call back for each, leave, unlock."""
    words = did(
        "x86", "6.12.38", ["p lock L", "q lock L"], f"apply_to_page_range p q:\n    {CALLBACK}"
    )
    assert words == ["take L", "enable", "write p", "write q", "disable", "drop L"]


def test_kernel_mappings_are_not_locked_at_all():
    """Claim C2: not even where they have init_mm.page_table_lock."""
    program = f"apply_to_page_range p:\n    {CALLBACK}"
    assert did("x86", "6.12.38", ["p kernel lock K"], program) == ["enable", "write p", "disable"]


@pytest.mark.parametrize(("space", "preempted"), [("kernel", True), ("lock L", False)])
def test_kernel_mappings_can_be_preempted_inside_and_user_mappings_cannot(space, preempted):
    """With PREEMPT_FULL kernel mappings are preempted in sections, user mappings not (claim C3)."""
    machine = bench("arm64", "6.17.8", f"p {space}")
    machine.begin(*parsed(f"apply_to_page_range p:\n    {CALLBACK}"))
    while machine.mode() != "on":
        machine.step()
    try:
        machine.switch("swapper/0")
    except CannotError:
        assert not preempted
    else:
        assert preempted


def test_a_range_that_exists_is_called_back_for_what_is_not_none():
    """On an existing range apply_to_existing_page_range() calls back for entries that are set."""
    program = "apply_to_existing_page_range p q:\n    pte_clear ptep"
    words = did("x86", "6.12.38", ["p kernel", "q kernel = A"], program)
    assert words == ["enable", "write q", "disable"]


def test_callbacks_may_nest():
    """A callback that calls back for another entry is one program with another inside it."""
    program = "apply_to_page_range p:\n    apply_to_page_range q:\n        set_pte_at ptep A"
    machine = bench("x86", "7.3.4", "p kernel", "q kernel")
    words = order(machine.do(*parsed(program)), "read")
    assert words == ["enable", "enable", "write q", "disable", "disable"]
    kernel = ["p kernel", "q kernel"]
    assert searched("x86", "7.3.4", kernel, program).states < 200


def test_remap_pte_range_stops_at_what_is_mapped_already():
    """Where something is mapped already remap_pte_range() stops at BUG_ON(!pte_none())."""
    words = did("x86", "6.12.38", ["p lock L = A"], "remap_pte_range B p")
    assert words == ["take L", "enable", "bug"]


def test_fork_takes_both_locks_and_drops_them_after_the_section():
    """dst, src, enter, copy, leave, src, dst."""
    both = ["p lock L = A", "q lock N"]
    assert did("x86", "6.12.38", both, "copy_pte_range p q") == [
        "take N",
        "take L",
        "enable",
        "write p",
        "write q",
        "disable",
        "drop L",
        "drop N",
        "sleep cond_resched",
    ]


def test_fork_leaves_both_with_a_read_only_page():
    """The parent's entry loses its permission, the child's is as well not young."""
    machine = bench("x86", "6.12.38", "p lock L = A", "q lock N")
    machine.do("copy_pte_range p q")
    assert (machine.stored("p"), machine.stored("q")) == ("A:ro", "A:ro:old")


@pytest.mark.parametrize("value", ["swap", "migration", "marker"])
def test_fork_copies_what_is_not_present_as_it_is(value):
    """And leaves the parent's entry alone."""
    machine = bench("x86", "6.12.38", f"p lock L = {value}", "q lock N")
    words = order(machine.do("copy_pte_range p q"), "read", "take", "drop", "sleep")
    assert words == ["enable", "write q", "disable"]
    assert machine.stored("q") == value


def test_an_entry_without_a_lock_cannot_be_locked():
    """The scenario is told what it lacks."""
    with pytest.raises(ConfigError, match="p has no page-table lock"):
        bench("x86", "6.12.38", "p").do("do_anonymous_page p A")


@pytest.mark.parametrize(("entries", "name"), [(["p"], "p"), (["d pmd = T", "p in d lock L"], "d")])
def test_a_scenario_that_names_too_few_locks_is_refused_before_it_runs(entries, name):
    """Also where it is the lock of the level above that is missing."""
    with pytest.raises(ConfigError, match=f"zap_pte_range locks the table of {name}, which"):
        searched("x86", "7.3.4", entries, "zap_pte_range p")


def test_an_operation_on_many_entries_needs_one():
    """An operation on many entries needs at least one, and the sentence says so."""
    with pytest.raises(ConfigError, match="zap_pte_range takes entries, one at least"):
        searched("x86", "7.3.4", ["p lock L"], "zap_pte_range")


@pytest.mark.parametrize(("release", "last"), [("6.12.8", "B"), ("6.12.38", None), ("7.3.4", None)])
def test_a_hole_ends_a_walk_of_existing_entries_in_6_12_8(release, last):
    """fn(pte++) advanced the pointer only where it was called."""
    on = bench("x86", release, "p kernel = A", "q kernel", "r kernel = B")
    clear = Op("apply_to_existing_page_range", ("p", "q", "r"), (Op("pte_clear", ("ptep",)),))
    on.do(clear)
    assert (on.stored("p"), on.stored("r")) == (None, last)


def test_a_fork_makes_an_exclusive_entry_again_of_its_page():
    """Which is not young yet, and may be written by the parent no more."""
    machine = bench("x86-native", "7.3.4", "p lock L = A:exclusive", "q lock M")
    machine.do("copy_pte_range p q")
    assert (machine.stored("p"), machine.stored("q")) == ("A:ro:old", "A:ro:old")
