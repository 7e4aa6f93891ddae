# SPDX-License-Identifier: GPL-2.0-or-later
"""What is kept of one architecture's result, and the result that is made of it again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lazymmu.witness.finding import Lost, SectionRow, Standing
from lazymmu.witness.source.arch_result import ArchResult
from lazymmu.witness.source.findings import Report
from lazymmu.witness.source.mode_places import Judged, included
from lazymmu.witness.source.other_names import joined
from lazymmu.witness.source.prefilter import MODE_WORD, Prefilter

if TYPE_CHECKING:
    from lazymmu.kernelc.configured_tree import ConfiguredTree
    from lazymmu.witness.source.moved_places import MovedPlaces

__all__ = ["KeptResult", "kept_result", "restored_result"]


@dataclass(frozen=True, slots=True)
class KeptResult:
    """What is kept of a result: all of it, with places in texts by their number."""

    arch: str
    directory: str
    reports: tuple[Report, ...]
    rows: tuple[SectionRow, ...]
    sections: tuple[tuple[str, int], ...]
    words: tuple[str, ...]
    enter: tuple[str, ...]
    parsed: int
    unparsed: tuple[Lost, ...]
    unresolved: tuple[Lost, ...]
    blind: tuple[Lost, ...]
    unbuilt: tuple[tuple[str, str], ...]
    unlisted: tuple[tuple[str, str], ...]
    api: tuple[tuple[str, int], ...]
    """Words of `Prefilter.others` that are the API's: the file, and which of its words."""
    verdicts: tuple[tuple[str, int, Standing, str, int], ...]
    """File, which of its words, and what became of it."""


def kept_result(result: ArchResult, marks: Prefilter) -> KeptResult:
    """Return what is kept of a result.

    :param marks: the words of the tree that name the mode.
    """
    found = joined(marks.places, result.included)
    numbers = {(f, item.start): n for f, items in found.items() for n, item in enumerate(items)}
    api = (
        (file, number)
        for file, items in marks.others.items()
        for number, item in enumerate(items)
        if item in result.included.get(file, ())
    )
    return KeptResult(
        arch=result.arch,
        directory=result.directory,
        reports=result.reports,
        rows=result.rows,
        sections=result.sections,
        words=tuple(sorted(result.words)),
        enter=tuple(sorted(result.enter)),
        parsed=result.parsed,
        unparsed=result.unparsed,
        unresolved=result.unresolved,
        blind=result.blind,
        unbuilt=result.unbuilt,
        unlisted=result.unlisted,
        api=tuple(api),
        verdicts=tuple(
            (place[0], numbers[place], judged.standing, judged.reason, judged.distance)
            for place, judged in result.verdicts.items()
        ),
    )


def restored_result(
    kept: KeptResult, marks: Prefilter, view: ConfiguredTree, moved: MovedPlaces
) -> ArchResult:
    """Return the result that was kept, with every line where it is now.

    :param marks: the words of the tree that name the mode.
    :raises LookupError: a line is gone.
    """
    others: dict[str, tuple[int, ...]] = {}
    for file, number in kept.api:
        others[file] = (*others.get(file, ()), number)
    api = {
        file: tuple(marks.others[file][number] for number in found)
        for file, found in others.items()
    }
    bodies = joined(included(view, MODE_WORD), api)
    found = joined(marks.places, bodies)
    return ArchResult(
        arch=kept.arch,
        directory=kept.directory,
        reports=tuple(map(moved.report, kept.reports)),
        rows=tuple(map(moved.row, kept.rows)),
        sections=tuple(sorted((f, moved.line(f, line)) for f, line in kept.sections)),
        words=frozenset(kept.words),
        enter=frozenset(kept.enter),
        parsed=kept.parsed,
        unparsed=moved.lost(kept.unparsed),
        unresolved=moved.lost(kept.unresolved),
        verdicts={
            (file, found[file][number].start): Judged(standing, reason, distance)
            for file, number, standing, reason, distance in kept.verdicts
        },
        included=bodies,
        blind=moved.lost(kept.blind),
        unbuilt=kept.unbuilt,
        unlisted=kept.unlisted,
    )
