# SPDX-License-Identifier: GPL-2.0-or-later
"""Questions about the context: who knows the context of a path knows the answer.

Code is C of our own; `/* expect: rule */` stands on the line of each finding, and there is no
other finding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lazymmu.contract import vocabulary
from lazymmu.contract.dialects import PTL_HELD
from lazymmu.contract.section import Held, TaskState
from lazymmu.kernelc.ir.abstract_value import truth
from lazymmu.witness.finding import Finding
from lazymmu.witness.source.effects.context_answers import ContextAnswers

Agrees = Callable[..., tuple[Finding, ...]]

UNDER_THE_LOCK = """
void f(spinlock_t *ptl)
{
	spin_lock(ptl);
	lazy_mmu_mode_enable();
	%s
	lazy_mmu_mode_disable();
	spin_unlock(ptl);
}
"""


@pytest.mark.parametrize(
    "text",
    [
        "if (preemptible())\n\t\tcond_resched();",
        "if (likely(preemptible()) && need_resched())\n\t\tcond_resched();",
        "might_sleep_if(preemptible());",
        "if (!preemptible())\n\t\tcpu_relax();\n\telse\n\t\tcond_resched();",
    ],
)
def test_nobody_who_holds_a_spinlock_is_preemptible(agrees: Agrees, text: str) -> None:
    """What stands below preemptible() is not come to there, however it is asked."""
    agrees(UNDER_THE_LOCK % text)


@pytest.mark.parametrize(
    "asked", ["!in_atomic()", "in_task()", "!preemptible()", "!in_interrupt()"]
)
def test_a_question_that_a_spinlock_does_not_answer_may_go_either_way(
    agrees: Agrees, asked: str
) -> None:
    """in_atomic() does not see spinlocks where preemptions are not counted."""
    agrees(UNDER_THE_LOCK % f"if ({asked})\n\t\tmight_sleep(); /* expect: sleep-in-section */")


def test_without_a_lock_whoever_is_preemptible_sleeps_in_the_section(agrees: Agrees) -> None:
    """Of kernel entries no lock need be held: nothing says that the task is not preemptible."""
    agrees("""
void f(void)
{
	lazy_mmu_mode_enable();
	if (preemptible())
		cond_resched();	/* expect: sleep-in-section */
	lazy_mmu_mode_disable();
}
""")


def test_a_callee_is_asked_in_its_callers_context(agrees: Agrees) -> None:
    """Under the lock its slow way is not taken, without the lock it is."""
    agrees("""
static void relax(void)
{
	if (preemptible())
		cond_resched();
	else
		cpu_relax();
}

void held(spinlock_t *ptl)
{
	spin_lock(ptl);
	lazy_mmu_mode_enable();
	relax();
	lazy_mmu_mode_disable();
	spin_unlock(ptl);
}

void free(void)
{
	lazy_mmu_mode_enable();
	relax();	/* expect: sleep-in-section */
	lazy_mmu_mode_disable();
}
""")


def test_who_asks_by_a_helper_or_keeps_the_answer_asks_the_same(agrees: Agrees) -> None:
    """A function that only answers, and a variable that is given the answer once."""
    agrees("""
static bool may_wait(void)
{
	return preemptible();
}

static void by_helper(void)
{
	if (may_wait())
		cond_resched();
}

static void by_variable(void)
{
	bool wait = preemptible();

	if (wait)
		cond_resched();
}

void f(spinlock_t *ptl)
{
	bool wait;

	spin_lock(ptl);
	lazy_mmu_mode_enable();
	wait = may_wait();
	if (wait)
		cond_resched();
	by_helper();
	by_variable();
	lazy_mmu_mode_disable();
	spin_unlock(ptl);
}
""")


def test_the_answer_before_the_lock_is_no_answer_below_it(agrees: Agrees) -> None:
    """It was asked where it may have been yes, and kept."""
    agrees("""
void f(spinlock_t *ptl)
{
	bool wait = preemptible();

	spin_lock(ptl);
	lazy_mmu_mode_enable();
	if (wait)
		cond_resched();	/* expect: sleep-in-section */
	lazy_mmu_mode_disable();
	spin_unlock(ptl);
}
""")


def test_both_ways_of_a_callee_may_sleep(agrees: Agrees) -> None:
    """That one of them is not taken does not hide the other, also to the same place."""
    agrees("""
