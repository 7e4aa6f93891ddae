# SPDX-License-Identifier: GPL-2.0-or-later
"""Chains of calls that lead to something, and the summary of a function that is made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cmp_to_key

from lazymmu.witness.finding import Step

_NONE: frozenset[str] = frozenset()

KEEP = 3
"""Chains kept of one kind, each to another place of the tree."""


@dataclass(frozen=True, slots=True)
class CallChain:
    """How something is reached: the steps from a call down to it, and what that needs."""

    kind: str
    what: str
    steps: tuple[Step, ...]
    conditions: frozenset[str] = frozenset()
    """Of the configuration, and needs (context_needs.py)."""
    ambiguous: bool = False
    detail: tuple[str, ...] = ()
    tests: int = 0
    """Calls on the way that a callee makes under a condition which nothing here decides."""

    @property
    def rank(self) -> tuple[bool, int, int, int]:
        """The better of two chains has the smaller rank."""
        return (self.ambiguous, self.tests, len(self.conditions), len(self.steps))

    def better(self, other: CallChain) -> bool:
        """Tell whether this chain is to be told rather than another; of two, one always is."""
        mine, its = self.rank, other.rank
        return mine < its or (mine == its and self._places() < other._places())

    def _places(self) -> tuple[tuple[str, int, int], ...]:
        return tuple((step.file, step.line, step.column) for step in self.steps)


@dataclass(frozen=True, slots=True)
class Summary:
    """What calling a function may do, by kind: sleep, enable, disable, pause, resume, tlb."""

    chains: Mapping[str, tuple[CallChain, ...]]
    cut_at: int = 0
    """The depth at which these were computed if something deeper was left out, else 0."""

    @property
    def longest(self) -> int:
        """The calls of the longest chain, that to its end among them."""
        return max((len(c.steps) for chains in self.chains.values() for c in chains), default=0)

    def possible(self, kind: str, impossible: frozenset[str]) -> tuple[CallChain, ...]:
        """The chains of a kind with no condition that cannot be met, the best one first."""
        found = self.chains.get(kind, ())
        return tuple(c for c in found if c.conditions.isdisjoint(impossible))


NOTHING = Summary({})


def note_chain(found: dict[str, list[CallChain]], chain: CallChain) -> None:
    """Keep a chain beside those that were found, the best one to each place."""
    chains = found.setdefault(chain.kind, [])
    end = chain.steps[-1]
    for place, other in enumerate(chains):
        last = other.steps[-1]
        if (last.file, last.line) == (end.file, end.line) and _needs(chain) == _needs(other):
            if chain.better(other):
                chains[place] = chain
            return
    chains.append(chain)
    if len(chains) > 4 * KEEP:
        chains.sort(key=_ORDER)
        del chains[2 * KEEP :]


def kept_chains(found: Mapping[str, Iterable[CallChain]]) -> dict[str, tuple[CallChain, ...]]:
    """The best chains of each kind, the best of all first."""
    return {kind: tuple(sorted(chains, key=_ORDER)[:KEEP]) for kind, chains in found.items()}


def _needs(chain: CallChain) -> frozenset[str]:
    """What the context must be; no condition of the configuration is written as a call."""
    return frozenset(c for c in chain.conditions if c.endswith("()")) if chain.conditions else _NONE


def _compared(one: CallChain, other: CallChain) -> int:
    return -1 if one.better(other) else 1 if other.better(one) else 0


_ORDER = cmp_to_key(_compared)
