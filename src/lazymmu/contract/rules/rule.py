# SPDX-License-Identifier: GPL-2.0-or-later
"""What a rule is: a small deterministic monitor over events, and everything there is to say of it.

A rule that needs no state of its own is a function of the shared state and the event, its `check`;
`stateless()` gives it the common form.  A rule never sees which reader an event came from.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from lazymmu.contract.dialects import Dialect, Status
    from lazymmu.contract.events import Event
    from lazymmu.contract.examples import Examples
    from lazymmu.contract.monitor import Violation
    from lazymmu.contract.section import TaskState

    Step: TypeAlias = Callable[[Any, TaskState, Any, Dialect], tuple[Hashable, Sequence[str]]]
    """(own state, shared state before, event, dialect) -> (own state after, one detail each)."""

    Check: TypeAlias = Callable[[TaskState, Any, Dialect], str | None]
    """(shared state before, event, dialect) -> a detail, which may be "", or None when content."""


class Party(StrEnum):
    """Who is bound by a rule: nobody by a harm, which some broken obligation leads to."""

    CALLER = "caller"
    IMPLEMENTATION = "implementation"
    NOBODY = "nobody"


class RuleKind(StrEnum):
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
NOT_TRACED = (Witness.SOURCE, Witness.MACHINE)
"""Of what no kernel records: entries, page-table locks, TLB flushes of ranges, bottom halves."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the contract.

    :param name: reads well after "allow".
    :param sentence: what must not be, one sentence.
    :param why: what goes wrong, on which implementation.
    :param citation: where the kernel says or shows it.
    :param key: what one instance follows.
    :param events: the events it looks at; status(dialect): documented, implied or off;
        message(violation): what a finding says, a verb phrase whose subject is the function;
        step(own, before, event, dialect): the own state after the event, and one detail per
        violation.
    :param initial: the own state at the beginning.
    :param check: the step of a rule that has no own state.
    :param predictive_details: details that say what may come of it, for who cannot see whether it
        does.
    """

    name: str
    sentence: str
    why: str
    citation: str
    party: Party
    kind: RuleKind
    key: str
    witnesses: tuple[Witness, ...]
    events: tuple[type[Event], ...]
    status: Callable[[Dialect], Status]
    message: Callable[[Violation], str]
    step: Step
    initial: Hashable = None
    check: Check | None = None
    predictive_details: frozenset[str] = frozenset()

    @property
    def of_source(self) -> bool:
        """Whether source can show it.  Where it cannot, the examples are event lists alone."""
        return Witness.SOURCE in self.witnesses

    @property
    def examples(self) -> Examples:
        """A good and a bad example, as events and, for a rule of source, as C."""
        from lazymmu.contract.examples import load  # who judges has no use for them

        return load(self.name, c=self.of_source)


def stateless(check: Check) -> Step:
    """The step of a rule without own state, from its check."""

    def step(
        _own: Any, before: TaskState, event: Any, dialect: Dialect
    ) -> tuple[None, tuple[str, ...]]:
        detail = check(before, event, dialect)
        return None, () if detail is None else (detail,)

    return step
