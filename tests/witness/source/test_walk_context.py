# SPDX-License-Identifier: GPL-2.0-or-later
"""The walker on small functions: nesting, pauses, interrupts and layers.

Code is C of our own; `/* expect: rule */` stands on the line of each finding, and there is no
other finding.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lazymmu.contract.dialects import NO_NESTING, PTL_HELD
from lazymmu.witness.finding import Finding

Agrees = Callable[..., tuple[Finding, ...]]


# ---- nesting and pausing -------------------------------------------------------------------------


def test_sections_nest_where_they_are_counted(agrees: Agrees) -> None:
    """Sections nest where they are counted, which is in the counted dialect only."""
    code = """
static void inner(pte_t *pte)
{
	lazy_mmu_mode_enable();
	lazy_mmu_mode_disable();
}

void outer(pte_t *pte)
{
	lazy_mmu_mode_enable();
	inner(pte);
	lazy_mmu_mode_disable();
}
"""
    agrees(code)


def test_nesting_is_found_at_the_inner_beginning(agrees: Agrees) -> None:
    """With the path from the outer one, through the call."""
    (found,) = agrees(
        """
static void inner(void)
{
	arch_enter_lazy_mmu_mode();	/* expect: nested-section */
	arch_leave_lazy_mmu_mode();
}

static void between(void)
{
	inner();
}

void outer(void)
{
	arch_enter_lazy_mmu_mode();
	between();
	arch_leave_lazy_mmu_mode();
}
""",
        dialect=PTL_HELD,
    )
    assert [(step.function, step.line) for step in found.path] == [
        ("outer", 15),
        ("outer", 16),
        ("between", 10),
        ("inner", 4),
    ]


def test_pause_and_resume_pair_on_every_path(agrees: Agrees) -> None:
    """Pause and resume pair on every path, as sections do."""
    agrees("""
int right(pte_t *pte, int bad)
{
	int err = 0;

	lazy_mmu_mode_pause();
	if (bad)
		err = -EBUSY;
	lazy_mmu_mode_resume();
	return err;
}

int wrong(pte_t *pte, int bad)
{
	lazy_mmu_mode_pause();
	if (bad)
		return -EBUSY;	/* expect: unbalanced-pause */
	lazy_mmu_mode_resume();
	return 0;
}

void twice(void)
{
	lazy_mmu_mode_pause();
	lazy_mmu_mode_resume();
	lazy_mmu_mode_resume();	/* expect: unbalanced-pause */
}
""")


def test_what_may_not_run_in_a_section_may_run_in_a_pause(agrees: Agrees) -> None:
    """What may not run in a section may run in a pause, and not behind it."""
    agrees("""
void f(void)
{
	lazy_mmu_mode_enable();
	lazy_mmu_mode_pause();
	might_sleep();
	lazy_mmu_mode_resume();
	might_sleep();	/* expect: sleep-in-section */
	lazy_mmu_mode_disable();
}
""")


def test_a_pause_in_a_helper_is_resumed_by_another(agrees: Agrees) -> None:
    """Halves of a pair, each in a function of its own."""
    agrees("""
static void stop(void)
{
	lazy_mmu_mode_pause();
}

static void go_on(void)
{
	lazy_mmu_mode_resume();
}

void f(void)
{
	lazy_mmu_mode_enable();
	stop();
	might_sleep();
	go_on();
	lazy_mmu_mode_disable();
}
""")


# ---- interrupts ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("off", "on"),
    [
        ("local_bh_disable()", "local_bh_enable()"),
        ("spin_lock_bh(&l)", "spin_unlock_bh(&l)"),
        ("read_lock_bh(&l)", "read_unlock_bh(&l)"),
    ],
)
def test_bottom_halves_may_not_change_across_a_section(agrees: Agrees, off: str, on: str) -> None:
    """Off at one end and on at the other; off at both ends or only in between is right."""
    agrees(f"""
void left(void)
{{
	lazy_mmu_mode_enable();
	{off};
	lazy_mmu_mode_disable();	/* expect: bh-across-section */
	{on};
}}

void begun(void)
{{
	{off};
	lazy_mmu_mode_enable();
	{on};
	lazy_mmu_mode_disable();	/* expect: bh-across-section */
}}

