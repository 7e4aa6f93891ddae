# SPDX-License-Identifier: GPL-2.0-or-later
"""The fast engines: level after level, many states at once.

Numbers and paths are those of the plain engine (reference.py): levels in the order of cost and then
of steps; within a level, states in the order in which they were first reached, and the actions of
each in the model's order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lazymmu.explore import trie_walk
from lazymmu.explore.limits import LimitReachedError
from lazymmu.explore.resident import resident_bytes
from lazymmu.explore.store import StateStore
from lazymmu.explore.trie_arrays import TrieArrays

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lazymmu.explore.engine import Engine
    from lazymmu.explore.limits import SearchLimits
    from lazymmu.explore.packing import Packing
    from lazymmu.explore.trie import StepTable

    Words = NDArray[np.uint64]
    Ints = NDArray[np.int64]

__all__ = ["BreadthFirst"]

_MIN_STEPS_CHECKED = 16
"""How often a step is run again for comparison: this often, and once for eight first runs."""


_MIN_BYTES_RESIDENT = 64 << 20
"""Below this limit the system's count says little: libraries that are loaded meanwhile are more."""


@dataclass(frozen=True, slots=True)
class Successors:
    """Successors: their words, the numbers of the states that they came from, and the actions."""

    words: Words
    parents: Ints
    actions: Ints


