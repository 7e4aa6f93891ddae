# SPDX-License-Identifier: GPL-2.0-or-later
"""What a tree's own functions said when they were asked something, kept by what they read for it.

Whether an update would wait is asked at nearly every step of every scenario, and the answer rests
on a few variables of this CPU and of the task that runs there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.lift.decisions import Decisions
from lazymmu.machine.context import BEGUN

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from lazymmu.machine.context import StepContext

__all__ = ["Answers"]

Variable = tuple[str, str]
"""A kind of thing and the name of a variable: of this CPU, of the task that runs here."""


class Answers:
    """Answers to questions that change nothing."""

    def __init__(self) -> None:
        """Nothing was asked yet."""
        self._known: Decisions[Variable, bool] = Decisions()

    def ask(
        self, here: StepContext, about: Hashable, question: Callable[[StepContext], bool]
    ) -> bool:
        """Return whether something is so here.

        :param about: which question it is.
        :param question: is asked on a copy of the state, and rests on nothing but that.
        """
        key = (about, *here.kernel)
        node = self._known.roots.get(key)
        while node is not None and node.read is not None:
            node = node.children.get(_told(node.read, here.mine(*node.read)))
        if node is not None and node.outcome is not None:
            return node.outcome
        reads: list[tuple[int, Hashable]] = []
        answer = question(here.apart(reads))
        named = [(here.named(index), value) for index, value in reads]
        if all(variable is not None for variable, _ in named):
            read = {one: value for one, value in named if one is not None}
            told = ((one, _told(one, value)) for one, value in read.items())
            self._known.keep(key, told, answer)
        return answer


def _told(variable: Variable, value: Hashable) -> Hashable:
    """What anybody asks of a variable: of what a CPU has begun, only whether it has."""
    return bool(value) if variable == BEGUN else value
