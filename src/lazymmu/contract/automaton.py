# SPDX-License-Identifier: GPL-2.0-or-later
"""The automaton of a rule, found by playing the rule's own monitor.

`derive()` steps the monitor of a rule through every state that it can reach over `alphabet()`,
leaves out the steps that are violations, drops the symbols that change nothing, and merges the
states that cannot be told apart.  What is left is a partial deterministic automaton: a missing edge
is a violation.  This is the form that the kernel's runtime verification takes
(Documentation/trace/rv/deterministic_automata.rst); it has no counters, so what nests is unrolled,
and beyond that depth one state accepts everything until the task ends.

Nothing here knows a rule: which symbols matter to one is found out (automaton_symbols.py).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from lazymmu.contract.automaton_symbols import alphabet, relevant
from lazymmu.contract.monitor import Product, Runtime
from lazymmu.contract.section import ASPECTS, MAX_DEPTH, TaskState

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from lazymmu.contract.dialects import Dialect
    from lazymmu.contract.rules.rule import Rule

MAX_STATES_DRAWN: Final = 64
"""States that somebody may still want to look at."""

_MAX_STATES_PER_STATE_DRAWN: Final = 32
"""States that are merged into one, as a guess of how many to make where few are to be drawn."""

_MAX_STATES: Final = 100_000
"""States that are made at all."""


@dataclass(frozen=True, slots=True)
class Automaton:
    """A partial deterministic automaton over `alphabet()`.

    :param rule: what it was derived from.
    :param dialect: likewise.
    :param states: names, the initial one first.
    :param symbols: those that matter, sorted.
    :param edges: (state, symbol) -> state; what is not there is a violation.
    :param unroll: how deep what nests is told apart.
    """

    rule: str
    dialect: str
    states: tuple[str, ...]
    symbols: tuple[str, ...]
    edges: Mapping[tuple[str, str], str]
    unroll: int

    def accepts(self, word: Iterable[str]) -> bool:
        """Whether no step of `word` is a violation; symbols that do not matter are skipped."""
        state = self.states[0]
        for symbol in word:
            if symbol in self.symbols:
                if (state, symbol) not in self.edges:
                    return False
                state = self.edges[state, symbol]
        return True


class NoAutomatonError(ValueError):
    """The rule has no automaton; the text is one sentence."""


def derive(rule: Rule, dialect: Dialect, unroll: int | None = None) -> Automaton:
    """The least automaton of `rule` in `dialect`.

    :param unroll: how deep sections, pauses and pins are told apart, 1 to `MAX_DEPTH`; by default
        2, or 1 where 2 makes more than `LARGE` states.
    :raises NoAutomatonError: the dialect turns the rule off, or when nothing in the alphabet breaks
        it, as with a rule about source text.
    """
    if unroll is None:
        return _derive(rule, dialect, 2, MAX_STATES_DRAWN) or derive(rule, dialect, 1)
    automaton = _derive(rule, dialect, unroll)
    if automaton is None:
        raise NoAutomatonError(f"the automaton of {rule.name} has more than {_MAX_STATES} states")
    return automaton


def _derive(rule: Rule, dialect: Dialect, unroll: int, large: int = 0) -> Automaton | None:
    """As `derive()`; None for one of more than `large` states (0: as many as it takes)."""
    runtime = Runtime([rule], dialect)
    if not runtime.rules:
        raise NoAutomatonError(f"{rule.name} is off in dialect {dialect.name}")
    symbols = relevant(rule, dialect)
    # Merging brings most of the states of a small automaton together, but not all of any number.
    states, steps = _explore(
        runtime, symbols, unroll, large * _MAX_STATES_PER_STATE_DRAWN or _MAX_STATES
    )
    if not states:
        return None
    if all(len(row) == len(symbols) for row in steps):
        raise NoAutomatonError(f"nothing that a running kernel shows breaks {rule.name}")
    blocks = _minimise(steps, symbols)
    if large and max(blocks) >= large:
        return None
    firsts: dict[int, int] = {}
    for state, block in enumerate(blocks):
        firsts.setdefault(block, state)
    # Where nothing is told, nothing is refused; so are the states from which nothing wrong is left.
    silent = {blocks[at] for at, state in enumerate(states) if state.task.unknown}
    names = _names([_UNTOLD if b in silent else states[first] for b, first in firsts.items()])
    called = dict(zip(firsts, names, strict=True))
    edges = {
        (called[block], symbol): called[blocks[target]]
        for block, first in firsts.items()
        for symbol, target in steps[first].items()
    }
    matter = [
        symbol
        for symbol in symbols
        if any(edges.get((state, symbol)) != state for state in called.values())
    ]
    return Automaton(
        rule=rule.name,
        dialect=dialect.name,
        states=tuple(called.values()),
        symbols=tuple(sorted(matter)),
        edges={pair: target for pair, target in edges.items() if pair[1] in matter},
        unroll=unroll,
    )


# ---- the states ----------------------------------------------------------------------------


def _explore(
    runtime: Runtime, symbols: Sequence[str], unroll: int, most: int
) -> tuple[list[Product], list[dict[str, int]]]:
    """Every product reached without a violation, nearest first, and the steps between them.

    Nothing when there are more than `most`.
    """
    start = runtime.start()
    lost = replace(start, task=TaskState(unknown=ASPECTS))
    numbers = {start: 0}
    rows: dict[Product, dict[str, int]] = {}
    queue = deque([start])
    while queue:
        if len(numbers) > most:
            return [], []
        state = queue.popleft()
        if state == lost and queue:
            queue.append(lost)  # the last: where it leads hangs on all that rules may remember
            continue
        own = _remembered(runtime, lost, symbols, numbers) if state == lost else {state.own}
        row: dict[str, int] = {}
        for symbol in symbols:
            target = _after(runtime, [replace(state, own=one) for one in own], symbol, unroll, lost)
            if target is None:
                continue
            if target not in numbers:
                numbers[target] = len(numbers)
                queue.append(target)
            row[symbol] = numbers[target]
        rows[state] = row
    return list(numbers), [rows[state] for state in numbers]


def _after(
    runtime: Runtime, states: Sequence[Product], symbol: str, unroll: int, lost: Product
) -> Product | None:
    """Where a symbol leads from one of several states, None when it is a violation in all.

    Where they lead apart, nothing is told from there on.
    """
    played = [_play(runtime, state, symbol) for state in states]
    targets = {
        after if _told(after.task, unroll) else lost for after, broken in played if not broken
    }
    if not targets:
        return None
    return targets.pop() if len(targets) == 1 else lost


def _remembered(
    runtime: Runtime, lost: Product, symbols: Sequence[str], told: Iterable[Product]
) -> set[tuple[Hashable, ...]]:
    """Return what rules may remember of their own where nothing else is told."""
    found = {state.own for state in told}
    work = list(found)
    while work:
        state = replace(lost, own=work.pop())
        for symbol in symbols:
            after, _ = _play(runtime, state, symbol)
            if after.own not in found:
                found.add(after.own)
                work.append(after.own)
    return found


_STACKS: Final = {(), ("hard",), ("soft",), ("soft", "hard")}
"""How interrupts nest: handlers run with interrupts off (kernel/irq/handle.c,
__handle_irq_event_percpu()), soft interrupts do not interrupt each other (kernel/softirq.c,
handle_softirqs())."""


def _told(task: TaskState, unroll: int) -> bool:
    """Whether a state is told apart from others; what is vague in one part is not worth it."""
    pins = (task.pins.count(kind) for kind in set(task.pins))
    deepest = max(task.depth, task.paused, *pins, 0)
    return not task.unknown and deepest <= unroll and task.irq in _STACKS


def _play(runtime: Runtime, state: Product, symbol: str) -> tuple[Product, bool]:
    broken = False
    for event in alphabet()[symbol]:
        state, violations = runtime.step(state, event)
        broken = broken or bool(violations)
    return state, broken


def _minimise(steps: Sequence[Mapping[str, int]], symbols: Sequence[str]) -> list[int]:
    """The block of each state, numbered as first met; blocks are told apart by what follows."""
    blocks = [0] * len(steps)
    count = 1
    while True:
        seen: dict[tuple[int, ...], int] = {}
        signatures = (
            (
                blocks[state],
                *(blocks[row[symbol]] if symbol in row else -1 for symbol in symbols),
            )
            for state, row in enumerate(steps)
        )
        blocks = [seen.setdefault(signature, len(seen)) for signature in signatures]
        if len(seen) == count:
            return blocks
        count = len(seen)


# ---- names ---------------------------------------------------------------------------------


def _words(state: Product) -> dict[str, str]:
    """What a state is like, one word for each part, "" for what is as in a neutral task."""
    task = state.task
    if task.unknown:
        return {"depth": "untold"}
    return {
        "depth": ("off", "on", *(f"on{depth}" for depth in range(2, MAX_DEPTH + 1)))[task.depth],
        "paused": _counted("paused", task.paused),
        "pending": "pending" if task.pending else "",
        "locks": "locked" if task.locks else "",
        "bh": _counted("bh", task.pins.count("bh")),
        "preempt": _counted("pinned", task.pins.count("preempt")),
        "irq": "".join(f"_{kind}irq" for kind in task.irq).lstrip("_"),
    }


def _counted(word: str, number: int) -> str:
    return word + (str(number) if number > 1 else "") if number else ""


_UNTOLD: Final = Product(TaskState(unknown=ASPECTS))


def _names(states: Sequence[Product]) -> list[str]:
    """A C identifier for each state: what sets it apart, and a number where that is not enough."""
    words = [_words(state) for state in states]
    flat = len({word["depth"] for word in words} - {"untold"}) == 1
    names: list[str] = []
    for word in words:
        if flat and word["depth"] != "untold":
            word["depth"] = ""
        name = "_".join(filter(None, word.values())) or "neutral"
        same = sum(other == name or other.startswith(f"{name}_v") for other in names)
        names.append(f"{name}_v{same + 1}" if same else name)
    return names
