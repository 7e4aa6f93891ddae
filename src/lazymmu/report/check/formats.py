# SPDX-License-Identifier: GPL-2.0-or-later
"""The formats of `check` and `sections`, each by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.report.common import table
from lazymmu.report.tools import render as tools

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from lazymmu.verbs.lineage import Key
    from lazymmu.verbs.selection import CheckOutcome
    from lazymmu.witness.finding import CheckResult, Sections

__all__ = ["of_check", "of_comparison", "of_sections"]


def of_check(
    outcomes: Sequence[CheckOutcome],
    *,
    asked: Collection[str] = (),
    allow_loss: bool = False,
    verbose: bool = False,
) -> Callable[[str, int | None], str]:
    """A renderer of checks: takes the format and the terminal's columns.

    :param asked: rules named by the user, whose information is shown.
    :param allow_loss: what was lost leaves a check clean.
    :param verbose: all that there is to say, where a format leaves out what most can do without.
    """

    def render(name: str, columns: int | None) -> str:
        match name:
            case "json":
                from lazymmu.report.check import json

                return json.render(outcomes)
            case "html":
                from lazymmu.report.check import html

                return html.render(outcomes, asked=asked)
            case "sarif":
                from lazymmu.contract.rules import RULES
                from lazymmu.report.check import sarif

                return sarif.render(outcomes, rules=RULES, asked=asked)
            case "mail":
                from lazymmu.report.check import mail

                return mail.render(outcomes, asked=asked)
            case "text":
                from lazymmu.report.check import text

                return text.render(outcomes, asked=asked, columns=columns, verbose=verbose)
        from lazymmu.report.check.tools import report

        return tools.render(name, report(outcomes, asked=asked, allow_loss=allow_loss))

    return render


def of_comparison(
    outcomes: Sequence[CheckOutcome],
    *,
    asked: Collection[str] = (),
    whole: Sequence[CheckResult] = (),
    former: Mapping[Key, Key] | None = None,
) -> Callable[[str, int | None], str]:
    """A renderer of the table finding by release; arguments are those of `compare`."""
    from lazymmu.report.check import compare, json

    comparison = compare.compare(outcomes, asked=asked, whole=whole, former=former)

    def render(name: str, columns: int | None) -> str:
        match name:
            case "json":
                return json.render_comparison(comparison)
            case "html":
                from lazymmu.report.check import compare_page

                return compare_page.render(comparison)
            case "text":
                return table.plain(compare.table(comparison), columns)
        return tools.render_table(name, *compare.cells(comparison))

    return render


def of_sections(
    trees: Sequence[tuple[str, Sections]],
) -> Callable[[str, int | None], str]:
    """A renderer of the sections of trees."""
    from lazymmu.report.check import json, sections

    def render(name: str, columns: int | None) -> str:
        match name:
            case "json":
                return json.render_sections(trees)
            case "text":
                return sections.of_trees(trees, columns)
        rows = [(tree, *sections.values(row)) for tree, found in trees for row in found.rows]
        return tools.render_table(name, ("tree", *sections.HEADS), rows)

    return render
