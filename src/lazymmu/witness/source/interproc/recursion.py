# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions that call each other in a circle: what one comes to through the other.

While a function is looked at, whoever calls it again learns nothing of it, but notes the way there
as a chain of a kind of its own.  When the function is known, what it comes to is put behind those
chains.  So a summary does not depend on which function of a circle was asked for first.
"""

from __future__ import annotations

from collections.abc import Hashable, MutableMapping
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from lazymmu.witness.source.interproc.call_chains import (
    CallChain,
    Summary,
    kept_chains,
    note_chain,
)

Key = TypeVar("Key", bound=Hashable)

_AWAKE, _ATOMIC = "again:", "again, in atomic context:"


def in_atomic_context(kind: str) -> str:
    """The kind that a chain has whose call is made in atomic context."""
    return f"{_ATOMIC}{kind.removeprefix(_AWAKE)}" if kind.startswith(_AWAKE) else kind


@dataclass(slots=True)
class Recursion(Generic[Key]):
    """The functions, with their constants, that are being looked at."""

    _open: dict[Key, int] = field(default_factory=dict)
    _waiting: dict[int, list[Key]] = field(default_factory=dict)
    """Those that came to one that was open, by its number."""
    _begun: int = 0

    def begin(self, key: Key) -> None:
        """From now on a function is being looked at."""
        self._begun += 1
        self._open[key] = self._begun

    def again(self, key: Key) -> str | None:
        """The kind of a chain to a function that is being looked at; None if it is not."""
        number = self._open.get(key)
        return None if number is None else f"{_AWAKE}{number}"

    def ended(self, key: Key, effects: Summary, known: MutableMapping[Key, Summary]) -> Summary:
        """Enter a function's summary into those that are known, and into those that waited."""
        number = self._open.pop(key)
        mine = _kinds(number)
        chains = {kind: found for kind, found in effects.chains.items() if kind not in mine}
        if len(chains) < len(effects.chains):
            effects = replace(effects, chains=chains)
        known[key] = effects
        self._wait(key, effects)
        for other in dict.fromkeys(self._waiting.pop(number, ())):
            if other != key:
                known[other] = _completed(known[other], mine, effects)
                self._wait(other, known[other])
        return effects

    def _wait(self, key: Key, effects: Summary) -> None:
        if not any(kind.startswith((_AWAKE, _ATOMIC)) for kind in effects.chains):
            return
        for number in self._open.values():
            if not effects.chains.keys().isdisjoint(_kinds(number)):
                self._waiting.setdefault(number, []).append(key)


def _kinds(number: int) -> tuple[str, str]:
    return f"{_AWAKE}{number}", f"{_ATOMIC}{number}"


def _completed(summary: Summary, kinds: tuple[str, str], more: Summary) -> Summary:
    """A summary whose chains of these kinds go on with what is known of their ends."""
    found = {kind: list(chains) for kind, chains in summary.chains.items() if kind not in kinds}
    for kind in kinds:
        for before in summary.chains.get(kind, ()):
            for chains in more.chains.values():
                for chain in chains:
                    if kind == kinds[1] and chain.kind == "sleep":
                        continue
                    note_chain(found, _joined(before, chain, atomic=kind == kinds[1]))
    cut_at = max(summary.cut_at, more.cut_at)
    return replace(summary, chains=kept_chains(found), cut_at=cut_at)


def _joined(before: CallChain, chain: CallChain, *, atomic: bool) -> CallChain:
    return replace(
        chain,
        kind=in_atomic_context(chain.kind) if atomic else chain.kind,
        steps=(*before.steps, *chain.steps),
        conditions=before.conditions | chain.conditions,
        ambiguous=before.ambiguous or chain.ambiguous,
        tests=before.tests + chain.tests,
    )
