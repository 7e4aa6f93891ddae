# SPDX-License-Identifier: GPL-2.0-or-later
"""What a rule is: a small deterministic monitor over events, and everything there is to say of it.

A rule that needs no state of its own is a function of the shared state and the event; `stateless()`
gives it the common form.  A rule never sees where an event came from, but for `Site`s of source.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from lazymmu.contract.examples import Examples, load

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from lazymmu.contract.dialects import Dialect, Status
    from lazymmu.contract.events import Event
    from lazymmu.contract.monitor import Violation
    from lazymmu.contract.section import TaskState

    Judge: TypeAlias = Callable[[Any, TaskState, Any, Dialect], tuple[Hashable, Sequence[str]]]
    """(own state, shared state before, event, dialect) -> (own state after, one detail each)."""

QUIET: tuple[None, tuple[str, ...]] = (None, ())
"""What a stateless rule answers when it is content."""


class Party(StrEnum):
    """Who is bound by a rule."""

    CALLER = "caller"
    IMPLEMENTATION = "implementation"


class Kind(StrEnum):
    """What a violation is: a broken obligation, harm itself, or something worth knowing."""

    OBLIGATION = "obligation"
    HARM = "harm"
    INFORMATION = "information"


class Witness(StrEnum):
    """Who can show a violation."""

    SOURCE = "source"
    MACHINE = "machine"
    TRACE = "trace"


ALL_WITNESSES = (Witness.SOURCE, Witness.MACHINE, Witness.TRACE)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the contract.

    name: reads well after "allow"; sentence: what must not be, one sentence; why: what goes wrong,
    on which implementation; citation: where the kernel says or shows it; key: what one instance
    follows; events: the events it looks at; standing: what a dialect makes of it; wording: what a
    finding says, a verb phrase whose subject is the function; judge: one step; initial: its own
    state at the beginning; stateful: whether it has one.
    """

    name: str
    sentence: str
    why: str
    citation: str
    party: Party
    kind: Kind
    key: str
    witnesses: tuple[Witness, ...]
    events: tuple[type[Event], ...]
    standing: Callable[[Dialect], Status]
    wording: Callable[[Violation], str]
    judge: Judge
    initial: Hashable = None
    stateful: bool = False

    def status(self, dialect: Dialect) -> Status:
        """Whether `dialect` documents the rule, implies it, or turns it off."""
        return self.standing(dialect)

    def message(self, violation: Violation) -> str:
        """What a finding says: a verb phrase such as "begins a section inside a section"."""
        return self.wording(violation)

    def start(self) -> Hashable:
        """The rule's own state at the beginning."""
        return self.initial

    def step(
        self, own: Hashable, before: TaskState, event: Event, dialect: Dialect
    ) -> tuple[Hashable, Sequence[str]]:
        """The own state after `event`, and one detail (may be "") per violation."""
        return self.judge(own, before, event, dialect)

    @property
    def examples(self) -> Examples:
        """A good and a bad example, as C and as events."""
        return load(self.name)


def stateless(check: Callable[[TaskState, Any, Dialect], str | None]) -> Judge:
    """The judge of a rule without own state: `check` returns a detail, or None when content."""

    def judge(
        _own: Any, before: TaskState, event: Any, dialect: Dialect
    ) -> tuple[None, tuple[str, ...]]:
        detail = check(before, event, dialect)
        return QUIET if detail is None else (None, (detail,))

    return judge
