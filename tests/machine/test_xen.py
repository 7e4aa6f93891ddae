# SPDX-License-Identifier: GPL-2.0-or-later
"""Xen PV: the store itself waits in a queue of the CPU, and the mode follows the task."""

from __future__ import annotations

import pytest

from lazymmu.contract.events import Flush, Observed, Undone
from lazymmu.machine import (
    EntrySpec,
    IrqSpec,
    LockSpec,
    Machine,
    MachineConfig,
    Op,
    Preempt,
    TaskSpec,
)
from lazymmu.machine.workbench import CannotError, Workbench

from .conftest import explore, happened, program

KERNEL = (EntrySpec("p", space="kernel"),)
EACH = ("xen-exclusive", "xen-nesting-count", "xen-cpu-mode", "xen-task")
SECTION = "lazy_mmu_mode_enable; set_pte p A; lazy_mmu_mode_disable"
NESTED = (
    "lazy_mmu_mode_enable; lazy_mmu_mode_enable; set_pte p A; "
    "lazy_mmu_mode_disable; lazy_mmu_mode_disable"
)


def fields(found, name):
    """Values that a variable has in the states in which nothing can happen any more."""
    numbers = [number for number, (field, _) in enumerate(found.machine.fields) if field == name]
    return {end[numbers[0]] for end in found.ends}


@pytest.mark.parametrize("row", EACH)
def test_a_section_is_one_hypercall_for_all_its_stores(row):
    """31 stores of PTEs fit into one mmu_update, so two do."""
    bench = Workbench("x86", row, "p", "q")
    bench.do("set_pte p A; set_pte q B")
    assert bench.costs["hypercall"] == 2
    bench.do("lazy_mmu_mode_enable; set_pte p B; set_pte q A")
    assert (bench.costs["hypercall"], bench.stored("p"), bench.mode()) == (2, "A", "on")
    assert bench.pending == (("p", "set B"), ("q", "set A"))
    bench.do("lazy_mmu_mode_disable")
    assert (bench.costs["hypercall"], bench.stored("p"), bench.mode()) == (3, "B", "off")
    assert bench.pending == ()


@pytest.mark.parametrize("row", EACH)
def test_an_invalidation_goes_behind_the_stores_of_its_section(row):
    """flush_tlb_range() in a section is queued, so a TLB is clean at its end and not before."""
    bench = Workbench("x86", row, "p = A", cpus=2)
    bench.do("lazy_mmu_mode_enable; pte_clear p; flush_tlb_range p")
    assert bench.stored("p") == "A"
    bench.do("lazy_mmu_mode_disable")
    assert (bench.stored("p"), bench.tlb("p", 0), bench.tlb("p", 1)) == (None, set(), set())


@pytest.mark.parametrize("row", EACH)
def test_in_a_section_the_entry_reads_as_before(row):
    """I6: pte_clear() and then ptep_get() finds what was there."""
    bench = Workbench("x86", row, "p = A", "q")
    bench.do("lazy_mmu_mode_enable; pte_clear p")
    bench.do(Op("if", ("pte_present", "p"), program("set_pte q B")))
    assert bench.pending[-1] == ("q", "set B")


@pytest.mark.parametrize("row", EACH)
def test_an_immediate_change_is_undone_by_the_queue(row):
    """I10: the write protection that came after a queued store is gone with it."""
    bench = Workbench("x86", row, "p = A")
    happened_ = bench.do(
        "lazy_mmu_mode_enable; set_pte p B; ptep_set_wrprotect p; lazy_mmu_mode_disable"
    )
    assert bench.stored("p") == "B"
    assert any(isinstance(event, Undone) for event in happened_)


