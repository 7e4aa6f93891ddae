# SPDX-License-Identifier: GPL-2.0-or-later
"""A function's instructions made ready to run: each a function of Python that does just that.

What can be known before is looked up once: operands, widths, ways out, what a name stands for. An
instruction is run some hundred times for one scenario, and most of that was looking up.
"""

from __future__ import annotations

from enum import Enum
from operator import itemgetter
from typing import TYPE_CHECKING, Final, TypeAlias

from lazymmu.lift.arithmetic import OPERATIONS
from lazymmu.lift.code import Code, Const, Instruction, Opcode
from lazymmu.lift.ctypes import CType, typed
from lazymmu.lift.frames import Called, CodeFrame
from lazymmu.lift.problem import Unliftable
from lazymmu.lift.unset import UNSET, refuse_unset
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
    from collections.abc import Callable, Mapping

    from lazymmu.lift.code import Operand
    from lazymmu.lift.execute import Execution
    from lazymmu.lift.link import CallMeaning, Linker

__all__ = ["After", "Doing", "ready"]


class After(Enum):
    """What happened to the functions that run; None where the same one goes on."""

    CALLED = "another one runs"
    RETURNED = "one is over"
    PAUSED = "it stops before that"


Doing: TypeAlias = "Callable[[Execution, CodeFrame], After | None]"
Fetch: TypeAlias = "Callable[[dict[str, Value]], tuple[Value, ...]]"


def ready(code: Code, linker: Linker) -> tuple[Doing, ...]:
    """Return what does each instruction of a function."""
    return tuple(_MAKERS[one.op](code, at, one, linker) for at, one in enumerate(code.instructions))


def _fetch(args: tuple[Operand, ...]) -> Fetch:
    """What gives the values of operands; KeyError for a variable that has none."""
    names = [None if isinstance(arg, Const) else arg.name for arg in args]
    known = [arg.value if isinstance(arg, Const) else None for arg in args]
    if len(args) == 1:
        (name,), (value,) = names, known
        if name is None:
            return lambda _env: (value,)
        return lambda env: (env[name],)
    if None not in names and names:
        return itemgetter(*names)
    pairs = tuple(zip(names, known, strict=True))
    return lambda env: tuple(v if name is None else env[name] for name, v in pairs)


def _first(args: tuple[Operand, ...]) -> Callable[[dict[str, Value]], Value]:
    (arg, *_) = args
    if isinstance(arg, Const):
        value = arg.value
        return lambda _env: value
    return itemgetter(arg.name)


def _wraps(spelled: str | None) -> Callable[[object], object] | None:
    """What makes a number as wide as a type, None where that has no width."""
    kind = None if spelled is None else typed(spelled)
    return None if kind is None or kind.width is None else kind.wrapped


# ---- values ------------------------------------------------------------------------------------


def _set(code: Code, at: int, one: Instruction, _linker: Linker) -> Doing:
    return _kept(at, one, _wraps(code.types.get(one.to)))


def _cast(code: Code, at: int, one: Instruction, linker: Linker) -> Doing:
    kind = typed(one.what)
    if not kind.stars and kind.width is None:
        kind = linker.names.typedef(kind.base, code.file) or kind
    return _kept(at, one, None if kind.width is None else kind.wrapped)


def _kept(at: int, one: Instruction, wraps: Callable[[object], object] | None) -> Doing:
    source, to, then = _first(one.args), one.to, at + 1

    def do(_here: Execution, frame: CodeFrame) -> None:
        value = source(frame.env)
        if wraps is not None and isinstance(value, int):
            value = wraps(value)  # type: ignore[assignment]
        frame.env[to] = value
        frame.at = then

    return do


def _computes(code: Code, at: int, one: Instruction, _linker: Linker) -> Doing:
    fetch, to, then = _fetch(one.args), one.to, at + 1
    operation = OPERATIONS.get(one.what) if one.op is Opcode.BINARY else None
    negates = one.op is Opcode.UNARY and one.what == "!"

    def do(here: Execution, frame: CodeFrame) -> None:
        args = fetch(frame.env)
        made: Value
        if operation is not None and isinstance(args[0], int) and isinstance(args[1], int):
            made = operation(args[0], args[1])
        elif negates and isinstance(args[0], int):
            made = int(not args[0])
        else:
            made = here.computed(one, args, code)
        frame.env[to] = made
        frame.at = then

    return do


def _chooses(code: Code, at: int, one: Instruction, _linker: Linker) -> Doing:
    fetch, to, then = _fetch(one.args), one.to, at + 1

    def do(here: Execution, frame: CodeFrame) -> None:
        asked, yes, no = fetch(frame.env)
        frame.env[to] = yes if here.truth(asked, code, one) else no
        frame.at = then

    return do


def _global(code: Code, at: int, one: Instruction, linker: Linker) -> Doing:
    name, to, then = one.what, one.to, at + 1
    word = linker.words.get(name)
    is_current = word is not None and word.does == "current"
    known: list[Value] = []

    def do(here: Execution, frame: CodeFrame) -> None:
        if is_current:
            value = here.current()
        else:
            if not known:
                known.append(_named(linker, name, code))
            value = known[0]
        frame.env[to] = value
        frame.at = then

    return do


def _named(linker: Linker, name: str, code: Code) -> Value:
    """What a name outside of the function stands for."""
    word = linker.words.get(name)
    if word is not None and word.does == "address-space":
        return AddressSpace(name)
    if word is not None and word.does == "number":
        return word.number
    if word is not None and word.does == "power":
        return 1 << word.number
    if word is not None and word.does == "unknown":
        return Opaque(name)
    number = linker.names.constant(name, code.file)
    if number is not None:
        return number
    variable = linker.names.per_cpu(name, code.file)
    if variable is not None:
        return CPointer("percpu", 0, (name,), variable.type)
    return Opaque(name)


# ---- places --------------------------------------------------------------------------------------


def _local(code: Code, at: int, one: Instruction, _linker: Linker) -> Doing:
    to, then, path = one.to, at + 1, (one.what,)
    kind = typed(code.types.get(one.what, ""))
    if one.what in code.arrays:
        kind = kind._replace(stars=kind.stars - 1, dims=("",))

    def do(here: Execution, frame: CodeFrame) -> None:
        frame.env[to] = CPointer("local", len(here.frames) - 1, path, kind)
        frame.at = then

    return do


def _field(code: Code, at: int, one: Instruction, linker: Linker) -> Doing:
    fetch, to, then, name = _first(one.args), one.to, at + 1, one.what
    known: dict[CType, CType | None] = {}

    def do(_here: Execution, frame: CodeFrame) -> None:
        base = fetch(frame.env)
        value: Value
        if isinstance(base, CPointer):
            kind = base.type
            if kind not in known:
                known[kind] = linker.names.member(kind._replace(stars=0), name, code.file)
            inner = known[kind]
            if inner is None and base.space != "local":
                raise Unliftable(f"{kind.base} has no member {name}", code.file, one.line)
            value = CPointer(base.space, base.owner, (*base.path, name), inner or CType(""))
        elif isinstance(base, Opaque):
            value = Opaque(f"{base.spelling}.{name}") if base.spelling else base
        elif base is None or isinstance(base, (EntryRef, Handle, AddressSpace, str)):
            value = base  # the number inside of a pte_t, or of an address
        else:
            raise Unliftable(f"a member {name} of a number", code.file, one.line)
        frame.env[to] = value
        frame.at = then

    return do


def _index(code: Code, at: int, one: Instruction, _linker: Linker) -> Doing:
    fetch, to, then = _fetch(one.args), one.to, at + 1

    def do(here: Execution, frame: CodeFrame) -> None:
        base, number = fetch(frame.env)
        frame.env[to] = here.indexed(base, number, one, code)
        frame.at = then

    return do


def _load(code: Code, at: int, one: Instruction, _linker: Linker) -> Doing:
    fetch, to, then = _first(one.args), one.to, at + 1

    def do(here: Execution, frame: CodeFrame) -> After | None:
        place = fetch(frame.env)
        if is_shared(place):
            if here.pause(code, one, None, place):
                return After.PAUSED
            here.accesses += 1
        frame.env[to] = here.load(place, code, one.line)
        frame.at = then
        return None

    return do


