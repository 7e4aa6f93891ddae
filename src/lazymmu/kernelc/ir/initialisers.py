# SPDX-License-Identifier: GPL-2.0-or-later
"""Initialisers with designators, as assignments to members: `{ .gfp = GFP_NOWAIT }`.

What stands without a designator of a member, and that all else becomes 0, is not kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lazymmu.kernelc.ir.expr import Assign, Expr, Field, Other
from lazymmu.kernelc.ir.syntax import TsNode, source_text

if TYPE_CHECKING:
    from lazymmu.kernelc.ir.expression_lowering import Lowering

__all__ = ["has_designators", "members", "named_members"]

Lower = Callable[["Lowering", TsNode], Expr]
"""Lowers one expression."""


def has_designators(ts: TsNode) -> bool:
    """Whether an initialiser in braces names a member."""
    return ts.type == "initializer_list" and any(_designated(child) for child in ts.named_children)


def named_members(ts: TsNode | None) -> TsNode | None:
    """The values of a compound literal that names members: `(struct s){ .a = b }`."""
    if ts is None or ts.type != "compound_literal_expression":
        return None
    values = ts.child_by_field_name("value")
    return values if values is not None and has_designators(values) else None


def members(low: Lowering, target: Expr, ts: TsNode, place: TsNode, lower: Lower) -> None:
    """Lower the initialiser of ``target``: the values without a name, then one member each."""
    rest = [child for child in ts.named_children if child.type != "comment"]
    named = [child for child in rest if _designated(child)]
    others = tuple(lower(low, child) for child in rest if child not in named)
    low.effect(Assign("=", target, Other(others)), place)
    for child in named:
        member = target
        for part in child.children_by_field_name("designator"):
            member = Field(member, source_text(part).lstrip("."))
        value = child.child_by_field_name("value")
        if value is not None and has_designators(value):
            members(low, member, value, place, lower)
        elif value is not None:
            low.effect(Assign("=", member, lower(low, value)), child)


def _designated(ts: TsNode) -> bool:
    """Whether a value in braces is that of members only: `.a.b = c`."""
    parts = ts.children_by_field_name("designator") if ts.type == "initializer_pair" else []
    return bool(parts) and all(part.type == "field_designator" for part in parts)
