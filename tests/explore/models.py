# SPDX-License-Identifier: GPL-2.0-or-later
"""Small models that the tests share."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import product
from typing import Any

from lazymmu.explore import StateField


class Peterson:
    """Peterson's lock for two; without `turn` both get in."""

    labels = ("both inside", "inside")
    costly = 0

    def __init__(self, polite: bool = True) -> None:
        self.polite = polite
        self.fields = (
            StateField("pc0", 4),
            StateField("pc1", 4),
            StateField("flag0", 2),
            StateField("flag1", 2),
            StateField("turn", 2),
        )
        self.initial = (0, 0, 0, 0, 0)
        self.actions = ("step 0", "step 1")

    def step(self, state: Any, me: int) -> int | None:
        other = 1 - me
        match state[me]:
            case 0:
                state[2 + me] = 1
                state[me] = 1
            case 1:
                state[4] = other
                state[me] = 2
            case 2:
                if self.polite and state[2 + other] and state[4] == other:
                    return None
                state[me] = 3
                return 3 if state[other] == 3 else 2
            case 3:
                state[2 + me] = 0
                state[me] = 0
        return 0

    def final(self, state: Any) -> int:
        return 0


class Philosophers:
    """Philosophers who each take the left fork first; a state where all wait is final."""

    labels = ("all wait", "eats", "switch")
    costly = 4

    def __init__(self, number: int, values: bool = True) -> None:
        self.number = number
        self.fields = (
            *(StateField(f"hand{one}", 3 if values else None) for one in range(number)),
            *(StateField(f"fork{one}", 2 if values else None) for one in range(number)),
            StateField("last", number if values else None),
        )
        self.initial = (0,) * len(self.fields)
        self.actions = tuple(f"philosopher {one}" for one in range(number))

    def step(self, state: Any, me: int) -> int | None:
        number = self.number
        left, right = number + me, number + (me + 1) % number
        shown = 0
        match state[me]:
            case 0:
                if state[left]:
                    return None
                state[left] = state[me] = 1
            case 1:
                if state[right]:
                    return None
                state[right] = 1
                state[me] = 2
                shown = 2
            case 2:
                state[left] = state[right] = 0
                state[me] = 0
        if state[-1] != me:
            shown |= 4
            state[-1] = me
        return shown

    def final(self, state: Any) -> int:
        return 1


@dataclass(frozen=True)
class Batch:
    """Workers on two processors put entries into their processor's batch and flush it.

    The batch's address is taken once, the worker may be moved in between, and a cache may fill
    itself from any entry at any time: the shape of what this project looks at.
    """

    workers: int = 2
    entries: int = 2
    pinned: bool = False

    labels = ("stale", "preempted", "moved", "left over")
    costly = 2

    @property
    def fields(self) -> tuple[StateField, ...]:
        return (
            *(StateField(f"on{cpu}", self.workers + 1) for cpu in (0, 1)),
            *(StateField(f"pc{one}", 7) for one in range(self.workers)),
            *(StateField(f"batch{one}", 2) for one in range(self.workers)),
            *(StateField(f"entry{one}", self.entries + 1) for one in range(self.workers)),
            *(StateField(f"active{cpu}", 2) for cpu in (0, 1)),
            *(StateField(f"pending{cpu}") for cpu in (0, 1)),
            *(StateField(f"value{entry}", 2) for entry in range(self.entries)),
            *(StateField(f"cache{cpu}{e}", 2) for cpu in (0, 1) for e in range(self.entries)),
        )

    @property
    def initial(self) -> tuple[Any, ...]:
        workers, entries = self.workers, self.entries
        return (
            *(1, 2 if workers > 1 else 0),
            *(0,) * workers,
            *(0,) * workers,
            *(0,) * workers,
            *(0, 0),
            *(frozenset(), frozenset()),
            *(1,) * entries,
            *(0,) * (2 * entries),
        )

    @property
    def actions(self) -> tuple[str, ...]:
        return (
            "cpu0 runs",
            "cpu1 runs",
            *(f"cpu{cpu} switches to {one}" for cpu in (0, 1) for one in range(self.workers)),
            *(f"cpu{cpu} caches {entry}" for cpu in (0, 1) for entry in range(self.entries)),
        )

    def step(self, s: Any, action: int) -> int | None:
        workers, entries = self.workers, self.entries
        pc, batch, entry = 2, 2 + workers, 2 + 2 * workers
        active, pending = 2 + 3 * workers, 4 + 3 * workers
        value = 6 + 3 * workers
        cache = value + entries
        if action < 2:
            if not s[action]:
                return None
            return self._run(s, action, s[action] - 1, (pc, batch, entry, active, pending, value))
        action -= 2
        if action < 2 * workers:
            cpu, one = divmod(action, workers)
            if one + 1 in (s[0], s[1]) or s[pc + one] == 6:
                return None
            was = s[cpu]
            if was and self.pinned and 0 < s[pc + was - 1] < 6:
                return None
            s[cpu] = one + 1
            inside = was and 0 < s[pc + was - 1] < 6
            return (2 if inside else 0) | (
                4 if 0 < s[pc + one] < 6 and s[batch + one] != cpu else 0
            )
        cpu, one = divmod(action - 2 * workers, entries)
        if s[cache + cpu * entries + one] or not s[value + one]:
            return None
        s[cache + cpu * entries + one] = 1
        return 0

    def _run(self, s: Any, cpu: int, me: int, at: tuple[int, ...]) -> int | None:
        pc, batch, entry, active, pending, value = at
        cache = value + self.entries
        match s[pc + me]:
            case 0:
                s[batch + me] = cpu
                s[pc + me] = 1
            case 1:
                s[active + s[batch + me]] = 1
                s[pc + me] = 2
            case 2:
                s[value + s[entry + me]] = 0
                s[pc + me] = 3
            case 3:
                tb, one = s[batch + me], s[entry + me]
                if s[active + tb]:
                    s[pending + tb] = s[pending + tb] | {one}
                else:
                    s[cache + one] = s[cache + self.entries + one] = 0
                s[entry + me] = one + 1
                s[pc + me] = 2 if one + 1 < self.entries else 4
            case 4:
                tb = cpu  # and not the batch that was taken at the start
                for one in sorted(s[pending + tb]):
                    s[cache + one] = s[cache + self.entries + one] = 0
                s[pending + tb] = frozenset()
                s[pc + me] = 5
            case 5:
                s[active + s[batch + me]] = 0
                s[pc + me] = 6
                left = s[pending] or s[pending + 1]
                stale = any(
                    s[cache + n] and not s[value + n % self.entries]
                    for n in range(2 * self.entries)
                )
                s[cpu] = 0
                return (1 if stale else 0) | (8 if left else 0)
            case _:
                return None
        return 0

    def final(self, s: Any) -> int:
        return 0


