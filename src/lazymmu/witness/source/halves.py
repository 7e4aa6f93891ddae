# SPDX-License-Identifier: GPL-2.0-or-later
"""Halves of pairs: functions that begin what their callers end, or end what those began.

A function whose own balance is off is a half when some caller shows what it is for: a path of
the caller runs through it while it changes the mode, and returns in balance.  Then its callers
answer for it, and one that skips the other half is wrong.  A function that no caller balances is
wrong itself.  Callers are only looked for where something that begins could meet something that
ends; and they are asked for the balance alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from lazymmu.contract.monitor import Runtime
from lazymmu.kernelc.configured_tree import Definition
from lazymmu.kernelc.ir.nodes import Function
from lazymmu.kernelc.ir.scopes import class_word
from lazymmu.kernelc.program import Program
from lazymmu.witness.source.path.inliner import above, mode_of
from lazymmu.witness.source.path.path_trace import PathTrace
from lazymmu.witness.source.path.recording import At, Move, Recording
from lazymmu.witness.source.path.walker import Walker
from lazymmu.witness.source.users import Named, Users, put

BALANCE = frozenset({"unbalanced-section", "unbalanced-pause"})
"""Rules that a half is excused from."""

BEGINS = frozenset({"left-on", "left-paused"})
"""What a function that begins, for its caller to end, is told by those rules."""

MAX_ASKED = 10_000
"""States of a caller that is asked.  The greatest root of 6.1 to 7.3 has 7,000, and half as much
again with counters; of who is larger the paths are asked that are come to first: one is enough."""

MAX_LEVELS = 3
"""Callers of callers that are asked whether they balance a function."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A function whose own balance is off, and how."""

    definition: Definition
    graph: Function
    details: frozenset[str]

    @property
    def sides(self) -> frozenset[str]:
        """Which half of a pair it may be; one that ends and begins again is both."""
        begins, ends = self.details & BEGINS, self.details - BEGINS
        return frozenset((["begins"] if begins else []) + (["ends"] if ends else []))


@dataclass(slots=True)
class _Above:
    """A function that comes to suspects: how many, and which halves they may be."""

    definition: Definition
    sides: set[str] = field(default_factory=set)
    over: set[Named] = field(default_factory=set)


class Halves:
    """Looks for the callers that show which functions are halves.

    known: the halves, by file and name, among them who only hands another's change on.
    """

    def __init__(self, program: Program, walker: Walker, users: Users) -> None:
        runtime = walker.monitors.runtime
        rules = [rule for rule in runtime.rules if rule.name in BALANCE]
        self.known: set[Named] = set()
        self._program = program
        self._walker = walker
        self._asking = Walker(walker.call_transfer.of_balance(), Runtime(rules, runtime.dialect))
        self._users = users

    def find(self, suspects: Iterable[Suspect], users: Iterable[Definition]) -> set[Named]:
        """Which of some functions are halves.

        :param users: functions that use the mode themselves.
        """
        # What the vocabulary knows is an event of its own, and never walked in a caller's place.
        open_ = {
            (s.graph.file, s.graph.name): s
            for s in suspects
            if s.graph.name not in self._walker.call_transfer.words.names
        }
        for suspect in open_.values():
            self._asking.helper(suspect.graph)
        for graph in self._walked_over(open_.values()):
            self.known |= _shown(self._asking.record(graph, MAX_ASKED))
        # What is put in its callers' place is judged there, and only there.
        self.known |= {
            name
            for name in open_.keys() - self.known
            if any(put(self._program, d, name[1]) for d in self._users.of(open_[name].definition))
        }
        using = {(d.file, d.name) for d in users}
        if not open_.keys() <= self.known:
            self._search(open_, using)
        return self.known & open_.keys()

    def answering(self, halves: Iterable[Definition]) -> list[Definition]:
        """Who calls halves and is none: they answer for the balance.

        From now on halves are walked in their callers' place.
        """
        out: dict[Named, Definition] = {}
        work = list(halves)
        done: set[Named] = set()
        while work:
            definition = work.pop()
            if (definition.file, definition.name) in done:
                continue
            done.add((definition.file, definition.name))
            self._walker.helper(self._program.function(definition))
            for user in self._users.of(definition):
                # A guard's class is the text of whoever takes the guard, and answers for nothing.
                if (user.file, user.name) in self.known or class_word(user.name) != user.name:
                    work.append(user)
                else:
                    out[user.file, user.name] = user
        return list(out.values())

    def _walked_over(self, suspects: Iterable[Suspect]) -> Iterator[Function]:
        """Who was walked with one of them in its place, and the mode changed by that."""
        by_callee = self._walker.shifted
        graphs = {place: g for callers in by_callee.values() for place, g in callers.items()}
        for place in above([s.graph.place for s in suspects], by_callee):
            yield graphs[place]

    def _search(self, suspects: Mapping[Named, Suspect], using: set[Named]) -> None:
        """Ask the callers of suspects, and theirs, where a beginning could meet an end."""
        found = {name: _Above(s.definition, set(s.sides), {name}) for name, s in suspects.items()}
        if {side for one in found.values() for side in one.sides} != {"begins", "ends"}:
            return
        # Which half it is may hang on what it is handed; then who calls it twice may balance it.
        either = {name for name, suspect in suspects.items() if len(suspect.sides) > 1}
        frontier = list(found)
        for _ in range(MAX_LEVELS + 1):
            fresh = self._level(frontier, found)
            for name in fresh:
                one = found[name]
                if one.sides == {"begins", "ends"} and (
                    len(one.over) > 1 or name in using or one.over <= either
                ):
                    graph = self._program.function(one.definition)
                    self.known |= _shown(self._asking.record(graph, MAX_ASKED))
            if not fresh or suspects.keys() <= self.known:
                return
            for name in fresh:
                self._asking.helper(self._program.function(found[name].definition))
            frontier = fresh

    def _level(self, frontier: Iterable[Named], found: dict[Named, _Above]) -> list[Named]:
        """The callers of some functions that come to something new by them."""
        fresh: dict[Named, None] = {}
        for name in frontier:
            one = found[name]
            for user in self._users.of(one.definition):
                there = found.setdefault((user.file, user.name), _Above(user))
                if not (one.sides <= there.sides and one.over <= there.over):
                    there.sides |= one.sides
                    there.over |= one.over
                    fresh[user.file, user.name] = None
        return list(fresh)


