# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64: what is owed, who pays it, and what it costs."""

from __future__ import annotations

import pytest

from lazymmu.contract.events import Use
from lazymmu.machine import ConfigError, EntrySpec, IrqSpec
from lazymmu.machine.workbench import Workbench

from .conftest import happened, program

FIRST, FLAG, COUNTED, TRY_SET = "6.16-rc1", "6.19.6", "7.1.13", "7.3.4"
ALL = (FIRST, FLAG, COUNTED, TRY_SET)
DSB = "dsb(ishst) and isb"


def bench(release, *entries, **more):
    """A workbench with two kernel entries unless told otherwise."""
    return Workbench("arm64", release, *(entries or ("p kernel", "q kernel")), **more)


@pytest.mark.parametrize("release", ALL)
def test_outside_a_section_each_valid_kernel_entry_has_its_own_barriers(release):
    """Two stores, two pairs of dsb and isb, and nothing owed."""
    on = bench(release)
    on.do("set_pte p A; set_pte q B")
    assert (on.pending, on.effective("p"), on.costs["barrier"]) == ((), "A", 2)


@pytest.mark.parametrize("release", ALL)
def test_a_section_has_one_pair_of_barriers_at_its_end(release):
    """The stores are in memory at once, walks find them after the end."""
    on = bench(release)
    on.do("lazy_mmu_mode_enable; set_pte p A; set_pte q B")
    assert on.pending == (("p", DSB), ("q", DSB))
    assert (on.stored("p"), on.effective("p"), on.costs["barrier"]) == ("A", None, 0)
    on.do("lazy_mmu_mode_disable")
    assert (on.pending, on.effective("p"), on.effective("q")) == ((), "A", "B")
    assert on.costs["barrier"] == 1


@pytest.mark.parametrize("release", ALL)
def test_user_entries_and_entries_made_invalid_owe_nothing(release):
    """User entries and entries made invalid owe no barrier.

    __set_pte_complete() asks for pte_valid_not_user().
    """
    on = bench(release, "u", "k kernel = A")
    on.do("lazy_mmu_mode_enable; set_pte u B; pte_clear k; set_pte k swap; lazy_mmu_mode_disable")
    assert on.costs["barrier"] == 0
    assert on.effective("u") == "B"


@pytest.mark.parametrize("release", ALL)
def test_a_valid_entry_of_a_higher_level_owes_barriers_whosever_mapping_it_is(release):
    """set_pmd() asks for pmd_valid() alone, set_pmd_at() of a huge page as set_pte() does."""
    on = bench(release, "d pmd", "h pmd")
    on.do("lazy_mmu_mode_enable; set_pmd_at h A")
    assert on.pending == ()
    on.do("set_pmd d A")
    assert on.pending == (("d", DSB),)
    on.do("pmd_clear d; lazy_mmu_mode_disable")
    assert on.costs["barrier"] == 1


@pytest.mark.parametrize("release", ALL)
def test_a_section_that_wrote_nothing_costs_nothing(release):
    """The pending flag is not set, so that the end emits no barrier."""
    on = bench(release)
    on.do("lazy_mmu_mode_enable; arch_flush_lazy_mmu_mode; lazy_mmu_mode_disable")
    assert on.costs["barrier"] == 0


@pytest.mark.parametrize("release", ALL)
def test_a_flush_emits_and_the_mode_stays_on(release):
    """arch_flush_lazy_mmu_mode() clears the pending flag alone."""
    on = bench(release)
    on.do("lazy_mmu_mode_enable; set_pte p A; arch_flush_lazy_mmu_mode")
    assert (on.pending, on.effective("p"), on.mode()) == ((), "A", "on")


def test_the_inner_end_turns_the_flag_off_for_the_rest_of_the_section():
    """6.16 to 6.19: safe, and from there on one pair of barriers for each entry."""
    on = bench(FLAG)
    on.do("lazy_mmu_mode_enable; set_pte p A; lazy_mmu_mode_enable; set_pte q B")
    on.do("lazy_mmu_mode_disable")
    assert (on.pending, on.mode(), on.costs["barrier"], on.bugs) == ((), "off", 1, ())
    on.do("set_pte p B; set_pte q C; lazy_mmu_mode_disable")
    assert on.costs["barrier"] == 3


