# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a running program is: its stack of routines, each with what was sent to it.

A Python generator can be neither copied nor compared, so the place of a program is not a generator
but a *stack*: for each routine on it the function, its arguments, and the values that its steps and
calls have returned so far.  Calling the function again and sending it the same values leads to the
same place, always: a routine has no other input.  A call that returns leaves nothing behind but
its value in its caller's frame, so that what it looked at is forgotten.

Nothing of the interpreter's frames is used: iterators live on their value stack, and two different
places would look the same.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

from lazymmu.machine.steps import Become, RoutineCall

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from lazymmu.machine.steps import Step


@dataclass(frozen=True, slots=True)
class RoutineFrame:
    """A routine on the stack: what was called, and what it has been sent since."""

    call: RoutineCall
    sent: tuple[Hashable, ...] = ()
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.call, self.sent)))

    def __hash__(self) -> int:
        """Kept, as that of the call is."""
        return self._hash


Stack: TypeAlias = tuple[RoutineFrame, ...]
"""Outermost routine first; empty when the program is over."""


class Continuations:
    """Finds out what a stack does next.

    `cached`: remember it for every stack met; without, each question is answered by running the
    routines again from their beginning, which is what the plain search compares with.
    """

    def __init__(self, *, cached: bool = True) -> None:
        """See the class."""
        self._steps: dict[Stack, Step] | None = {} if cached else None
        self._next: dict[tuple[Stack, Hashable], Stack] = {}

    def begin(self, call: RoutineCall) -> Stack:
        """The stack at the first step of `call`, or an empty one when it has none."""
        return self._settle((RoutineFrame(call),))

    def step(self, stack: Stack) -> Step:
        """The step that a program at `stack` takes next."""
        if self._steps is None:
            return cast("Step", self._peek(stack[-1]))
        step = self._steps.get(stack)
        if step is None:
            step = self._steps[stack] = cast("Step", self._peek(stack[-1]))
        return step

    def after(self, stack: Stack, value: Hashable) -> Stack:
        """The stack after the step of `stack` returned `value`."""
        if self._steps is None:
            return self._settle(_send(stack, value))
        key = (stack, value)
        found = self._next.get(key)
        if found is None:
            found = self._next[key] = self._settle(_send(stack, value))
        return found

    def _settle(self, stack: Stack) -> Stack:
        """Go on through calls and returns until the innermost routine has a step to take."""
        while stack:
            frame = stack[-1]
            said = self._peek(frame)
            if isinstance(said, RoutineCall):
                stack = (*stack, RoutineFrame(said))
            elif isinstance(said, Become):
                call = replace(said.call, keep=frame.call.keep)
                stack = (*stack[:-1], RoutineFrame(call))
            elif isinstance(said, _Returned):
                stack = stack[:-1]
                if isinstance(said.value, RoutineCall):
                    # A loop goes round: the call takes the place of the one that returned it.
                    stack = (*stack, RoutineFrame(replace(said.value, keep=frame.call.keep)))
                elif stack:
                    stack = _send(stack, said.value if frame.call.keep else None)
            else:
                break
        return stack

    @staticmethod
    def _peek(frame: RoutineFrame) -> Step | RoutineCall | Become | _Returned:
        """What the routine of `frame` yields next, or what it returns."""
        running = frame.call.function(*frame.call.args)
        try:
            said: Any = next(running)
            for value in frame.sent:
                said = running.send(value)
        except StopIteration as end:
            return _Returned(end.value)
        running.close()
        return said  # type: ignore[no-any-return]


class _Returned(NamedTuple):
    value: Hashable


def _send(stack: Stack, value: Hashable) -> Stack:
    frame = stack[-1]
    return (*stack[:-1], RoutineFrame(frame.call, (*frame.sent, value)))


def functions(stack: Stack) -> tuple[str, ...]:
    """Names of the kernel functions on a stack, outermost first, without the machine's own.

    Where the generic API is the architecture's hook, it is one function.
    """
    return tuple(name for name, _ in itertools.groupby(_kernel(stack), key=lambda one: one))


def _kernel(stack: Stack) -> Iterator[str]:
    return (name for frame in stack if frame.call.source for name in frame.call.names)


def innermost(stack: Stack) -> str:
    """Where the kernel has the innermost function of a stack."""
    return next((frame.call.source for frame in reversed(stack) if frame.call.source), "")
