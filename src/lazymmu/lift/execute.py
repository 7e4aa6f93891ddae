# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs lifted code on a state of the machine, from one place to the next at which it stops."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from lazymmu.lift.code import Code, Const, Instruction, Opcode, Operand
from lazymmu.lift.computed import computed, truth
from lazymmu.lift.ctypes import CType, typed
from lazymmu.lift.problem import Unliftable
from lazymmu.lift.values import (
    AddressSpace,
    CPointer,
    EntryRef,
    Handle,
    Opaque,
    TableEntry,
    Value,
)
from lazymmu.lift.words import shares

if TYPE_CHECKING:
    from collections.abc import Callable

    from lazymmu.lift.link import CallMeaning, Linker
    from lazymmu.lift.variables import CVariables
    from lazymmu.lift.words import LiftWord
    from lazymmu.machine.context import StepContext

__all__ = [
    "Called",
    "CodeFrame",
    "Execution",
    "Position",
    "Stopped",
    "execute",
    "place_of",
    "restored",
]

MAX_STEPS: Final = 20_000
"""Instructions of one step; more are a loop that nothing ends."""

ANSWER: Final = "?"
"""What the names of answers begin with that a run was given, and that count until its end."""

UNSET: Final = Opaque("a variable without a value")
TASK: Final = typed("struct task_struct")


class Stopped(Exception):
    """The machine is over: a BUG."""


class Position(NamedTuple):
    """Where a function is: its code, the next instruction, its variables that still matter.

    :param to: the variable of the caller that receives what it returns.
    """

    code: Code
    at: int
    env: tuple[tuple[str, Value], ...]
    to: str


@dataclass(slots=True)
class CodeFrame:
    """A function that is running."""

    code: Code
    at: int
    env: dict[str, Value]
    to: str = ""


@dataclass(frozen=True, slots=True)
class Called:
    """A word that is called: where, by which instruction, with what."""

    frame: CodeFrame
    one: Instruction
    word: LiftWord
    args: tuple[Value, ...]

    @property
    def code(self) -> Code:
        """Return the function that calls it."""
        return self.frame.code

    @property
    def shown(self) -> str:
        """Return the call and its place, for reports."""
        return f"{self.one.what}() at {self.code.file}:{self.one.line}"

    def arg(self, number: int) -> Value:
        """Return an argument; without it, what calls cannot be lifted."""
        if number >= len(self.args):
            raise self.refused("lacks an argument")
        return self.args[number]

    def refused(self, why: str) -> Unliftable:
        """Return what to raise when the call is not understood."""
        return Unliftable(f"{self.one.what}() {why}", self.code.file, self.one.line)


@dataclass(slots=True)
class Execution:
    """What code that runs has at hand.

    :param does: how each word is done.
    :param pause: asked before what others may see or change, whether to stop there.
    :param taken: branches that were come by, with the way that each went.
    :param seen: lines at which anything was done to what others see.
    """

    context: StepContext
    linker: Linker
    variables: CVariables
    does: Callable[[Execution, Called], Value]
    pause: Callable[[Code, Instruction, CallMeaning | None], bool] = lambda *_: False
    taken: set[tuple[Code, int, bool]] = field(default_factory=set)
    frames: list[CodeFrame] = field(default_factory=list)
    accesses: int = 0
    seen: list[tuple[str, int]] = field(default_factory=list)

    def load(self, place: Value, code: Code, line: int) -> Value:
        """Return what a pointer points to; of a structure or an array, the pointer."""
        if isinstance(place, CPointer):
            if place.type.aggregate:
                return place
            if place.space == "local":
                return self.frames[place.owner].env.get(_local(place), 0)
            return self.variables.load(self.context, place)
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
            self.variables.store(self.context, place, value)
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


def place_of(frames: list[CodeFrame]) -> tuple[Position, ...]:
    """Return the frames as a value, without what does not matter any more."""
    return tuple(_kept(frame, last=frame is frames[-1]) for frame in frames)


def _kept(frame: CodeFrame, *, last: bool) -> Position:
    code = frame.code
    live = code.live[frame.at] if last else code.live[frame.at] | {""}
    env = tuple(
        sorted(
            (name, value)
            for name, value in frame.env.items()
            if name in live or name.partition(".")[0] in code.kept or name.startswith(ANSWER)
        )
    )
    return Position(code, frame.at, env, frame.to)


def restored(places: tuple[Position, ...]) -> list[CodeFrame]:
    """Return frames that go on where `place_of` has kept them."""
    return [CodeFrame(place.code, place.at, dict(place.env), place.to) for place in places]


def execute(here: Execution, frames: list[CodeFrame]) -> tuple[bool, Value]:
    """Run until the outermost function returns, or where `here.pause` says so.

    :returns: whether it returned, and what.
    :raises Unliftable: with the reason; Stopped at a BUG.
    """
    here.frames = frames
    for _ in range(MAX_STEPS):
        frame = frames[-1]
        one = frame.code.instructions[frame.at]
        if one.op is Opcode.RETURN:
            value = _operand(frame, one.args[0]) if one.args else 0
            frames.pop()
            if not frames:
                return True, value
            caller = frames[-1]
            if frame.to:
                caller.env[frame.to] = value
            continue
        if one.op is Opcode.CALL:
            if _call(here, frame, one):
                return False, None
            continue
        if one.op in (Opcode.LOAD, Opcode.STORE) and _shared(frame, one):
            if here.pause(frame.code, one, None):
                return False, None
            here.accesses += 1
            if one.op is Opcode.STORE:
                here.seen.append((frame.code.file, one.line))
        _plain(here, frame, one)
    code = frames[-1].code
    raise Unliftable(f"{code.name}() does not end", code.file, code.line)