class Random:
    """A model made of random tables: each action reads a few fields, and may set a few.

    `padding` fields of 8 bits make the state wide; they move between three values.
    """

    labels = ("a", "b", "cost", "stuck")

    def __init__(self, seed: int, fields: int = 4, actions: int = 4, padding: int = 0) -> None:
        rng = random.Random(seed)
        self.seed = seed
        self.costly = rng.choice([0, 4, 5])
        self.size = fields
        self.sizes = [rng.randint(1, 5) for _ in range(fields)]
        self.open = [rng.random() < 0.4 for _ in range(fields)]
        self.names = [[f"{n}.{v}" for v in range(size)] for n, size in enumerate(self.sizes)]
        self.fields = tuple(
            StateField(f"f{n}", None if self.open[n] else size) for n, size in enumerate(self.sizes)
        ) + tuple(StateField(f"padding{n}", 256 if n % 2 else 1 << 20) for n in range(padding))
        self.initial = tuple(self.value(n, 0) for n in range(fields)) + (0,) * padding
        self.actions = tuple(f"act{n}" for n in range(actions))
        self.rules = [self._rule(rng, fields, padding) for _ in self.actions]

    def _rule(self, rng: random.Random, fields: int, padding: int) -> Any:
        reads = rng.sample(range(fields), min(fields, rng.randint(1, 3)))
        table: dict[tuple[int, ...], Any] = {}
        for values in product(*(range(self.sizes[n]) for n in reads)):
            table[values] = None
            if rng.random() < 0.7:
                writes = {rng.randrange(fields) for _ in range(2)}
                shown = sum(
                    bit for bit, odds in ((1, 0.02), (2, 0.1), (4, 0.3)) if rng.random() < odds
                )
                pad = rng.randrange(padding) if padding and rng.random() < 0.2 else None
                table[values] = ({n: rng.randrange(self.sizes[n]) for n in writes}, shown, pad)
        return reads, table

    def __repr__(self) -> str:
        padding = len(self.fields) - self.size
        return f"Random({self.seed}, {self.size}, {len(self.actions)}, {padding})"

    def value(self, field: int, number: int) -> Any:
        return self.names[field][number] if self.open[field] else number

    def step(self, state: Any, action: int) -> int | None:
        reads, table = self.rules[action]
        rule = table[
            tuple(self.names[n].index(state[n]) if self.open[n] else state[n] for n in reads)
        ]
        if rule is None:
            return None
        writes, shown, pad = rule
        for field, number in writes.items():
            state[field] = self.value(field, number)
        if pad is not None:
            state[self.size + pad] = (state[self.size + pad] + 100) % 300 % 256
        return int(shown)

    def final(self, state: Any) -> int:
        return 8 if state[0] == self.value(0, 0) else 0
