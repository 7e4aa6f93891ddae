# SPDX-License-Identifier: GPL-2.0-or-later
"""The workbench: one thing after another, on any machine."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from lazymmu.contract.events import Pin, Unpin
from lazymmu.machine import ConfigError, EntrySpec, Op
from lazymmu.machine.workbench import CannotError, Workbench

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_ten_lines_count_what_a_section_saves():
    """Two kernel entries on Xen PV: two hypercalls without the mode, one with it."""
    on = Workbench("x86", "6.19.6", "p kernel", "q kernel")
    on.do("set_pte p A; set_pte q B")
    assert on.costs == {"hypercall": 2}
    on.do("lazy_mmu_mode_enable; set_pte p B; set_pte q A")
    assert on.pending == (("p", "set B"), ("q", "set A"))
    assert on.costs == {"hypercall": 2}
    on.do("lazy_mmu_mode_disable")
    assert (on.pending, on.costs) == ((), {"hypercall": 3})


def test_one_step_at_a_time_shows_where_it_is():
    """`begin()` takes no step, `step()` one, `place()` names the kernel's functions."""
    on = Workbench("arm64", "6.19.6", "p kernel")
    on.begin("set_pte p A")
    assert (on.place(), on.stored("p")) == (("set_pte",), None)
    on.step()
    assert (on.stored("p"), on.effective("p")) == ("A", None)
    assert on.place() == ("set_pte", "queue_pte_barriers")
    on.step()
    assert (on.effective("p"), on.place(), on.step()) == ("A", (), None)


def test_a_program_may_be_values_with_callbacks():
    """What text cannot say is said as operations."""
    on = Workbench("x86", "7.3", "p kernel")
    on.do(Op("if", ("not", "pte_present", "p"), (Op("set_pte", ("p", "A")),)))
    assert on.stored("p") == "A"


def test_a_task_that_spins_is_told_to_wait_and_goes_on_later():
    """The lock's holder is on the other CPU."""
    on = Workbench("x86", "7.3", cpus=2)
    on.do("spin_lock L", cpu=1)
    with pytest.raises(CannotError, match=r"T0 waits in spin_lock\(\)"):
        on.do("spin_lock L; set_pte p A")
    with pytest.raises(CannotError, match="T0 is still in"):
        on.do("ptep_get p")
    on.do("spin_unlock L", cpu=1)
    on.go()
    assert on.stored("p") == "A"


def test_interrupts_that_are_off_do_not_come():
    """Hard ones with interrupts off, soft ones with bottom halves off."""
    on = Workbench("x86", "7.3")
    on.do("local_bh_disable")
    with pytest.raises(CannotError, match="takes no soft interrupt"):
        on.interrupt("set_pte p A", kind="soft")
    on.interrupt("set_pte p A")
    on.do("local_irq_disable")
    with pytest.raises(CannotError, match="takes no hard interrupt"):
        on.interrupt("set_pte p B")
    assert on.stored("p") == "A"


@pytest.mark.parametrize(
    "program",
    [
        "local_irq_disable; local_irq_disable; local_irq_enable",
        "local_irq_enable",
        "local_irq_disable; local_irq_enable; local_irq_enable",
        "local_irq_disable; schedule",
    ],
)
def test_interrupts_are_on_at_the_first_that_lets_them_in(program):
    """It is a flag and no count; a task that slept has them on, whatever it went with."""
    on = Workbench("x86", "7.3")
    on.begin(*program.split("; "))
    while on.step() is not None:
        pass
    if "schedule" in program:
        on.switch("swapper/0")
        on.switch("T0")
        on.go()
    on.interrupt("set_pte p A")
    assert (on.stored("p"), on.bugs) == ("A", ())


def test_interrupts_that_are_put_off_twice_are_one_pin():
    """Who watches pins is told when they go off and when they come on, and of nothing between."""
    on = Workbench("x86", "7.3")
    told = on.do("local_irq_disable; local_irq_disable; local_irq_enable; local_irq_enable")
    pins = [type(event).__name__ for event in told if isinstance(event, (Pin, Unpin))]
    assert pins == ["Pin", "Unpin"]


def test_who_looks_without_a_lock_leaves_interrupts_as_they_were():
    """gup_fast() puts back what it found, which may be off."""
    on = Workbench("x86", "7.3")
    on.do("local_irq_disable; gup_fast p")
    with pytest.raises(CannotError, match="takes no hard interrupt"):
        on.interrupt("set_pte p A")
    on.do("local_irq_enable; gup_fast p")
    on.interrupt("set_pte p A")
    assert on.stored("p") == "A"


def test_a_handler_that_ends_with_interrupts_off_keeps_them_off_for_nobody():
    """The return from an interrupt sets the flags of whoever was interrupted."""
    on = Workbench("x86", "7.3")
    on.interrupt("local_irq_disable")
    on.interrupt("set_pte p A")
    assert on.stored("p") == "A"


def test_a_cpu_that_runs_nobody_is_given_no_program():
    """One must switch to a task first."""
    on = Workbench("x86", "7.3", cpus=2, tasks=1)
    with pytest.raises(CannotError, match="cpu1 runs no task"):
        on.do("ptep_get p", cpu=1)
    on.switch("swapper/0")
    on.switch("T0", cpu=1)
    assert (on.running(0), on.running(1)) == ("swapper/0", "T0")


def test_a_machine_that_met_a_bug_stands_still():
    """The rest of the program is not run, and that is no error of the workbench."""
    on = Workbench("x86", "6.19.6")
    on.do("lazy_mmu_mode_enable; lazy_mmu_mode_enable; set_pte p A")
    assert len(on.bugs) == 1
    assert (on.stored("p"), on.pending) == (None, ())


@pytest.mark.parametrize("text", ["p far", "p pte kernel quick"])
def test_an_entry_with_unknown_words_is_refused(text):
    """An entry with unknown words is refused, and one sentence names the word."""
    with pytest.raises(ConfigError, match="neither a level nor a space"):
        Workbench("x86", "7.3", text)


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("p", EntrySpec("p")),
        ("p kernel", EntrySpec("p", space="kernel")),
        ("d pmd user = A:ro", EntrySpec("d", level="pmd", value="A:ro")),
        ("p = none", EntrySpec("p")),
    ],
)
def test_entries_are_written_as_in_a_scenario(text, spec):
    """Name, level, space, value; what is left out is pte, user, none."""
    assert Workbench("x86", "7.3", text).machine.config.entries == (spec,)


@pytest.mark.parametrize("page", ["machine.rst", "porting.rst"])
def test_what_the_docs_show_is_what_happens(page):
    """Every example of the page is run."""
    result = doctest.testfile(str(DOCS / page), module_relative=False)
    assert result.attempted > 0
    assert result.failed == 0
