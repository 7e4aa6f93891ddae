# SPDX-License-Identifier: GPL-2.0-or-later
"""Two recordings side by side as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.report.page import grids
from lazymmu.report.page.grids import PageGrid
from lazymmu.report.trace import compare

if TYPE_CHECKING:
    from lazymmu.report.trace.compare import Pair

__all__ = ["render"]


def render(first: Pair, second: Pair) -> str:
    """What differs most in sentences, then everything, then the call sites of both."""
    names = [pair[0].name for pair in (first, second)]
    kernels = [
        f"{letter} is {pair[0].name}: {', '.join(pair[0].kernel)}"
        for letter, pair in zip("AB", (first, second), strict=True)
    ]
    told = compare.sentences(first, second) or ["The two are alike in all that they show"]
    properties = [(row.what, *row.words, row.change) for row in compare.rows(first, second)]
    sites = compare.site_rows(first[1], second[1])
    tables = [
        PageGrid("All that they show", ("property", "A", "B", "change"), properties, numbers=True),
        PageGrid("Call sites of both", compare.SITE_HEADS, sites, numbers=True),
    ]
    whole = compare.object_of(first, second)
    return grids.render("trace", names, [*kernels, *told], tables, whole)
