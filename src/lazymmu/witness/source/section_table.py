# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of sections: where the mode is used, under which locks, what a section reaches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lazymmu.contract.event_words import Identity
from lazymmu.contract.section import TaskState
from lazymmu.kernelc.configured_tree import Definition
from lazymmu.kernelc.ir.nodes import Function
from lazymmu.kernelc.program import Program
from lazymmu.witness.finding import SectionRow, Step
from lazymmu.witness.source.entry_points import Root
from lazymmu.witness.source.findings import Report
from lazymmu.witness.source.function.names import EntryName
from lazymmu.witness.source.interproc.summaries import CalleeSummaries
from lazymmu.witness.source.path.walker import Walker

NOTHING = "nothing"
"""Said where no lock is held, or nothing pins the task, on some path to the place."""

BY_CALLERS = "its callers"
"""Said of what pins an accessor that has a section, or the end of one."""

_LOCKS: Mapping[str, str] = {
    "ptl": "page-table lock",
    "pmd": "pmd lock",
    "mm": "page_table_lock of the mm,",
    "kernel-pt": "page_table_lock of init_mm,",
}
"""The classes of locks that protect page-table entries, in words."""

_SECTION = frozenset({"enable", "disable"})
"""Calls that make a section of a macro's own text."""


def rows(
    arch: str,
    walker: Walker,
    roots: Sequence[Root],
    program: Program,
    summaries: CalleeSummaries,
    reports: Sequence[Report],
) -> list[SectionRow]:
    """One row for each function of an architecture that uses the mode."""
    out = []
    done: set[tuple[str, int]] = set()
    begun_in, ended_in = _by_function(walker.begun), _by_function(walker.ended)
    run_in = _spaces_of_callbacks(roots)
    reached_in = _by_section(arch, reports)
    for root in roots:
        definition = root.definition
        place = (definition.file, definition.line)
        if root.binding or place in done:
            continue
        done.add(place)
        actions = actions_of(definition, walker, summaries, program)
        if not actions:
            continue
        if definition.kind == "macro" and not any(a in _SECTION for _, a in actions):
            # What only flushes or pauses belongs to whoever expands it.
            continue
        here = (definition.file, definition.name)
        begun, ended = begun_in.get(here, []), ended_in.get(here, [])
        # What a callback does to entries belongs to the section that it runs in.
        spaces = (root.outcome.spaces | run_in.get(here, set())) - {"unknown"}
        reached = {
            rule: tuple(sorted(reached_in.get((rule, *here), ())))
            for rule in ("sleep-in-section", "nested-section", "tlb-flush-in-section")
        }
        out.append(
            SectionRow(
                file=definition.file,
                line=definition.line,
                function=definition.name,
                arches=(arch,),
                space="/".join(sorted(spaces)) or _space_by_lock(begun),
                locks_begin=_locks(begun),
                locks_end=_locks(ended),
                pinned=_pinned(begun, "preempted-in-section" in root.excused),
                actions=tuple(actions),
                sleeps=reached["sleep-in-section"],
                nests=reached["nested-section"],
                flushes=reached["tlb-flush-in-section"],
            )
        )
    return out


def actions_of(
    definition: Definition, walker: Walker, summaries: CalleeSummaries, program: Program
) -> list[tuple[int, str]]:
    """What a definition does to the mode, and on which lines."""

    def told() -> list[tuple[int, str]]:
        return sorted(_actions(program.function(definition), walker, summaries, program))

    place = (definition.file, definition.line, definition.name)
    return program.reads.unit(("actions", *place, walker.state), told)