@pytest.mark.parametrize("release", [COUNTED, TRY_SET])
def test_with_counters_the_inner_end_emits_and_the_section_goes_on(release):
    """From 7.0: what the inner section wrote is there, what comes after waits again."""
    on = bench(release)
    on.do("lazy_mmu_mode_enable; lazy_mmu_mode_enable; set_pte p A; lazy_mmu_mode_disable")
    assert (on.pending, on.effective("p"), on.mode()) == ((), "A", "on")
    on.do("set_pte p B; set_pte q C")
    assert len(on.pending) == 2
    on.do("lazy_mmu_mode_disable")
    assert on.costs["barrier"] == 2


def test_the_first_version_warns_at_a_section_inside_a_section():
    """The first version warns at a section inside a section.

    VM_WARN_ON(test_thread_flag(TIF_LAZY_MMU)), which DEBUG_PAGEALLOC met.
    """
    on = bench(FIRST)
    on.do("lazy_mmu_mode_enable; lazy_mmu_mode_enable")
    assert on.bugs == ("test_thread_flag(TIF_LAZY_MMU)",)


def test_an_interrupt_defers_in_the_first_version_and_nowhere_else():
    """b81c688426a9: in interrupt context barriers are emitted, whatever the task is doing."""
    for release in ALL:
        on = bench(release)
        on.do("lazy_mmu_mode_enable; set_pte p A")
        on.interrupt("set_pte q B")
        first = release == FIRST
        assert on.effective("q") == (None if first else "B")
        assert on.bugs == (("in_interrupt()",) if first else ())
        # Barriers are the CPU's, and the flag the task's: it will emit once more.
        assert on.effective("p") == (None if first else "A")
        assert on.pending[0] == ("p", DSB if first else "isb")
        on.do("lazy_mmu_mode_disable")
        assert on.costs["barrier"] == (1 if first else 2)
        assert on.effective("q") == "B"


def test_a_section_in_an_interrupt_ends_that_of_the_task_in_the_first_version_alone():
    """Its hooks are those of the interrupted task, and later they return at once."""
    for release in ALL:
        on = bench(release)
        on.do("lazy_mmu_mode_enable; set_pte p A")
        on.interrupt("lazy_mmu_mode_enable; set_pte q B; lazy_mmu_mode_disable", kind="soft")
        assert on.mode() == ("off" if release == FIRST else "on")


@pytest.mark.parametrize("release", ALL)
def test_a_switch_publishes_the_stores_and_the_task_still_owes_the_isb(release):
    """__switch_to() issues dsb(ish); the flags stay with the task and nobody else sees them."""
    on = bench(release, tasks=2, cpus=2)
    on.do("lazy_mmu_mode_enable; set_pte p A")
    on.switch("swapper/0")
    assert (on.effective("p"), on.pending, on.mode()) == ("A", (), "off")
    on.switch("T0")
    assert (on.pending, on.mode(), on.costs["barrier"]) == ((("p", "isb"),), "on", 0)
    on.do("lazy_mmu_mode_disable")
    assert (on.pending, on.costs["barrier"]) == ((), 1)


@pytest.mark.parametrize("release", ALL)
def test_tlb_maintenance_publishes_too(release):
    """It begins with dsb(ishst), so that no walk brings the old entry back."""
    on = bench(release, "p kernel = A")
    on.do("lazy_mmu_mode_enable; set_pte p A:ro; flush_tlb_range p")
    assert (on.effective("p"), on.tlb("p")) == ("A:ro", frozenset())
    assert on.pending == (("p", "isb"),)


def used(on):
    """What accesses found."""
    return [event.what for event in on.events if isinstance(event, Use)]


