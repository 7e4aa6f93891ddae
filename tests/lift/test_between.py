# SPDX-License-Identifier: GPL-2.0-or-later
"""Accesses of lifted code are one step where nobody can come between, and only there."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from lazymmu.kernelc.tree_index import TreeIndex
from lazymmu.lift.between import Between
from lazymmu.lift.code import Opcode
from lazymmu.lift.ctypes import typed
from lazymmu.lift.link import CallMeaning
from lazymmu.lift.steps import Steps
from lazymmu.lift.tree import install, uninstall
from lazymmu.lift.values import CPointer
from lazymmu.lift.words import LiftWord
from lazymmu.machine import EntrySpec, IrqSpec, Machine, MachineConfig, TaskSpec
from lazymmu.witness.source.spoken_dialect import detect_dialect

READ, WRITE = SimpleNamespace(op=Opcode.LOAD), SimpleNamespace(op=Opcode.STORE)
CALL = SimpleNamespace(op=Opcode.CALL)
MINE = CPointer("cpu", 0, ("count",), typed("int"))
THEIRS = MINE._replace(owner=1)
DEPTH = CPointer("task", 0, ("state", "depth"), typed("int"))
PAUSES = CPointer("task", 0, ("state", "pauses"), typed("int"))


def word(does, **more):
    """What a call means."""
    return CallMeaning(LiftWord(does, "", **more))


@pytest.fixture
def step():
    """Makes a step that begins, with pins and interrupts as they are asked for."""

    def made(interrupts=False, **task):
        irqs = (IrqSpec("irq", ()),) if interrupts else ()
        tasks = (TaskSpec("T0", (), cpu=0), TaskSpec("T1", (), cpu=0))
        entries = (EntrySpec("p", value="A"),)
        machine = Machine(
            MachineConfig("x86", "7.3.4", cpus=2, entries=entries, tasks=tasks, interrupts=irqs)
        )
        here = machine.here(list(machine.initial), 0)
        for name, value in task.items():
            setattr(here.current, name, value)
        return here, Between(SimpleNamespace(context=here), frozenset({"pauses"}))

    return made


def test_whoever_may_be_preempted_is_seen_between_two_accesses(step):
    """The first one begins a step, the second one another."""
    _, between = step()
    assert not between.ends(READ, None, MINE)
    assert between.ends(WRITE, None, MINE)


@pytest.mark.parametrize(
    "kept_out",
    [{"preempt_count": 1}, {"irqs_off": 1, "interrupts": True}],
    ids=["pinned", "interrupts-off"],
)
def test_what_is_this_cpus_own_joins_while_nobody_else_gets_it(step, kept_out):
    """No other CPU touches it, and nobody here."""
    _, between = step(**kept_out)
    assert not any(between.ends(one, None, MINE) for one in (READ, WRITE, READ, WRITE))


def test_an_interrupt_may_come_between_where_only_preemption_is_off(step):
    """Whether it does is for the search to say."""
    _, between = step(interrupts=True, preempt_count=1)
    assert not between.ends(READ, None, MINE)
    assert between.ends(WRITE, None, MINE)


def test_of_what_others_see_a_step_does_one(step):
    """Who acts on another CPU may see one of two invalidations without the other."""
    _, between = step(preempt_count=1)
    assert not between.ends(CALL, word("invalidate-page"), None)
    assert not between.ends(WRITE, None, MINE)
    assert between.ends(CALL, word("invalidate-page"), None)


def test_another_cpus_variable_is_what_others_see(step):
    """Two of them are two steps, whoever is kept out here."""
    _, between = step(preempt_count=1)
    assert not between.ends(READ, None, THEIRS)
    assert between.ends(WRITE, None, THEIRS)


@pytest.mark.parametrize("pin", ["pin", "irq-save"])
def test_what_was_done_before_a_pin_is_no_part_of_what_is_done_behind_it(step, pin):
    """Somebody may come in front of the pin, unless nothing was done there."""
    _, between = step()
    assert not between.ends(CALL, word(pin), None)
    between.ends(READ, None, MINE)
    assert between.ends(CALL, word(pin), None)


def test_a_task_reads_its_own_variables_whenever_it_likes(step):
    """They are the same whoever comes between, but for those that a switch changes."""
    _, between = step()
    assert not any(between.ends(READ, None, DEPTH) for _ in range(3))
    assert not between.ends(WRITE, None, DEPTH)
    assert not between.ends(READ, None, DEPTH)
    assert between.ends(READ, None, PAUSES)


def test_a_handler_may_change_the_variables_of_the_task_that_it_interrupts(step):
    """So no read of them joins then."""
    _, between = step(interrupts=True)
    assert not between.ends(READ, None, DEPTH)
    assert between.ends(READ, None, DEPTH)


def test_what_a_switch_changes_is_read_off_its_hooks(asked):
    """The members that it stores to, and no others."""

    def pauses(text: str) -> str:
        return text.replace(
            "\tif (this_cpu_read(xen_lazy_mode)",
            "\tprev->lazy_mmu_state.pause_count = 0;\n\tif (this_cpu_read(xen_lazy_mode)",
            1,
        )

    def stored(tree):
        found = install(tree, TreeIndex(tree), "x86", "tree", detect_dialect(tree), Steps.FINE)
        uninstall("x86", "tree")
        return found.switched

    assert stored(asked.tree({})) == frozenset()
    changed = asked.tree({"arch/x86/xen/enlighten_pv.c": pauses})
    assert stored(changed) == {"pause_count"}
