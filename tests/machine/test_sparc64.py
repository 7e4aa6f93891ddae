# SPDX-License-Identifier: GPL-2.0-or-later
"""sparc64: user entries' addresses wait in a batch of the CPU; the kernel's never do."""

from __future__ import annotations

import pytest

from lazymmu.contract.events import Flush, TlbFlush
from lazymmu.machine import EntrySpec, IrqSpec, LockSpec, Machine, MachineConfig, TaskSpec
from lazymmu.machine.workbench import CannotError, Workbench

from .conftest import explore, happened, program

FLAGGED = ("sparc-unpinned", "sparc-active")
PINNED = ("sparc-active", "sparc-counted")
EACH = (*FLAGGED, "sparc-counted")
HUGE = EntrySpec("d", level="pmd", value="A")


def plain(row):
    """The row, in a release whose accessors are no sections of their own (6.6 to 6.14 had such)."""
    return "5.10" if row == "sparc-unpinned" else row


@pytest.mark.parametrize("row", EACH)
def test_a_section_puts_user_invalidations_off(row):
    """One cross call for both at its end; without the mode one each."""
    bench = Workbench("sparc", plain(row), "p = A", "q = B", cpus=2)
    bench.do("lazy_mmu_mode_enable; set_pte p B; ptep_set_wrprotect q")
    assert (bench.stored("p"), bench.stored("q")) == ("B", "B:ro")
    assert bench.pending == (("p", "invalidate A"), ("q", "invalidate B"))
    assert (bench.tlb("p", 1), bench.costs["invalidation"]) == ({"A"}, 0)
    bench.do("lazy_mmu_mode_disable")
    assert (bench.tlb("p", 0), bench.tlb("p", 1), bench.tlb("q", 1)) == (set(), set(), set())
    assert (bench.costs["invalidation"], bench.pending, bench.mode()) == (1, (), "off")
    bench.do("pte_clear p; ptep_get_and_clear q")
    assert (bench.costs["invalidation"], bench.tlb("p", 1)) == (3, set())


@pytest.mark.parametrize("row", EACH)
def test_kernel_entries_are_left_to_flush_tlb_kernel_range(row):
    """maybe_tlb_batch_add() is for user mms alone, in the mode and out of it."""
    bench = Workbench("sparc", plain(row), "p kernel = A", cpus=2)
    bench.do("lazy_mmu_mode_enable; pte_clear p")
    assert (bench.pending, bench.tlb("p", 1)) == ((), {"A"})
    seen = bench.do("flush_tlb_range p")
    assert [event.how for event in seen if isinstance(event, TlbFlush)] == ["now"]
    assert bench.tlb("p", 1) == set()


@pytest.mark.parametrize("row", EACH)
def test_flush_tlb_range_does_nothing_and_mmu_gather_flushes_the_batch(row):
    """In a section flush_tlb_range() does nothing, and mmu_gather flushes the batch.

    tlb_flush() is flush_tlb_pending().
    """
    bench = Workbench("sparc", plain(row), "p = A")
    seen = bench.do("lazy_mmu_mode_enable; pte_clear p; flush_tlb_range p")
    assert [event.how for event in seen if isinstance(event, TlbFlush)] == ["noop"]
    assert bench.pending
    bench.do("tlb_flush p")
    assert (bench.pending, bench.tlb("p"), bench.mode()) == ((), set(), "on")


@pytest.mark.parametrize("row", EACH)
def test_a_batch_has_one_mm_and_one_page_size(row):
    """tlb_batch_add_one() flushes what is there when either changes."""
    entries = (EntrySpec("p", value="B"), EntrySpec("q", value="C", mm="other"), HUGE)
    bench = Workbench("sparc", plain(row), *entries)
    seen = bench.do("lazy_mmu_mode_enable; pte_clear p; pte_clear q")
    assert bench.pending == (("q", "invalidate C"),)
    assert [event.why for event in seen if isinstance(event, Flush)] == ["key-change"]
    bench = Workbench("sparc", plain(row), *entries)
    bench.do("lazy_mmu_mode_enable; pte_clear p; pmdp_huge_get_and_clear d")
    assert bench.pending == (("d", "invalidate A"),)


