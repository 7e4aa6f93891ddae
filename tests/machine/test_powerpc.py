# SPDX-License-Identifier: GPL-2.0-or-later
"""powerpc hash: the store is immediate, the HPTE's removal waits in a batch of the CPU."""

from __future__ import annotations

import pytest

from lazymmu.contract.events import Flush, Observed, PerCpu, Pin, TlbFlush
from lazymmu.machine import EntrySpec, IrqSpec, Machine, MachineConfig, TaskSpec
from lazymmu.machine.workbench import CannotError, Workbench

from .conftest import explore, happened, program

FLAGGED = ("hash-unpinned", "hash-active")
PINNED = ("hash-active", "hash-counted")
EACH = (*FLAGGED, "hash-counted")
KERNEL = (EntrySpec("p", space="kernel", value="A"),)


def ends(found, name):
    """Values that a variable has in the states in which nothing can happen any more."""
    number = [field for field, _ in found.machine.fields].index(name)
    return {end[number] for end in found.ends}


@pytest.mark.parametrize("row", EACH)
def test_a_section_puts_invalidations_off_and_stores_at_once(row):
    """One flush of the batch for both entries, at the end; without the mode one each."""
    bench = Workbench("powerpc", row, "p = A", "q = B", cpus=2)
    bench.do("lazy_mmu_mode_enable; pte_clear p; ptep_get_and_clear q")
    assert (bench.stored("p"), bench.stored("q")) == (None, None)
    assert bench.pending == (("p", "invalidate A"), ("q", "invalidate B"))
    assert (bench.tlb("p", 1), bench.costs["invalidation"]) == ({"A"}, 0)
    bench.do("lazy_mmu_mode_disable")
    assert (bench.tlb("p", 0), bench.tlb("p", 1), bench.tlb("q", 1)) == (set(), set(), set())
    assert (bench.costs["invalidation"], bench.pending, bench.mode()) == (1, (), "off")
    bench.do("set_pte p A; set_pte q B; pte_clear p; pte_clear q")
    assert (bench.costs["invalidation"], bench.tlb("p", 1)) == (3, set())


@pytest.mark.parametrize("row", EACH)
def test_what_was_not_there_has_no_hpte_to_remove(row):
    """set_pte() over none, and pte_clear() of none, add nothing to the batch."""
    bench = Workbench("powerpc", row, "p")
    bench.do("lazy_mmu_mode_enable; set_pte p A")
    assert bench.pending == ()
    bench.do("pte_clear p; pte_clear p")
    assert bench.pending == (("p", "invalidate A"),)


@pytest.mark.parametrize("row", EACH)
def test_set_pte_over_a_valid_entry_is_warned_about(row):
    """set_ptes() flushes nothing, so its callers must have."""
    bench = Workbench("powerpc", row, "p = A", cpus=2)
    bench.do("set_pte p B")
    assert (bench.bugs, bench.tlb("p", 1)) == (("pte_hw_valid(*ptep)",), {"A"})


@pytest.mark.parametrize("row", EACH)
def test_a_protection_change_is_a_store_and_an_invalidation(row):
    """A protection change is a store and an invalidation.

    In ptep_set_wrprotect() and in modify_prot's two halves.
    """
    bench = Workbench("powerpc", row, "p = A", "q = B", cpus=2)
    bench.do("lazy_mmu_mode_enable; ptep_set_wrprotect p; ptep_modify_prot_start q")
    bench.do("ptep_modify_prot_commit q B:ro")
    assert (bench.stored("p"), bench.stored("q"), bench.bugs) == ("A:ro", "B:ro", ())
    assert bench.pending == (("p", "invalidate A"), ("q", "invalidate B"))


@pytest.mark.parametrize("row", EACH)
def test_an_entry_keeps_its_hash_slot_while_it_maps_the_same_page(row):
    """So another CPU's flush removes what waits in this one's batch, but not another page's."""
    bench = Workbench("powerpc", row, "p = A", cpus=2)
    bench.do("lazy_mmu_mode_enable; ptep_set_wrprotect p")
    bench.do("ptep_get_and_clear p", cpu=1)
    assert (bench.pending, bench.tlb("p", 0)) == ((("p", "invalidate A"),), set())
    bench = Workbench("powerpc", row, "p = A", cpus=2)
    bench.do("lazy_mmu_mode_enable; ptep_get_and_clear p; set_pte p B")
    bench.do("ptep_get_and_clear p", cpu=1)
    assert bench.tlb("p", 0) == bench.tlb("p", 1) == {"A"}


@pytest.mark.parametrize("row", EACH)
def test_flush_tlb_range_does_nothing_and_mmu_gather_flushes_the_batch(row):
    """hash has no flush of addresses; hash__tlb_flush() comes before pages are freed."""
    bench = Workbench("powerpc", row, "p = A")
    seen = bench.do("lazy_mmu_mode_enable; pte_clear p; flush_tlb_range p")
    assert [event.how for event in seen if isinstance(event, TlbFlush)] == ["noop"]
    assert bench.pending
    bench.do("tlb_flush p")
    assert (bench.pending, bench.tlb("p"), bench.mode()) == ((), set(), "on")


