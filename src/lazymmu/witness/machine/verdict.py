# SPDX-License-Identifier: GPL-2.0-or-later
"""What a machine showed, as values: one verdict for each run of a scenario on one implementation.

They come from `witness.machine`, go to the reports and are written as JSON, and know neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from lazymmu.witness.finding import Finding

if TYPE_CHECKING:
    from lazymmu.contract.events import Event

__all__ = [
    "DEADLOCK",
    "FINALLY",
    "PSEUDO",
    "Counterexample",
    "SearchOutcome",
    "StateChange",
    "TraceStep",
    "Verdict",
]


def pseudo_of(label: str) -> str:
    """The name of what a label shows: those of one statement's lines are numbered."""
    head = label.partition(" ")[0]
    return head if head in PSEUDO else label


FINALLY: Final = "finally"
DEADLOCK: Final = "deadlock"
HARMS: Final = (
    "kernel-bug",
    "lost-update",
    "stale-translation-used",
    FINALLY,
    "kernel-warning",
    "mode-not-effective",
)
"""What can go wrong, gravest first: harms, an end that the scenario rules out, a cost."""

COST: Final = HARMS[-1]
"""The harm that costs time and nothing else."""

ALWAYS: Final = "always"
LIMIT: Final = "cost"
EVENTUALLY: Final = "eventually"

PSEUDO: Final = {
    FINALLY: "Everything ends in a state that the scenario allows.",
    ALWAYS: "The implementation's variables are all along as the scenario says.",
    LIMIT: "What is slow is done no more often than the scenario allows.",
    EVENTUALLY: "What is pending takes effect eventually, on every path on which its task goes on.",
    DEADLOCK: "Somebody can always go on until all tasks have ended.",
}
"""What can be broken beside the contract's rules, and its sentence."""


class SearchOutcome(StrEnum):
    """What a search came to.

    HOLDS: no watched rule can be broken, within the scenario, and its situation does occur;
    VIOLATED: some rule can be; INCONCLUSIVE: a bound was hit, and nothing was found until then;
    NEVER_OCCURS: what the scenario is about never happened, so that holding means nothing;
    NOT_APPLICABLE: no such kernel has, or can do, what the scenario says.
    """

    HOLDS = "holds"
    VIOLATED = "violated"
    INCONCLUSIVE = "inconclusive"
    NEVER_OCCURS = "never-occurs"
    NOT_APPLICABLE = "not-applicable"


@dataclass(frozen=True, slots=True)
class StateChange:
    """A variable that a step changed, and what it holds then; queue: it is a queue of work."""

    name: str
    value: str
    queue: bool = False


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One step of a counterexample, and what the machine looked like after it.

    :param cpu: where it happened, -1 for the machine itself (a TLB that the hardware fills).
    :param task: whose step, or the interrupt's name, "" for neither.
    :param stack: the kernel's functions, outermost first, empty for a step of no code.
    :param what: the step in a few words, such as `xen_lazy_nesting++` or `preempted`.
    :param citation: file and function of the kernel where the step is to be read, "" for none.
    :param pending: what is queued, in order, one short phrase for each.
    :param stored: (entry, value) in the scenario's order: what memory holds, and what a walk of the
        page tables that begins now would act on.
    :param effective: likewise.
    :param tlb: translations that CPUs hold, one short phrase for each.
    :param state: the implementation's own variables that the step changed, such as
        `xen_lazy_mode[0]`.
    :param events: what the rules saw.
    :param note: why the step matters, "" for most.
    :param action: the machine's name for the step, by which it can be taken again.
    :param calls: a step may pass through several functions, if nobody could tell its parts from
        each other: (functions, outermost first, and citation) of each, in order; () is `stack`
        alone.
    """

    cpu: int
    task: str
    stack: tuple[str, ...]
    what: str
    citation: str = ""
    pending: tuple[str, ...] = ()
    stored: tuple[tuple[str, str], ...] = ()
    effective: tuple[tuple[str, str], ...] = ()
    tlb: tuple[str, ...] = ()
    state: tuple[StateChange, ...] = ()
    events: tuple[Event, ...] = ()
    note: str = ""
    action: str = ""
    calls: tuple[tuple[tuple[str, ...], str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterexample(Finding):
    """A rule that can be broken, with the shortest way: least preemptions, then least steps.

    rule: its name in `contract.rules.RULES`, or one of `PSEUDO`; file, function: where the kernel
    has the last step, which has no line; path: the way's steps likewise.
    preemptions: involuntary switches on the way; steps: of the whole way; trace: the way itself;
    again: of a way without an end the step, from 1, at which what is done for ever begins, else 0.
    """

    preemptions: int
    steps: int
    again: int = 0
    trace: tuple[TraceStep, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one scenario came to on one implementation.

    :param scenario: which run.
    :param arch: likewise.
    :param release: likewise.
    :param feature: the implementation's row of the deferral table.
    :param verdict: the answer.
    :param violations: harm, the gravest first, then obligations, and last what only costs; of one
        kind in order of preemptions and steps.
    :param states: what the search covered (states once each, longest shortest way).
    :param transitions: likewise.
    :param depth: likewise.
    :param reason: which bound was hit, or why the run is not applicable, else "".
    :param never: those of the scenario's `occurs` lines that never happened.
    :param seconds: of the search.
    :param engine: which engine made it.
    """

    scenario: str
    arch: str
    release: str
    feature: str
    verdict: SearchOutcome
    violations: tuple[Counterexample, ...] = ()
    states: int = 0
    transitions: int = 0
    depth: int = 0
    reason: str = ""
    never: tuple[str, ...] = ()
    seconds: float = 0.0
    engine: str = ""

    @property
    def first(self) -> Counterexample | None:
        """The violation to tell first, or None."""
        return self.violations[0] if self.violations else None
