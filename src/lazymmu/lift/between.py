# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a step of lifted code ends: before an access that somebody may come in front of.

Accesses join that nobody can tell apart by coming between. Whatever could come between two of them
may as well come before both, or after:

- While nobody else can get this CPU, what is its own, or the current task's: nobody on another CPU
  touches that (`lift.others`).
- Always, in a scenario without interrupts, a read of a variable of the current task that no context
  switch changes: it is the same whenever it is read.

Among those that join is at most one access of another kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.lift.code import Opcode
from lazymmu.lift.values import CPointer
from lazymmu.lift.words import ENDS, shares

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lazymmu.lift.code import Code, Instruction
    from lazymmu.lift.execute import Execution
    from lazymmu.lift.link import CallMeaning
    from lazymmu.lift.values import Value
    from lazymmu.lift.words import Does
    from lazymmu.machine.context import StepContext

__all__ = ["Between", "changed"]

_KEEPS_OUT: Final[frozenset[Does]] = frozenset({"pin", "irq-save"})

_ANYTHING: Final = ""


def changed(codes: Iterable[Code]) -> frozenset[str]:
    """The members that functions store to, by their own names; "" for what is not known."""
    found: set[str] = set()
    for code in codes:
        made = {one.to: one for one in code.instructions if one.to}
        for one in code.instructions:
            if one.op is Opcode.STORE:
                place = made.get(getattr(one.args[0], "name", _ANYTHING))
                named = place is not None and place.op in (Opcode.FIELD, Opcode.LOCAL)
                found.add(place.what if named and place is not None else _ANYTHING)
    return frozenset(found)


class Between:
    """Asked before what one step does, in its order, whether it ends there."""

    def __init__(self, here: Execution, switched: frozenset[str]) -> None:
        """See the class.

        :param here: what runs.
        :param switched: the members that a context switch stores to.
        """
        self.here = here
        self.switched = switched
        self.held = False
        self.other = False

    def ends(self, one: Instruction, meaning: CallMeaning | None, place: Value) -> bool:
        """Whether somebody may come before this.

        :param meaning: of a call, None for what is read or written at `place`.
        """
        context = self.here.context
        if meaning is not None and meaning.word is not None and meaning.word.does in _KEEPS_OUT:
            # Behind it nobody comes, and before it somebody may.
            return self.held and not context.alone
        if meaning is not None and (meaning.word is None or not shares(context, meaning.word)):
            return False
        alone = context.alone
        if meaning is None and self._steady(context, one, place):
            return False
        other = not alone or _seen(context, meaning, place)
        if self.held and (not alone or (other and self.other)):
            return True
        self.held = True
        self.other = self.other or other
        return False

    def _steady(self, context: StepContext, one: Instruction, place: Value) -> bool:
        """Whether this reads what is the same whenever it is read."""
        return (
            one.op is Opcode.LOAD
            and isinstance(place, CPointer)
            and (place.space, place.owner) == ("task", context.task)
            and not context.interrupted
            and self.switched.isdisjoint((place.path[-1], _ANYTHING))
        )


def _seen(context: StepContext, meaning: CallMeaning | None, place: Value) -> bool:
    """Whether others may see that, or change it."""
    if meaning is not None:
        word = meaning.word
        return word is None or word.does in ENDS or word.task >= 0
    if not isinstance(place, CPointer):
        return True
    return place.owner != {"cpu": context.cpu, "task": context.task}.get(place.space)
