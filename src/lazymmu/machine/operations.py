# SPDX-License-Identifier: GPL-2.0-or-later
"""The operations that programs are made of, by name.

An operation is a routine of one of the machine's parts; its name is the kernel function's.  What
arguments it takes is read off its signature: an entry's name, a value, a lock's, a page's or a
task's name, and for one that takes a callback, the callback's body.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lazymmu.machine.config import ConfigError
from lazymmu.machine.control import CONTROL, control, sequence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lazymmu.machine.config import Op
    from lazymmu.machine.steps import RoutineCall

KINDS = {
    "entry": "entry",
    "entries": "entry",
    "parent": "entry",
    "source": "entry",
    "target": "entry",
    "value": "value",
    "lock": "lock",
    "mutex": "mutex",
    "page": "page",
    "child": "task",
    "body": "body",
    "write": "flag",
}
"""What a parameter of that name takes."""


CALLBACK_ENTRY = "ptep"
"""What a callback calls the entry it was called for."""


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation: its name, its routine, and for each parameter its name and kind.

    :param many: the last parameter takes any number of arguments.
    :param body: it takes a callback.
    """

    name: str
    make: Callable[..., RoutineCall]
    params: tuple[tuple[str, str], ...]
    many: bool
    body: bool
    summary: str
    source: str


@dataclass(frozen=True, slots=True)
class _Shape:
    """What an `Operation` has of its routine alone."""

    params: tuple[tuple[str, str], ...]
    many: bool
    body: bool
    summary: str
    source: str


_shapes: dict[tuple[str, object], _Shape] = {}
"""Of functions, not of methods: the routines of one class are those of every machine with it."""


def _shape(name: str, make: Callable[..., RoutineCall]) -> _Shape:
    params: list[tuple[str, str]] = []
    many = body = False
    for parameter in inspect.signature(make).parameters.values():
        if parameter.name == "body":
            body = True
            continue
        kind = KINDS.get(parameter.name)
        if kind is None:
            raise ConfigError(
                f"operation {name} has a parameter of no known kind: {parameter.name}"
            )
        many = many or parameter.kind is inspect.Parameter.VAR_POSITIONAL
        params.append((parameter.name, kind))
    wrapped: Any = inspect.unwrap(make)
    return _Shape(
        params=tuple(params),
        many=many,
        body=body,
        summary=(inspect.getdoc(make) or "").split("\n")[0],
        source=str(getattr(wrapped, "source", "")),
    )


def describe(name: str, make: Callable[..., RoutineCall]) -> Operation:
    """The operation that a routine is.

    :raises ConfigError: for a parameter of no known kind.
    """
    key = (name, getattr(make, "__func__", make))
    shape = _shapes.get(key)
    if shape is None:
        shape = _shapes[key] = _shape(name, make)
    return Operation(name, make, shape.params, shape.many, shape.body, shape.summary, shape.source)


def gather(parts: Iterable[tuple[object, tuple[str, ...]]]) -> dict[str, Operation]:
    """The operations that parts of a machine offer; later parts override earlier ones."""
    found: dict[str, Operation] = {}
    for part, names in parts:
        for name in names:
            make = getattr(part, name, None)
            if make is not None:
                found[name] = describe(name, make)
    return found


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a callback: operations in which `ptep` stands for the entry it is called for."""

    programs: Programs
    ops: tuple[Op, ...]

    def at(self, entry: str) -> RoutineCall:
        """The callback, called for `entry`."""
        return self.programs.run(tuple(self._renamed(op, entry) for op in self.ops))

    def _renamed(self, op: Op, entry: str) -> Op:
        inner = self.programs.operations.get(op.name)
        own = inner is not None and inner.body  # a callback's own body has its own `ptep`
        return replace(
            op,
            args=tuple(entry if arg == CALLBACK_ENTRY else arg for arg in op.args),
            body=op.body if own else tuple(self._renamed(one, entry) for one in op.body),
        )


class Programs:
    """Turns a scenario's operations into routines."""

    def __init__(self, operations: Mapping[str, Operation]) -> None:
        """`operations`: all that the machine knows, by name."""
        self.operations = operations

    def call(self, op: Op) -> RoutineCall:
        """The call of one operation.

        :raises ConfigError: for one that cannot be.
        """
        if op.name in CONTROL:
            return control(op, self.call, self._read)
        operation = self.operations.get(op.name)
        if operation is None:
            raise ConfigError(f"this machine has no operation {op.name}")
        args: tuple[Any, ...] = tuple(_argument(arg) for arg in op.args)
        if operation.body:
            args = (Body(self, op.body), *args)
        try:
            inspect.signature(operation.make).bind(*args)
        except TypeError:
            wanted = " ".join(name for name, _ in operation.params)
            raise ConfigError(f"{op.name} takes {wanted or 'no arguments'}") from None
        return replace(operation.make(*args), keep=False)

    def run(self, ops: tuple[Op, ...]) -> RoutineCall:
        """A whole program as one routine."""
        return sequence(tuple(self.call(op) for op in ops))

    def _read(self, entry: str) -> RoutineCall:
        return self.operations["ptep_get"].make(entry)


def _argument(text: str) -> str | None:
    return None if text == "none" else text
