# SPDX-License-Identifier: GPL-2.0-or-later
"""The signatures of everything that machines can do, asked of the machines themselves."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.machine import Machine
    from lazymmu.machine.operations import Operation

__all__ = ["machines", "signatures"]


class _Signatures(Mapping[str, str]):
    """Signatures by name; machines are built, newest release first, until one has the name."""

    def __init__(self) -> None:
        from lazymmu.machine.control import NEED_RESCHED, PREDICATES

        self._found = {
            f"{word} {predicate}": "entry :" for word in ("if", "while") for predicate in PREDICATES
        }
        self._found |= {f"{word} {NEED_RESCHED}": ":" for word in ("if", "while")}
        self._found |= {"repeat": "number :"}
        self._found |= dict.fromkeys(("loop", "maybe", "choose", "either"), ":")
        self._rest = machines()

    def __getitem__(self, name: str) -> str:
        while name not in self._found:
            machine = next(self._rest, None)
            if machine is None:
                raise KeyError(name)
            for operation in machine.operations.values():
                self._found.setdefault(operation.name, _signature(operation))
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        self._all()
        return iter(self._found)

    def __len__(self) -> int:
        self._all()
        return len(self._found)

    def _all(self) -> None:
        with contextlib.suppress(KeyError):
            self[""]


@functools.cache
def signatures() -> Mapping[str, str]:
    """Signature by name (see `signature`) of every operation that some machine has, and of `if`.

    A release may lack an operation of another; a scenario that uses it is not applicable there.
    """
    return _Signatures()


def machines() -> Iterator[Machine]:
    """A machine for each combination of the classes that operations come from."""
    from lazymmu.machine import Machine, MachineConfig
    from lazymmu.machine.releases import RELEASES

    seen = set()
    for release in reversed(tuple(RELEASES.values())):
        for arch, implementation in release.arches.items():
            made_of = (arch, release.mode, implementation, release.mm)
            if made_of in seen:
                continue
            seen.add(made_of)
            yield Machine(MachineConfig(arch, release.name, entries=(), tasks=()))


def _signature(operation: Operation) -> str:
    defaults = {
        name
        for name, parameter in inspect.signature(operation.make).parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }
    words = [
        ("word" if kind == "flag" else kind) + ("?" if name in defaults else "")
        for name, kind in operation.params
    ]
    if operation.many:
        words[-1] += "*"
    return " ".join(words + [":"] * operation.body)
