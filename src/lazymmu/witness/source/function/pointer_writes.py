# SPDX-License-Identifier: GPL-2.0-or-later
"""What of a function's pointers to entries one is given, and what a call may give to them."""

from __future__ import annotations

from collections.abc import Iterator

from lazymmu.kernelc.ir.expr import Deref, Expr, Index, Name, Other
from lazymmu.kernelc.ir.nodes import calls_in, spell, strip_casts, uses
from lazymmu.witness.source.function.frame import Frame
from lazymmu.witness.source.function.pointer_copies import CopyList, offset_from

__all__ = ["handed_over", "near"]


def near(frame: Frame, value: Expr) -> str:
    """What a pointer is that leads on from another by own variables; "" for any other value."""
    source = offset_from(value)
    own = source is not None and uses(source) <= frame.graph.types.keys() | set(frame.graph.params)
    return spell(source) if source is not None and own else ""


def handed_over(frame: Frame, expr: Expr, copies: CopyList) -> Iterator[tuple[Expr, None]]:
    """What a call may write that is handed a pointer to an entry's pointer, or an array of them."""
    for call in calls_in(expr) if copies else ():
        for arg in map(strip_casts, call.args):
            if not isinstance(arg, Name):
                continue
            if any(copy.variable.startswith(f"{arg.spelling}[") for copy in copies):
                yield Index(arg, Other()), None
            if frame.entry_level(Deref(arg)):
                yield Deref(arg), None