class BreadthFirst:
    """One search under one packing.

    :raises OutgrownError: that does not do.
    """

    def __init__(
        self, table: StepTable, packing: Packing, limits: SearchLimits, engine: Engine
    ) -> None:
        self.table = table
        self.model = table.model
        self.limits = limits
        self.engine = engine
        self.loops = engine.loops(0)
        self.flat = TrieArrays(table, packing)
        self.store = StateStore(packing.words, self.loops, self._reserve_bytes)
        self.pending: dict[tuple[int, int], list[Successors]] = {}
        self.hits: Ints = np.zeros(len(table.leaves), np.int64)  # by leaf: steps taken
        self.first: dict[int, tuple[tuple[int, int], int, int]] = {}  # as in the reference
        self.transitions = 0
        self.depth = 0
        self.checks = 0
        self.samples: list[tuple[int, Words]] = []
        self.waiting = 0  # bytes of pending
        self.cut_labels = 0
        self.cut: list[Successors] = []

    def _reserve_bytes(self, more: int) -> None:
        """End the search where so many more bytes are too many.

        What the tables have is not all: the model's own memory grows with what it has met, so that
        what the system counts is asked as well.
        """
        most = self.limits.max_bytes
        if most is None:
            return
        used = self.store.bytes + self.flat.bytes + self.waiting
        if most >= _MIN_BYTES_RESIDENT:
            used = max(used, resident_bytes() - self.limits.resident)
        if used + more > most:
            raise LimitReachedError("max_bytes")

    # ---- levels ----------------------------------------------------------------------------------

    def run(self) -> None:
        """See everything.

        :raises EndedError: a limit says so.
        """
        packed = np.array(self.flat.packing.pack(self.table.initial), np.uint64)
        nothing = np.zeros(1, np.int64)
        self.pending[0, 0] = [Successors(packed[:, None], nothing, nothing)]
        while self.pending:
            level = min(self.pending)
            frontier = self._due(level)
            while frontier.shape[1]:
                self._begin(level)
                after = (level[0], level[1] + 1)
                frontier = self._expand(level, frontier, [self._due(after)])
                level = after
        for action, state in self.samples:  # the first ones once more: a model may have aged
            self._again(action, state)
        shown = sum(1 << label for label in self.first)
        if self.cut_labels & ~shown or any(self.store.missing(one.words).any() for one in self.cut):
            raise LimitReachedError("bound")

    def _begin(self, level: tuple[int, int]) -> None:
        """Count a level, and see whether it is to be expanded."""
        self.depth = max(self.depth, level[1])
        if any(
            key <= level
            for label, (key, _, _) in self.first.items()
            if self.limits.stop >> label & 1
        ):
            raise LimitReachedError("stop")
        if self.limits.max_states is not None and self.store.count > self.limits.max_states:
            raise LimitReachedError("max_states")
        self._tick(level)

    def _tick(self, level: tuple[int, int]) -> None:
        self.limits.tick(self.store.count, self.transitions, *level)
        self._reserve_bytes(0)
        loops = self.engine.loops(self.store.count)
        if loops is not self.loops:
            self.loops = loops
            self.store.use(loops)

    def _due(self, level: tuple[int, int]) -> Words:
        """Store what is pending for a level; the states of it that are new."""
        new = [np.zeros((self.flat.packing.words, 0), np.uint64)]
        for found in self.pending.pop(level, []):
            self.waiting -= found.words.nbytes + 16 * found.parents.size
            new.append(self._keep(found))
        return np.concatenate(new, axis=1) if len(new) > 1 else new[0]

    def _keep(self, found: Successors) -> Words:
        return found.words.take(self.store.add(found.words, found.parents, found.actions), axis=1)

    def _expand(self, level: tuple[int, int], frontier: Words, after: list[Words]) -> Words:
        """Take all steps from the states of a level; the new states of the next level.

        `after` has those of them that are known already.
        """
        first = self.store.count - frontier.shape[1] - sum(one.shape[1] for one in after)
        size = max(1, self.loops.pairs // max(1, self.table.final))
        for start in range(0, frontier.shape[1], size):
            words = np.ascontiguousarray(frontier[:, start : start + size])
            after.append(self._chunk(level, words, first + start))
            if start:
                self._tick(level)
        return np.concatenate(after, axis=1)

    def _chunk(self, level: tuple[int, int], words: Words, first: int) -> Words:
        """Take all steps from some states, which have numbers from `first` on."""
        cost, steps = level
        rows, leaves = self.loops.steps(self.flat, words, 0, self.table.final)
        self._final(level, words, first, rows)
        self._check(words)
        if self.flat.costly.any():
            costly = self.flat.costly.take(leaves)
            dear = np.nonzero(costly)[0]
            if dear.size:
                found = self._found(words, rows.take(dear), leaves.take(dear), first)
                if cost == self.limits.bound:
                    self._cut(found, leaves.take(dear))
                else:
                    self._count((cost + 1, steps + 1), rows.take(dear), leaves.take(dear), first)
                    self._defer((cost + 1, steps + 1), found)
                cheap = np.nonzero(~costly)[0]
                rows, leaves = rows.take(cheap), leaves.take(cheap)
        self._count((cost, steps + 1), rows, leaves, first)
        return self._keep(self._found(words, rows, leaves, first))

    def _found(self, words: Words, rows: Ints, leaves: Ints, first: int) -> Successors:
        after = self.loops.successors(self.flat, words, rows, leaves)
        return Successors(after, rows + first, self.flat.action.take(leaves))

    def _defer(self, level: tuple[int, int], found: Successors) -> None:
        """Keep successors for a level of more cost, unless they are stored already."""
        new = np.nonzero(self.store.missing(found.words))[0]
        if new.size:
            kept = Successors(
                found.words.take(new, axis=1), found.parents.take(new), found.actions.take(new)
            )
            self.waiting += kept.words.nbytes + 16 * new.size
            self.pending.setdefault(level, []).append(kept)

    def _cut(self, found: Successors, leaves: Ints) -> None:
        """Note steps that are over the bound: something is lost unless it is seen otherwise."""
        self.cut_labels |= int(np.bitwise_or.reduce(self.flat.labels.take(leaves)))
        new = np.nonzero(self.store.missing(found.words))[0]
        if new.size:
            none = np.zeros(0, np.int64)
            self.cut.append(Successors(found.words.take(new, axis=1), none, none))
            self.waiting += self.cut[-1].words.nbytes

    # ---- what is counted and shown ---------------------------------------------------------------

    def _count(self, key: tuple[int, int], rows: Ints, leaves: Ints, first: int) -> None:
        """Count steps, and remember the first showing of each label."""
        hits = np.bincount(leaves, minlength=len(self.table.leaves))
        if hits.size > self.hits.size:
            self.hits = np.concatenate([self.hits, np.zeros(hits.size - self.hits.size, np.int64)])
        self.hits += hits
        self.transitions += leaves.size
        shown = int(np.bitwise_or.reduce(self.flat.labels[hits > 0], initial=np.uint64(0)))
        for label in self._earlier(shown, key):
            there = self.flat.labels.take(leaves) >> np.uint64(label) & np.uint64(1)
            place = int(np.argmax(there))
            action = int(self.flat.action[leaves[place]])
            self.first[label] = (key, first + int(rows[place]), action)

    def _earlier(self, labels: int, key: tuple[int, int]) -> list[int]:
        """Which of these labels were not shown so early before."""
        return [
            label
            for label in range(labels.bit_length())
            if labels >> label & 1 and (label not in self.first or key < self.first[label][0])
        ]

    def _final(self, level: tuple[int, int], words: Words, first: int, rows: Ints) -> None:
        """Ask the model about the states in which nothing can happen."""
        going = np.zeros(words.shape[1], np.bool_)
        going[rows] = True
        if going.all():
            return
        stuck = np.nonzero(~going)[0]
        last = np.ascontiguousarray(words[:, stuck])
        where, leaves = self.loops.steps(self.flat, last, self.table.final, 1)
        labels = self.flat.labels.take(leaves)
        shown = int(np.bitwise_or.reduce(labels, initial=np.uint64(0)))
        for label in self._earlier(shown, level):
            place = int(np.argmax(labels >> np.uint64(label) & np.uint64(1)))
            self.first[label] = (level, first + int(stuck[where[place]]), -1)

    def _check(self, words: Words) -> None:
        """Run some step again that was tabulated elsewhere, and compare."""
        if self.table.final and self.checks < _MIN_STEPS_CHECKED + self.table.calls // 8:
            self.checks += 1
            # Any rule will do that visits rows and actions without favour.
            row = self.checks * 7919 % words.shape[1]
            action = self.checks * 31 % self.table.final
            self._again(action, words[:, row : row + 1])
            if len(self.samples) < _MIN_STEPS_CHECKED:
                self.samples.append((action, words[:, row : row + 1].copy()))

    def _again(self, action: int, state: Words) -> None:
        self.table.check(action, trie_walk.state_of(self.flat, state, 0))
        if self.flat.outgrown():
            raise trie_walk.OutgrownError
