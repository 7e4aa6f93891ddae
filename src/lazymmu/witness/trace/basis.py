# SPDX-License-Identifier: GPL-2.0-or-later
"""What an answer rests on: which rules could be judged, over how much, and why the others not.

"No violation" of a trace that shows nothing to judge is no answer: a trace of which not one rule
could be judged is inconclusive.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lazymmu.contract.dialects import Status
from lazymmu.contract.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from lazymmu.contract.dialects import Dialect
    from lazymmu.witness.trace.effect_evidence import EffectEvidence
    from lazymmu.witness.trace.trace_features import TraceFeatures
    from lazymmu.witness.trace.values import Seen

__all__ = ["RuleBasis", "basis", "needed"]


_EFFECT: Final = "mode-not-effective"


@dataclass(frozen=True, slots=True)
class RuleBasis:
    """Whether one rule could be judged.

    :param over: how many things it was judged by, 0 when it could not be.
    :param what: these things.
    :param why: it could not be judged, "" when it could.
    """

    rule: str
    over: int = 0
    what: str = ""
    why: str = ""


def basis(
    rules: Collection[str],
    seen: Seen,
    features: TraceFeatures,
    dialects: tuple[Dialect, ...],
    effect: EffectEvidence,
) -> tuple[RuleBasis, ...]:
    """What each of `rules` could be judged by, in what was `seen` of a kernel of these dialects."""
    return tuple(_of(rule, seen, features, dialects, effect) for rule in rules)


def needed(seen: Seen) -> str:
    """What a recording of which not one rule can be judged would have to show as well."""
    if seen.counters:
        return (
            "it would take a second reading of the same task, one of a task that ends, returns to "
            "user mode or is switched out, or what begins and ends sections (see `lazymmu probes`)"
        )
    return "it would take what begins and ends sections, or readings of the counters"


def _of(
    rule: str,
    seen: Seen,
    features: TraceFeatures,
    dialects: tuple[Dialect, ...],
    effect: EffectEvidence,
) -> RuleBasis:
    if dialects and all(RULES[rule].status(dialect) is Status.OFF for dialect in dialects):
        return RuleBasis(rule, why=_OFF.get(rule, "it does not hold on this kernel"))
    for over, what in _ways(rule, seen, features, effect):
        if over:
            return RuleBasis(rule, over, what)
    why = _WHY[rule]
    if (rule == "dirty-start" and seen.counters) or (
        rule == _EFFECT and effect.any and not features.no_counters
    ):
        why = _TOO_FEW[rule]
    elif rule.startswith("kernel-") and seen.messages:
        why = "nothing shows what the kernel could have noticed"
    elif why == _NONE and (seen.sections or seen.ends):
        why = "no section shows from its beginning to its end"
    if rule == "section-in-interrupt" and not features.shows_interrupts:
        why = "lines do not show interrupts"
    return RuleBasis(rule, why=why)


def _ways(
    rule: str, seen: Seen, features: TraceFeatures, effect: EffectEvidence
) -> Iterator[tuple[int, str]]:
    """How many of which things show what the rule is about, the best first."""
    settled = seen.telling["exit"] + seen.telling["user-return"]
    # Beginnings of some and ends of others, with records lost in between, say nothing.
    both = min(seen.sections, seen.ends) if seen.paired else 0
    # That the kernel is silent says little where nothing shows what it could have noticed.
    messages = seen.messages if both or seen.telling or seen.held else 0
    match rule:
        case "unbalanced-section":
            yield both, "sections"
            yield settled, "readings of tasks that end or return to user mode"
        case "nested-section":
            yield both, "sections"
        case "section-in-interrupt":
            yield both if features.shows_interrupts else 0, "sections"
        case "sleep-in-section" | "preempted-in-section":
            yield seen.telling["switch-out"], "readings of tasks that are switched out"
            yield seen.switches if both or seen.updates else 0, "context switches"
        case "unbalanced-pause":
            yield settled, "readings of tasks that end or return to user mode"
            yield seen.sites, "calls of the API"
        case "mode-left-on-cpu":
            yield seen.hooks if features.no_counters and both else 0, "switches with their hooks"
        case "dirty-start":
            yield seen.held, "readings of the counters"
        case "kernel-bug":
            yield both if features.insists == "yes" else 0, "sections"
            yield messages, "messages of the kernel"
        case "kernel-warning":
            yield messages, "messages of the kernel"
        case "mode-not-effective":
            # Updates and counters are gone by where there are counters, first updates elsewhere.
            yield from () if features.no_counters else effect.ways()
            yield seen.first_batches, "sections whose first update shows the mode"


_OFF = {
    "nested-section": "sections may nest on this kernel",
    "section-in-interrupt": "calls in interrupts do nothing on this kernel",
    "unbalanced-pause": "this kernel has no pauses",
}

_TOO_FEW = {
    "dirty-start": "no task's counters were read twice, or where they must be zero",
    _EFFECT: "too few updates, calls or readings of tasks that run",
}
"""The same where there is something of the kind."""

_NONE = "no section shows"

_WHY = {
    "unbalanced-section": "no section shows, and no counters of a task that ends or returns",
    "nested-section": _NONE,
    "section-in-interrupt": _NONE,
    "sleep-in-section": "nothing shows whether a task that is switched out is in a section",
    "preempted-in-section": "nothing shows whether a task that is switched out is in a section",
    "unbalanced-pause": "no counters were read of a task that ends or returns to user mode",
    "mode-left-on-cpu": "nothing shows the mode of a CPU at a context switch",
    "dirty-start": "no counters were read",
    "kernel-bug": "no message of the kernel was recorded",
    "kernel-warning": "no message of the kernel was recorded",
    "mode-not-effective": "nothing shows whether updates are put off",
}
"""Why a rule could not be judged where nothing that it needs was recorded."""
