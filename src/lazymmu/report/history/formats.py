# SPDX-License-Identifier: GPL-2.0-or-later
"""The formats of `history`, each by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.report.history import details, json, matrix
from lazymmu.report.tools import render as tools

if TYPE_CHECKING:
    from collections.abc import Callable

    from lazymmu.verbs.history import HistoryAnswer

__all__ = ["of_history"]


def of_history(answer: HistoryAnswer, *, whole: bool = False) -> Callable[[str, int | None], str]:
    """A renderer of an answer: takes the format and the terminal's columns.

    :param whole: text says all that there is of each problem, instead of the matrix.
    """

    def render(name: str, columns: int | None) -> str:
        match name:
            case "json":
                return json.render(answer)
            case "html":
                # Its library is loaded for pages alone.
                from lazymmu.report.history import html

                return html.render(answer)
            case "text" if answer.backport is not None:
                return details.render_backport(answer.backport, columns)
            case "text":
                if whole:
                    return details.render(answer, columns)
                return matrix.render(answer, columns)
        return tools.render_table(name, matrix.heads(answer), matrix.rows(answer))

    return render
