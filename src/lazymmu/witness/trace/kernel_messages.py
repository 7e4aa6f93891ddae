# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks of the kernel's own, where a recording has the kernel's messages (printk/console).

They say that something went wrong, and where the kernel noticed; what led to it are the lines
before.  A check counts where it stands in code of page tables, where its task is in a section, or
where something was found of the task since it got its CPU; another is somebody else's, and said to
be there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.contract.events import Bug
from lazymmu.contract.monitor import Violation
from lazymmu.ftrace.kernel_checks import kernel_check

if TYPE_CHECKING:
    from collections.abc import Callable

    from lazymmu.ftrace.lines import Columns
    from lazymmu.witness.trace.findings import PendingFinding
    from lazymmu.witness.trace.task_monitors import TaskMonitors
    from lazymmu.witness.trace.task_state import LineCursor, Place, TracedCpu
    from lazymmu.witness.trace.task_table import TaskTable
    from lazymmu.witness.trace.values import Seen

__all__ = ["KernelMessages"]

_MAX_CAUSES: Final = 1 << 12
"""Different checks and tasks that are remembered: one that fires again is the same finding."""


class KernelMessages:
    """Tells of the checks that fired, each once for a task."""

    def __init__(
        self,
        table: TaskTable,
        monitors: TaskMonitors,
        cursor: LineCursor,
        seen: Seen,
        doubt: Callable[[str, int], None],
    ) -> None:
        """doubt(reason, line): called for what cannot be told."""
        self._table = table
        self._monitors = monitors
        self._cursor = cursor
        self._seen = seen
        self._doubt = doubt
        self._told: dict[tuple[int, str], PendingFinding] = {}

    def message(self, cpu: TracedCpu, columns: Columns, stamp: bytes, text: bytes) -> None:
        """A message of the kernel, on a line of the task that it was printed by."""
        self._seen.messages += 1
        check = kernel_check(text)
        if check is None:
            return
        task = self._table.task(cpu, columns.pid, columns.comm)
        counted = task.counts is not None and task.counts.enabled and not task.inherited
        if not (check.concerns or task.node.depth or counted or task.recent_findings):
            self._doubt(
                f"the kernel says {check.words}, in no section and not in code of page tables",
                self._cursor.number,
            )
            return
        known = self._told.get((task.pid, check.words))
        if known is not None:
            known.readings += 1
            return
        place: Place = [self._cursor.number, stamp, cpu.number, text, None]
        cpu.stack_place, cpu.stack_needs = place, ""
        warns = check.what == "WARNING"
        rule = "kernel-warning" if warns else "kernel-bug"
        event = Bug(check.words, check="WARN" if warns else "BUG")
        violation = Violation(rule, event, check.words)
        finding = self._monitors.object(task, (violation,), place)
        if finding is not None and len(self._told) < _MAX_CAUSES:
            finding.noun = "messages"
            self._told[task.pid, check.words] = finding