def _shown(recording: Recording | None) -> set[Named]:
    """The halves that a function shows by its paths: it runs through them, and is in balance.

    A path that is known shows so, however many others there are that were not walked.
    """
    if recording is None:
        return set()
    start = next(iter(recording.moves))[1].product
    wrong = {
        at
        for key, places in recording.seen.items()
        if recording.raw_reports[key].violation.detail not in BEGINS
        for at in places
    }
    good = _in_balance(recording, mode_of(start), wrong)
    found: set[Named] = set()
    for at, moves in recording.moves.items():
        if at in wrong:
            continue
        for move in moves:
            returned = (move.after.depth, move.after.paused) == mode_of(start)
            if move.to in good or (move.to is None and returned):
                found |= _changing(move)
    return found


def _in_balance(recording: Recording, own: tuple[int, int], wrong: set[At]) -> set[At]:
    """The places of a path that lead to a return in balance, with nothing wrong on the way."""
    back: dict[At, list[At]] = {}
    work: list[At] = []
    for at, moves in recording.moves.items():
        for move in moves if at not in wrong else ():
            if move.to is not None:
                back.setdefault(move.to, []).append(at)
            elif (move.after.depth, move.after.paused) == own:
                work.append(at)
    found: set[At] = set()
    while work:
        at = work.pop()
        if at not in found:
            found.add(at)
            work.extend(back.get(at, ()))
    return found


def _changing(move: Move) -> set[Named]:
    """The callees that change the mode on a move: what they end was begun before, or stays open."""
    calls: list[PathTrace] = []
    begun: list[tuple[str, set[Named]]] = []
    found: set[Named] = set()
    for note in move.notes:
        if note.step is None:
            continue
        if note.mark in ("call", "callback"):
            calls.append(note)
        elif note.mark == "return" and calls:
            calls.pop()
        elif note.mark in ("begin", "pause"):
            begun.append((note.mark, _chain(calls, note)))
        elif note.mark in ("end", "resume"):
            mark = "begin" if note.mark == "end" else "pause"
            at = next((n for n in range(len(begun) - 1, -1, -1) if begun[n][0] == mark), None)
            if at is None:
                found |= _chain(calls, note)
            else:
                begun.pop(at)
    for _, chain in begun:
        found |= chain
    return found


def _chain(calls: Iterable[PathTrace], note: PathTrace) -> set[Named]:
    """The functions below the first call in which something happens; none without a call."""
    inner = [*[c.step for c in calls if c.step is not None][1:], note.step]
    return {(s.file, s.function) for s in inner if s is not None} if calls else set()
