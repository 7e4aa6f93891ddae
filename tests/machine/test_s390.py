# SPDX-License-Identifier: GPL-2.0-or-later
"""s390 as posted: a cache of the CPU for a range of entries, and reads through it."""

from __future__ import annotations

import pytest

from lazymmu.contract.events import Undone, Use
from lazymmu.machine import EntrySpec, Op
from lazymmu.machine.workbench import CannotError, Workbench

from .conftest import happened

BEGIN = "lazy_mmu_mode_enable_with_ptes"


def bench(*entries, **more):
    """A workbench with three entries of one table, of which the last is none."""
    return Workbench("s390", "s390-posted", *(entries or ("p = A", "q = B", "r")), **more)


def test_changes_in_the_range_wait_and_are_read_as_if_they_did_not():
    """ptep_get() asks the cache, memory is as it was."""
    on = bench()
    on.do(f"{BEGIN} p q r; set_pte p C")
    assert (on.pending, on.stored("p")) == ((("p", "set C"),), "A")
    on.do("ptep_get p; set_pte p A")
    assert not any(isinstance(event, Undone) for event in on.events)


def test_a_decision_made_on_what_was_read_is_made_on_the_right_value():
    """`if pte_none p` finds the entry cleared, although memory still has it."""
    on = bench()
    then = Op("if", ("pte_none", "p"), (Op("set_pte", ("r", "C")),))
    on.do(f"{BEGIN} p q r; pte_clear p", then)
    assert on.pending == (("p", "set none"), ("r", "set C"))


def test_atomic_accessors_work_on_the_cache_too():
    """Nothing is lost, and nothing is immediate: what was cached first counts."""
    on = bench()
    on.do(f"{BEGIN} p q r; set_pte p C; ptep_set_wrprotect p; ptep_get_and_clear q")
    assert on.pending == (("p", "set C:ro"), ("q", "set none"))
    assert (on.stored("p"), on.stored("q")) == ("A", "B")
    on.do("lazy_mmu_mode_disable")
    assert (on.stored("p"), on.stored("q"), on.pending) == ("C:ro", None, ())
    assert not any(isinstance(event, Undone) for event in on.events)


def test_the_end_invalidates_each_run_of_valid_entries_once():
    """p and q with one IPTE, r needs none: no TLB has anything old afterwards."""
    on = bench()
    on.do(f"{BEGIN} p q r; set_pte p C; set_pte q C; set_pte r C; lazy_mmu_mode_disable")
    assert on.costs["invalidation"] == 1
    assert on.tlb("p") == on.tlb("q") == frozenset()


def test_an_untouched_entry_between_two_makes_two_runs():
    """An untouched entry between two makes two runs, because IPTE takes neighbours only."""
    on = bench("p = A", "q = B", "r = C")
    on.do(f"{BEGIN} p q r; set_pte p C; set_pte r A; lazy_mmu_mode_disable")
    assert on.costs["invalidation"] == 2


def test_without_the_mode_each_exchange_has_an_invalidation_of_its_own():
    """Without the mode each exchange in ptep_xchg_lazy() has an invalidation of its own."""
    on = bench()
    on.do("ptep_get_and_clear p; ptep_get_and_clear q")
    assert (on.costs["invalidation"], on.tlb("p")) == (2, frozenset())


def test_entries_outside_the_range_are_changed_at_once():
    """Also by a section inside, whose own range is not looked at."""
    on = bench()
    on.do(f"{BEGIN} p; set_pte q C; {BEGIN} q r; set_pte r A")
    assert (on.stored("q"), on.stored("r"), on.pending) == ("C", "A", ())
    on.do("set_pte p B; lazy_mmu_mode_disable")
    assert (on.stored("p"), on.mode()) == ("B", "on")


def test_a_section_without_a_range_batches_nothing_and_pins_all_the_same():
    """A section without a range batches nothing, and pins the task all the same.

    (enter_ipte_norange())
    """
    on = bench(tasks=2)
    on.do(f"{BEGIN}; set_pte p C")
    assert (on.stored("p"), on.mode()) == ("C", "off")
    with pytest.raises(CannotError):
        on.switch("T1")
    on.do("lazy_mmu_mode_disable")
    on.switch("T1")