static void slow(void)
{
	might_sleep();
}

static void either(int a)
{
	if (preemptible())
		slow();
	else if (a)
		slow();
}

void f(spinlock_t *ptl, int a)
{
	spin_lock(ptl);
	lazy_mmu_mode_enable();
	either(a);	/* expect: sleep-in-section */
	lazy_mmu_mode_disable();
	spin_unlock(ptl);
}
""")


def test_a_handler_takes_the_way_that_is_for_interrupts(agrees: Agrees) -> None:
    """As vfree() does: what waits and maps is for tasks, and the handler's own way is not."""
    agrees(
        """
static void unmap(void)
{
	arch_enter_lazy_mmu_mode();
	arch_leave_lazy_mmu_mode();
}

static void release(void)
{
	if (unlikely(in_interrupt())) {
		defer();
		return;
	}
	unmap();
}

static void handler(struct rcu_head *head)
{
	release();
}

void f(struct rcu_head *head)
{
	call_rcu(head, handler);
}
""",
        dialect=PTL_HELD,
        arch="sparc",
    )


def test_a_handler_that_does_not_ask_begins_in_an_interrupt(agrees: Agrees) -> None:
    """The same without the question, or with the ways exchanged, is told."""
    agrees(
        """
static void unmap(void)
{
	arch_enter_lazy_mmu_mode();	/* expect: section-in-interrupt */
	arch_leave_lazy_mmu_mode();
}

static void release(void)
{
	if (in_interrupt())
		unmap();
}

static void handler(struct rcu_head *head)
{
	release();
}

void f(struct rcu_head *head)
{
	call_rcu(head, handler);
}
""",
        dialect=PTL_HELD,
        arch="sparc",
    )


@pytest.mark.parametrize(
    ("task", "preemptible", "in_interrupt", "irqs_disabled"),
    [
        (TaskState(), None, None, None),
        (TaskState(pins=("preempt",)), False, None, None),
        (TaskState(pins=("migrate",)), None, None, None),
        (TaskState(pins=("bh",)), False, True, None),
        (TaskState(pins=("irq",)), False, None, True),
        (TaskState(irq=("soft",)), False, True, None),
        (TaskState(locks=frozenset({Held("ptl", "ptl")})), False, None, None),
    ],
)
def test_each_context_answers_what_its_counts_say(
    task: TaskState,
    preemptible: bool | None,
    in_interrupt: bool | None,
    irqs_disabled: bool | None,
) -> None:
    """By preempt_count() and irqs_disabled(), as include/linux/preempt.h asks them."""
    said = ContextAnswers(vocabulary.load()).of(task)
    asked = ("preemptible()", "in_interrupt()", "irqs_disabled()")
    assert [truth(said.get(name)) for name in asked] == [preemptible, in_interrupt, irqs_disabled]


ASKED_TWICE = """
static bool may_batch(void)
{
	return !in_interrupt();
}

static void begin_if(void)
{
	if (%(asked)s)
		lazy_mmu_mode_enable();
}

static void end_if(void)
{
	if (%(again)s)
		lazy_mmu_mode_disable();
}

void by_helpers(void)
{
	begin_if();
	cpu_relax();
	end_if();
}

void f(void)
{
	if (%(asked)s)
		lazy_mmu_mode_enable();
	cpu_relax();
	if (%(again)s)
		lazy_mmu_mode_disable();
}
"""


@pytest.mark.parametrize(
    ("asked", "again", "right"),
    [
        ("in_task()", "in_task()", True),
        ("!in_interrupt()", "!in_interrupt()", True),
        ("may_batch()", "!in_interrupt()", True),
        ("!in_interrupt()", "in_interrupt()", False),
        ("!in_interrupt()", "in_task()", False),
    ],
)
def test_who_asks_twice_is_answered_the_same(
    kernel: Callable[..., Any], asked: str, again: str, right: bool
) -> None:
    """Where a section begins and where it ends, here and in a pair of helpers."""
    code = ASKED_TWICE % {"asked": asked, "again": again}
    found = {(f.function, f.rule) for f in kernel(code).findings()}
    assert (found == set()) is right
    assert right or ("f", "unbalanced-section") in found
