# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel prints when a check of its own fires, as the event printk/console records it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lazymmu.contract.events import Bug
    from lazymmu.crosscheck.fine_replay import FineStep

__all__ = ["message"]

_LINE: Final = 100
"""A machine's functions have files, and no lines."""

_NEW_FORM: Final = (6, 19, 0)
"""kernel/panic.c, __warn(), says where first, and by whom last, from then on."""

_ELSEWHERE: Final = {
    # DEBUG_LOCKS_WARN_ON() in preempt_count_sub().
    "val > preempt_count()": ("kernel/sched/core.c", "preempt_count_sub"),
}


def message(event: Bug, step: FineStep, pid: int, release: tuple[int, int, int]) -> str:
    """The text of the event for a check that fired in a step of the task `pid`."""
    return f"console: {_words(event, step, pid, release)}"


def _words(event: Bug, step: FineStep, pid: int, release: tuple[int, int, int]) -> str:
    comm = step.task[:15]
    if event.condition == "scheduling while atomic":
        # kernel/sched/core.c, __schedule_bug(), of 32 bits
        count = step.before.preempt_count & 0xFFFF_FFFF
        return f"BUG: scheduling while atomic: {comm}/{pid}/0x{count:08x}"
    if event.condition.endswith("is freed twice"):
        # mm/page_alloc.c, bad_page()
        return f"BUG: Bad page state in process {comm}  pfn:{_LINE:05x}"
    inner = step.functions[-1] if step.functions else None
    file = inner.source.split(",")[0].split(" ")[0] if inner else ""
    name = inner.name if inner else step.task
    file, name = _ELSEWHERE.get(event.condition, (file, name))
    if event.check == "BUG_ON":
        return f"kernel BUG at {file}:{_LINE}!"  # lib/bug.c, report_bug()
    place = f"{file}:{_LINE}"
    if release >= _NEW_FORM:
        return f"WARNING: {place} at {name}+0x4/0x20, CPU#{step.cpu}: {comm}/{pid}"
    return f"WARNING: CPU: {step.cpu} PID: {pid} at {place} {name}+0x4/0x20"