def test_after_a_pause_nothing_is_batched_any_more():
    """resume() has no range to give; kasan's callbacks pause in apply_to_page_range()."""
    on = bench()
    on.do(f"{BEGIN} p q r; set_pte p C; lazy_mmu_mode_pause")
    assert (on.stored("p"), on.pending) == ("C", ())
    on.do("lazy_mmu_mode_resume; set_pte p A")
    assert (on.stored("p"), on.mode()) == ("A", "off")
    on.do("lazy_mmu_mode_disable")
    assert on.bugs == ()


def test_a_flush_stores_and_keeps_the_range():
    """A flush stores and keeps the range: flush_lazy_mmu_mode() leaves and enters again."""
    on = bench()
    on.do(f"{BEGIN} p q r; set_pte p C; arch_flush_lazy_mmu_mode")
    assert on.stored("p") == "C"
    on.do("set_pte q C")
    assert on.pending == (("q", "set C"),)


def test_what_a_scenario_calls_enable_names_the_first_table():
    """The series has core-mm name the table that it walks; other tables are not in the range."""
    on = bench("p = A", "q", "k kernel", "d pmd")
    on.do("lazy_mmu_mode_enable; set_pte p B; set_pte q B; set_pte k B; set_pmd d B")
    assert [entry for entry, _ in on.pending] == ["p", "q"]
    assert (on.stored("k"), on.stored("d")) == ("B", "B")


def test_an_interrupt_that_changes_an_entry_of_the_range_has_its_change_put_off():
    """The accessors ask the CPU's count, and not whether this is an interrupt."""
    on = bench("p kernel", "q kernel")
    on.do("lazy_mmu_mode_enable")
    on.interrupt("set_pte q B")
    assert (on.stored("q"), on.pending) == (None, (("q", "set B"),))


def test_sleeping_in_a_section_is_a_bug():
    """get_cpu_var() keeps preemption off to the end."""
    on = bench()
    with pytest.raises(CannotError):
        on.do(f"{BEGIN} p; schedule")
    on.switch("swapper/0")
    assert on.bugs == ("scheduling while atomic",)


PAIR = (EntrySpec("p", value="A"), EntrySpec("q", value="B"))
MOVES = (
    "spin_lock L; lazy_mmu_mode_enable; ptep_get_and_clear p; set_pte q A; lazy_mmu_mode_disable; "
    "spin_unlock L; settle p; settle q"
)


def test_code_that_flushes_no_tlb_of_its_own_leaves_none_stale(run):
    """The end invalidates with the stores, so that no order with a TLB flush can be wrong."""
    found = run("s390", "7.3", MOVES, "access p; access q", entries=PAIR, cpus=2)
    assert not happened(found, "Use", what="stale")
    assert happened(found, "Use", what="page")


def test_unlocking_before_the_end_loses_the_next_holders_change(run):
    """As on Xen PV: what is cached lands on what somebody else wrote."""
    early = MOVES.replace(
        "lazy_mmu_mode_disable; spin_unlock L", "spin_unlock L; lazy_mmu_mode_disable"
    )
    other = "spin_lock L; set_pte p B; spin_unlock L"
    assert not happened(run("s390", "7.3", MOVES, other, entries=PAIR, cpus=2), "Undone")
    assert happened(run("s390", "7.3", early, other, entries=PAIR, cpus=2), "Undone", entry="p")


def test_places_remembered_and_run_again_agree(run):
    """Cached and uncached threads take the same steps."""
    one, other = (
        run("s390", "7.3", MOVES, "access p", entries=PAIR, cached=cached)
        for cached in (True, False)
    )
    assert (len(one.states), len(one.transitions)) == (len(other.states), len(other.transitions))


def test_a_use_is_judged_by_what_the_code_wrote():
    """Before the end the old page is found, and that is no harm until somebody counts on it."""
    on = bench()
    on.do(f"{BEGIN} p; set_pte p C; access p; settle p; access p; lazy_mmu_mode_disable; access p")
    assert [event.what for event in on.events if isinstance(event, Use)] == [
        "page",
        "stale",
        "page",
    ]
