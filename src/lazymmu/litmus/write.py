# SPDX-License-Identifier: GPL-2.0-or-later
"""Write a scenario as a litmus file, which reads back as equal."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from lazymmu.litmus.scenario import IrqDeclaration, TaskDeclaration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lazymmu.litmus.scenario import (
        Breach,
        EntryDeclaration,
        Expect,
        MachineDeclaration,
        OperationLine,
        Scenario,
    )

__all__ = ["operation", "render"]

_INDENT = "    "
_MAX_COLUMNS = 96


def render(scenario: Scenario) -> str:
    """The text of `scenario`, without comments."""
    return "".join(f"{line}\n" for line in _lines(scenario))


def operation(line: OperationLine) -> str:
    """One line of a program as written, without what is below it."""
    return " ".join((line.name, *line.args)) + (":" if line.body else "")


def _lines(scenario: Scenario) -> Iterator[str]:
    yield f"litmus {scenario.name}"
    yield from (
        f'"{part}"'
        for part in textwrap.wrap(scenario.sentence, _MAX_COLUMNS, break_on_hyphens=False)
    )
    for keyword, names in (
        ("claim", scenario.claims),
        ("bug", scenario.bugs),
        ("rule", scenario.rules),
        ("watch", scenario.watch),
        ("locks", scenario.locks),
        ("mutexes", scenario.mutexes),
    ):
        if names:
            yield f"{keyword} {', '.join(names)}"
    yield from (f'see "{place}"' for place in scenario.see)
    yield ""
    yield f"machine: {', '.join(_settings(scenario.machine))}"
    yield from _block("entries", map(_entry, scenario.entries))
    for program in scenario.programs:
        yield ""
        yield _head(program)
        yield from _operations(program.operations, _INDENT)
    yield ""
    yield from _block("occurs", map(str, scenario.occurs))
    yield from _block("finally", map(str, scenario.finally_))
    yield from _block("always", map(str, scenario.always))
    yield from _block("cost", map(str, scenario.cost))
    for keyword, also in (("expect", False), ("also", True)):
        lines = (expected for expected in scenario.expect if expected.also is also)
        yield from _block(keyword, map(_expect, lines))


def _block(keyword: str, items: Iterable[str]) -> Iterator[str]:
    lines = list(items)
    if lines:
        yield f"{keyword}:"
        yield from (_INDENT + line for line in lines)


def _settings(machine: MachineDeclaration) -> Iterator[str]:
    yield f"cpus {machine.cpus}"
    yield f"preempt {machine.preempt}"
    yield f"rt {'yes' if machine.rt else 'no'}"
    if machine.bound is not None:
        yield f"bound {machine.bound}"
    if machine.size != "small":
        yield f"size {machine.size}"


def _entry(entry: EntryDeclaration) -> str:
    words = [entry.name, entry.level, entry.space]
    words += ["in", entry.parent] if entry.parent else []
    words += ["mm", entry.mm] if entry.mm else []
    words += ["ptl", *entry.locks] if entry.locks else []
    return f"{' '.join(words)} = {entry.value}"


def _head(program: TaskDeclaration | IrqDeclaration) -> str:
    on = [] if program.cpu is None else ["on", f"cpu{program.cpu}"]
    if isinstance(program, IrqDeclaration):
        words = ["interrupt", program.name, program.kind, *on, "times", str(program.times)]
    else:
        words = ["task", program.name, *on]
        words += ["only"] if program.bound else []
        words += ["forked"] if program.forked else []
        words += ["mm", program.mm] if program.mm else []
    return " ".join(words) + ":"


def _operations(lines: Iterable[OperationLine], indent: str) -> Iterator[str]:
    for line in lines:
        yield indent + operation(line)
        yield from _operations(line.body, indent + _INDENT)


def _expect(expected: Expect) -> str:
    broken = ", ".join(map(_breach, expected.broken))
    targets = ", ".join(map(str, expected.targets))
    return f"{targets}: {expected.outcome}{' ' if broken else ''}{broken}"


def _breach(breach: Breach) -> str:
    counts = [
        f" {number} {what if number == 1 else what + 's'}"
        for number, what in ((breach.preemptions, "preemption"), (breach.steps, "step"))
        if number is not None
    ]
    return breach.rule + "".join(counts)