def _store(code: Code, at: int, one: Instruction, _linker: Linker) -> Doing:
    fetch, then = _fetch(one.args), at + 1
    seen = (code.file, one.line)

    def do(here: Execution, frame: CodeFrame) -> After | None:
        place, value = fetch(frame.env)
        if is_shared(place):
            if here.pause(code, one, None, place):
                return After.PAUSED
            here.accesses += 1
            here.seen.append(seen)
        here.store(place, value, code, one.line)
        frame.at = then
        return None

    return do


def is_shared(place: Value) -> bool:
    """Whether a place is one that others may see or change."""
    if isinstance(place, CPointer):
        return place.space != "local" and not place.type.aggregate
    return isinstance(place, (EntryRef, TableEntry))


# ---- ways ----------------------------------------------------------------------------------------


def _jump(_code: Code, _at: int, one: Instruction, _linker: Linker) -> Doing:
    (then, *_) = one.places

    def do(_here: Execution, frame: CodeFrame) -> None:
        frame.at = then

    return do


def _branch(code: Code, at: int, one: Instruction, _linker: Linker) -> Doing:
    fetch, (yes, no) = _first(one.args), one.places[:2]
    went, not_went = (code, at, True), (code, at, False)

    def do(here: Execution, frame: CodeFrame) -> None:
        value = fetch(frame.env)
        if value != 0 if isinstance(value, int) else here.truth(value, code, one):
            here.taken.add(went)
            frame.at = yes
        else:
            here.taken.add(not_went)
            frame.at = no

    return do


def _switch(code: Code, _at: int, one: Instruction, _linker: Linker) -> Doing:
    fetch = _first(one.args)

    def do(_here: Execution, frame: CodeFrame) -> None:
        frame.at = _case(fetch(frame.env), code, one)

    return do


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


def _return(_code: Code, _at: int, one: Instruction, _linker: Linker) -> Doing:
    fetch = _first(one.args) if one.args else None

    def do(here: Execution, frame: CodeFrame) -> After:
        value: Value = 0 if fetch is None else fetch(frame.env)
        frames = here.frames
        frames.pop()
        if frames and frame.to:
            frames[-1].env[frame.to] = value
        here.returned = value
        return After.RETURNED

    return do


def _call(code: Code, at: int, one: Instruction, _linker: Linker) -> Doing:
    """Call a function, or do a word."""
    # What a call is handed may be a variable that it gives a value (local_irq_save()).
    given = tuple((None, a.value) if isinstance(a, Const) else (a.name, UNSET) for a in one.args)
    then = at + 1
    own = frozenset(code.types).difference(code.params)

    def do(here: Execution, frame: CodeFrame) -> After | None:
        env = frame.env
        args = tuple(v if name is None else env.get(name, v) for name, v in given)
        target: CallMeaning | None = here.target(one, code, args)
        if target is None:
            raise Unliftable(f"a call of {one.what}(), which is not known", code.file, one.line)
        if here.pause(code, one, target, None):
            return After.PAUSED
        frame.at = then
        if target.code is not None:
            inner = target.code
            handed = dict(zip(inner.params, args[target.skip :], strict=False))
            here.frames.append(CodeFrame(inner, 0, handed, one.to))
            return After.CALLED
        value: Value = 0
        if target.cast is not None:
            (value,) = args
            value = target.cast.wrapped(value)  # type: ignore[assignment]
        elif target.word is not None:
            if UNSET in args and target.word.does != "irq-save":
                refuse_unset(code, one, args, own)
            here.accesses += shares(here.context, target.word)
            value = here.does(here, Called(frame, one, target.word, args))
        if one.to:
            env[one.to] = value
        return None

    return do


_MAKERS: Final[Mapping[Opcode, Callable[[Code, int, Instruction, Linker], Doing]]] = {
    Opcode.SET: _set,
    Opcode.CAST: _cast,
    Opcode.BINARY: _computes,
    Opcode.UNARY: _computes,
    Opcode.CHOOSE: _chooses,
    Opcode.GLOBAL: _global,
    Opcode.LOCAL: _local,
    Opcode.FIELD: _field,
    Opcode.INDEX: _index,
    Opcode.LOAD: _load,
    Opcode.STORE: _store,
    Opcode.CALL: _call,
    Opcode.JUMP: _jump,
    Opcode.BRANCH: _branch,
    Opcode.SWITCH: _switch,
    Opcode.RETURN: _return,
}
