# SPDX-License-Identifier: GPL-2.0-or-later
"""The state that all rules share: what each event makes of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.contract import events as ev
from lazymmu.contract.dialects import COUNTED, NO_NESTING
from lazymmu.contract.section import MAX_DEPTH, TaskState, covering


def after(*happened: ev.Event, start: TaskState | None = None) -> TaskState:
    """The state after some events, from neutral or from `start`."""
    state = TaskState() if start is None else start
    for event in happened:
        state = state.after(event, NO_NESTING)
    return state


def test_a_section_is_on_between_its_ends() -> None:
    """Enable turns the mode on, the matching disable off."""
    assert after(ev.Enable()).active
    assert after(ev.Enable(), ev.Disable()) == TaskState()


def test_depth_counts_what_the_code_meant() -> None:
    """A nested begin counts as depth two in every dialect, so that its end is not one too many."""
    state = after(ev.Enable(), ev.Enable(), ev.Disable())
    assert (state.depth, state.active) == (1, True)


def test_depth_saturates_into_not_knowing() -> None:
    """Beyond the limit nobody knows the depth, and nobody claims to."""
    state = after(*[ev.Enable()] * (MAX_DEPTH + 1))
    assert state.depth == MAX_DEPTH
    assert not state.knows("mode")


def test_an_end_without_a_begin_leaves_depth_zero() -> None:
    """A disable too many is a rule's business and no negative depth."""
    assert after(ev.Disable()).depth == 0


def test_a_deferred_write_pends_only_in_an_active_section() -> None:
    """Outside a section, while paused, in interrupts and with bottom halves off it is immediate."""
    write = ev.Write("p", space="user")
    assert after(ev.Enable(), write).pending_on("p") is not None
    assert not after(write).pending
    assert not after(ev.Enable(), ev.Pause(), write).pending
    assert not after(ev.Enable(), ev.IrqEnter(), write).pending
    assert not after(ev.Enable(), ev.Pin("bh"), write).pending
    assert not after(ev.Enable(), ev.Write("p", how="immediate")).pending


@pytest.mark.parametrize("end", [ev.Disable(), ev.Flush(), ev.Pause()])
def test_whatever_ends_or_flushes_a_section_clears_what_is_pending(end: ev.Event) -> None:
    """Every disable, also a nested one, every flush and every pause makes writes take effect."""
    assert not after(ev.Enable(), ev.Enable(), ev.Write("p"), end).pending


def test_a_flush_of_one_entry_leaves_the_others() -> None:
    """A partial flush clears the entry that it names."""
    state = after(ev.Enable(), ev.Write("p"), ev.Write("q"), ev.Flush(entry="p"))
    assert state.pending_on("p") is None
    assert state.pending_on("q") is not None


def test_an_entry_that_cannot_be_told_pends_and_never_matches() -> None:
    """The unknown entry is pending, so that a TLB flush may concern it, and matches no read."""
    state = after(ev.Enable(), ev.Write(ev.UNKNOWN_ENTRY))
    assert state.pending
    assert state.pending_on(ev.UNKNOWN_ENTRY) is None


def test_pauses_nest_and_resume_restores_the_depth() -> None:
    """Two pauses need two resumes; the depth is what it was."""
    state = after(ev.Enable(), ev.Pause(), ev.Pause(), ev.Resume())
    assert not state.active
    assert after(ev.Resume(), start=state).active


def test_a_pause_of_another_task_is_not_ours() -> None:
    """A context-switch hook that pauses `prev` leaves the running task's mode alone."""
    assert after(ev.Enable(), ev.Pause(whose="prev")).active


def test_interrupts_suspend_the_mode_and_nothing_else() -> None:
    """The depth survives an interrupt; the mode is off during it."""
    inside = after(ev.Enable(), ev.IrqEnter("soft"))
    assert (inside.on, inside.active, inside.in_interrupt) == (True, False, True)
    assert after(ev.IrqExit("soft"), start=inside) == after(ev.Enable())


def test_pins_have_multiplicity() -> None:
    """Pins are counted: preempt_disable() twice needs preempt_enable() twice."""
    state = after(ev.Pin("preempt"), ev.Pin("preempt"), ev.Unpin("preempt"))
    assert state.pinned
    assert not after(ev.Unpin("preempt"), start=state).pinned


def test_interrupts_are_let_in_however_often_they_were_put_off() -> None:
    """include/linux/irqflags.h: local_irq_disable() is no count, whoever else kept the state."""
    off = after(ev.Pin("irqsave"), ev.Pin("irq"), ev.Pin("irq"))
    assert off.pins == ("irq",)
    assert not after(ev.Unpin("irq"), start=off).pinned


@pytest.mark.parametrize("found_off", [True, False])
def test_what_was_kept_of_interrupts_is_set_again(found_off: bool) -> None:
    """local_irq_restore() sets what its local_irq_save() found, whatever was done in between."""
    start = after(ev.Pin("irq")) if found_off else TaskState()
    for between in ([], [ev.Unpin("irq")], [ev.Pin("irqsave"), ev.Unpin("irqsave")]):
        state = after(ev.Pin("irqsave"), *between, ev.Unpin("irqsave"), start=start)
        assert state == start


