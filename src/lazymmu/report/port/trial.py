# SPDX-License-Identifier: GPL-2.0-or-later
"""What `port try` says: the callers' mistakes first, then the implementation's own."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING

from lazymmu.contract.rules import RULES
from lazymmu.contract.rules.rule import Party
from lazymmu.report.common.words import clean, count
from lazymmu.report.verify import counterexample
from lazymmu.report.verify.json import shortest
from lazymmu.verbs.port_try import OWN_RULES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.verbs.port_try import PortTrial

__all__ = ["render", "show"]


def render(trial: PortTrial, file: str, width: int) -> str:
    """Both parts; file: of the implementation, as it was named."""
    own = list(_own(trial, file, width))
    return "".join(f"{line}\n" for line in (*_callers(trial, width), "", *own))


def _callers(trial: PortTrial, width: int) -> Iterator[str]:
    """Of each obligation of callers: in how many scenarios it is broken, and whom it hurts."""
    whole = trial.mistakes()
    told = [f"yours by {whole[trial.arches[0]][1]} of {whole[trial.arches[0]][0]}"]
    told += [f"{arch} by {whole[arch][1]} of {whole[arch][0]}" for arch in trial.arches[1:]]
    yield from _folded(
        f"Callers' mistakes, which are none of yours. They hurt {', '.join(told)} scenarios.", width
    )
    rows = []
    for rule in RULES.values():
        counts = trial.mistakes(rule.name)
        if rule.party is Party.CALLER and any(made for made, _ in counts.values()):
            cells = [f"{hurt}/{made}" if made else "-" for made, hurt in counts.values()]
            rows.append((rule.name, *cells))
    heads = ("hurt/scenarios", "yours", *trial.arches[1:])
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for row in (heads, *rows):
        first, *others = row
        cells = [first.ljust(widths[0]), *map(str.rjust, others, widths[1:])]
        yield ("  " + "  ".join(cells)).rstrip()


def _own(trial: PortTrial, file: str, width: int) -> Iterator[str]:
    """Of each rule of the implementation's whether it is kept while callers obey."""
    faults = trial.faults
    kept = [name for name in OWN_RULES if name not in faults]
    yield from _folded(
        f"YOUR rules, while every caller obeys ({len(kept)} of {len(OWN_RULES)} kept in "
        f"{count(trial.made, 'scenario')}):",
        width,
    )
    if kept:
        yield from _folded(", ".join(kept), width, "  ok    ")
    for name in OWN_RULES:
        if name not in faults:
            continue
        run, _, broken = faults[name][0]
        more = len(faults[name]) - 1
        said = f"{name}: {run.scenario.name}, {shortest(broken)}"
        said += f"; and {count(more, 'scenario')} more" if more else ""
        yield from _folded(clean(said), width, "  FAIL  ")
        yield f"        lazymmu port try {clean(file)} --show {name}"


def show(trial: PortTrial, name: str) -> str:
    """The shortest way in which the implementation breaks `name`; "" if it does not."""
    if name not in trial.faults:
        return ""
    run, verdict, broken = trial.faults[name][0]
    return counterexample.of_runs([(run, replace(verdict, violations=(broken,)))])[0]


def _folded(text: str, width: int, first: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_on_hyphens=False,
        break_long_words=False,
    )
