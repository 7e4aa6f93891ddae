# SPDX-License-Identifier: GPL-2.0-or-later
"""What a check saw of the places that name the mode, and what it lost, in sentences."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from lazymmu.report.common.words import clean, count
from lazymmu.witness.finding import Standing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lazymmu.verbs.selection import CheckOutcome
    from lazymmu.witness.finding import Coverage, Lost

__all__ = ["losses", "lost", "places", "standings"]

_LISTED = 10
"""How many losses are named one by one."""

_TOLD = (
    ("code that was walked", (Standing.WALKED,)),
    ("implementations", (Standing.IMPLEMENTS,)),
    ("code that only asks", (Standing.READ,)),
    ("other names", (Standing.NAME,)),
    (
        "declarations and comments",
        (
            Standing.DECLARATION,
            Standing.DIRECTIVE,
            Standing.EXPORT,
            Standing.STRING,
            Standing.COMMENT,
        ),
    ),
    ("architectures not looked at", (Standing.ELSEWHERE,)),
)


def standings(coverage: Coverage) -> dict[str, int]:
    """How many lines of the tree name the mode, by what became of them; they sum to all.

    A line that names it twice counts once: as lost if one of them is, else as what more happens at.
    """
    order = [Standing.LOST, *(standing for standing in Standing if standing is not Standing.LOST)]
    rank = {standing: at for at, standing in enumerate(order)}
    lines: dict[tuple[str, int], Standing] = {}
    for place in coverage.places:
        key = (place.file, place.line)
        lines[key] = min(lines.get(key, place.standing), place.standing, key=rank.__getitem__)
    found = Counter(lines.values())
    return {standing.value: found[standing] for standing in Standing if found[standing]}


def places(coverage: Coverage) -> str:
    """One sentence, or nothing where nothing names the mode."""
    found = standings(coverage)
    if not found:
        return ""
    told = [
        f"{number} in {what}"
        for what, group in _TOLD
        if (number := sum(found.get(standing.value, 0) for standing in group))
    ]
    if lost := found.get(Standing.LOST.value, 0):
        told.append(f"{lost} not seen")
    return f"{count(sum(found.values()), 'line')} name the mode: {', '.join(told)}"


def lost(outcome: CheckOutcome) -> Iterator[str]:
    """What was lost of a check that could hide a finding: links out of the tree first, in one."""
    if out := outcome.links_out:
        which = "file is a link that leads" if out == 1 else "files are links that lead"
        yield f"{outcome.result.tree.path}: {out} {which} out of the tree, and not read"
    yield from losses(outcome.blind)


def losses(blind: Sequence[Lost]) -> Iterator[str]:
    """A sentence for each loss that counts, as many as one reads; then how many more there are.

    Several of one function, for one reason, are one sentence with the first line.
    """
    first = {lost.key: lost for lost in reversed(blind)}
    told = [lost for lost in blind if first.get(lost.key) is lost]
    for lost in told[:_LISTED]:
        where = f"{lost.file}:{lost.line}" if lost.line else lost.file
        name = f" {lost.name}()" if lost.name and lost.line else ""
        yield clean(f"{where}:{name} not seen: {lost.reason}")
    if len(told) > _LISTED:
        yield f"and {len(told) - _LISTED} more that were not seen; --format json lists them"
