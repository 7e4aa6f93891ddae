# SPDX-License-Identifier: GPL-2.0-or-later
"""A page of sentences and tables, for results that are nothing but those."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lazymmu.report.page import page

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["PageGrid", "render"]


@dataclass(frozen=True, slots=True)
class PageGrid:
    """A table of a page.

    :param caption: what it shows.
    :param heads: of its columns, and ``rows`` its cells, the first of each its name.
    :param numbers: whether all other cells are numbers, which stand at the right.
    """

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: bool = False


def render(
    verb: str,
    names: Sequence[str],
    sentences: Sequence[str],
    tables: Sequence[PageGrid],
    whole: Mapping[str, Any],
) -> str:
    """One page; it carries ``whole``, what ``--format json`` prints, if that is not too long.

    :param verb: whose answer it is.
    :param names: what was asked about.
    :param sentences: what stands before the tables, without full stops.
    """
    carried = {verb: whole} if len(page.carried(whole)) < page.LARGE // 2 else {}
    return page.render(
        "tables.html",
        title=f"{', '.join(names)}: lazymmu {verb}",
        verb=verb,
        styles=("cost.css",),
        data=carried,
        names=names,
        sentences=sentences,
        tables=[one for one in tables if one.rows],
        carried=bool(carried),
    )
