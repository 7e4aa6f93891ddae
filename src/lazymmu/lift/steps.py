# SPDX-License-Identifier: GPL-2.0-or-later
"""Lifted functions as steps of the machine.

`Runner.whole` runs a function in one step; `Runner.routine` takes as many as its policy says:

    coarse   the hook of the mode is a step of its own, and so is what the API does before it
    fine     whatever others may see or change is a step of its own
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lazymmu.lift.execute import CodeFrame, Execution, Stopped, execute, place_of, restored
from lazymmu.lift.lifted import HOOKS, Lifted
from lazymmu.lift.problem import Unliftable

if TYPE_CHECKING:
    from lazymmu.lift.code import Code, Instruction
    from lazymmu.lift.execute import Position
    from lazymmu.lift.link import CallMeaning
    from lazymmu.lift.primitives import Doing
    from lazymmu.lift.values import Value
    from lazymmu.machine.context import StepContext
    from lazymmu.machine.steps import Routine, RoutineCall, Step

__all__ = ["Runner"]

Positions = tuple["Position", ...]


class Runner:
    """Runs lifted code; `does`: what words do."""

    def __init__(self, lifted: Lifted, does: Doing) -> None:
        """See the class."""
        self.lifted = lifted
        self.does = does

    def here(
        self, context: StepContext, pause: Callable[..., bool] = lambda *_: False
    ) -> Execution:
        """Return what code needs to run."""
        lifted = self.lifted
        return Execution(context, lifted.linker, lifted.reached.variables, self.does, pause)

    def whole(self, context: StepContext, code: Code, args: tuple[Value, ...] = ()) -> Value:
        """Run a function from its beginning to its end, now; None after a BUG."""
        frame = CodeFrame(code, 0, dict(zip(code.params, args, strict=False)))
        try:
            return execute(self.here(context), [frame])[1]
        except Stopped:
            return None

    def api(
        self, code: Code, hook: Callable[[str], RoutineCall], step: Callable[[Positions], Step]
    ) -> Routine:
        """A function of the generic API: its own part is a step, and so is each hook's.

        hook: the machine's routine for a hook; step: the step that goes on at a place, up to a hook
        or the end, and gives where it then is. Returns whether a hook was called.
        """
        places: Any = (*place_of([CodeFrame(code, 0, {})]),)
        hooked = False
        while places:
            name = self.at_hook(places)
            if name:
                hooked = True
                yield hook(name)
                places = self.past(places)
            elif self.is_over(places):
                break
            else:
                places = yield step(places)
        return hooked

    def on(self, context: StepContext, places: Positions) -> tuple[Positions, bool]:
        """Go on up to a hook or the end; also whether anything was done to what others see."""
        here = self.here(context, _at_hook)
        frames = restored(places)
        try:
            done, _ = execute(here, frames)
        except Stopped:
            return (), True
        return (() if done else place_of(frames)), bool(here.seen) or not done

    @staticmethod
    def at_hook(places: Positions) -> str:
        """Return the hook that is called next, "" for none."""
        last = places[-1]
        one = last.code.instructions[last.at]
        return one.what if one.what in HOOKS else ""

    @staticmethod
    def past(places: Positions) -> Positions:
        """Return the place after a call that was made."""
        last = places[-1]
        one = last.code.instructions[last.at]
        env = tuple(sorted((*last.env, (one.to, 0)), key=lambda item: item[0]))
        frame = CodeFrame(last.code, last.at + 1, dict(env), last.to)
        return (*places[:-1], *place_of([frame]))

    def is_over(self, places: Positions) -> bool:
        """Whether nothing is left to do but to return."""
        frames = restored(places)
        here = self.here(_NOBODY, lambda *_: True)
        try:
            return execute(here, frames)[0]
        except (Unliftable, AttributeError):
            return False


_NOBODY: Any = None


def _at_hook(_code: Code, one: Instruction, target: CallMeaning | None) -> bool:
    return target is not None and one.what in HOOKS
