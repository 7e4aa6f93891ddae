# SPDX-License-Identifier: GPL-2.0-or-later
"""Whom a broken rule hurts: what goes wrong in runs that break it and nothing else.

A scenario's machine is searched along those runs alone in which every obligation but one is
obeyed.  A harm that comes once that one was broken is its doing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias

from lazymmu.contract.deferral.breach_kinds import breach_kind, breach_kinds
from lazymmu.contract.events import SwitchOut
from lazymmu.contract.rules import RULES
from lazymmu.contract.rules.rule import Party, RuleKind
from lazymmu.explore import StateField, search
from lazymmu.machine import ConfigError
from lazymmu.machine.operation_names import MODE_OPERATIONS
from lazymmu.witness.machine.product_model import PREEMPTION, ProductModel, watched_rules
from lazymmu.witness.machine.verdict import FINALLY, HARMS

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Mapping

    from lazymmu.contract.monitor import Violation
    from lazymmu.explore import Engine, StateView
    from lazymmu.machine import Op
    from lazymmu.witness.machine.product_model import Query

__all__ = ["HARMS", "HarmAttribution", "attribute_harms", "without_the_mode"]

Program: TypeAlias = "tuple[Op, ...]"

_LASTING: Final = frozenset({"unbalanced-section", "unbalanced-pause", "bh-across-section"})
"""Rules whose breach leaves the task in a state that its later code knows nothing of.

What that code breaks from then on is no fault of its own.
"""


_MAY_MOVE: Final = "unpinned-batch"
"""What unpinned implementations break in every section; the harm comes when a task does move."""

_COMES_WITH: Final[Mapping[str, frozenset[str]]] = {
    # Who drops a page-table lock in a section breaks this one too, with something pending or not.
    "unlock-before-flush": frozenset({"section-outside-lock"}),
    # Who frees a page must have flushed the TLB: in a section, if the page is freed there.
    "free-before-flush": frozenset({"tlb-flush-in-section"}),
}
"""Obligations of callers that a rule cannot be broken without, or not by code that is else right.

The harm is the rule's: without what it forbids they do none.
"""


def attribute_harms(
    query: Query, rule: str, *, named: Collection[str] = (), engine: Engine = "auto"
) -> Mapping[str, tuple[str, ...]]:
    """The harms that breaking `rule` does by itself, gravest first, by the kind of breach.

    A kind that `query` cannot show is missing, and one that hurts nobody has none; nor
    does a harm count that comes without the mode too.  `named`: obligations that may be broken
    along with it: those of implementations, because a caller that breaks `rule` makes them do so,
    and those of callers that come with `rule`.  Empty too when there is no such machine.
    """
    try:
        model = HarmAttribution(query, rule, named=named)
        # An interrupt's program is first looked at when it comes.
        shown = search(model, engine=engine, bound=query.bound).discoveries
    except ConfigError:
        return {}
    found = {
        kind: tuple(harm for harm in HARMS if _label(kind, harm) in shown)
        for kind in breach_kinds(rule)
        if _label(kind) in shown
    }
    if not any(found.values()):
        return found
    anyway = without_the_mode(query, engine)
    return {kind: tuple(one for one in harms if one not in anyway) for kind, harms in found.items()}


def without_the_mode(query: Query, engine: Engine) -> frozenset[str]:
    """The harms that the same programs do when they leave the mode alone."""
    config = query.config
    idle = replace(
        config,
        tasks=tuple(replace(task, program=_stripped(task.program)) for task in config.tasks),
        interrupts=tuple(replace(irq, program=_stripped(irq.program)) for irq in config.interrupts),
    )
    model = ProductModel(replace(query, config=idle, watch=HARMS, occurs=()))
    shown = search(model, engine=engine, bound=query.bound).discoveries
    return frozenset(FINALLY if label.startswith(FINALLY) else label for label in shown)


def _stripped(program: Program) -> Program:
    """A program without its calls of the mode."""
    return tuple(
        replace(op, body=_stripped(op.body)) for op in program if op.name not in MODE_OPERATIONS
    )


def _label(kind: str, harm: str = "") -> str:
    return f"{kind}: {harm}"


class HarmAttribution(ProductModel):
    """The model of those runs that break nothing but one rule, and commit one kind of breach."""

    def __init__(self, query: Query, rule: str, *, named: Collection[str] = ()) -> None:
        """Raises ConfigError when there is no such machine."""
        super().__init__(replace(query, watch=(*watched_rules(), rule), occurs=()))
        self.rule, self.kinds = rule, breach_kinds(rule)
        self.fields = (*self.fields, StateField("broken", len(self.kinds) + 1))
        self.initial: tuple[Hashable, ...] = (*self.initial, 0)
        self._broken = len(self.fields) - 1
        self.labels = (
            PREEMPTION,
            *(_label(kind, harm) for kind in self.kinds for harm in ("", *HARMS)),
        )
        self._label_bits = {name: 1 << bit for bit, name in enumerate(self.labels)}
        self._allowed_along = {
            name
            for name in (*named, _MAY_MOVE)
            if name != rule
            and (RULES[name].party is Party.IMPLEMENTATION or name in _COMES_WITH.get(rule, ()))
        }

    def step(self, state: StateView, action: int, /) -> int | None:
        """One step of the machine; none that breaks something else is taken."""
        events = self.machine.step(state, action)
        if events is None:
            return None
        mask = 0
        found: list[Violation] = []
        for event, _, violations in self.follow(state, events):
            if isinstance(event, SwitchOut) and event.why == "preempted":
                mask |= self._label_bits[PREEMPTION]
            found += violations
        number: int = state[self._broken]
        own = {breach_kind(one.rule, one.detail) for one in found if one.rule == self.rule}
        if not number and own:
            if len(own) > 1:
                return None
            number = self.kinds.index(own.pop()) + 1
            state[self._broken] = number
            lasting = False
        else:
            lasting = bool(number) and self.rule in _LASTING
        kind = self.kinds[number - 1]
        if not lasting and any(not self._excused(one, kind) for one in found):
            return None
        if number:
            mask |= self._label_bits[_label(kind)]
            for one in found:
                if RULES[one.rule].kind is RuleKind.HARM:
                    mask |= self._label_bits[_label(kind, one.rule)]
        return mask

    def _excused(self, one: Violation, kind: str) -> bool:
        """Whether a run with this violation is still one that breaks the rule alone."""
        if one.rule == self.rule:
            return breach_kind(one.rule, one.detail) == kind
        return RULES[one.rule].kind is RuleKind.HARM or one.rule in self._allowed_along

    def final(self, state: StateView, /) -> int:
        """Whether a run that broke the rule, and came to its end, ended as it should not."""
        number: int = state[self._broken]
        if not number or not super().final(state):
            return 0
        if not self.machine.all_done(state):
            return 0  # it went no further because it would have broken something else
        return self._label_bits[_label(self.kinds[number - 1], FINALLY)]
