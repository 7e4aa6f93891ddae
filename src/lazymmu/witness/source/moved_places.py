# SPDX-License-Identifier: GPL-2.0-or-later
"""Places in files whose definitions stand on other lines than when the places were noted."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace
from operator import itemgetter

from lazymmu.witness.finding import Lost, PathEvent, SectionRow, Step
from lazymmu.witness.source.findings import Report

__all__ = ["MovedPlaces", "SeenPlaces"]

_Span = tuple[int, int, int]
"""The first and last line of a definition, and how far it has moved."""


class MovedPlaces:
    """Moves the lines of findings along with the definitions that they stand in."""

    def __init__(self) -> None:
        """Start with no file in which anything has moved."""
        self._spans: dict[str, list[_Span]] = {}

    def add(
        self, file: str, then: Sequence[tuple[str, int, int]], now: Sequence[tuple[str, int, int]]
    ) -> None:
        """Take the definitions of a file: names, first and last lines, then and now.

        :raises ValueError: they are not the same.
        """
        spans: list[_Span] = []
        for (name, first, last), (other, begins, ends) in zip(then, now, strict=True):
            if name != other or ends - begins != last - first:
                raise ValueError("other definitions")
            spans.append((first, last, begins - first))
        self._spans[file] = sorted(spans)

    def line(self, file: str, line: int) -> int:
        """Return where a line of a file is now.

        :raises LookupError: it stands in no definition that is known.
        """
        spans = self._spans.get(file)
        if spans is None or line == 0:
            return line
        found = {
            moved
            for first, last, moved in spans[: bisect_right(spans, line, key=itemgetter(0))]
            if first <= line <= last
        }
        if len(found) != 1:
            raise LookupError(f"{file}:{line}")
        return line + found.pop()

    def step(self, step: Step) -> Step:
        """Return a step of a path where it is now."""
        return replace(step, line=self.line(step.file, step.line))

    def event(self, event: PathEvent) -> PathEvent:
        """Return something that happens on a path, where it is now.

        :raises LookupError: with the reason.
        """
        return replace(event, line=self.line(event.file, event.line)) if event.file else event

    def lost(self, items: Iterable[Lost]) -> tuple[Lost, ...]:
        """Return losses where they are now."""
        return tuple(replace(item, line=self.line(item.file, item.line)) for item in items)

    def row(self, row: SectionRow) -> SectionRow:
        """Return a section where it is now."""
        actions = tuple((self.line(row.file, line), action) for line, action in row.actions)
        return replace(row, line=self.line(row.file, row.line), actions=actions)

    def report(self, report: Report) -> Report:
        """Return a report with all its places where they are now."""
        cause = report.cause
        if cause is not None:
            rule, file, line, column = cause
            cause = (rule, file, self.line(file, line), column)
        return replace(
            report,
            step=self.step(report.step),
            path=tuple(map(self.step, report.path)),
            section=None if report.section is None else self.step(report.section),
            cause=cause,
            events=tuple(map(self.event, report.events)),
        )


class SeenPlaces(MovedPlaces):
    """Moves nothing, and remembers the places that it was asked for."""

    def __init__(self) -> None:
        """Start with no place."""
        super().__init__()
        self.found: set[tuple[str, int]] = set()

    def line(self, file: str, line: int) -> int:
        """Return a line as it is."""
        if file and line:
            self.found.add((file, line))
        return line
