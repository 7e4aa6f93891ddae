# SPDX-License-Identifier: GPL-2.0-or-later
"""What a tree's own functions said when they were asked something, kept by what they read for it.

Whether an update would wait is asked at nearly every step of every scenario, and the answer rests
on a few variables of this CPU and of the task that runs there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lazymmu.machine.context import BEGUN

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from lazymmu.machine.context import StepContext

__all__ = ["Answers"]

Variable = tuple[str, str]
"""A kind of thing and the name of a variable: of this CPU, of the task that runs here."""


@dataclass(slots=True)
class _Node:
    """What is read next, and by its value what comes then; or the answer.

    :param variable: None at an answer.
    """

    variable: Variable | None
    answer: Hashable = None
    children: dict[Hashable, _Node] = field(default_factory=dict)


class Answers:
    """Answers to questions that change nothing."""

    def __init__(self) -> None:
        """Nothing was asked yet."""
        self._known: dict[Hashable, _Node] = {}

    def ask(
        self, here: StepContext, about: Hashable, question: Callable[[StepContext], Hashable]
    ) -> Hashable:
        """Return what a question comes to here.

        :param about: which question it is.
        :param question: is asked on a copy of the state, and rests on nothing but that.
        """
        key = (about, *here.kernel)
        node = self._known.get(key)
        while node is not None and node.variable is not None:
            node = node.children.get(_told(node.variable, here.mine(*node.variable)))
        if node is not None:
            return node.answer
        reads: list[tuple[int, Hashable]] = []
        answer = question(here.apart(reads))
        named = [(here.named(index), value) for index, value in reads]
        if all(variable is not None for variable, _ in named):
            self._keep(key, [(one, value) for one, value in named if one is not None], answer)
        return answer

    def _keep(
        self, key: Hashable, reads: list[tuple[Variable, Hashable]], answer: Hashable
    ) -> None:
        steps = list(dict(reads).items())
        nodes = [_Node(variable) for variable, _ in steps] + [_Node(None, answer)]
        node = self._known.setdefault(key, nodes[0])
        for (variable, value), then in zip(steps, nodes[1:], strict=True):
            node = node.children.setdefault(_told(variable, value), then)


def _told(variable: Variable, value: Hashable) -> Hashable:
    """What anybody asks of a variable: of what a CPU has begun, only whether it has."""
    return bool(value) if variable == BEGUN else value
