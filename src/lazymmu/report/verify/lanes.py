# SPDX-License-Identifier: GPL-2.0-or-later
"""A counterexample as lanes over its steps: who runs, what is held, queued, stored, cached.

Each lane is a row of bars, each bar as wide as the steps through which something stayed as it was.
Column 0 is before the first step; column n what is true after step n.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lazymmu.contract import events as e
from lazymmu.report.verify.told_steps import cpu_name, happened, innermost

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lazymmu.contract.events import Event
    from lazymmu.witness.machine.verdict import TraceStep

__all__ = ["Lane", "LaneBar", "LaneGroup", "lanes"]


@dataclass(frozen=True, slots=True)
class LaneBar:
    """What holds through `span` columns.

    :param text: in a few words, "" for nothing.
    :param kind: how it is drawn, a word that the style sheet knows.
    """

    span: int
    text: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    """A row: what it is of, and its bars, which are as wide as all columns together."""

    name: str
    bars: tuple[LaneBar, ...]


@dataclass(frozen=True, slots=True)
class LaneGroup:
    """Lanes of one kind under one heading."""

    heading: str
    lanes: tuple[Lane, ...]


def lanes(
    steps: Sequence[TraceStep],
    initial: Sequence[tuple[str, str]] = (),
    *,
    culprit: bool = False,
) -> tuple[LaneGroup, ...]:
    """All lanes of a way, grouped, without those on which nothing ever is.

    :param initial: what the entries hold at first.
    :param culprit: whether the last step is what breaks the rule, to be marked.
    """
    tasks = list(dict.fromkeys(step.task for step in steps))
    groups = (
        ("Who runs", _running(steps, tasks, culprit=culprit)),
        ("In lazy MMU mode", _lasting(steps, _Sections())),
        ("Locks held", _lasting(steps, _Locks(tasks))),
        ("Pending", _items([step.pending for step in steps], "pending")),
        ("Page-table entries", _entries(steps, initial)),
        ("A TLB may hold", _items([step.tlb for step in steps], "stale")),
        ("Variables", _variables(steps)),
    )
    made = (LaneGroup(heading, tuple(rows)) for heading, rows in groups)
    return tuple(group for group in made if group.lanes)


def _running(steps: Sequence[TraceStep], tasks: Sequence[str], *, culprit: bool) -> Iterator[Lane]:
    """A lane for each task on each CPU, with a bar for each of its steps."""
    for cpu in sorted({step.cpu for step in steps}):
        for task in tasks:
            mine = [step if (step.cpu, step.task) == (cpu, task) else None for step in steps]
            if any(mine):
                cells = [None if s is None else (_did(s), _colour(task, tasks)) for s in mine]
                if culprit and (last := cells[-1]) is not None:
                    cells[-1] = (last[0], f"{last[1]} breaks")
                name = f"{cpu_name(cpu)} · {task}" if task else cpu_name(cpu)
                yield Lane(name, tuple(_bars([None, *cells], joined=False)))


def _did(step: TraceStep) -> str:
    """A step in a few words, as a narrow cell has it."""
    inner = innermost(step)
    what = happened(step)
    return what if (step.events and what != step.what) or not inner else f"{inner[-1]}()"


def _colour(task: str, tasks: Sequence[str]) -> str:
    return f"task task-{tasks.index(task) % 4}"


class _Sections:
    """Which tasks have the mode on, as the calls of its API say."""

    def __init__(self) -> None:
        self._depth: dict[str, int] = {}
        self._paused: dict[str, int] = {}

    def see(self, event: Event) -> None:
        depth, paused = (table.get(event.task, 0) for table in (self._depth, self._paused))
        match event:
            case e.Enable() if event.counted is not False:
                self._depth[event.task] = depth + 1
            case e.Disable() if event.counted is not False:
                self._depth[event.task] = max(depth - 1, 0)
            case e.Pause():
                self._paused[event.task] = paused + 1
            case e.Resume():
                self._paused[event.task] = max(paused - 1, 0)

    def now(self) -> dict[str, tuple[str, str]]:
        return {
            task: ("paused", "mode paused")
            if self._paused.get(task)
            else ("on" if depth == 1 else f"on, depth {depth}", "mode")
            for task, depth in self._depth.items()
            if depth
        }


class _Locks:
    """Which locks are held, and by whom."""

    def __init__(self, tasks: Sequence[str]) -> None:
        self._tasks = tasks
        self._held: dict[str, list[str]] = {}

    def see(self, event: Event) -> None:
        match event:
            case e.Take():
                self._held.setdefault(_named(event.lock), []).append(event.task)
            case e.Drop():
                held = self._held.get(_named(event.lock), [])
                if event.task in held:
                    held.remove(event.task)

    def now(self) -> dict[str, tuple[str, str]]:
        return {
            lock: (", ".join(held), _colour(held[0], self._tasks) if held[0] in self._tasks else "")
            for lock, held in self._held.items()
            if held
        }


def _named(identity: object) -> str:
    return str(identity)


def _lasting(steps: Sequence[TraceStep], state: _Sections | _Locks) -> list[Lane]:
    """A lane for each name that a state ever has something for."""
    seen: list[dict[str, tuple[str, str]]] = [{}]
    for step in steps:
        for event in step.events:
            state.see(event)
        seen.append(state.now())
    names = dict.fromkeys(name for now in seen for name in now)
    return [Lane(name, tuple(_bars([now.get(name) for now in seen]))) for name in names]


def _items(lists: Sequence[tuple[str, ...]], kind: str) -> list[Lane]:
    """A lane for each of what comes and goes: phrases such as ``cpu0: set A p``."""
    names = dict.fromkeys(item for one in lists for item in one)
    return [
        Lane(
            item.partition(": ")[0] if ": " in item else "",
            tuple(_bars([None, *((_after(item), kind) if item in one else None for one in lists)])),
        )
        for item in names
    ]


def _after(item: str) -> str:
    return item.partition(": ")[2] or item


def _entries(steps: Sequence[TraceStep], initial: Sequence[tuple[str, str]]) -> Iterator[Lane]:
    """For each entry what memory holds, and what a walk of the tables would see."""
    first = dict(initial)
    for name in dict.fromkeys(name for step in steps for name, _ in step.stored):
        stored = [first.get(name), *(dict(step.stored).get(name) for step in steps)]
        effective = [first.get(name), *(dict(step.effective).get(name) for step in steps)]
        late = [one != other for one, other in zip(stored, effective, strict=True)]
        for label, values in (("in memory", stored), ("in effect", effective)):
            cells = [
                None if value is None else (value, "entry late" if differs else "entry")
                for value, differs in zip(values, late, strict=True)
            ]
            yield Lane(f"{name} {label}", tuple(_bars(cells)))


def _variables(steps: Sequence[TraceStep]) -> Iterator[Lane]:
    """A lane for each of the implementation's variables from its first change on."""
    names = dict.fromkeys(
        change.name for step in steps for change in step.state if not change.queue
    )
    for name in names:
        values: list[tuple[str, str] | None] = [None]
        for step in steps:
            told = [change.value for change in step.state if change.name == name]
            values.append((told[-1], "variable") if told else values[-1])
        yield Lane(name, tuple(_bars(values)))


def _bars(cells: Iterable[tuple[str, str] | None], *, joined: bool = True) -> Iterator[LaneBar]:
    """Cells as bars; joined: neighbours that are the same are one bar, as nothing always is."""
    for cell, same in itertools.groupby(cells):
        span = len(list(same))
        text, kind = cell or ("", "")
        if joined or cell is None:
            yield LaneBar(span, text, kind)
        else:
            yield from itertools.repeat(LaneBar(1, text, kind), span)
