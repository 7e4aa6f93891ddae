# SPDX-License-Identifier: GPL-2.0-or-later
"""What an implementation does wrong by itself: what goes wrong while every caller obeys.

A scenario is often a mistake of callers, and what it breaks says little of the implementation. Its
machine is searched here along those runs alone in which no obligation of callers is broken; what
is broken, or comes to harm, on one of them is the implementation's own doing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lazymmu.contract.events import Fork, SwitchOut
from lazymmu.contract.rules import RULES
from lazymmu.contract.rules.rule import Party
from lazymmu.witness.machine.harm_attribution import HARMS, without_the_mode
from lazymmu.witness.machine.product_model import (
    PREEMPTION,
    ProductModel,
    Query,
    watched_rules,
)
from lazymmu.witness.machine.verdict import DEADLOCK, SearchOutcome, Verdict
from lazymmu.witness.machine.verify import verify

if TYPE_CHECKING:
    from lazymmu.explore import StateView

__all__ = ["ObedientModel", "own_faults"]


class ObedientModel(ProductModel):
    """The model of those runs in which callers break nothing.

    Who forks in a section breaks something, too, though a machine does not sleep there:
    copy_process() allocates with GFP_KERNEL (kernel/fork.c), and a section must not sleep.
    """

    def __init__(self, query: Query, *, cached: bool = True) -> None:
        """Watch every obligation and harm; raises machine.ConfigError as `ProductModel` does."""
        super().__init__(replace(query, watch=watched_rules(), occurs=()), cached=cached)

    def step(self, state: StateView, action: int, /) -> int | None:
        """One step of the machine, judged; none by which a caller breaks something is taken."""
        events = self.machine.step(state, action)
        if events is None:
            return None
        mask = 0
        for event, task, violations in self.follow(state, events):
            if isinstance(event, Fork) and task.depth:
                return None
            if isinstance(event, SwitchOut) and event.why == "preempted":
                mask |= self._bits[PREEMPTION]
            for one in violations:
                if RULES[one.rule].party is Party.CALLER:
                    return None
                mask |= self._bits[one.rule]
        return mask

    def final(self, state: StateView, /) -> int:
        """As of all runs, but who waits because a step was not taken is in no deadlock."""
        mask = super().final(state)
        if mask & self._bits[DEADLOCK] and self._could_go_on(state):
            return 0
        return mask

    def _could_go_on(self, state: StateView) -> bool:
        values = [state[slot] for slot in range(len(self.fields))]
        return any(
            self.machine.step(list(values), action) is not None
            for action in range(len(self.actions))
        )


def own_faults(name: str, query: Query, **limits: Any) -> Verdict:
    """What the implementation of `query` does wrong in runs in which every caller obeys.

    A harm that comes without the mode as well is not its doing, and is left out.

    :param name: of the scenario, for the verdict.
    :param limits: how far to search, as `verify` takes it.
    """
    verdict = verify(name, query, model=ObedientModel, **limits)
    if not any(broken.rule in HARMS for broken in verdict.violations):
        return verdict
    anyway = without_the_mode(query, limits.get("engine", "auto"))
    own = tuple(broken for broken in verdict.violations if broken.rule not in anyway)
    return replace(verdict, violations=own, verdict=verdict.verdict if own else SearchOutcome.HOLDS)
