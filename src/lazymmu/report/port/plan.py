# SPDX-License-Identifier: GPL-2.0-or-later
"""What `port plan` says: place by place what has to change, and which callers begin to defer."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from lazymmu.report.common.words import clean, count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lazymmu.verbs.port_plan import PlanPlace, PortPlan
    from lazymmu.witness.finding import SectionRow

__all__ = ["render"]


def render(plan: PortPlan, width: int) -> str:
    """The whole plan; width: columns, which names of files and functions may exceed."""
    folder = f"arch/{plan.arch or 'ARCH'}"
    parts = [
        [f"{plan.tree}: Linux {plan.release}, the mode for {folder}"],
        _turning_on(plan, folder),
        _hooks(plan, folder),
        _switches(plan, folder),
        _accessors(plan, folder),
        _callers(plan),
    ]
    lines = (line for part in parts for line in [*part, ""])
    folded = (piece for line in lines for piece in _folded(line, width))
    return "".join(f"{line}\n" for line in folded).removesuffix("\n")


def _turning_on(plan: PortPlan, folder: str) -> Iterator[str]:
    yield "1. Turn it on"
    there = ", ".join(dict.fromkeys(_at(one) for one in plan.turned_on)) or "nobody"
    if plan.done:
        yield f"   {_at(plan.done[0])} has {plan.done[0].name} already: there is a mode here"
    elif plan.symbol:
        yield f"   {folder}/Kconfig: select {plan.symbol}"
    else:
        yield f"   {folder}/include/asm/pgtable.h: #define {plan.guard}"
    if plan.symbol and plan.declared is None:
        yield f"   {plan.symbol} is declared in no Kconfig that was read: declare it, too"
    elif plan.declared is not None:
        yield f"   declared in {_at(plan.declared)}"
    yield f"   as done in: {there}"


def _hooks(plan: PortPlan, folder: str) -> Iterator[str]:
    yield "2. Hooks of the mode, which the generic header calls"
    own = {place.name: place for place in plan.own}
    for hook in plan.hooks:
        if hook.name in own:
            yield f"   {hook.name}(): {_at(own[hook.name])} has it"
        else:
            header = f"{folder}/include/asm/pgtable.h"
            yield f"   {hook.name}(): to be written, in {header} (called from {_at(hook)})"


def _switches(plan: PortPlan, folder: str) -> Iterator[str]:
    yield "3. Hooks of a context switch, only if the state is the CPU's and preemption stays on"
    called = ", ".join(f"{one.name}() in {_at(one)}" for one in plan.switches)
    yield f"   called by the scheduler: {called or 'none of them in this tree'}"
    yield f"   at the end of a switch {folder}'s own switch code has to call its counterpart"
    own = [f"{one.name}() in {_at(one)}" for one in plan.own if one.name.endswith("_switch")]
    if own:
        yield f"   there already: {', '.join(own)}"


def _accessors(plan: PortPlan, folder: str) -> Iterator[str]:
    yield "4. Accessors that change entries: each puts off, or is immediate, by your design"
    if not plan.arch:
        yield f"   those in {folder}/include/asm (--arch NAME lists them)"
        return
    if not plan.accessors:
        yield f"   {folder}/include/asm defines none: the generic ones are all it has"
    by_file: dict[str, list[str]] = {}
    for one in plan.accessors:
        by_file.setdefault(one.file, []).append(f"{one.name}:{one.line}")
    for file, names in by_file.items():
        yield f"   {file}: {', '.join(names)}"


def _callers(plan: PortPlan) -> Iterator[str]:
    rows = [row for row in plan.sections.rows if not row.file.startswith("arch/")]
    looks = [(row, why) for row in rows if (why := _why(row))]
    read_as = ", ".join(plan.sections.arches) or "nothing"
    yield (
        f"5. Callers that begin to defer: {count(len(rows), 'section')} outside arch/ (as built "
        f"for {read_as}), {len(looks)} of them to be looked at"
    )
    for row, why in looks:
        yield f"   {row.file}:{row.line} {row.function}(): {why}"
    yield from _others(rows, [row for row, _ in looks])


def _others(rows: Sequence[SectionRow], told: Sequence[SectionRow]) -> Iterator[str]:
    files: dict[str, int] = {}
    for row in rows:
        if row not in told:
            files[row.file] = files.get(row.file, 0) + 1
    if files:
        yield f"   and user mappings under their lock, in {_counted(files.items())}"


def _counted(files: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{file} ({number})" if number > 1 else file for file, number in files)


def _why(row: SectionRow) -> str:
    """Why a section needs a look on a new architecture, "" for those that do not."""
    reasons = []
    if "kernel" in row.space:
        reasons.append(f"{row.space} mappings, which may be used without a fault")
    elif row.space != "user":
        reasons.append("whose mappings these are depends on its callers")
    if "nothing" in row.locks_begin:
        reasons.append("no page-table lock on some path")
    for what, chains in (
        ("reaches what may sleep", row.sleeps),
        ("begins a section inside", row.nests),
        ("flushes the TLB inside", row.flushes),
    ):
        reasons += [what] if chains else []
    return "; ".join(reasons)


def _at(place: PlanPlace) -> str:
    return f"{place.file}:{place.line}" if place.line else place.file


def _folded(line: str, width: int) -> list[str]:
    return textwrap.wrap(
        clean(line.strip()),
        width,
        initial_indent=" " * (len(line) - len(line.lstrip())),
        subsequent_indent="      ",
        break_on_hyphens=False,
        break_long_words=False,
    ) or [""]
