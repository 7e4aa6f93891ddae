# SPDX-License-Identifier: GPL-2.0-or-later
"""Lifted functions as steps of the machine, coarse or fine (`Steps`)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from lazymmu.lift.between import Between
from lazymmu.lift.code import Opcode
from lazymmu.lift.execute import Execution, Stopped, execute
from lazymmu.lift.frames import CodeFrame, place_of, restored
from lazymmu.lift.lifted import HOOKS, Lifted
from lazymmu.machine.steps import Become, RoutineCall, Step

if TYPE_CHECKING:
    from collections.abc import Callable

    from lazymmu.lift.code import Code, Instruction
    from lazymmu.lift.frames import Position
    from lazymmu.lift.link import CallMeaning
    from lazymmu.lift.primitives import Doing
    from lazymmu.lift.values import Value
    from lazymmu.machine.context import StepContext
    from lazymmu.machine.steps import Routine

__all__ = ["Going", "PositionCall", "Runner", "Steps"]

Positions = tuple["Position", ...]

_STATEMENTS = frozenset(
    {Opcode.CALL, Opcode.LOAD, Opcode.STORE, Opcode.BRANCH, Opcode.SWITCH, Opcode.RETURN}
)
"""What is more than computing an operand, or coming to the first statement of a function."""


class Steps(StrEnum):
    """What a step of lifted code is.

    COARSE: a hook of the mode, and what the generic API does up to it; FINE: each access to what
    others may see or change, and those together that nobody can come between (`lift.between`).
    """

    COARSE = "coarse"
    FINE = "fine"


@dataclass(frozen=True, slots=True)
class Going:
    """Lifted code on its way: where it is, and what was done so far.

    :param positions: empty at the end.
    :param value: what it returned.
    :param hooked: whether it called a hook.
    """

    positions: Positions
    value: Value = 0
    hooked: bool = False


class PositionCall(RoutineCall):
    """A routine that goes on at a place of lifted code, and is named after that."""

    __slots__ = ()

    __hash__ = RoutineCall.__hash__

    @property
    def _positions(self) -> Positions:
        for arg in self.args:
            if isinstance(arg, Going):
                return arg.positions
        return ()

    @property
    def names(self) -> tuple[str, ...]:
        """The functions inside of the one that was called."""
        return tuple(position.code.name for position in self._positions[1:])

    @property
    def source(self) -> str:
        """The line of the statement that is next."""
        if not self._positions:
            return ""
        code, at, *_ = self._positions[-1]
        ahead = code.instructions[at:]
        first = next((one for one in ahead if one.op in _STATEMENTS), ahead[0])
        return f"{code.file}:{first.line}"


class Runner:
    """Runs lifted code; `does`: what words do."""

    def __init__(self, lifted: Lifted, does: Doing, steps: Steps) -> None:
        """See the class."""
        self.lifted = lifted
        self.does = does
        self.steps = steps

    def here(
        self, context: StepContext, pause: Callable[..., bool] = lambda *_: False
    ) -> Execution:
        """Return what code needs to run."""
        lifted = self.lifted
        variables = lifted.reached.variables
        return Execution(context, lifted.linker, variables, self.does, pause, lifted.taken)

    def whole(self, context: StepContext, code: Code, args: tuple[Value, ...] = ()) -> Value:
        """Run a function from its beginning to its end, now; None after a BUG."""
        frame = CodeFrame(code, 0, dict(zip(code.params, args, strict=False)))
        try:
            return execute(self.here(context), [frame])[1]
        except Stopped:
            return None

    @staticmethod
    def begin(code: Code, args: tuple[Value, ...] = ()) -> Going:
        """Return the beginning of a function."""
        env = tuple(sorted(zip(code.params, args, strict=False)))
        frame = CodeFrame(code, 0, dict(env))
        return Going(place_of([frame]))

    def go(
        self,
        going: Going,
        hook: Callable[[str], RoutineCall] | None,
        step: Callable[[Going], Step],
        again: Callable[[Going], RoutineCall],
    ) -> Routine:
        """The rest of a function, one step or one hook's call after the other.

        :param hook: the machine's routine for a hook, None where hooks are parts of the function.
        :param step: the step that goes on from there, which gives where it then is.
        :param again: this routine.
        """
        name = self.at_hook(going.positions) if hook is not None else ""
        if hook is not None and name:
            yield hook(name)
            yield Become(again(Going(self.past(going.positions), hooked=True)))
        if self.is_over(going.positions):
            return going
        then = yield step(going)
        if not then.positions:
            return then
        yield Become(again(then))
        return None

    def on(self, context: StepContext, going: Going, *, hooks: bool) -> tuple[Going, bool]:
        """Go on for a step; also whether anything was done to what others see.

        :param hooks: the step ends before a call of a hook.
        """
        here = self.here(context)

        between = Between(here, self.lifted.switched)

        def pause(
            _code: Code, one: Instruction, meaning: CallMeaning | None, place: Value = None
        ) -> bool:
            if hooks and meaning is not None and one.what in HOOKS:
                return True
            return self.steps is Steps.FINE and between.ends(one, meaning, place)

        here.pause = pause
        frames = restored(going.positions)
        try:
            done, value = execute(here, frames)
        except Stopped:
            return Going((), hooked=going.hooked), True
        after = Going(() if done else place_of(frames), value if done else 0, going.hooked)
        return after, bool(here.seen) or not done

    @staticmethod
    def at_hook(positions: Positions) -> str:
        """Return the hook that is called next, "" for none."""
        last = positions[-1]
        one = last.code.instructions[last.at]
        return one.what if one.what in HOOKS else ""

    @staticmethod
    def past(positions: Positions) -> Positions:
        """Return the place after a call that was made."""
        last = positions[-1]
        one = last.code.instructions[last.at]
        frame = CodeFrame(last.code, last.at + 1, {**dict(last.env), one.to: 0}, last.to)
        return (*positions[:-1], *place_of([frame]))

    def is_over(self, positions: Positions) -> bool:
        """Whether nothing is left to do but to return."""
        here = self.here(_NOBODY, _at_anything)
        try:
            return execute(here, restored(positions))[0]
        except AttributeError:  # there is no context: something asks for it
            return False


_NOBODY: Any = None


def _at_anything(
    _code: Code, _one: Instruction, meaning: CallMeaning | None, _place: Value = None
) -> bool:
    return meaning is None or meaning.code is None
