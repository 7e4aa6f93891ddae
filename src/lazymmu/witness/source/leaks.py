# SPDX-License-Identifier: GPL-2.0-or-later
"""What belongs to one missing end: every return with the section open, and all that follows.

A section that is left open breaks more rules than one on the way to the return: the lock is
dropped in it, what may sleep is called in it, the next round of a loop begins another inside of it.
One end in the right place mends them all.  So a report is a consequence where no path goes on to
an end of the section, nor to more work on entries under the locks that it began with: the end
belongs before it.  What happens earlier in the section is a mistake of its own.

Returns to which the same such stretch of the code leads are one mistake; two branches that each
forget their own end are two.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from lazymmu.contract.events import Enable, Write
from lazymmu.contract.section import PAGE_TABLE_CLASSES, TaskState
from lazymmu.contract.vocabulary import Vocabulary
from lazymmu.kernelc.ir.expr import AnyCall
from lazymmu.kernelc.ir.nodes import calls_in
from lazymmu.witness.source.path.path_state import RawReport, ReportKey
from lazymmu.witness.source.path.recording import At, Move, Recording

Height: TypeAlias = Callable[[TaskState], int]
"""How many sections, or pauses, are open."""

_HEIGHTS: Mapping[str, Height] = {
    "unbalanced-section": lambda task: task.depth,
    "unbalanced-pause": lambda task: task.paused,
}

_LEFT = frozenset({"left-on", "left-paused"})
_NOT_BEGUN = frozenset({"not-begun", "not-paused"})

_Point: TypeAlias = tuple[At, bool]
"""A place of a path, and whether the locks under which its section began are dropped already."""


def causes(recording: Recording, returns: Iterable[RawReport], words: Vocabulary) -> Causes:
    """Which reports of a function are parts or consequences of which.

    :param recording: the function, walked by itself.
    :param returns: what is wrong with its sections and pauses.
    :returns: for each such report the one that speaks for it.
    """
    found: dict[ReportKey, ReportKey] = {}
    wrong = list(returns)
    for rule, height in _HEIGHTS.items():
        left = [r.key for r in wrong if r.violation.rule == rule and r.violation.detail in _LEFT]
        if left:
            found.update(_Leaks(recording, height, words).causes(left))
        begun = any(
            note.mark in ("begin", "pause")
            for moves in recording.moves.values()
            for move in moves
            for note in move.notes
        )
        ends = [
            r.key for r in wrong if r.violation.rule == rule and r.violation.detail in _NOT_BEGUN
        ]
        if not begun and ends:
            # Where nothing begins, one beginning is missing, however many ends there are.
            found.update(dict.fromkeys(ends, ends[0]))
    return found


Causes: TypeAlias = Mapping[ReportKey, ReportKey]
"""Reports by their rule and place, and the one that speaks for each; without a rule: for any rule
that is broken there."""


@dataclass(slots=True)
class _Leaks:
    """The stretches of one function behind a missing end."""

    recording: Recording
    height: Height
    words: Vocabulary
    moves: dict[_Point, list[tuple[Move, _Point | None]]] = field(default_factory=dict)
    back: dict[_Point, list[_Point]] = field(default_factory=dict)
    own: int = 0
    rank: dict[ReportKey, int] = field(default_factory=dict)
    """Which of several returns speaks: the one that is come to first."""

    def causes(self, left: Collection[ReportKey]) -> Causes:
        """The return that speaks for each report behind a missing end.

        :param left: the reports at returns, the nearest first.
        """
        self.rank = {key: place for place, key in enumerate(left)}
        self._points()
        ended = self._before(self._ends(), lambda _move: True)
        busy = self._before(self._works(), lambda move: not self._parts(move))
        sure = ended | busy
        lost = {p for p in self.moves if self._open(p) and p not in sure}
        spoken = self._spoken(self._stretches(lost), left)
        found: dict[ReportKey, ReportKey] = {}
        for key, places in self.recording.seen.items():
            raw = self.recording.raw_reports[key]
            points = [p for at in places for p in ((at, False), (at, True)) if p in self.moves]
            if not all(self._open(p) and self._follows(p, raw, ended, busy) for p in points):
                continue
            near = [q for p in points for q in (p, *self._next(p))]
            speaks = {spoken[p] for p in near if p in spoken}
            if speaks:
                found[key] = self._nearest(speaks)
        found.update(self._anywhere(ended, busy, spoken))
        for key, point in self._returns(lost, left):
            if point in spoken:
                found[key] = spoken[point]
        return found

    def _nearest(self, some: Iterable[ReportKey]) -> ReportKey:
        return min(some, key=lambda key: self.rank[key])

    def _anywhere(
        self, ended: set[_Point], busy: set[_Point], spoken: Mapping[_Point, ReportKey]
    ) -> Causes:
        """The same for each call, whatever rule it may break when a caller runs the function."""
        graph = self.recording.frame.graph
        by_node: dict[int, list[_Point]] = {}
        for point in self.moves:
            by_node.setdefault(point[0][0], []).append(point)
        found: dict[ReportKey, ReportKey] = {}
        for index, points in by_node.items():
            expr = graph.nodes[index].expr
            moves = [move for point in points for move, _ in self.moves[point]]
            if expr is None or any(self._begins(m) or self._works_on(m) for m in moves):
                continue
            if not all(self._open(p) and self._follows(p, None, ended, busy) for p in points):
                continue
            speaks = {spoken[q] for p in points for q in (p, *self._next(p)) if q in spoken}
            for call in calls_in(expr) if speaks else ():
                found["", graph.file, call.line, call.column] = self._nearest(speaks)
        return found

    # -- the graph ----------------------------------------------------------------------------

    def _points(self) -> None:
        """Every place, by whether the locks of its section are dropped."""
        start = next(iter(self.recording.moves))
        self.own = self.height(start[1].product.task)
        work: list[_Point] = [(start, False)]
        while work:
            point = work.pop()
            if point in self.moves:
                continue
            self.moves[point] = []
            for move in self.recording.moves[point[0]]:
                to = None if move.to is None else (move.to, self._dropped(move, point[1]))
                self.moves[point].append((move, to))
                if to is not None:
                    self.back.setdefault(to, []).append(point)
                    work.append(to)

    def _dropped(self, move: Move, before: bool) -> bool:
        if self.height(move.after) <= self.own or self._begins(move):
            return False
        return before or _drops(move)

    def _open(self, point: _Point) -> bool:
        return self.height(point[0][1].product.task) > self.own

    def _begins(self, move: Move) -> bool:
        return self.height(move.after) > self.height(move.before)

    def _parts(self, move: Move) -> bool:
        """Whether the section has to have ended before a move, or it is another's."""
        return _drops(move) or self._begins(move)

    def _next(self, point: _Point) -> Iterator[_Point]:
        return (to for move, to in self.moves[point] if to is not None)

    def _ends(self) -> set[_Point]:
        return {
            point
            for point, moves in self.moves.items()
            if self._open(point) and any(self.height(m.after) <= self.own for m, _ in moves)
        }

    def _works(self) -> set[_Point]:
        """Where entries are worked on under the locks that the section began with."""
        return {
            (at, dropped)
            for (at, dropped), moves in self.moves.items()
            if self._open((at, dropped))
            and not dropped
            and any(not self._parts(move) and self._works_on(move) for move, _ in moves)
        }

    def _works_on(self, move: Move) -> bool:
        expr = self.recording.frame.graph.nodes[move.start[0]].expr
        if any(note.mark == "write" for note in move.notes):
            return True
        frame = self.recording.frame
        return expr is not None and any(
            frame.carries(call) and self._is_of_entries(call) for call in calls_in(expr)
        )

    def _is_of_entries(self, call: AnyCall) -> bool:
        """Whether a call is an accessor's, or may be one's: by a pointer."""
        pointer = call.name is None or call.name in self.recording.frame.graph.types
        return pointer or call.name in self.words.entries

    def _before(self, goals: Collection[_Point], passes: Callable[[Move], bool]) -> set[_Point]:
        """The points from which one of the goals is come to, with the section open throughout."""
        found = set(goals)
        work = list(goals)
        while work:
            to = work.pop()
            for point in self.back.get(to, ()):
                if point in found or not self._open(point):
                    continue
                if any(q == to and passes(move) for move, q in self.moves[point]):
                    found.add(point)
                    work.append(point)
        return found

    # -- what follows from the missing end ----------------------------------------------------

    def _follows(
        self, point: _Point, raw: RawReport | None, ended: set[_Point], busy: set[_Point]
    ) -> bool:
        """Whether what is reported at a point comes of an end that is missing before it."""
        event = None if raw is None else raw.violation.event
        if point in ended:
            return False
        if isinstance(event, Enable):
            return True
        if isinstance(event, Write) and not point[1]:
            return False
        return not any(
            to in busy for move, to in self.moves[point] if to is not None and not self._parts(move)
        )

    def _stretches(self, lost: set[_Point]) -> dict[_Point, int]:
        """Which points lie behind the same missing end: they are joined by moves, or by a node."""
        names: dict[_Point, int] = {}
        by_node: dict[int, list[_Point]] = {}
        for point in lost:
            by_node.setdefault(point[0][0], []).append(point)
        for number, point in enumerate(lost):
            work = [] if point in names else [point]
            while work:
                here = work.pop()
                if here in names:
                    continue
                names[here] = number
                # All of a node are taken when the first is: to look again costs their square.
                beside = by_node.pop(here[0][0], ())
                near = (*beside, *self._next(here), *self.back.get(here, ()))
                work.extend(p for p in near if p in lost and p not in names)
        return names

    def _returns(
        self, lost: set[_Point], left: Collection[ReportKey]
    ) -> Iterator[tuple[ReportKey, _Point]]:
        """The reports at returns, by the points from which the function returns."""
        rule = {key[0] for key in left}.pop()
        graph = self.recording.frame.graph
        for point in lost:
            node = graph.nodes[point[0][0]]
            key = (rule, graph.file, node.line, node.column)
            if key in left and any(move.to is None for move, _ in self.moves[point]):
                yield key, point

    def _spoken(
        self, stretches: Mapping[_Point, int], left: Collection[ReportKey]
    ) -> dict[_Point, ReportKey]:
        """The return that speaks for each stretch: the first of its own, or of the one before it.

        A stretch that is only come to with a section too many open is another's consequence.
        """
        first: dict[int, ReportKey] = {}
        for key, point in self._returns(set(stretches), left):
            name = stretches[point]
            first[name] = self._nearest((key, first.get(name, key)))
        entered = {name for point, name in stretches.items() if self._is_entered(point, stretches)}
        reached = {name: self._reached(name, stretches, entered) for name in entered or first}
        spoken: dict[int, ReportKey] = {}
        for name, points in reached.items():
            behind = [first[n] for p in points if (n := stretches.get(p, -1)) in first]
            if behind:
                spoken[name] = first.get(name, self._nearest(behind))
        out: dict[_Point, ReportKey] = {}
        for name in sorted(spoken, key=lambda n: self.rank[spoken[n]]):
            for point in reached[name] & stretches.keys():
                out.setdefault(point, spoken[name])
        return out

    def _reached(
        self, name: int, stretches: Mapping[_Point, int], entered: Collection[int]
    ) -> set[_Point]:
        """The points of a stretch, and what it leads to but other stretches that begin anew."""
        found: set[_Point] = set()
        work = [point for point, other in stretches.items() if other == name]
        while work:
            point = work.pop()
            if point not in found:
                found.add(point)
                near = ((q, stretches.get(q, name)) for q in self._next(point))
                work.extend(q for q, other in near if other == name or other not in entered)
        return found

    def _is_entered(self, point: _Point, stretches: Mapping[_Point, int]) -> bool:
        """Whether a stretch begins here, with no more than one section open."""
        if self.height(point[0][1].product.task) != self.own + 1:
            return False
        return any(
            p not in stretches and self.height(p[0][1].product.task) <= self.own + 1
            for p in self.back.get(point, ())
        )


def _drops(move: Move) -> bool:
    """Whether a lock of page tables is dropped; a lock may get another name on the way."""
    return _locked(move.after) < _locked(move.before)


def _locked(task: TaskState) -> int:
    return sum(held.cls in PAGE_TABLE_CLASSES for held in task.locks)
