# SPDX-License-Identifier: GPL-2.0-or-later
"""What a tree makes zero in a new task: lifted where it is always done, refused elsewhere."""

from __future__ import annotations

import pytest

PLACE = "kernel/right_interrupt.c"
SCENARIO = "fork-inside-section"

FORK = """
extern struct task_struct *alloc_task_struct_node(int node);
extern void *memset(void *to, int value, unsigned long size);

static void prepare(struct task_struct *orig, struct task_struct *task, int odd)
{
	%(prepare)s
}

static struct task_struct *dup_task_struct(struct task_struct *orig, int odd)
{
	struct task_struct *tsk = alloc_task_struct_node(0);

	if (!tsk)
		return 0;
	%(dup)s
	return tsk;
}

struct task_struct *copy_process(int odd)
{
	struct task_struct *p = dup_task_struct(current, odd);

	if (!p)
		return 0;
	%(copy)s
	return p;
}
"""

NEW = {
    "literal": {"dup": "tsk->lazy_mmu_state = (struct lazy_mmu_state){};"},
    "zeros": {"dup": "tsk->lazy_mmu_state = (struct lazy_mmu_state){ 0 };"},
    "members": {
        "dup": "tsk->lazy_mmu_state.pause_count = 0;\n\ttsk->lazy_mmu_state.enable_count = 0;"
    },
    "memset": {"dup": "memset(&tsk->lazy_mmu_state, 0, sizeof(tsk->lazy_mmu_state));"},
    "copy": {"copy": "p->lazy_mmu_state = (struct lazy_mmu_state){};"},
    "handed": {
        "copy": "prepare(current, p, odd);",
        "prepare": "memset(&task->lazy_mmu_state, 0, sizeof(task->lazy_mmu_state));",
    },
}

OTHERWISE = {
    "sometimes": {"dup": "if (odd)\n\t\ttsk->lazy_mmu_state = (struct lazy_mmu_state){};"},
    "parent": {"dup": "orig->lazy_mmu_state = (struct lazy_mmu_state){};"},
    "value": {"dup": "tsk->lazy_mmu_state.enable_count = 1;"},
    "literal": {"dup": "tsk->lazy_mmu_state = (struct lazy_mmu_state){ .enable_count = 1 };"},
    "not-understood": {
        "dup": "tsk->lazy_mmu_state = (struct lazy_mmu_state){ .enable_count = sizeof(int) };"
    },
    "filled": {"dup": "memset(&tsk->lazy_mmu_state, 255, sizeof(tsk->lazy_mmu_state));"},
    "some-bytes": {"dup": "memset(&tsk->lazy_mmu_state, 0, 1);"},
    "either": {
        "dup": "if (odd)\n\t\ttsk = current;\n\ttsk->lazy_mmu_state = (struct lazy_mmu_state){};"
    },
    "handed-sometimes": {
        "copy": "if (odd)\n\t\tprepare(current, p, odd);",
        "prepare": "task->lazy_mmu_state = (struct lazy_mmu_state){};",
    },
    "handed-the-parent": {
        "copy": "prepare(current, p, odd);",
        "prepare": "orig->lazy_mmu_state = (struct lazy_mmu_state){};",
    },
}


def with_fork(code: dict[str, str]):
    """The file with a fork, in which some code stands."""
    return lambda text: text + FORK % {"prepare": ";", "dup": ";", "copy": ";", **code}


def broken(answer) -> set[str]:
    """The rules that the one run breaks."""
    (verdict,) = answer.verdicts
    return {one.rule for one in verdict.violations}


@pytest.mark.parametrize("code", NEW.values(), ids=NEW)
def test_what_is_always_made_zero_in_a_new_task_is_not_inherited(asked, code):
    """A child of a task in a section begins outside of it, in whatever form that is written."""
    assert "dirty-start" in broken(asked(SCENARIO, changes={PLACE: with_fork({})}))
    assert "dirty-start" not in broken(asked(SCENARIO, changes={PLACE: with_fork(code)}))


@pytest.mark.parametrize("code", OTHERWISE.values(), ids=OTHERWISE)
def test_what_is_changed_otherwise_in_a_fork_is_refused(asked, code):
    """It is zero on some ways only, or another value, or another task's: nobody guesses."""
    (lifted,) = asked(SCENARIO, changes={PLACE: with_fork(code)}).lifted
    assert lifted.refused.startswith(f"{PLACE}:")
    assert "lazy_mmu_state, and is no part of the hooks" in lifted.refused


def test_a_flag_that_is_cleared_in_a_new_task_is_not_inherited(asked):
    """arm64 keeps what is owed in a flag of the task."""
    code = with_fork({"dup": "clear_tsk_thread_flag(tsk, TIF_LAZY_MMU_PENDING);"})
    (lifted,) = asked(SCENARIO, changes={PLACE: code}, arch="arm64").lifted
    assert not lifted.refused
    code = with_fork({"dup": "clear_tsk_thread_flag(orig, TIF_LAZY_MMU_PENDING);"})
    (lifted,) = asked(SCENARIO, changes={PLACE: code}, arch="arm64").lifted
    assert "changes TIF_LAZY_MMU_PENDING" in lifted.refused
