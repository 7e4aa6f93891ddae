# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of sections: where the mode is used, under which locks, what a section reaches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lazymmu.contract.section import TaskState
from lazymmu.contract.vocabulary import Vocabulary
from lazymmu.kernelc.program import Program
from lazymmu.witness.finding import SectionRow, Step

from .causes import Culprit
from .roots import Root
from .walk import Walker

_SECTION = frozenset({"enable", "disable"})
"""Calls that make a section of a macro's own text."""


def rows(
    arch: str,
    walker: Walker,
    roots: Sequence[Root],
    program: Program,
    words: Vocabulary,
    culprits: Sequence[Culprit],
) -> list[SectionRow]:
    """One row for each function of an architecture that uses the mode."""
    out = []
    done: set[tuple[str, int]] = set()
    for root in roots:
        definition = root.definition
        place = (definition.file, definition.line)
        if root.binding or place in done:
            continue
        done.add(place)
        graph = program.function(definition)
        actions = sorted(
            {
                (call[3], words.mode[call[1]].action)
                for _, call in graph.calls()
                if isinstance(call[1], str) and call[1] in words.mode
            }
        )
        if not actions:
            continue
        if definition.kind == "macro" and not any(a in _SECTION for _, a in actions):
            # What only flushes or pauses belongs to whoever expands it.
            continue
        begun = _states(walker.begun, definition.file, definition.name)
        ended = _states(walker.ended, definition.file, definition.name)
        spaces = set(root.outcome.spaces) - {"unknown"}
        for other in roots:
            # What a callback does to entries belongs to the section that it runs in.
            if other.binding and _runs_in(other, definition.name, definition.file):
                spaces |= other.outcome.spaces - {"unknown"}
        reached = {
            rule: _reached(arch, rule, definition.file, definition.name, culprits)
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
                pinned=tuple(sorted({p for t in begun for p in _pins(t)})),
                actions=tuple(actions),
                sleeps=reached["sleep-in-section"],
                nests=reached["nested-section"],
                flushes=reached["tlb-flush-in-section"],
            )
        )
    return out


def _space_by_lock(begun: Sequence[TaskState]) -> str:
    """Whose mapping a section is over when its writes do not tell: a user's if it is locked so."""
    locked = all(any(h.cls in ("ptl", "pmd", "mm") for h in t.locks) for t in begun)
    return "user" if begun and locked else "unknown"


def _pins(task: TaskState) -> set[str]:
    """What keeps the task on its CPU where a section begins: a spinlock does as well."""
    return {*task.pins, *(["spinlock"] if task.locks else [])}


def _states(seen: dict[Step, list[TaskState]], file: str, function: str) -> list[TaskState]:
    return [
        task
        for step, tasks in seen.items()
        if step.file == file and step.function == function
        for task in tasks
    ]


def _locks(states: Iterable[TaskState]) -> tuple[str, ...]:
    """Locks of page tables that are held in any of the states; "none" when one has none."""
    found = set()
    for task in states:
        names = {f"{h.cls} {h.lock}" for h in task.locks if h.cls != "other"}
        found |= names or {"none"}
    return tuple(sorted(found))


def _runs_in(other: Root, function: str, file: str) -> bool:
    return any(
        step.function == function and step.file == file
        for trail in other.outcome.exits.values()
        if trail is not None
        for note in trail
        if (step := note.step) is not None and note.mark == "begin"
    )


def _reached(
    arch: str, rule: str, file: str, function: str, culprits: Sequence[Culprit]
) -> tuple[str, ...]:
    found = {
        f"{arch}: {c.step.function}() {c.path[-1].note}".strip()
        for c in culprits
        if c.rule == rule
        and c.section is not None
        and (c.section.file, c.section.function) == (file, function)
    }
    return tuple(sorted(found))