@pytest.mark.parametrize("row", EACH)
def test_an_immediate_change_before_a_queued_one_is_kept(row):
    """The other order is fine: the queue has the last word in both."""
    bench = Workbench("x86", row, "p = A")
    seen = bench.do(
        "lazy_mmu_mode_enable; ptep_get_and_clear p; set_pte p B; lazy_mmu_mode_disable"
    )
    assert bench.stored("p") == "B"
    assert not any(isinstance(event, Undone) for event in seen)


def test_a_section_in_a_section_is_a_bug():
    """I1b: enter_lazy() finds the CPU in a mode; nobody need be preempted."""
    bench = Workbench("x86", "xen-exclusive", "p", preempt=Preempt.NONE)
    bench.do("lazy_mmu_mode_enable; lazy_mmu_mode_enable")
    assert bench.bugs == ("xen_lazy_mode != XEN_LAZY_NONE",)


def test_counted_sections_are_a_bug_only_when_preempted():
    """I1: leaving at the switch takes one off the count and leaves the mode on."""
    bench = Workbench("x86", "xen-nesting-count", "p kernel")
    bench.do("lazy_mmu_mode_enable; lazy_mmu_mode_enable")
    assert bench.bugs == ()
    bench.switch("swapper/0")
    assert bench.bugs == ("xen_lazy_mode != XEN_LAZY_NONE",)


def test_an_inner_end_of_counted_sections_issues_the_queue():
    """Each nested set_ptes() of v6.6 to v6.14 was a hypercall of its own."""
    bench = Workbench("x86", "xen-nesting-count", "p", "q")
    bench.do("lazy_mmu_mode_enable")
    for entry in ("p", "q"):
        bench.do(f"lazy_mmu_mode_enable; set_pte {entry} A; lazy_mmu_mode_disable")
    assert (bench.costs["hypercall"], bench.mode()) == (2, "on")
    bench.do("lazy_mmu_mode_disable")
    assert (bench.costs["hypercall"], bench.mode()) == (2, "off")


@pytest.mark.parametrize("row", EACH[2:])
def test_task_counters_let_sections_nest_under_preemption(run, row):
    """From v7.0 on: no BUG at any depth, wherever the task is preempted."""
    found = run("x86", row, NESTED, "cond_resched", entries=KERNEL)
    assert not happened(found, "Bug")
    assert happened(found, "SwitchOut", why="preempted")
    assert fields(found, "p.stored") == {"A"}


@pytest.mark.parametrize("row", EACH)
def test_a_section_may_be_preempted_and_go_on_elsewhere(run, row):
    """C9: at depth one the switch hooks flush and take the mode along."""
    found = run("x86", row, SECTION, entries=KERNEL, cpus=2)
    assert not happened(found, "Bug")
    assert happened(found, "Flush", why="switch")
    assert happened(found, "SwitchIn", task="T0", from_cpu=0, cpu=1)
    assert fields(found, "p.stored") == {"A"}
    for cpu in ("cpu0", "cpu1"):
        assert fields(found, f"{cpu}.mc_queue") == {()}


@pytest.mark.parametrize("row", EACH[:-1])
def test_no_cpu_keeps_a_mode_when_all_have_ended(run, row):
    """The windows of v7.1 between a counter and its hook included."""
    found = run("x86", row, SECTION, SECTION, entries=KERNEL)
    assert fields(found, "cpu0.lazy_mode") == {0}


def test_between_counter_and_hook_a_switch_does_the_hook_s_work():
    """v7.1, W_on: the task has counted and not entered; the switch enters for it."""
    bench = Workbench("x86", "7.1.13", "p kernel")
    bench.begin("lazy_mmu_mode_enable")
    bench.step()
    assert bench.mode() == "off"
    bench.switch("swapper/0")
    bench.switch("T0")
    assert bench.mode() == "on"
    bench.go()
    assert (bench.mode(), bench.bugs) == ("on", ())


