# SPDX-License-Identifier: GPL-2.0-or-later
"""A finding of source as a scenario: the steps, locks and entries of its path, as a litmus file.

What happens on the path is played by one task, in its order; what the rule needs somebody else for
(the next holder of a lock, who still uses a page) is a second task.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from lazymmu.contract.rules import RULES
from lazymmu.contract.rules.rule import Witness
from lazymmu.litmus.path_program import PathProgram

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.witness.finding import Finding

__all__ = ["UntoldError", "scenario_of"]

_IN_A_HOOK: Final = ("PerCpu", "BatchKey", "BatchAdd")
"""Events of an architecture's own code: no caller does them."""
_HARMS: Final = ("lost-update", "stale-translation-used", "kernel-bug")
_OTHERS_RUN: Final = ("nested-section", "sleep-in-section", "preempted-in-section")
"""Rules whose harm comes when another task has the CPU."""
_OTHERS_LOOK: Final = ("free-before-flush", "tlb-flush-in-section")
"""Rules whose harm is done to who still uses the old translation."""
_IN_INTERRUPT: Final = "section-in-interrupt"
_INTERRUPTED: Final = "t"
"""The entry of the task that is interrupted."""
_COLUMNS: Final = 96


class UntoldError(Exception):
    """A finding has no path that a machine can play; the text says why."""


def scenario_of(finding: Finding) -> str:
    """Return the litmus file of a finding.

    :raises UntoldError: with the reason.
    """
    _check(finding)
    program = PathProgram.of(finding)
    lines = [*_head(finding), "", *_machine(finding, program), ""]
    if finding.rule == _IN_INTERRUPT:
        lines += _interrupted()
        lines += ["", "interrupt I hard on cpu0 times 1:", *program.text()]
    else:
        lines += ["task T0 on cpu0:", *program.text(), *_others(finding, program)]
    watched = dict.fromkeys((finding.rule, *finding.also, *_HARMS))
    lines += ["", f"watch {', '.join(name for name in watched if _is_watched(name))}"]
    return "".join(f"{line}\n" for line in lines)


def _check(finding: Finding) -> None:
    if not _is_watched(finding.rule):
        raise UntoldError(
            f"no machine shows {finding.rule}: it is about the text, not what it does"
        )
    if not finding.events:
        raise UntoldError("nothing is known of what happens on its path")
    if finding.events[-1].event in _IN_A_HOOK:
        shown = [harm.scenario for harm in finding.harms if harm.scenario]
        known = f", as {shown[0]} does" if shown else ""
        raise UntoldError(
            f"its path is in the implementation itself, which every scenario runs{known}"
        )


def _is_watched(rule: str) -> bool:
    return rule in RULES and Witness.MACHINE in RULES[rule].witnesses


def _head(finding: Finding) -> Iterator[str]:
    yield "# SPDX-License-Identifier: GPL-2.0-or-later"
    yield f"litmus {finding.rule}-{finding.fingerprint or 'found'}"
    where = f"{finding.function}() {finding.message}." if finding.function else finding.message
    for part in textwrap.wrap(_quotable(where), _COLUMNS, break_on_hyphens=False):
        yield f'"{part}"'
    yield f"rule {finding.rule}"
    yield f'see "{_quotable(f"{finding.file}:{finding.line}")}"'


def _quotable(text: str) -> str:
    return text.replace('"', "'").replace("\n", " ")


def _machine(finding: Finding, program: PathProgram) -> Iterator[str]:
    yield f"machine: cpus {1 if finding.rule in _OTHERS_RUN else 2}, preempt full, bound 1"
    if program.others:
        yield f"locks {', '.join(program.others)}"
    yield "entries:"
    for entry in program.entries.values():
        lock = f" ptl {entry.lock}" if entry.lock else ""
        yield f"    {entry.name}  {entry.level} {entry.space}{lock} = {entry.initial}"
    if finding.rule == _IN_INTERRUPT:
        yield f"    {_INTERRUPTED}  pte kernel = none"


def _interrupted() -> Iterator[str]:
    """Yield the task that is interrupted, in a section of its own."""
    yield "task T0 on cpu0:                # whom it interrupts"
    yield "    lazy_mmu_mode_enable"
    yield f"    set_pte {_INTERRUPTED} Z"
    yield "    lazy_mmu_mode_disable"


def _others(finding: Finding, program: PathProgram) -> Iterator[str]:
    """The second task."""
    entry = program.last
    if finding.rule in _OTHERS_RUN:
        yield from ("", "task T1 on cpu0:                # whoever comes next")
        yield f"    access {entry.name}"
    elif finding.rule in _OTHERS_LOOK:
        yield from ("", "task T1 on cpu1:                # may have the old translation")
        yield f"    access {entry.name}"
    elif finding.rule == "unlock-before-flush" and program.let_go.lock:
        entry = program.let_go
        yield from ("", "task T1 on cpu1:                # the next holder of the lock")
        yield f"    spin_lock {entry.lock}"
        taken = "ptep_get_and_clear" if entry.level == "pte" else "pmdp_huge_get_and_clear"
        yield f"    {taken} {entry.name}"
        yield f"    flush_tlb_range {entry.name}"
        yield f"    spin_unlock {entry.lock}"