def _actions(
    graph: Function, walker: Walker, summaries: CalleeSummaries, program: Program, hops: int = 4
) -> set[tuple[int, str]]:
    """What a function does to the mode, by itself or by halves that it calls, and on which line."""
    found: set[tuple[int, str]] = {
        (call.line, mode.action) for call, mode in summaries.mode_calls(graph)
    }
    calls = walker.call_transfer
    for _, call in graph.calls():
        for name in (summaries.handed_mode(arg, graph, {}) for arg in call.args):
            mode = summaries.api.of(name, graph.file) if name else None
            if mode is not None:
                found.add((call.line, mode.action))
    for _, call in graph.calls() if hops else ():
        target = program.resolve(call.name, graph.file) if call.name in calls.helper_names else None
        inner = program.function(target.definition) if target is not None else None
        if inner is None or inner.place not in calls.helpers:
            continue
        ways = {way for _, way in _actions(inner, walker, summaries, program, hops - 1)} - {"flush"}
        if len(ways) == 1:
            found.add((call.line, ways.pop()))
    return found


def _space_by_lock(begun: Sequence[TaskState]) -> str:
    """Whose mapping a section is over when its writes do not tell: a user's if it is locked so."""
    locked = all(any(h.cls in ("ptl", "pmd", "mm") for h in t.locks) for t in begun)
    return "user" if begun and locked else "unknown"


def _pinned(begun: Sequence[TaskState], by_callers: bool) -> tuple[str, ...]:
    """What keeps the task on its CPU where a section begins, in the states of all its paths.

    It is asked of each state as the rule `preempted-in-section` asks it, so that both agree. Where
    no section begins, callers have begun it.

    :param by_callers: whether the function is one that runs under whatever pins its callers.
    """
    found = {pin for task in begun for pin in _pins(task)}
    if by_callers or not found:
        found = (found - {NOTHING}) or {BY_CALLERS}
    return tuple(sorted(found, key=lambda pin: (pin != NOTHING, pin)))


def _pins(task: TaskState) -> set[str]:
    """What keeps the task on its CPU: a spinlock does as well, and so does an interrupt."""
    held = {*task.pins, *(["spinlock"] if task.locks else []), *task.irq}
    if held:
        return held
    if task.paused:
        return {"paused"}  # The mode stays off: it does not matter.
    return {NOTHING} if task.knows("pins", "locks", "irq", "mode", "pause") else {"unknown"}


def _by_function(
    seen: Mapping[Step, Sequence[TaskState]],
) -> dict[tuple[str, str], list[TaskState]]:
    """States by the file and function that they were seen in."""
    found: dict[tuple[str, str], list[TaskState]] = {}
    for step, tasks in seen.items():
        found.setdefault((step.file, step.function), []).extend(tasks)
    return found


def _locks(states: Iterable[TaskState]) -> tuple[str, ...]:
    """Locks of page tables that are held in any of the states; NOTHING when one has none."""
    found = set()
    for task in states:
        names = {
            f"{_LOCKS[held.cls]} {_named(held.lock)}" for held in task.locks if held.cls in _LOCKS
        }
        found |= names or {NOTHING}
    return tuple(sorted(found, key=lambda said: (said != NOTHING, said)))


def _named(lock: Identity) -> str:
    """A lock's name for people: which variable it is, and whose where that is another function."""
    if not isinstance(lock, EntryName):
        return str(lock)
    if lock.owners:
        return f"{lock.spelling} of {lock.owners[-1]}()"
    return f"{lock.spelling} of the caller" if lock.up else lock.spelling


def _spaces_of_callbacks(roots: Sequence[Root]) -> dict[tuple[str, str], set[str]]:
    """What callbacks write to, by the file and function whose section they run in."""
    found: dict[tuple[str, str], set[str]] = {}
    for root in roots:
        for place in root.outcome.begun if root.binding else ():
            found.setdefault(place, set()).update(root.outcome.spaces)
    return found


def _by_section(arch: str, reports: Sequence[Report]) -> dict[tuple[str, str, str], set[str]]:
    """What sections reach, by rule and by the file and function in which they begin."""
    found: dict[tuple[str, str, str], set[str]] = {}
    for c in reports:
        if c.section is not None:
            says = f"{arch}: {c.step.function}() {c.path[-1].note}".strip()
            found.setdefault((c.rule, c.section.file, c.section.function), set()).add(says)
    return found
