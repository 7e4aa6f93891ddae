# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a switch goes, as far as its value and those of its cases are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.kernelc.ir.abstract_value import Evaluator, Value, integer

if TYPE_CHECKING:
    from collections.abc import Callable

    from lazymmu.kernelc.ir.nodes import Node

__all__ = ["switched"]


def switched(node: Node, evaluator: Evaluator) -> list[int]:
    """Return the nodes that a SWITCH node may go to.

    :param evaluator: knows the value that is asked, and the names that cases are given by.
    """
    value = integer(evaluator.value(node.expr)) if node.expr is not None else None
    if value is None:
        return node.succ
    cases = [_known(case, evaluator.lookup) for case in node.cases]
    fits = value if value in cases else None
    return [succ for case, succ in zip(cases, node.succ, strict=True) if case == fits]


def _known(case: int | str | None, lookup: Callable[[str], Value]) -> int | None:
    return integer(lookup(case)) if isinstance(case, str) else case