void around(void)
{{
	{off};
	lazy_mmu_mode_enable();
	lazy_mmu_mode_disable();
	{on};
}}

void within(void)
{{
	lazy_mmu_mode_enable();
	{off};
	{on};
	lazy_mmu_mode_disable();
}}
""")


def test_interrupts_off_do_not_count_as_interrupt_context(agrees: Agrees) -> None:
    """in_interrupt() looks at preempt_count, not at the flags."""
    agrees("""
void f(void)
{
	unsigned long flags;

	lazy_mmu_mode_enable();
	local_irq_save(flags);
	lazy_mmu_mode_disable();
	local_irq_restore(flags);
}
""")


HANDLER = """
static void update(pte_t *pte)
{{
	arch_enter_lazy_mmu_mode();{1}
	arch_leave_lazy_mmu_mode();
}}

static void handler(struct tasklet_struct *tasklet)
{{
	update(pte_of(tasklet));
}}

{0}
"""


@pytest.mark.parametrize(
    "declared",
    [
        "static DECLARE_TASKLET(later, handler);",
        "static DECLARE_TASKLET_OLD(later, handler);",
        "DECLARE_TASKLET_DISABLED(later, handler);",
        "static DEFINE_TIMER(later, handler);",
        "static DEFINE_IRQ_WORK(later, &handler);",
        "static struct irq_work later = IRQ_WORK_INIT_HARD(handler);",
        "static DEFINE_PER_CPU(struct irq_work, later) = IRQ_WORK_INIT(handler);",
        "static DEFINE_PER_CPU(call_single_data_t, later) =\n\tCSD_INIT(handler, NULL);",
    ],
)
def test_a_handler_that_a_file_declares_may_not_use_the_mode(agrees: Agrees, declared: str) -> None:
    """It is run as one that a function registers is."""
    (found,) = agrees(
        HANDLER.format(declared, "	/* expect: section-in-interrupt */"), dialect=NO_NESTING
    )
    assert any("says" in step.note for step in found.path)


@pytest.mark.parametrize(
    "declared",
    [
        "static struct work_struct later = __WORK_INITIALIZER(later, handler);",
        "static DECLARE_WORK(later, handler);",
        " * DECLARE_TASKLET(later, handler);",
        "",
    ],
)
def test_what_no_interrupt_runs_may_use_the_mode(agrees: Agrees, declared: str) -> None:
    """A worker is a task, and a comment declares nothing."""
    assert not agrees(HANDLER.format(declared, ""), dialect=NO_NESTING)


@pytest.mark.parametrize(
    "registration",
    [
        "request_irq(irq, handler, 0, name, dev)",
        "timer_setup(&dev->timer, handler, 0)",
        "tasklet_setup(&dev->tasklet, &handler)",
        "on_each_cpu_cond_mask(wanted, handler, dev, true, mask)",
        "INIT_CSD(&dev->csd, handler, dev)",
    ],
)
def test_a_handler_may_not_use_the_mode(agrees: Agrees, registration: str) -> None:
    """Found from where it is registered, also below a call."""
    agrees(
        f"""
static void update(pte_t *pte)
{{
	arch_enter_lazy_mmu_mode();	/* expect: section-in-interrupt */
	arch_leave_lazy_mmu_mode();
}}

static int handler(int irq, void *dev)
{{
	update(dev);
	return 0;
}}

int start(struct dev *dev, int irq)
{{
	return {registration};
}}
""",
        dialect=NO_NESTING,
    )


# ---- layers --------------------------------------------------------------------------------------


def test_generic_code_may_not_call_the_hooks(agrees: Agrees) -> None:
    """Where there is an API that counts; below arch/ it may."""
    agrees(
        {
            "mm/a.c": """
void f(void)
{
	arch_enter_lazy_mmu_mode();	/* expect: raw-arch-call */
	arch_flush_lazy_mmu_mode();	/* expect: raw-arch-call */
	arch_leave_lazy_mmu_mode();	/* expect: raw-arch-call */
}
""",
            "arch/x86/mm/b.c": """
void g(void)
{
	arch_enter_lazy_mmu_mode();
	arch_leave_lazy_mmu_mode();
}
""",
        }
    )