def test_interrupts_that_nobody_kept_are_let_in_where_they_are_given_back() -> None:
    """A helper is handed the flags that its caller kept: nobody knows better."""
    assert not after(ev.Pin("irq"), ev.Unpin("irqsave")).pinned


def test_more_states_of_interrupts_than_are_kept_are_no_longer_known() -> None:
    """So that the state stays small: rules that ask for pins are silent."""
    deep = after(*[ev.Pin("irqsave")] * 3)
    assert deep.knows("pins")
    assert not after(ev.Pin("irqsave"), start=deep).knows("pins")


def test_a_spinlock_pins() -> None:
    """Holding any lock of the vocabulary keeps the task on its CPU."""
    assert after(ev.Take("lock")).pinned
    assert not after(ev.Take("lock"), ev.Drop("lock")).pinned


def test_a_drop_finds_the_only_lock_of_its_class() -> None:
    """`spin_unlock(ptl)` drops what the caller holds as `pvmw->ptl` when that is the only PTL."""
    state = after(ev.Take("pvmw->ptl", "ptl", "caller-holds"), ev.Drop("ptl", "ptl"))
    assert not state.locks


def test_a_drop_does_not_guess_between_two_locks() -> None:
    """With two page-table locks held, a drop by an unknown name drops neither."""
    held = (ev.Take("src", "ptl"), ev.Take("dst", "ptl"))
    assert len(after(*held, ev.Drop("ptl", "ptl")).locks) == 2


def test_a_split_lock_covers_its_own_level() -> None:
    """A pmd entry is covered by the pmd lock, not by the PTE table's lock held around it."""
    state = after(ev.Take("ptl", "ptl"), ev.Take("pml", "pmd"))
    assert covering(state, "pmd", "user") == {"pml"}
    assert covering(state, "pte", "user") == {"ptl"}


def test_without_a_lock_of_its_level_every_page_table_lock_may_cover() -> None:
    """hugetlb and folded tables use whatever lock there is."""
    assert covering(after(ev.Take("ptl", "ptl")), "pmd", "user") == {"ptl"}


def test_kernel_entries_are_covered_by_init_mm_alone() -> None:
    """A user page-table lock says nothing about a kernel mapping."""
    state = after(ev.Take("ptl", "ptl"), ev.Take("init", "kernel-pt"), ev.Take("other"))
    assert covering(state, "pte", "kernel") == {"init"}
    assert covering(state, "pte", "user") == {"ptl"}


def test_renaming_crosses_a_call() -> None:
    """Names of entries and locks change, also inside pending writes; what is missing is kept."""
    state = after(ev.Take("ptl", "ptl"), ev.Enable(), ev.Write("pte", space="user"))
    there = state.renamed({"pte": "ptep"}, {"ptl": "lock"})
    pending = there.pending_on("ptep")
    assert pending is not None
    assert pending.locks == {"lock"}
    assert {held.lock for held in there.locks} == {"lock"}
    assert state.renamed({}, {}) == state


def test_an_entry_renamed_to_unknown_stays_pending() -> None:
    """What the caller has no name for is still there."""
    state = after(ev.Enable(), ev.Write("pte")).renamed({"pte": ev.UNKNOWN_ENTRY}, {})
    assert state.pending
    assert state.pending_on("pte") is None


def test_the_way_to_user_mode_is_neutral() -> None:
    """A return to user mode, or the task's end, starts afresh, also after lost events."""
    lost = after(ev.Enable(), ev.Unknown("all"))
    assert after(ev.UserReturn(), start=lost) == TaskState()
    assert after(ev.Exit(), start=lost) == TaskState()


def test_what_is_unknown_of_one_lock_is_unknown_of_locks() -> None:
    """After a lock that may or may not be held, its absence proves nothing."""
    state = after(ev.Take("ptl", "ptl"), ev.Unknown("locks", "ptl"))
    assert not state.locks
    assert not state.knows("locks")


_EVENTS = st.sampled_from(
    [
        ev.Enable(),
        ev.Disable(),
        ev.Pause(),
        ev.Resume(),
        ev.Flush(),
        ev.Flush(entry="p"),
        ev.Write("p", space="user"),
        ev.Write("?", level="pmd"),
        ev.Read("p"),
        ev.Take("ptl", "ptl"),
        ev.Drop("ptl", "ptl"),
        ev.Pin("bh"),
        ev.Unpin("bh"),
        ev.Pin("irq"),
        ev.Pin("irqsave"),
        ev.Unpin("irqsave"),
        ev.IrqEnter("hard"),
        ev.IrqExit("hard"),
        ev.Unknown("pending"),
        ev.Unknown("locks", "ptl"),
        ev.Exit(),
        ev.FunctionCall("f", root=True),
    ]
)


@given(st.lists(_EVENTS))
def test_the_state_stays_small_and_hashable(happened: list[ev.Event]) -> None:
    """Whatever happens, the state is a bounded value: the reason why paths can join on it."""
    state = TaskState()
    for event in happened:
        state = state.after(event, COUNTED)
        assert hash(state) is not None
        assert 0 <= state.depth <= MAX_DEPTH
        assert 0 <= state.paused <= MAX_DEPTH
        assert len(state.pins) <= MAX_DEPTH + 1
        assert len(state.irqs_kept) <= MAX_DEPTH
        assert len(state.irq) <= MAX_DEPTH
        assert len(state.pending) <= 4
