# SPDX-License-Identifier: GPL-2.0-or-later
"""What registers hold along the ways through a function, for architectures that reckon addresses.

What an instruction does is its architecture's business; here is how what is known goes on from one
to the next, and which accesses of a counter belong together.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from lazymmu.image.site import CounterSite, SiteKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["FlowStep", "RegisterContent", "RegisterState", "follow", "sites"]

_TO_BEGIN: Final = 48
"""Instructions between a guard and its beginning."""


@dataclass(frozen=True, slots=True)
class RegisterContent:
    """What is known of a register: a base plus `ahead`; a number; or a counter plus `ahead`."""

    what: str
    ahead: int


@dataclass(slots=True)
class FlowStep:
    """One decoded instruction: where it leads, and what it does to a counter.

    :param step: what a store adds, 0 where that is not known.
    """

    instruction: Any
    next: list[int] = field(default_factory=list)
    site: CounterSite | None = None
    step: int = 0


RegisterState = dict[str, RegisterContent]


def follow(
    steps: dict[int, FlowStep], after: Callable[[FlowStep, RegisterState], RegisterState]
) -> None:
    """Go through the function until what is known at each place does not change any more.

    :param after: gives what is known behind an instruction, and notes in it what it does to a
        counter.
    """
    known: dict[int, RegisterState] = {}
    for entry in sorted(steps):
        # Also what no branch leads to: static keys become one when the kernel sets them.
        if entry not in known:
            known[entry] = {}
            _walk(steps, after, known, entry)


def _walk(
    steps: dict[int, FlowStep],
    after: Callable[[FlowStep, RegisterState], RegisterState],
    known: dict[int, RegisterState],
    entry: int,
) -> None:
    """Go on from one place, and from all that it leads to."""
    left = [entry]
    # What is known at a place only becomes less, so that this ends: 32 registers, each once.
    while left:
        at = left.pop()
        step = steps[at]
        state = after(step, known[at])
        for to in step.next:
            before = known.get(to)
            merged = (
                state
                if before is None
                else {name: one for name, one in before.items() if state.get(name) == one}
            )
            if merged != before:
                known[to] = merged
                left.append(to)


def sites(steps: dict[int, FlowStep]) -> Iterator[CounterSite]:
    """The sites of a function that was followed; guards of a beginning are told apart."""
    for at, step in steps.items():
        if step.site is None:
            continue
        if step.site.kind is SiteKind.OTHER_GUARD and _begins(steps, at):
            yield replace(step.site, kind=SiteKind.GUARD)
        else:
            yield step.site


def _begins(steps: dict[int, FlowStep], guard: int) -> bool:
    """Whether a beginning follows a guard on some way, and nothing else of the pause count."""
    left, seen = [(to, 0) for to in steps[guard].next], {guard}
    while left:
        at, depth = left.pop()
        if at in seen or depth > _TO_BEGIN:
            continue
        seen.add(at)
        site = steps[at].site
        if site is not None and site.kind in (SiteKind.STORE, SiteKind.BEGIN, SiteKind.END):
            if steps[at].step > 0:
                return True
            continue
        if site is None or site.kind is SiteKind.READ:
            left.extend((to, depth + 1) for to in steps[at].next)
    return False