@pytest.mark.parametrize("row", EACH)
def test_a_batch_has_one_mm(row):
    """An entry of another mm flushes what is there first."""
    bench = Workbench(
        "powerpc", row, EntrySpec("p", value="A"), EntrySpec("q", value="B", mm="other")
    )
    seen = bench.do("lazy_mmu_mode_enable; pte_clear p; pte_clear q")
    assert bench.pending == (("q", "invalidate B"),)
    assert [event.why for event in seen if isinstance(event, Flush)] == ["key-change"]


@pytest.mark.parametrize("row", EACH)
def test_huge_pages_are_invalidated_at_once(row):
    """Huge pages are invalidated at once, because hpte_do_hugepage_flush() knows no batch."""
    bench = Workbench("powerpc", row, "d pmd = A", cpus=2)
    bench.do("lazy_mmu_mode_enable; pmdp_huge_get_and_clear d")
    assert (bench.stored("d"), bench.tlb("d", 1), bench.pending) == (None, set(), ())


@pytest.mark.parametrize("row", FLAGGED)
def test_an_inner_end_turns_the_mode_off(row):
    """I4: the rest of the outer section is not batched, and nothing else goes wrong."""
    bench = Workbench("powerpc", row, "p = A", "q = B")
    bench.do("lazy_mmu_mode_enable; lazy_mmu_mode_enable; pte_clear p; lazy_mmu_mode_disable")
    assert (bench.mode(), bench.costs["invalidation"]) == ("off", 1)
    bench.do("pte_clear q")
    assert (bench.pending, bench.costs["invalidation"]) == ((), 2)
    bench.do("lazy_mmu_mode_disable; do_exit")
    assert bench.bugs == ()


def test_a_counted_inner_end_flushes_and_the_mode_stays():
    """From v7.0 on sections nest: the inner end flushes, and the mode stays on."""
    bench = Workbench("powerpc", "hash-counted", "p = A", "q = B")
    bench.do("lazy_mmu_mode_enable; lazy_mmu_mode_enable; pte_clear p; lazy_mmu_mode_disable")
    assert (bench.mode(), bench.pending, bench.tlb("p")) == ("on", (), set())
    bench.do("pte_clear q")
    assert bench.pending == (("q", "invalidate B"),)


@pytest.mark.parametrize(("row", "how"), [("hash-active", "noop"), ("hash-counted", "now")])
def test_the_flush_is_empty_to_v6_19(row, how):
    """To v6.19 the flush of the mode is empty, and the event says so."""
    bench = Workbench("powerpc", row, "p = A")
    bench.do("lazy_mmu_mode_enable; pte_clear p")
    seen = bench.do("arch_flush_lazy_mmu_mode")
    assert [event.how for event in seen if isinstance(event, Flush)] == [how]
    assert bool(bench.pending) == (how == "noop")


@pytest.mark.parametrize("row", PINNED)
def test_a_section_cannot_be_preempted(row):
    """b9ef323ea168: preempt_disable() from beginning to end."""
    bench = Workbench("powerpc", row, "p kernel = A")
    seen = bench.do("lazy_mmu_mode_enable; pte_clear p")
    assert [event.kind for event in seen if isinstance(event, Pin)] == ["preempt"]
    with pytest.raises(CannotError):
        bench.switch("swapper/0")
    bench.do("lazy_mmu_mode_disable")
    bench.switch("swapper/0")


@pytest.mark.parametrize("row", PINNED)
def test_sleeping_in_a_section_is_a_bug(row):
    """Preemption is off, so schedule() complains."""
    bench = Workbench("powerpc", row, "p")
    with pytest.raises(CannotError):
        bench.do("lazy_mmu_mode_enable; schedule")
    bench.switch("swapper/0")
    assert bench.bugs == ("scheduling while atomic",)


def test_an_unpinned_section_takes_its_mode_along():
    """_TLF_LAZY_MMU: flushed and off when the task goes, on again where it comes back."""
    bench = Workbench("powerpc", "hash-unpinned", "p kernel = A", cpus=2, tasks=1)
    bench.do("lazy_mmu_mode_enable; pte_clear p")
    seen = bench.switch("swapper/0")
    assert [event.why for event in seen if isinstance(event, Flush)] == ["switch"]
    assert (bench.pending, bench.mode(0)) == ((), "off")
    bench.switch("T0", cpu=1)
    assert (bench.mode(0), bench.mode(1)) == ("off", "on")
    bench.do("lazy_mmu_mode_disable", cpu=1)
    assert bench.mode(1) == "off"


