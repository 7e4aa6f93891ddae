# SPDX-License-Identifier: GPL-2.0-or-later
"""What local variables of a function are that its declarations do not say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.kernelc.ir.expr import Address, Assign, Expr, IncDec, Name
from lazymmu.kernelc.ir.nodes import walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.kernelc.ir.nodes import Function

__all__ = ["arrays", "is_guard"]


def is_guard(name: str) -> bool:
    """Whether a variable is that of a guard, which no source spells (`kernelc.ir.guards`)."""
    return name.startswith("$")


def arrays(function: Function) -> Iterator[str]:
    """Local variables that are arrays: spelled as pointers, and nothing ever makes them point."""
    local = {
        name
        for name, spelled in function.types.items()
        if name not in function.params and spelled.endswith("*")
    }
    for node in function.nodes if local else ():
        for one in walk(node.expr) if node.expr is not None else ():
            changed: Expr | None = None
            match one:
                case Assign() | IncDec():
                    changed = one.target
                case Address():
                    changed = one.operand
            if isinstance(changed, Name):
                local.discard(changed.spelling)
    yield from local