def test_between_counter_and_hook_a_switch_leaves_for_the_task():
    """v7.1, W_off: the counter is zero, the mode still on; leave finds it off later."""
    bench = Workbench("x86", "7.1.13", "p kernel")
    bench.do("lazy_mmu_mode_enable; set_pte p A")
    bench.begin("lazy_mmu_mode_disable")
    bench.step()
    bench.switch("swapper/0")
    assert (bench.pending, bench.stored("p")) == ((), "A")
    bench.switch("T0")
    assert bench.mode() == "off"
    bench.go()
    assert bench.bugs == ()


@pytest.mark.parametrize("row", EACH)
def test_an_interrupt_s_store_passes_the_queue(row):
    """xen_set_pte() without the mode is a hypercall of its own, and leaves the queue alone."""
    bench = Workbench("x86", row, "p", "q")
    bench.do("lazy_mmu_mode_enable; set_pte p A")
    seen = bench.interrupt("set_pte q B")
    assert (bench.stored("p"), bench.stored("q")) == (None, "B")
    assert bench.pending == (("p", "set A"),)
    said = [event for event in seen if isinstance(event, Observed) and event.at == "irq"]
    assert [event.pending for event in said] == [False]


@pytest.mark.parametrize("row", EACH)
def test_what_an_interrupt_queues_takes_the_whole_queue_along(row):
    """xen_mc_issue() without the mode flushes all, in order: the interrupted task's as well."""
    bench = Workbench("x86", row, "p", "q = A")
    bench.do("lazy_mmu_mode_enable; set_pte p A")
    seen = bench.interrupt("ptep_modify_prot_commit q B")
    assert (bench.stored("p"), bench.stored("q"), bench.pending) == ("A", "B", ())
    assert any(isinstance(event, Flush) and event.why == "irq" for event in seen)


@pytest.mark.parametrize("row", EACH)
def test_bottom_halves_off_are_interrupt_context(row):
    """in_interrupt() counts them, so a store between is not put off."""
    bench = Workbench("x86", row, "p")
    bench.do("lazy_mmu_mode_enable; local_bh_disable; set_pte p A")
    assert bench.stored("p") == "A"


@pytest.mark.parametrize("row", EACH)
def test_a_flush_leaves_the_mode_on(row):
    """A flush by arch_flush_lazy_mmu_mode() leaves the mode on, in every release."""
    bench = Workbench("x86", row, "p")
    bench.do("lazy_mmu_mode_enable; set_pte p A; arch_flush_lazy_mmu_mode")
    assert (bench.stored("p"), bench.mode(), bench.pending) == ("A", "on", ())


def kasan_twice(row):
    """Two CPUs that fill the same entry, each under the lock and in its section (I5)."""
    text = "lazy_mmu_mode_enable; spin_lock L"
    tasks = tuple(
        TaskSpec(
            f"T{number}",
            (
                *program(text),
                Op("if", ("pte_none", "p"), program(f"set_pte p {page}")),
                *program("spin_unlock L; lazy_mmu_mode_disable"),
            ),
            cpu=number,
        )
        for number, page in enumerate("AB")
    )
    return explore(
        Machine(
            MachineConfig(
                "x86",
                row,
                KERNEL,
                tasks,
                (LockSpec("L", "kernel-pt"),),
                cpus=2,
            )
        )
    )


@pytest.mark.parametrize("row", ["6.12.38", "7.3.4"])
def test_an_unlock_before_the_store_lets_another_fill_the_entry_too(row):
    """I5: both find none under the lock; the later flush wins and one page is lost."""
    found = kasan_twice(row)
    assert happened(found, "Undone", entry="p")
    assert fields(found, "p.stored") == {"A", "B"}


def test_a_child_of_v7_3_begins_with_its_pause_count_below_zero():
    """It has not been paused at a switch before it is resumed at its first one: 0 - 1 is 255."""
    found = explore(Machine(_forking("7.3.4")))
    assert happened(found, "Bug", condition="pause_count == 0")
    assert happened(found, "Observed", at="start", task="T1", counters=(0, 255))
    assert not happened(found, "Observed", at="enable", task="T1", mode="on")