def test_an_unpinned_section_may_set_the_mode_of_a_cpu_it_has_left():
    """It moves between this_cpu_ptr() and the store through that pointer."""
    bench = Workbench("powerpc", "hash-unpinned", "p kernel = A", cpus=2, tasks=1)
    bench.begin("lazy_mmu_mode_enable")
    bench.step()
    bench.switch("swapper/0")
    bench.switch("T0", cpu=1)
    bench.go(1)
    assert (bench.mode(0), bench.mode(1)) == ("on", "off")


def test_a_new_task_takes_no_mode_over(run):
    """It never comes by the second half of __switch_to(), and its parent's flag is clear."""
    found = explore(
        Machine(
            MachineConfig(
                "powerpc",
                "hash-unpinned",
                KERNEL,
                (
                    TaskSpec("T0", program("lazy_mmu_mode_enable; fork T1"), cpu=0),
                    TaskSpec("T1", program("cond_resched"), forked=True),
                ),
            )
        )
    )
    assert happened(found, "Observed", task="T1", at="start", mode="off")
    assert not happened(found, "Observed", task="T1", at="start", mode="on")


@pytest.mark.parametrize("row", FLAGGED)
def test_an_interrupt_joins_the_batch_to_v6_19(row):
    """`active` is the CPU's, whoever runs there."""
    bench = Workbench("powerpc", row, "p = A", "q kernel = B")
    bench.do("lazy_mmu_mode_enable; pte_clear p")
    seen = bench.interrupt("pte_clear q")
    assert bench.pending == (("q", "invalidate B"),)
    assert [event.pending for event in seen if isinstance(event, Observed)] == [True]


def test_an_interrupt_is_served_at_once_from_v7_0_on():
    """is_lazy_mmu_mode_active() is false there, and the batch is left alone."""
    bench = Workbench("powerpc", "hash-counted", "p = A", "q kernel = B")
    bench.do("lazy_mmu_mode_enable; pte_clear p")
    seen = bench.interrupt("pte_clear q")
    assert (bench.pending, bench.tlb("q")) == ((("p", "invalidate A"),), set())
    assert [event.pending for event in seen if isinstance(event, Observed)] == [False]


def interrupted(row):
    """A section of two changes, and an interrupt that makes a third."""
    entries = tuple(EntrySpec(name, value=name.upper()) for name in "pqr")
    task = TaskSpec(
        "T0",
        program("lazy_mmu_mode_enable; pte_clear p; pte_clear q; lazy_mmu_mode_disable"),
        cpu=0,
    )
    irq = IrqSpec("I", program("pte_clear r"))
    return explore(Machine(MachineConfig("powerpc", row, entries, (task,), interrupts=(irq,))))


def test_an_interrupt_s_invalidation_may_be_lost_to_v6_19():
    """Added between the look at the index and the store there, it is overwritten.

    Added between the last flush and `active = 0`, it stays behind.
    """
    found = interrupted("hash-active")
    left = [field for field, _ in found.machine.fields].index("cpu0.r.old")
    batch = [field for field, _ in found.machine.fields].index("cpu0.batch")
    kept = {(bool(end[left]), bool(end[batch])) for end in found.ends}
    assert kept == {(False, False), (True, False), (True, True)}


def test_an_interrupt_s_invalidation_is_never_lost_from_v7_0_on():
    """It does not touch the batch."""
    found = interrupted("hash-counted")
    assert ends(found, "cpu0.r.old") == ends(found, "cpu0.p.old") == {frozenset()}
    assert ends(found, "cpu0.batch") == {()}


@pytest.mark.parametrize("row", EACH)
def test_hooks_say_whose_batch_they_touch_and_whether_they_are_pinned(row):
    """For the rule about unpinned batches: an address is taken after the pin, or without one."""
    seen = Workbench("powerpc", row, "p").do("lazy_mmu_mode_enable; lazy_mmu_mode_disable")
    kinds = [type(event) for event in seen]
    assert PerCpu in kinds
    pinned = Pin in kinds and kinds.index(Pin) < kinds.index(PerCpu)
    assert pinned == (row != "hash-unpinned")


@pytest.mark.parametrize("row", EACH)
def test_both_evaluators_take_the_same_steps(run, row):
    """Programs whose places are remembered, and those that are run again each time."""
    text = "lazy_mmu_mode_enable; pte_clear p; lazy_mmu_mode_disable"
    cached = run("powerpc", row, text, "cond_resched", entries=KERNEL)
    plain = run("powerpc", row, text, "cond_resched", entries=KERNEL, cached=False)
    assert len(cached.states) == len(plain.states)
    assert [step[1:3] for step in cached.transitions] == [step[1:3] for step in plain.transitions]


def test_radix_has_no_mode():
    """Every hook returns, and flush_tlb_range() does what it says."""
    bench = Workbench("powerpc-radix", "7.3.4", "p = A", cpus=2)
    bench.do("lazy_mmu_mode_enable; pte_clear p")
    assert (bench.pending, bench.mode(), bench.tlb("p", 1)) == ((), "unknown", {"A"})
    bench.do("flush_tlb_range p")
    assert bench.tlb("p", 1) == set()
