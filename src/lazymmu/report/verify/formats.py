# SPDX-License-Identifier: GPL-2.0-or-later
"""The formats of `verify` and `litmus` that programs read, each by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.report.tools import render as tools

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lazymmu.litmus.judge import Judgement
    from lazymmu.litmus.run import Run
    from lazymmu.verbs.lifting import LiftedTree
    from lazymmu.witness.machine.verdict import Verdict

__all__ = ["of_runs"]


def of_runs(
    done: Sequence[tuple[Run, Verdict]],
    judged: Sequence[Judgement],
    text: Callable[[int | None], str],
    lifted: Sequence[LiftedTree] = (),
    verb: str = "verify",
) -> Callable[[str, int | None], str]:
    """A renderer of runs: takes the format and the terminal's columns.

    :param judged: each run's verdict beside what its scenario expects.
    :param text: makes what people read, which is another for each verb, as wide as the terminal.
    :param lifted: what was lifted from a tree for these runs.
    :param verb: which verb asks.
    """

    def render(name: str, columns: int | None) -> str:
        from lazymmu.report.verify import json
        from lazymmu.report.verify import tools as runs

        match name:
            case "json":
                return json.of_runs(done, judged, lifted)
            case "html":
                from lazymmu.report.verify import html

                return html.render(done, judged, lifted, verb=verb)
            case "text":
                return text(columns)
            case "csv":
                return tools.render_table(name, runs.COLUMNS, runs.rows(judged))
        return tools.render(name, runs.report(judged))

    return render
