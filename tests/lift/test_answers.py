# SPDX-License-Identifier: GPL-2.0-or-later
"""What was asked of lifted code is kept by what it read."""

from __future__ import annotations

from lazymmu.lift.answers import Answers
from lazymmu.machine import EntrySpec, Machine, MachineConfig, TaskSpec


def machine(cpus=1):
    """A machine of two tasks, of which the first one runs on its first CPU."""
    tasks = (TaskSpec("T0", (), cpu=0), TaskSpec("T1", (), cpu=0))
    return Machine(
        MachineConfig("x86", "7.3.4", cpus=cpus, entries=(EntrySpec("p", value="A"),), tasks=tasks)
    )


def asked(answers, here, question):
    """The answer, and whether the question itself was put."""
    put = []

    def noted(apart):
        put.append(1)
        return question(apart)

    return answers.ask(here, "question", noted), bool(put)


def depth(apart):
    """The depth of the task that runs."""
    return apart.current.enable_count


def test_the_same_is_asked_once():
    """Also of another machine with other things in it."""
    answers, one, other = Answers(), machine(), machine(cpus=2)
    assert asked(answers, one.here(list(one.initial), 0), depth) == (0, True)
    assert asked(answers, one.here(list(one.initial), 0), depth) == (0, False)
    assert asked(answers, other.here(list(other.initial), 0), depth) == (0, False)


def test_another_value_of_what_was_read_is_asked_anew():
    """And what was not read is no matter."""
    answers, made = Answers(), machine()
    asked(answers, made.here(list(made.initial), 0), depth)
    deeper = made.here(list(made.initial), 0)
    deeper.current.enable_count = 3
    assert asked(answers, deeper, depth) == (3, True)
    paused = made.here(list(made.initial), 0)
    paused.current.pause_count = 1
    assert asked(answers, paused, depth) == (0, False)


def test_what_a_question_changes_never_happens():
    """It is put on a copy."""
    made = machine()
    here = made.here(list(made.initial), 0)

    def changes(apart):
        apart.current.enable_count += 1
        return apart.current.enable_count

    assert asked(Answers(), here, changes) == (1, True)
    assert here.current.enable_count == 0


def test_what_rests_on_another_task_is_not_kept():
    """It would be somebody else's next time."""
    answers, made = Answers(), machine()
    here = made.here(list(made.initial), 0)

    def other(apart):
        return apart.task_at(1 - here.task).enable_count

    assert asked(answers, here, other) == (0, True)
    assert asked(answers, here, other) == (0, True)
