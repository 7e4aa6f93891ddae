# SPDX-License-Identifier: GPL-2.0-or-later
"""A counterexample as plain text for a mail: a column for each CPU, and what changed beside them.

What its cells say is in `told_steps`.
"""

from __future__ import annotations

import itertools
import textwrap
from typing import TYPE_CHECKING

from lazymmu.contract.rules import RULES
from lazymmu.report.common.words import clean, count
from lazymmu.report.verify.json import place, shortest
from lazymmu.report.verify.told_steps import same_ways, told_scenarios
from lazymmu.witness.machine.verdict import PSEUDO

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lazymmu.contract.rules.rule import Rule
    from lazymmu.litmus.run import Run
    from lazymmu.report.verify.told_steps import Cells, Told, ToldWay
    from lazymmu.witness.machine.verdict import Verdict

__all__ = ["WIDTH", "of_runs", "render"]

WIDTH = 100
"""Columns at most."""

_GAP = 2
_LEAST = 26
"""Columns that what changed has at least."""


def of_runs(done: Sequence[tuple[Run, Verdict]], width: int | None = None) -> list[str]:
    """The first counterexample of each run that has one; equal ones are one text.

    :param width: columns of the terminal, None for a pipe or file.
    """
    scenarios = told_scenarios(run for run, _ in done)
    return render([verdict for _, verdict in done], scenarios, RULES, width)


def render(
    verdicts: Sequence[Verdict],
    scenarios: Mapping[str, Told],
    rules: Mapping[str, Rule],
    width: int | None = None,
) -> list[str]:
    """The first violation of each verdict that has one, with its steps, as texts.

    Implementations of one scenario that go the same way are one text.

    :param scenarios: by name.
    :param rules: `contract.rules.RULES`.
    :param width: columns of the terminal.
    """
    width = min(width or WIDTH, WIDTH)
    return [
        "".join(
            f"{line}\n"
            for line in (
                *_head(group, scenarios.get(group[0].scenario), rules, width),
                *_way(way, width),
            )
        )
        for group, way in same_ways(verdicts, scenarios)
    ]


def _head(
    group: Sequence[Verdict], told: Told | None, rules: Mapping[str, Rule], width: int
) -> Iterator[str]:
    """What a way means, before its steps."""
    verdict = group[0]
    broken = verdict.violations[0]
    yield from _wrapped(f"{verdict.scenario}: violated on {', '.join(map(place, group))}", width)
    yield ""
    if told is not None and told.sentence:
        yield from _wrapped(told.sentence, width, "  ")
        yield ""
    says = rules[broken.rule].sentence if broken.rule in rules else PSEUDO.get(broken.rule, "")
    yield from _wrapped(f"It breaks the rule {broken.rule}: {says or 'no sentence'}", width, "  ")
    for harm in dict.fromkeys(one.violations[0].harm for one in group):
        if harm and harm != says:
            yield from _wrapped(f"Harm: {harm}", width, "  ")
    sizes = ", ".join(dict.fromkeys(count(one.states, "state") for one in group if one.states))
    yield from _wrapped(
        f"Shortest way: {shortest(broken)}{f'; {sizes} searched' if sizes else ''}.", width, "  "
    )
    others = dict.fromkeys(broken.rule for one in group for broken in one.violations[1:])
    if others:
        yield from _wrapped(f"Also broken: {', '.join(others)}.", width, "  ")


def _way(way: ToldWay, width: int) -> Iterator[str]:
    """The steps, and what they cite."""
    if not way.rows:
        return
    yield ""
    yield from _table(way.heads, way.rows, width)
    if way.left_out:
        last = "".join(way.rows[-1][0])
        more = count(way.left_out, "step")
        yield f"{' ' * len(last)}  ... and {more} more, until all tasks have ended."
    if way.again:
        last = "".join(way.rows[-1][0])
        yield f"{' ' * len(last)}  ... and from step {way.again} on again, for ever."
    if way.sources:
        yield ""
    for number, source in enumerate(way.sources, 1):
        yield from _wrapped(f"[{number}] {source}", width, "  ")


def _table(heads: Sequence[str], rows: Sequence[Cells], width: int) -> Iterator[str]:
    widths = _widths([heads, *([" ".join(cell) for cell in row] for row in rows)], rows, width)
    if any(_longest(cell) > room for row in rows for cell, room in zip(row, widths, strict=True)):
        yield from _list(heads, rows, width)
        return
    yield _joined(heads, widths)
    yield _joined(["-" * width for width in widths], widths)
    for row in rows:
        cells = [_folded(cell, room) for cell, room in zip(row, widths, strict=True)]
        for parts in itertools.zip_longest(*cells, fillvalue=""):
            yield _joined(parts, widths)


def _longest(cell: Sequence[str]) -> int:
    """Columns that a cell needs so that no word of it is broken, with the indent before it."""
    least = 0
    for line in map(clean, cell):
        indent = len(line) - len(line.lstrip())
        for at, word in enumerate(line.split()):
            least = max(least, indent + (2 if at else 0) + len(word))
    return least


def _list(heads: Sequence[str], rows: Sequence[Cells], width: int) -> Iterator[str]:
    """The same where columns do not fit beside each other: one below the other, step by step."""
    for (number, *cells), following in itertools.zip_longest(rows, rows[1:]):
        label = "".join(number)
        for head, cell in zip(heads[1:], cells, strict=True):
            if cell:
                yield f"{label:<3}{head}"
                label = ""
                yield from (f"     {line}" for line in _folded(cell, width - 5))
        if following:
            yield ""


def _widths(rows: Sequence[Sequence[str]], cells: Sequence[Cells], width: int) -> list[int]:
    """Columns for each cell: CPUs as wide as they need to be, and what changed has the rest."""
    heads = rows[0]
    natural = [
        max(len(head), *(len(line) for row in cells for line in row[at]), 1)
        if any(row[at] for row in cells)
        else len(head)
        for at, head in enumerate(heads)
    ]
    number, *cpus, changed = natural
    gaps = _GAP * (len(natural) - 1)
    room = width - number - gaps - min(changed, _LEAST)
    while sum(cpus) > max(room, len(cpus)):
        cpus[cpus.index(max(cpus))] -= 1
    return [number, *cpus, max(min(changed, width - number - gaps - sum(cpus)), 1)]


def _folded(lines: Sequence[str], width: int) -> list[str]:
    folded = []
    for line in lines:
        line = clean(line)
        indent = " " * min(len(line) - len(line.lstrip()), width // 2)
        folded += textwrap.wrap(
            line.strip(),
            width,
            initial_indent=indent,
            subsequent_indent=indent + "  ",
            break_on_hyphens=False,
        )
    return folded


def _joined(parts: Sequence[str], widths: Sequence[int]) -> str:
    cells = (part.ljust(width) for part, width in zip(parts, widths, strict=True))
    return (" " * _GAP).join(cells).rstrip()


def _wrapped(text: str, width: int, indent: str = "") -> list[str]:
    return textwrap.wrap(
        clean(text),
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )
