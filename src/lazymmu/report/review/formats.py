# SPDX-License-Identifier: GPL-2.0-or-later
"""The formats of `review`, each by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from lazymmu.verbs.review.review import ReviewAnswer

__all__ = ["of_review"]


def of_review(answer: ReviewAnswer) -> Callable[[str, int | None], str]:
    """A renderer of a review: takes the format and the terminal's columns."""

    def render(name: str, columns: int | None) -> str:
        match name:
            case "json":
                from lazymmu.report.review import json

                return json.render(answer)
            case "html":
                from lazymmu.report.review import html

                return html.render(answer)
            case "sarif":
                from lazymmu.report.review import sarif

                return sarif.render(answer)
            case "mail":
                from lazymmu.report.review import mail

                return mail.render(answer)
        from lazymmu.report.review import text

        return text.render(answer, columns)

    return render
