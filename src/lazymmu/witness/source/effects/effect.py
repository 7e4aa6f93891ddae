# SPDX-License-Identifier: GPL-2.0-or-later
"""What a call comes to, as the walker takes it: events, a value, perhaps a callee to walk."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lazymmu.contract.events import Event
from lazymmu.kernelc.configured_tree import Definition
from lazymmu.kernelc.ir.abstract_value import Value
from lazymmu.witness.finding import Step
from lazymmu.witness.source.function.names import EntryName
from lazymmu.witness.source.interproc.call_targets import Binding


@dataclass(frozen=True, slots=True)
class Effect:
    """An event and what a report says of it.

    ``mark`` is what the event is to a path (see trail.py), "" when paths do not show it;
    ``more`` are the steps below the call that lead to it, ``conditions`` and ``ambiguous``
    what those need, ``tests`` how many of them a callee makes under a condition of its own.
    """

    event: Event
    mark: str = ""
    text: str = ""
    more: tuple[Step, ...] = ()
    conditions: frozenset[str] = frozenset()
    ambiguous: bool = False
    tests: int = 0
    maybe: bool = False
    """It may happen or not: whom it harms is judged, what it would settle is not relied on."""


@dataclass(frozen=True, slots=True)
class InlinedCall:
    """A callee that is walked in its caller's place."""

    definition: Definition
    binding: Binding
    callback: bool
    ambiguous: bool
    maybe: bool = False
    """It may be another: what happens in it is judged, what it leaves behind is not relied on."""


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """One way in which a call turns out."""

    notes: tuple[Effect, ...] = ()
    value: Value = None
    name: EntryName | None = None
    """Of the lock that it returns."""
    inside: InlinedCall | None = None
    unread: str = ""
    """The callee, when it changes what no one can tell: what follows on the path is unknown."""
    one_of: bool = False
    """The callee is one of several that are known, and by each of them a path goes on."""


def guessed(way: CallOutcome, *, one_of: bool, several: bool) -> CallOutcome:
    """A way of a call that may call something else: without confidence, and not relied on.

    :param one_of: it is one of those that are known; then what each comes to is relied on.
    :param several: others are known, too.
    """
    maybe = several and not one_of
    notes = tuple(replace(note, ambiguous=True, maybe=note.maybe or maybe) for note in way.notes)
    inside = way.inside
    if inside is not None:
        inside = replace(inside, ambiguous=True, maybe=maybe)
    return replace(way, notes=notes, inside=inside, one_of=one_of)


NOTHING = (CallOutcome(),)
"""The call does nothing that any rule follows."""