def _shared(frame: CodeFrame, one: Instruction) -> bool:
    place = _operand(frame, one.args[0])
    if isinstance(place, CPointer):
        return place.space != "local" and not place.type.aggregate
    return isinstance(place, (EntryRef, TableEntry))


def _operand(frame: CodeFrame, operand: Operand) -> Value:
    if isinstance(operand, Const):
        return operand.value
    try:
        return frame.env[operand.name]
    except KeyError:
        code = frame.code
        what = f"{operand.name} in {code.name}() has no value yet"
        raise Unliftable(what, code.file, code.instructions[frame.at].line) from None


def _plain(here: Execution, frame: CodeFrame, one: Instruction) -> None:
    """Do an instruction that calls nobody."""
    code, args = frame.code, tuple(_operand(frame, arg) for arg in one.args)
    frame.at += 1
    value: Value
    match one.op:
        case Opcode.SET:
            spelled = code.types.get(one.to)
            value = args[0]
            if spelled is not None and isinstance(value, int):
                value = typed(spelled).wrapped(value)  # type: ignore[assignment]
        case Opcode.JUMP:
            frame.at = one.places[0]
            return
        case Opcode.BRANCH:
            holds = here.truth(args[0], code, one)
            here.taken.add((code, frame.at - 1, holds))
            frame.at = one.places[0 if holds else 1]
            return
        case Opcode.SWITCH:
            frame.at = _case(args[0], code, one)
            return
        case Opcode.STORE:
            here.store(args[0], args[1], code, one.line)
            return
        case Opcode.LOAD:
            value = here.load(args[0], code, one.line)
        case Opcode.GLOBAL:
            value = _global(here, one.what, code)
        case Opcode.LOCAL:
            number = next(n for n, f in enumerate(here.frames) if f is frame)
            value = CPointer("local", number, (one.what,), typed(code.types.get(one.what, "")))
        case Opcode.FIELD:
            value = _field(here, args[0], one, code)
        case Opcode.INDEX:
            value = here.indexed(args[0], args[1], one, code)
        case Opcode.CHOOSE:
            value = args[1] if here.truth(args[0], code, one) else args[2]
        case Opcode.CAST:
            value = args[0]
            if isinstance(value, int):
                value = typed(one.what).wrapped(value)  # type: ignore[assignment]
        case _:
            value = here.computed(one, args, code)
    frame.env[one.to] = value


def _case(value: Value, code: Code, one: Instruction) -> int:
    if not isinstance(value, int):
        raise Unliftable("a switch on what is no number", code.file, one.line)
    default: int | None = None
    for place, case in zip(one.places, one.cases, strict=True):
        if case == value:
            return place
        if case is None:
            default = place if default is None else -1
    if default is None or default < 0:
        raise Unliftable("a switch with cases that are no numbers", code.file, one.line)
    return default


def _global(here: Execution, name: str, code: Code) -> Value:
    linker = here.linker
    word = linker.words.get(name)
    if word is not None and word.does == "current":
        return here.current()
    if word is not None and word.does == "address-space":
        return AddressSpace(name)
    if word is not None and word.does == "number":
        return word.number
    if word is not None and word.does == "power":
        return 1 << word.number
    number = linker.names.constant(name, code.file)
    if number is not None:
        return number
    variable = linker.names.per_cpu(name, code.file)
    if variable is not None:
        return CPointer("percpu", 0, (name,), variable.type)
    return Opaque(name)


def _field(here: Execution, base: Value, one: Instruction, code: Code) -> Value:
    if isinstance(base, CPointer):
        owner = base.type._replace(stars=0)
        kind = here.linker.names.member(owner, one.what, code.file)
        if kind is None and base.space != "local":
            raise Unliftable(f"{owner.base} has no member {one.what}", code.file, one.line)
        return CPointer(base.space, base.owner, (*base.path, one.what), kind or CType(""))
    if isinstance(base, Opaque):
        return Opaque(f"{base.spelling}.{one.what}") if base.spelling else base
    if base is None or isinstance(base, (EntryRef, Handle, AddressSpace, str)):
        return base  # the number inside of a pte_t, or of an address
    raise Unliftable(f"a member {one.what} of a number", code.file, one.line)


def _call(here: Execution, frame: CodeFrame, one: Instruction) -> bool:
    """Call a function, or do a word; tells whether it stops before that."""
    code = frame.code
    # What a call is handed may be a variable that it gives a value (local_irq_save()).
    args = tuple(_given(frame, arg) for arg in one.args)
    target = here.target(one, code, args)
    if target is None:
        raise Unliftable(f"a call of {one.what}(), which is not known", code.file, one.line)
    if here.pause(code, one, target):
        return True
    frame.at += 1
    if target.code is not None:
        inner = target.code
        given = dict(zip(inner.params, args[target.skip :], strict=False))
        here.frames.append(CodeFrame(inner, 0, dict(given), one.to))
        return False
    value: Value = 0
    if target.word is not None:
        here.accesses += shares(here.context, target.word)
        value = here.does(here, Called(frame, one, target.word, args))
    if one.to:
        frame.env[one.to] = value
    return False


def _given(frame: CodeFrame, operand: Operand) -> Value:
    if isinstance(operand, Const):
        return operand.value
    return frame.env.get(operand.name, UNSET)
