# SPDX-License-Identifier: GPL-2.0-or-later
"""A switch_to() that takes the mode along by itself, between what has nothing to do with it."""

from __future__ import annotations

import pytest

import lazymmu
from tests.lift.conftest import Asked, rows

SCHED = "include/linux/sched.h"
PROCESS = "arch/powerpc/kernel/process.c"
SWITCH = """
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/sched.h>

struct task_struct *_switch(struct task_struct *prev, struct task_struct *next);

struct task_struct *__switch_to(struct task_struct *prev, struct task_struct *new)
{
	struct ppc64_tlb_batch *batch;
	struct task_struct *last;

	save_registers(prev);
	batch = this_cpu_ptr(&ppc64_tlb_batch);
	if (batch->active) {
		current_thread_info()->local_flags |= TAKEN_ALONG;
		if (batch->index)
			__flush_tlb_pending(batch);
		batch->active = 0;
	}
	while (new->mm && debugger_waits(new))
		tell_debugger(new);
	last = _switch(prev, new);
	if (current_thread_info()->local_flags & TAKEN_ALONG) {
		current_thread_info()->local_flags &= ~TAKEN_ALONG;
		batch = this_cpu_ptr(&ppc64_tlb_batch);
		batch->active = 1;
	}
	return last;
}
"""
TASK = """#define TAKEN_ALONG	(1 << 3)
struct thread_info {
	unsigned long local_flags;
};
#define current_thread_info()	((struct thread_info *)current)
struct task_struct *__switch_to(struct task_struct *prev, struct task_struct *new);
#define switch_to(prev, next, last)	((last) = __switch_to((prev), (next)))

struct task_struct {
	struct thread_info thread_info;
"""
SCENARIOS = ("sleep-inside-section", "vmap-pfn-preempted", "cleared-after-section")


@pytest.fixture
def switched():
    """Answers for powerpc of an example whose switch_to() is this text."""

    def answer(text: str = SWITCH, name: str = "__switch_to") -> lazymmu.VerifyAnswer:
        asked = Asked("linux-old")
        changes = {
            SCHED: lambda old: old.replace("struct task_struct {\n", TASK, 1).replace(
                "__switch_to", name
            ),
            "arch/powerpc/Kbuild": lambda old: f"{old}obj-y += kernel/\n",
        }
        more = {
            PROCESS: text.replace("__switch_to", name).encode(),
            "arch/powerpc/kernel/Makefile": b"obj-y += process.o\n",
        }
        return lazymmu.verify(
            lazymmu.VerifyRequest(
                scenarios=SCENARIOS, arches=["powerpc"], tree=asked.tree(changes).over(more), jobs=1
            )
        )

    return answer


def test_what_a_switch_does_to_the_mode_is_lifted_and_the_rest_is_listed(switched):
    """A task that sleeps in a section takes it along; registers and debuggers are left out."""
    answer = switched()
    (lifted,) = answer.lifted
    assert lifted.refused == ""
    assert {"active", "local_flags"} <= set(lifted.columns)
    left = dict(lifted.abstracted)
    for name in ("save_registers", "debugger_waits", "tell_debugger"):
        assert left[name] == "of __switch_to(), and nothing of the mode's"
    broken = {one.rule for verdict in answer.verdicts for one in verdict.violations}
    assert "mode-left-on-cpu" not in broken


@pytest.mark.parametrize(
    "line", ["batch->active = 0;", "current_thread_info()->local_flags |= TAKEN_ALONG;"]
)
def test_a_switch_without_one_of_its_statements_is_caught(switched, line):
    """The mode stays with the CPU, or is forgotten by its task."""
    assert rows(switched(SWITCH.replace(line, ";", 1))) != rows(switched())


def test_the_switch_may_be_called_otherwise(switched):
    """Its name is read off switch_to()."""
    assert rows(switched(name="change_tasks")) == rows(switched())


def test_a_switch_whose_change_of_the_stack_is_not_known_is_refused(switched):
    """Where it is another task from then on cannot be guessed."""
    (lifted,) = switched(SWITCH.replace("_switch(prev, new)", "other_stack(prev, new)")).lifted
    assert lifted.refused.startswith(f"{PROCESS}:")
    assert "__switch_to() changes the stack at no known places" in lifted.refused
