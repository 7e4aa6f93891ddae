# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs lifted code on a state of the machine, from one place to the next at which it stops."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lazymmu.lift.code import Code, Instruction, Var
from lazymmu.lift.computed import computed, truth
from lazymmu.lift.ctypes import typed
from lazymmu.lift.problem import Unliftable
from lazymmu.lift.ready import After
from lazymmu.lift.unset import unset
from lazymmu.lift.values import AddressSpace, CPointer, EntryRef, Handle, Opaque, Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from lazymmu.lift.frames import Called, CodeFrame
    from lazymmu.lift.link import CallMeaning, Linker
    from lazymmu.lift.variables import CVariables
    from lazymmu.machine.context import StepContext

__all__ = ["TASK", "Execution", "Stopped", "execute"]

MAX_STEPS: Final = 20_000
"""Instructions of one step; more are a loop that nothing ends."""

TASK: Final = typed("struct task_struct")


class Stopped(Exception):
    """The machine is over: a BUG."""


@dataclass(slots=True)
class Execution:
    """What code that runs has at hand.

    :param does: how each word is done.
    :param pause: asked before what others may see or change, whether to stop there.
    :param taken: branches that were come by, with the way that each went.
    :param seen: lines at which anything was done to what others see.
    :param returned: what the function returned that was over last.
    """

    context: StepContext
    linker: Linker
    variables: CVariables
    does: Callable[[Execution, Called], Value]
    pause: Callable[[Code, Instruction, CallMeaning | None, Value], bool] = lambda *_: False
    taken: set[tuple[Code, int, bool]] = field(default_factory=set)
    frames: list[CodeFrame] = field(default_factory=list)
    accesses: int = 0
    seen: list[tuple[str, int]] = field(default_factory=list)
    returned: Value = None

    def load(self, place: Value, code: Code, line: int) -> Value:
        """Return what a pointer points to; of a structure or an array, the pointer."""
        if isinstance(place, CPointer):
            if place.type.aggregate:
                return place
            if place.space == "local":
                return self.frames[place.owner].env.get(_local(place), 0)
            try:
                return self.variables.load(self.context, place)
            except Unliftable as problem:
                raise problem.at(code.file, line) from None
        if isinstance(place, EntryRef):
            return self.context.entry(place.name).stored  # type: ignore[no-any-return]
        if place is None or isinstance(place, (Opaque, Handle, AddressSpace, str)):
            return place  # a member of a value, which is the value
        raise Unliftable(f"a read through {place!r}", code.file, line)

    def store(self, place: Value, value: Value, code: Code, line: int) -> None:
        """Change what a pointer points to."""
        if isinstance(place, CPointer) and place.space == "local":
            self.frames[place.owner].env[_local(place)] = place.type.wrapped(value)  # type: ignore[assignment]
        elif isinstance(place, CPointer):
            try:
                self.variables.store(self.context, place, value)
            except Unliftable as problem:
                raise problem.at(code.file, line) from None
        else:
            raise Unliftable(f"a write through {place!r}", code.file, line)

    def truth(self, value: Value, code: Code, one: Instruction) -> bool:
        """Return whether a condition holds."""
        return truth(value, code, one)

    def computed(self, one: Instruction, args: tuple[Value, ...], code: Code) -> Value:
        """Return what an operator makes of values."""
        return computed(one, args, code)

    def current(self) -> Value:
        """Return the address of the current task."""
        return CPointer("task", self.context.task, (), TASK)

    def indexed(self, base: Value, number: Value, one: Instruction, code: Code) -> Value:
        """Return the place of an element."""
        if isinstance(base, CPointer) and base.type.dims and isinstance(number, int):
            return CPointer(base.space, base.owner, (*base.path, number), base.type.element)
        raise Unliftable("an element of what is no array", code.file, one.line)

    def target(self, one: Instruction, code: Code, args: tuple[Value, ...]) -> CallMeaning | None:
        """Return what a call means, None for what is not known."""
        for number, arg in enumerate(args):
            if isinstance(arg, Opaque) and "." in arg.spelling:
                held = self.linker.held(arg.spelling, number + 1)
                if held is not None:
                    return held
        return self.linker.target(one.what, code.file)


def _local(place: CPointer) -> str:
    return ".".join(map(str, place.path))


def execute(here: Execution, frames: list[CodeFrame]) -> tuple[bool, Value]:
    """Run until the outermost function returns, or where `here.pause` says so.

    :returns: whether it returned, and what.
    :raises Unliftable: with the reason; Stopped at a BUG.
    """
    here.frames = frames
    linker = here.linker
    left = MAX_STEPS
    while frames:
        frame = frames[-1]
        doings = linker.ready(frame.code)
        after = None
        while after is None:
            left -= 1
            if not left:
                code = frame.code
                raise Unliftable(f"{code.name}() does not end", code.file, code.line)
            try:
                after = doings[frame.at](here, frame)
            except KeyError as missing:
                raise _unset(frame, missing) from None
        if after is After.PAUSED:
            return False, None
    return True, here.returned


def _unset(frame: CodeFrame, missing: KeyError) -> Exception:
    """What to raise for a variable that was never given a value."""
    code, one = frame.code, frame.code.instructions[frame.at]
    (name, *_) = missing.args
    if not any(isinstance(arg, Var) and arg.name == name for arg in one.args):
        return missing
    return unset(name, code, one)