@pytest.mark.parametrize("row", EACH)
def test_outside_a_section_a_batch_of_another_mm_is_flushed_as_well(row):
    """The mms are compared before anybody asks for the mode: here by an interrupt."""
    bench = Workbench(
        "sparc", plain(row), EntrySpec("p", value="B"), EntrySpec("q", value="C", mm="other")
    )
    bench.do("lazy_mmu_mode_enable; pte_clear p")
    bench.interrupt("pte_clear q")
    assert bench.tlb("p") == set()
    waiting = () if row == "sparc-counted" else (("q", "invalidate C"),)
    assert bench.pending == waiting


@pytest.mark.parametrize("row", EACH)
def test_a_huge_page_goes_into_the_batch(row):
    """A huge page goes into the batch, because set_pmd_at() ends in tlb_batch_add_one()."""
    bench = Workbench("sparc", plain(row), HUGE)
    bench.do("lazy_mmu_mode_enable; pmdp_huge_get_and_clear d")
    assert (bench.stored("d"), bench.pending) == (None, (("d", "invalidate A"),))


@pytest.mark.parametrize("row", EACH)
def test_a_table_that_goes_puts_its_valid_entries_into_the_batch(row):
    """tlb_batch_pmd_scan(); a plain pmd_clear() does not."""
    entries = (
        EntrySpec("d", level="pmd", value="T"),
        EntrySpec("p", value="A", parent="d"),
        EntrySpec("q", parent="d"),
    )
    bench = Workbench("sparc", plain(row), *entries)
    bench.do("lazy_mmu_mode_enable; set_pmd_at d B")
    assert bench.pending == (("p", "invalidate A"),)
    bench = Workbench("sparc", plain(row), *entries)
    bench.do("lazy_mmu_mode_enable; pmd_clear d")
    assert bench.pending == ()


@pytest.mark.parametrize("row", FLAGGED)
def test_an_inner_end_turns_the_mode_off(row):
    """C6: set_ptes() of v6.6 to v6.14 was a section, so that nothing after the first is batched."""
    bench = Workbench("sparc", plain(row), "p = A", "q = B")
    bench.do("lazy_mmu_mode_enable; lazy_mmu_mode_enable; pte_clear p; lazy_mmu_mode_disable")
    assert (bench.mode(), bench.costs["invalidation"]) == ("off", 1)
    bench.do("pte_clear q")
    assert (bench.pending, bench.costs["invalidation"]) == ((), 2)


def test_a_counted_inner_end_flushes_and_the_mode_stays():
    """From v7.0 on sections nest: the inner end flushes, and the mode stays on."""
    bench = Workbench("sparc", "sparc-counted", "p = A", "q = B")
    bench.do("lazy_mmu_mode_enable; lazy_mmu_mode_enable; pte_clear p; lazy_mmu_mode_disable")
    assert (bench.mode(), bench.pending, bench.tlb("p")) == ("on", (), set())


@pytest.mark.parametrize("row", PINNED)
def test_a_section_cannot_be_preempted(row):
    """a1d416bf9faf: preempt_disable() from beginning to end."""
    bench = Workbench("sparc", plain(row), "p kernel")
    bench.do("lazy_mmu_mode_enable")
    with pytest.raises(CannotError):
        bench.switch("swapper/0")
    bench.do("lazy_mmu_mode_disable")
    bench.switch("swapper/0")


