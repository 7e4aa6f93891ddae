# SPDX-License-Identifier: GPL-2.0-or-later
"""The formats of `cost`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.report.cost import csv, json, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from lazymmu.verbs.cost import CostAnswer

__all__ = ["of_answer"]


def of_answer(answer: CostAnswer) -> Callable[[str, int | None], str]:
    """What renders an answer, by the name of a format and the width of the terminal."""

    def render(name: str, columns: int | None) -> str:
        match name:
            case "json":
                return json.render(answer)
            case "html":
                from lazymmu.report.cost import html

                return html.render(answer)
            case "csv":
                return csv.render(answer)
            case _:
                return text.render(answer, columns)

    return render
