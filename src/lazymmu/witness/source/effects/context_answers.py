# SPDX-License-Identifier: GPL-2.0-or-later
"""What a question about the context is certain to be answered, where a path stands.

spin_lock(ptl);
if (preemptible())          /* no */
    cond_resched();
"""

from __future__ import annotations

from collections.abc import Mapping

from lazymmu.contract.section import TaskState
from lazymmu.contract.vocabulary import ContextQuestion, Vocabulary
from lazymmu.kernelc.ir.abstract_value import NONZERO, ZERO, Value, truth
from lazymmu.witness.source.interproc.context_needs import needs

__all__ = ["ContextAnswers"]


class ContextAnswers:
    """Answers the questions of a vocabulary."""

    def __init__(self, words: Vocabulary) -> None:
        self._questions = words.context_questions
        self._known: dict[frozenset[str], Mapping[str, Value]] = {}

    def of(self, task: TaskState) -> Mapping[str, Value]:
        """The certain answers in a task's state, by the call as it is spelled."""
        there = frozenset((*task.irq, *task.pins, *(("lock",) if task.locks else ())))
        if there not in self._known:
            answers = ((name, _answer(word, there)) for name, word in self._questions.items())
            self._known[there] = {f"{name}()": said for name, said in answers if said is not None}
        return self._known[there]

    def impossible(self, task: TaskState) -> frozenset[str]:
        """The needs (context_needs.py) that cannot be met in a task's state."""
        known = self.of(task).items()
        return frozenset(needs(call.removesuffix("()"), holds=not truth(v)) for call, v in known)


def _answer(question: ContextQuestion, there: frozenset[str]) -> Value:
    if not there.isdisjoint(question.yes):
        return NONZERO
    return None if there.isdisjoint(question.no) else ZERO
