# SPDX-License-Identifier: GPL-2.0-or-later
"""The signatures of everything that machines can do, asked of the machines themselves."""

from __future__ import annotations

import functools
import inspect
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lazymmu.machine.operations import Operation

__all__ = ["signatures"]


@functools.cache
def signatures() -> Mapping[str, str]:
    """Signature by name (see `signature`) of every operation that some machine has, and of `if`.

    A release may lack an operation of another; a scenario that uses it is not applicable there.
    """
    from lazymmu.machine import Config, Machine
    from lazymmu.machine.operations import PREDICATES
    from lazymmu.machine.releases import RELEASES

    found = {f"if {predicate}": "entry :" for predicate in PREDICATES}
    seen = set()
    for release in reversed(tuple(RELEASES.values())):
        for arch, implementation in release.arches.items():
            # Operations are those of the classes that a machine is put together from.
            if (release.mode, implementation) in seen:
                continue
            seen.add((release.mode, implementation))
            machine = Machine(Config(arch, release.name, entries=(), tasks=()))
            for operation in machine.operations.values():
                found.setdefault(operation.name, _signature(operation))
    return MappingProxyType(found)


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