@pytest.mark.parametrize("row", EACH[:-1])
def test_a_child_of_other_releases_begins_clean(row):
    """The flag and the counters of a running parent are clear."""
    found = explore(Machine(_forking(row)))
    assert not happened(found, "Bug")
    assert happened(found, "Observed", at="start", task="T1", counters=(0, 0), mode="off")
    assert happened(found, "Observed", at="enable", task="T1", mode="on")


def _forking(row):
    return MachineConfig(
        "x86",
        row,
        KERNEL,
        (TaskSpec("T0", program("fork T1"), cpu=0), TaskSpec("T1", program(SECTION), forked=True)),
    )


def test_a_task_that_waits_for_a_cpu_is_paused():
    """v7.3: one more than it asked for, and again as it was when it comes back."""
    bench = Workbench("x86", "7.3.4", "p kernel", tasks=2)
    state = bench.machine.layout.slot(bench.state, "task", 1)
    assert state.pause_count == 1
    bench.switch("T1")
    assert (state.pause_count, bench.bugs) == (0, ())


@pytest.mark.parametrize("row", EACH)
def test_both_evaluators_reach_the_same_states(run, row):
    """Programs whose places are remembered, and those that are run again each time."""
    cached = run("x86", row, SECTION, "cond_resched", entries=KERNEL)
    plain = run("x86", row, SECTION, "cond_resched", entries=KERNEL, cached=False)
    assert len(cached.states) == len(plain.states)
    assert [step[1:3] for step in cached.transitions] == [step[1:3] for step in plain.transitions]


def test_native_x86_defers_nothing():
    """Every pv op of the mode is nothing, so stores and flushes are what they are."""
    bench = Workbench("x86-native", "7.3.4", "p = A", cpus=2)
    bench.do("lazy_mmu_mode_enable; lazy_mmu_mode_enable; set_pte p B; flush_tlb_range p")
    assert (bench.stored("p"), bench.tlb("p", 1), bench.pending) == ("B", set(), ())
    assert (bench.mode(), bench.costs["hypercall"]) == ("unknown", 0)


def test_the_queue_is_nobody_s_to_flush_while_preemptible():
    """xen_mc_flush() is never reached with preemption on, in any interleaving with interrupts."""
    found = explore(
        Machine(
            MachineConfig(
                "x86",
                "6.12.8",
                KERNEL,
                (TaskSpec("T0", program(SECTION), cpu=0),),
                interrupts=(IrqSpec("I", program("flush_tlb_range p")),),
            )
        )
    )
    assert happened(found, "IrqEnter")
    assert not happened(found, "Bug")


def test_an_unbalanced_end_is_a_bug_of_the_cpu():
    """leave_lazy() finds another mode than its own."""
    bench = Workbench("x86", "6.12.8", "p")
    bench.do("lazy_mmu_mode_disable")
    assert bench.bugs == ("xen_lazy_mode != mode",)
    with pytest.raises(CannotError):
        bench.switch("swapper/0")


@pytest.mark.parametrize("row", EACH[1::2])
def test_hooks_of_a_switch_as_one_step_show_what_they_show_as_many(run, row):
    """Taken apart, a switch has more states, and the same things happen."""
    texts = ("lazy_mmu_mode_enable; set_pte p A; arch_flush_lazy_mmu_mode", "ptep_get_and_clear p")
    whole, apart = (
        run("x86", row, *texts, entries=KERNEL, cpus=2, merge_steps=merge)
        for merge in (True, False)
    )

    def kinds(found):
        return {
            (type(event).__name__, getattr(event, "why", ""), getattr(event, "condition", ""))
            for _, _, events, _ in found.transitions
            for event in events
        }

    assert len(whole.states) < len(apart.states)
    assert kinds(whole) == kinds(apart)
    assert fields(whole, "p.stored") == fields(apart, "p.stored")