@pytest.mark.parametrize("release", ALL)
def test_a_mapping_used_before_the_barriers_may_not_be_there(release):
    """Nothing promises that a walk, the fault handler's own included, finds it before the dsb."""
    on = bench(release)
    on.do("lazy_mmu_mode_enable; set_pte p A; settle p; access p")
    assert used(on) == ["stale"]
    on.do("lazy_mmu_mode_disable; access p")
    assert used(on) == ["stale", "page"]
    assert on.costs["spurious fault"] == 0


@pytest.mark.parametrize("release", ALL)
def test_a_fault_for_want_of_the_isb_alone_is_counted_and_does_no_harm(release):
    """is_spurious_el1_translation_fault() finds the entry and goes on."""
    on = bench(release)
    on.do("lazy_mmu_mode_enable; set_pte p A; settle p")
    on.switch("swapper/0")
    on.switch("T0")
    on.do("access p")
    assert (used(on), on.costs["spurious fault"]) == (["page"], 1)
    on.do("lazy_mmu_mode_disable; access p")
    assert on.costs["spurious fault"] == 1


def test_try_set_emits_at_once_in_a_section_as_well():
    """ptep_try_set() of 7.3: the caller uses the mapping before the section ends."""
    on = bench(TRY_SET)
    on.do("lazy_mmu_mode_enable; ptep_try_set p A; settle p; access p; ptep_try_set p B")
    assert (on.stored("p"), on.effective("p"), used(on)) == ("A", "A", ["page"])
    assert on.costs["barrier"] == 1


def test_try_set_is_not_there_before():
    """An operation that a release lacks is refused."""
    with pytest.raises(ConfigError, match="no operation ptep_try_set"):
        bench(COUNTED).do("ptep_try_set p A")


@pytest.mark.parametrize("release", ALL)
def test_sleeping_in_a_section_does_no_harm(release):
    """Preemption stays on, and the flags are the task's."""
    on = bench(release)
    on.begin("lazy_mmu_mode_enable; set_pte p A; schedule; set_pte q B; lazy_mmu_mode_disable")
    while on.step() is not None:
        pass
    on.switch("swapper/0")
    on.switch("T0")
    on.go()
    assert (on.bugs, on.effective("q"), on.pending) == ((), "B", ())


KERNEL = (EntrySpec("p", space="kernel"), EntrySpec("q", space="kernel"))
BODY = "lazy_mmu_mode_enable; set_pte p A; set_pte q B; lazy_mmu_mode_disable; settle p; access p"


@pytest.mark.parametrize("release", ALL)
def test_whatever_comes_between_a_section_that_ended_is_effective(run, release):
    """Preempted, moved or not: after the end no walk finds the old entry."""
    found = run("arm64", release, BODY, entries=KERNEL, cpus=2)
    assert not happened(found, "Use", what="stale")
    assert not happened(found, "Bug")
    for state in found.ends:
        here = found.machine.here(list(state), 0)
        assert [here.entry(name).effective for name in "pq"] == ["A", "B"]
        assert all(cpu.unpublished == frozenset() for cpu in here.every("cpu"))


@pytest.mark.parametrize("release", ALL)
def test_an_interrupt_in_any_place_leaves_the_guarded_versions_in_order(run, release):
    """Its update is effective when it returns, except in the first version, in the section."""
    irq = IrqSpec("I", program("set_pte q C; settle q; access q"))
    task = "lazy_mmu_mode_enable; set_pte p A; lazy_mmu_mode_disable"
    found = run("arm64", release, task, entries=KERNEL, interrupts=(irq,))
    assert happened(found, "Use", what="stale") == (release == FIRST)
    assert happened(found, "Observed", at="irq", pending=True) == (release == FIRST)
    assert happened(found, "Bug") == (release == FIRST)


@pytest.mark.parametrize("release", ALL)
def test_stepping_with_and_without_what_is_remembered_agrees(run, release):
    """Cached places are those of the routines run again from their beginning."""
    arguments = ("arm64", release, BODY)
    one = run(*arguments, entries=KERNEL, cpus=2, cached=True)
    other = run(*arguments, entries=KERNEL, cpus=2, cached=False)
    assert len(one.states) == len(other.states)
    assert len(one.transitions) == len(other.transitions)
