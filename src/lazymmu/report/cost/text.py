# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts for people: a table, and below it where sections are a loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.costs.counts import Scope
from lazymmu.report.common.table import folded, plain
from lazymmu.report.common.words import clean
from lazymmu.report.cost import recordings
from lazymmu.report.cost.losses import sentences
from lazymmu.report.trace.stats import duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lazymmu.costs.calibration import Calibration
    from lazymmu.costs.counts import Counts
    from lazymmu.verbs.cost import CostAnswer
    from lazymmu.verbs.cost_rows import CostRow

__all__ = ["notes", "render", "tables"]

_TITLES: Final = {Scope.TABLE: "sections of a table", Scope.RANGE: "one around all"}
_WORDS: Final = {
    "hypercalls": ("hypercall", "hypercalls"),
    "barriers": ("barrier", "barriers"),
    "invalidations": ("invalidation", "invalidations"),
}
_OFF: Final = "off N: preemption is off for N writes in one go, by the mode or by a lock"


def render(answer: CostAnswer, width: int | None = None) -> str:
    """The table; width: columns to fold it to, None for as many as it takes."""
    if answer.recordings:
        return recordings.render(answer, width)
    parts = [
        f"{clean(name)}\n\n{_table(titles, rows, width)}" for name, titles, rows in tables(answer)
    ]
    said = notes(answer)
    if width is not None:
        said = [piece for line in said for piece in folded(line, width)]
    return "\n".join(parts) + "".join(f"{line}\n" for line in ["", *said] if said)


def notes(answer: CostAnswer) -> list[str]:
    """What is to be known of the table, and where sections are a loss."""
    pinned = any(counts.pinned for row in answer.rows for counts in row.counts.values())
    said = [_OFF] if pinned else []
    times = answer.times
    if times is not None:
        said.extend(_of_times(times, answer))
    return [clean(line) for line in (*said, *sentences(answer.rows))]


def _of_times(times: Calibration, answer: CostAnswer) -> Iterator[str]:
    """Where the times come from, and what has none."""
    counts = [one for row in answer.rows if row.arch == times.arch for one in row.counts.values()]
    if not counts:
        yield f"no times: the calibration is of {times.arch}"
        return
    if any(one.slow and times.nanoseconds(times.arch, one) for one in counts):
        yield f"times: as measured on {times.arch}, Linux {times.kernel}"
    for one in times.lacking(counts):
        yield f"no time of any {one}"


def tables(
    answer: CostAnswer,
) -> Iterator[tuple[str, list[str], list[tuple[CostRow, list[str]]]]]:
    """Of each operation its name, the titles of its table, and each row with its cells."""
    for operation in dict.fromkeys(row.operation for row in answer.rows):
        rows = [row for row in answer.rows if row.operation == operation]
        scopes = [scope for scope in _TITLES if any(scope in row.counts for row in rows)]
        against = any(row.against is not None for row in rows)
        titles = ["on", "maps", "entries", "no section", *(_TITLES[scope] for scope in scopes)]
        titles += [f"in {answer.request.against}"] if against else []
        titles += ["kept"] if len(scopes) == len(_TITLES) else []
        told = [(row, list(_cells(answer, row, scopes, against=against))) for row in rows]
        name = operation if answer.request.scenarios else f"{operation}()"
        yield name, titles, told


def _table(
    titles: Sequence[str], rows: Sequence[tuple[CostRow, Sequence[str]]], width: int | None
) -> str:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="")
    for title in titles:
        last = title == "kept"
        table.add_column(
            clean(title),
            overflow="ellipsis" if last else "fold",
            justify="right" if last else "left",
        )
    for _, cells in rows:
        table.add_row(*map(clean, cells))
    return plain(table, width)


def _cells(
    answer: CostAnswer, row: CostRow, scopes: list[Scope], *, against: bool
) -> Iterator[str]:
    yield f"{row.arch} {row.release}"
    yield row.space
    several = f" in {row.tables} tables" if row.tables > 1 else ""
    yield f"{row.entries}{several}"
    for scope in (Scope.NONE, *scopes):
        yield _said(answer, row.arch, row.counts[scope])
    if against:
        yield "" if row.against is None else _said(answer, row.arch, row.against)
    if len(scopes) == len(_TITLES):
        yield "-" if row.kept is None else f"{100 * row.kept:.1f} %"


def _said(answer: CostAnswer, arch: str, counts: Counts) -> str:
    """What is slow, how long it takes where that was measured, and preemption off."""
    parts = []
    for name, words in _WORDS.items():
        number = getattr(counts, name)
        if number:
            parts.append(f"{number} {words[number != 1]}")
    if counts.multicall_entries > counts.hypercalls:
        parts.append(f"{counts.multicall_entries} in multicalls")
    took = None if answer.times is None else answer.times.nanoseconds(arch, counts)
    if took is not None and counts.slow:
        median, low, high = took
        parts.append(f"{duration(median)} ({duration(low)} to {duration(high)})")
    if counts.pinned:
        parts.append(f"off {counts.pinned}")
    return ", ".join(parts) or "nothing"
