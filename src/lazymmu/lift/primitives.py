# SPDX-License-Identifier: GPL-2.0-or-later
"""What words do to the machine that are the same on every architecture (see words.py)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from lazymmu.kernelc.ir.expr import Field, Name
from lazymmu.lift.ctypes import typed
from lazymmu.lift.execute import TASK, Stopped
from lazymmu.lift.values import CPointer, EntryRef, Handle, Opaque, Value, is_true
from lazymmu.lift.variables import FLAG

if TYPE_CHECKING:
    from lazymmu.lift.execute import Execution
    from lazymmu.lift.frames import Called
    from lazymmu.lift.words import Does

__all__ = ["BOOL", "COMMON", "PINS", "does"]

PINS: Final = {
    "preempt": "preempt_count",
    "migrate": "migration_disabled",
    "bh": "bh_off",
}
"""The machine's column of what each kind of pin counts (`machine.locks`); interrupts do not."""

BOOL: Final = typed("bool")
_LONG: Final = 64
"""Bits of a long, as on all machines with the mode."""


def does(here: Execution, call: Called) -> Value:
    """Do a word that is the same on every architecture."""
    doing = COMMON.get(call.word.does)
    if doing is None:
        raise call.refused("has no meaning here")
    return doing(here, call)


def _handle(_here: Execution, call: Called) -> Value:
    value = call.arg(call.word.arg)
    if not isinstance(value, EntryRef):
        raise call.refused("of what is no entry")
    return Handle(value.name)


def _condition(call: Called) -> bool:
    known = is_true(call.arg(call.word.arg))
    if known is None:
        raise call.refused("of what is not known")
    return known


def _bug(here: Execution, call: Called) -> Value:
    holds = call.word.does == "bug" or _condition(call)
    if here.context.bug_on(holds, call.shown):
        raise Stopped
    return 0


def _warn(here: Execution, call: Called) -> Value:
    holds = _condition(call)
    here.context.warn_on(holds, call.shown, call.word.config)
    return int(holds)


# ---- pins and interrupts -------------------------------------------------------------------------


def _pin(here: Execution, call: Called) -> Value:
    context, pins = here.context, call.word.does == "pin"
    if call.word.kind == "preempt":
        # A kernel without preemption counts none, and one too few is a warning.
        (context.preempt_disable if pins else context.preempt_enable)()
        return 0
    if call.word.kind == "irq":
        # A flag and no count: the first that lets interrupts in does, and once more is no error.
        if pins:
            context.local_irq_save()
        else:
            context.local_irq_restore()
        return 0
    name = PINS.get(call.word.kind)
    if name is None:
        raise call.refused("pins what is not known")
    current = context.current
    if not pins and context.bug_on(getattr(current, name) == 0, f"{call.shown} too often"):
        raise Stopped
    setattr(current, name, getattr(current, name) + (1 if pins else -1))
    return 0


def _save(here: Execution, call: Called) -> Value:
    match call.one.raw[:1]:
        case (Name(name),):
            kept = name
        case (Field(Name(name), member),) if call.code.is_structure(name):
            kept = f"{name}.{member}"  # as a local variable's member is kept
        case _:
            raise call.refused("into what is no variable")
    call.frame.env[kept] = here.context.local_irq_save()
    return 0


def _restore(here: Execution, call: Called) -> Value:
    flags = call.arg(call.word.arg)
    if not isinstance(flags, int):
        raise call.refused("of what is no state of interrupts")
    here.context.local_irq_restore(flags)
    return 0


# ---- variables of this CPU, flags of a task ------------------------------------------------------


def _mine(here: Execution, call: Called) -> CPointer:
    """Return a variable of this CPU."""
    place = call.arg(0)
    if isinstance(place, CPointer) and place.space == "percpu":
        return place._replace(space="cpu", owner=here.context.cpu)
    raise call.refused(
        f"of {place.spelling if isinstance(place, Opaque) else 'what is no per-CPU variable'}"
    )


def _address(here: Execution, call: Called) -> Value:
    place = _mine(here, call)
    if call.word.pins:
        here.context.preempt_disable()
    return place


def _read(here: Execution, call: Called) -> Value:
    return here.load(_mine(here, call), call.code, call.one.line)


def _write(here: Execution, call: Called) -> Value:
    here.store(_mine(here, call), call.arg(1), call.code, call.one.line)
    return 0


def _add(here: Execution, call: Called) -> Value:
    place = _mine(here, call)
    old = here.load(place, call.code, call.one.line)
    by = call.args[1] if len(call.args) > 1 else 1
    if not isinstance(old, int) or not isinstance(by, int):
        raise call.refused("on what is no number")
    here.store(place, old + call.word.number * by, call.code, call.one.line)
    return here.load(place, call.code, call.one.line) if call.word.after else 0


def _elsewhere(_here: Execution, call: Called) -> Value:
    raise call.refused("is of a CPU that is named, and only this one's variables are known")


def _flag(here: Execution, call: Called) -> Value:
    word = call.word
    task: Value = CPointer("task", here.context.task, (), TASK)
    if word.task >= 0:
        task = call.arg(word.task)
    raw = call.one.raw[word.flag] if word.flag < len(call.one.raw) else None
    if not isinstance(task, CPointer) or not isinstance(raw, Name):
        raise call.refused("of what is not known")
    place = CPointer("task", task.owner, (FLAG, raw.spelling), BOOL)
    old = here.load(place, call.code, call.one.line)
    if word.does in ("flag-set", "flag-test-set"):
        here.store(place, 1, call.code, call.one.line)
    elif word.does != "flag-test":
        here.store(place, 0, call.code, call.one.line)
    return old if "test" in word.does else 0


def _key(here: Execution, call: Called) -> Value:
    return here.linker.keys.asked(call.arg(call.word.arg), call.refused)


def _flags(here: Execution, call: Called) -> Value:
    """All flags that the lifted code knows by name, each at its bit."""
    found = 0
    for space, path in here.variables.names:
        if space == "task" and path[0] == FLAG:
            bit = here.linker.names.constant(str(path[1]), call.code.file)
            if bit is None:
                raise call.refused(f"has no number for {path[1]}")
            place = CPointer("task", here.context.task, path, BOOL)
            found |= int(bool(here.load(place, call.code, call.one.line))) << bit
    return found


def _bit(_here: Execution, call: Called) -> Value:
    number = call.arg(0)
    if not isinstance(number, int) or not 0 <= number < _LONG:
        raise call.refused("of what is no number")
    return 1 << number


def _config(here: Execution, call: Called) -> Value:
    raw = call.one.raw[0] if call.one.raw else None
    name = raw.spelling.removeprefix("CONFIG_") if isinstance(raw, Name) else ""
    value = here.linker.view.config.value(name)
    if value not in ("y", "m", "n"):
        raise call.refused(f"of CONFIG_{name}, which may be on or off")
    return int(value != "n")


Doing: TypeAlias = Callable[["Execution", "Called"], Value]

COMMON: Final[Mapping[Does, Doing]] = {
    "nothing": lambda *_: 0,
    "number": lambda _here, call: call.word.number,
    "value": lambda _here, call: call.arg(call.word.arg),
    "handle": _handle,
    "current": lambda here, _call: CPointer("task", here.context.task, (), TASK),
    "in-interrupt": lambda here, _call: int(here.context.in_interrupt),
    "preemptible": lambda here, _call: int(here.context.preemptible),
    "flags-read": _flags,
    "bit": _bit,
    "static-key": _key,
    "config": _config,
    "bug-if": _bug,
    "bug": _bug,
    "warn-if": _warn,
    "pin": _pin,
    "unpin": _pin,
    "irq-save": _save,
    "irq-restore": _restore,
    "percpu-address": _address,
    "percpu-read": _read,
    "percpu-write": _write,
    "percpu-add": _add,
    "percpu-other": _elsewhere,
    "flag-set": _flag,
    "flag-clear": _flag,
    "flag-test": _flag,
    "flag-test-clear": _flag,
    "flag-test-set": _flag,
}