@pytest.mark.parametrize("row", PINNED)
def test_a_pause_or_an_end_pairs_the_pin(row):
    """preempt_count is what it was; one end too many is noticed."""
    bench = Workbench("sparc", plain(row), "p")
    bench.do("lazy_mmu_mode_enable; lazy_mmu_mode_disable; cond_resched")
    assert bench.bugs == ()
    bench.do("lazy_mmu_mode_disable")
    assert bench.bugs


def test_a_pause_leaves_and_a_resume_enters():
    """v7.0 on: no batch and no pin between them."""
    bench = Workbench("sparc", "sparc-counted", "p = A", "q = B")
    bench.do("lazy_mmu_mode_enable; pte_clear p; lazy_mmu_mode_pause; pte_clear q")
    assert (bench.pending, bench.tlb("q"), bench.mode()) == ((), set(), "off")
    bench.switch("swapper/0")
    bench.switch("T0")
    bench.do("lazy_mmu_mode_resume")
    assert (bench.mode(), bench.bugs) == ("on", ())
    with pytest.raises(CannotError):
        bench.switch("swapper/0")


def test_a_task_that_moves_leaves_its_mode_behind():
    """I2: enter made CPU0's batch active, leave makes CPU1's inactive."""
    bench = Workbench("sparc", plain("sparc-unpinned"), "p kernel", cpus=2, tasks=1)
    bench.do("lazy_mmu_mode_enable")
    bench.switch("swapper/0")
    bench.switch("T0", cpu=1)
    assert (bench.mode(0), bench.mode(1)) == ("on", "off")
    bench.do("lazy_mmu_mode_disable", cpu=1)
    assert (bench.mode(0), bench.mode(1)) == ("on", "off")


def test_a_task_that_moves_ends_another_s_section():
    """I2, dual: its leave on CPU1 flushes and ends the section that CPU1's task was in."""
    bench = Workbench("sparc", plain("sparc-unpinned"), "p kernel", "q = A", cpus=2, tasks=2)
    bench.do("lazy_mmu_mode_enable")
    bench.do("lazy_mmu_mode_enable; pte_clear q", cpu=1)
    bench.switch("swapper/1", cpu=1)
    bench.switch("T1")
    bench.switch("T0", cpu=1)
    assert (bench.mode(0), bench.mode(1)) == ("on", "on")
    bench.do("lazy_mmu_mode_disable", cpu=1)
    assert (bench.pending, bench.tlb("q", 0), bench.mode(1)) == ((), set(), "off")


def test_another_task_of_the_cpu_ends_a_preempted_section():
    """I2, second dual: T1's own section turns T0's mode off; T0 goes on unbatched."""
    bench = Workbench("sparc", plain("sparc-unpinned"), "p kernel", tasks=2)
    bench.do("lazy_mmu_mode_enable")
    bench.switch("T1")
    assert bench.mode() == "on"
    bench.do("lazy_mmu_mode_enable; lazy_mmu_mode_disable")
    bench.switch("T0")
    assert (bench.mode(), bench.bugs) == ("off", ())


def stuck(row, program_of_t0):
    """A kernel section on CPU0, a huge page that is zapped there, and a user of it on CPU1."""
    tasks = (
        TaskSpec("T0", program(program_of_t0), cpu=0),
        TaskSpec(
            "T1",
            program(
                "spin_lock M; pmdp_huge_get_and_clear d; flush_tlb_range d; spin_unlock M;"
                "free_page A"
            ),
            cpu=0,
            bound=True,
        ),
        TaskSpec("T2", program("access d"), cpu=1, bound=True),
    )
    entries = (EntrySpec("p", space="kernel"), HUGE)
    return explore(
        Machine(MachineConfig("sparc", row, entries, tasks, (LockSpec("M", "pmd"),), cpus=2))
    )


@pytest.mark.parametrize("row", EACH)
def test_an_active_batch_nobody_owns_lets_a_freed_page_be_used(row):
    """C10: only where the section is not pinned."""
    found = stuck(row, "lazy_mmu_mode_enable; lazy_mmu_mode_disable")
    assert happened(found, "Use", entry="d", what="stale") == (row == "sparc-unpinned")


