# SPDX-License-Identifier: GPL-2.0-or-later
"""Which of several trees has which finding, as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.report.check import compare, json
from lazymmu.report.common.words import count
from lazymmu.report.page import grids
from lazymmu.report.page.grids import PageGrid

if TYPE_CHECKING:
    from lazymmu.report.check.compare import Comparison

__all__ = ["render"]

_LEGEND = (
    "A cell names the architectures that are hurt there; text: it breaks the text only; info: it "
    "informs; x2: in two places. Where it is not there, the cell says why"
)


def render(comparison: Comparison) -> str:
    """The table, with what its cells mean before it."""
    heads, rows = compare.cells(comparison)
    trees = [one.result.tree for one in comparison.outcomes]
    said = [f"{tree.path}: Linux {tree.release}" for tree in trees]
    said.append(f"{count(len(rows), 'problem')} in {count(len(trees), 'tree')}")
    if rows:
        said.append(_LEGEND)
    return grids.render(
        "check",
        [tree.release or tree.path for tree in trees],
        said,
        [PageGrid("Problems by release", heads, rows)],
        json.comparison_object(comparison),
    )