def test_to_be_preempted_is_enough_nobody_need_move():
    """The section that was preempted on CPU0 need not go on anywhere: T1 runs in its mode."""
    found = stuck("sparc-unpinned", "lazy_mmu_mode_enable")
    moved = happened(found, "SwitchIn", task="T0", from_cpu=0, cpu=1)
    assert happened(found, "Use", entry="d", what="stale")
    assert moved  # elsewhere in the same search
    stale = [step for step in found.transitions if _stale(step[2])]
    number = [field for field, _ in found.machine.fields].index("T0.last_cpu")
    assert 0 in {state[number] for state, *_ in stale}


def _stale(events):
    return any(type(event).__name__ == "Use" and event.what == "stale" for event in events)


@pytest.mark.parametrize(("row", "lost"), [("sparc-active", True), ("sparc-counted", False)])
def test_an_interrupt_s_invalidation_may_be_lost_to_v6_19(row, lost):
    """It joins the batch between the look at tlb_nr and the store, or after the last flush."""
    entries = (EntrySpec("p", value="A"), EntrySpec("r", value="C"))
    task = TaskSpec("T0", program("lazy_mmu_mode_enable; pte_clear p; lazy_mmu_mode_disable"), 0)
    irq = IrqSpec("I", program("pte_clear r"))
    found = explore(Machine(MachineConfig("sparc", row, entries, (task,), interrupts=(irq,))))
    number = [field for field, _ in found.machine.fields].index("cpu0.r.old")
    assert any(end[number] for end in found.ends) == lost


@pytest.mark.parametrize("row", EACH)
def test_both_evaluators_take_the_same_steps(run, row):
    """Programs whose places are remembered, and those that are run again each time."""
    text = "lazy_mmu_mode_enable; pte_clear p; lazy_mmu_mode_disable"
    entries = (EntrySpec("p", value="A"),)
    cached = run("sparc", row, text, "cond_resched", entries=entries)
    plain = run("sparc", row, text, "cond_resched", entries=entries, cached=False)
    assert len(cached.states) == len(plain.states)
    assert [step[1:3] for step in cached.transitions] == [step[1:3] for step in plain.transitions]


def interrupted_add(row, q):
    """A pass of tlb_batch_add_one() for p that an interrupt, which clears q, may come into."""
    config = MachineConfig(
        "sparc",
        plain(row),
        entries=(EntrySpec("p", value="A", mm="m0"), EntrySpec("q", value="B", mm=q)),
        tasks=(
            TaskSpec("T", program("lazy_mmu_mode_enable; pte_clear p; lazy_mmu_mode_disable"), 0),
        ),
        interrupts=(IrqSpec("I", program("pte_clear q"), cpu=0),),
    )
    found = explore(Machine(config))
    names = [name for name, _ in found.machine.fields]
    return {
        tuple(bool(state[names.index(f"cpu0.{entry}.old")]) for entry in ("p", "q"))
        for state in found.ends
    }


@pytest.mark.parametrize("row", FLAGGED)
def test_an_interrupt_between_two_stores_of_an_add_costs_somebody_his_invalidation(row):
    """tb->mm, tb->vaddrs[nr] and tb->tlb_nr are three stores.

    With another mm the task's entry is demapped in the wrong context, and with the same one either
    entry may have the other's place.
    """
    assert interrupted_add(row, "m1") >= {(False, False), (True, False)}
    assert interrupted_add(row, "m0") >= {(False, False), (True, False), (False, True)}


def test_an_interrupt_adds_nothing_where_the_counters_decide():
    """From v7.0 on the counters decide, and an interrupt adds nothing."""
    assert interrupted_add("sparc-counted", "m1") == {(False, False)}
    assert interrupted_add("sparc-counted", "m0") == {(False, False)}
