# SPDX-License-Identifier: GPL-2.0-or-later
"""Beginnings and ends of sections, on the lines of the functions that show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.witness.trace import interned_events as events

if TYPE_CHECKING:
    from collections.abc import Callable

    from lazymmu.witness.trace.task_monitors import TaskMonitors
    from lazymmu.witness.trace.task_state import LineCursor, Place, TracedCpu, TracedTask
    from lazymmu.witness.trace.trace_features import TraceFeatures
    from lazymmu.witness.trace.values import Seen

__all__ = ["SectionTracker"]

_MAX_BEGINS: Final = 16
"""Beginnings of open sections that are remembered of a task."""

_MAX_BATCH_BYTES: Final = 1 << 12
"""How far behind a beginning the first batch is looked for where no end is in sight."""

_BATCH: Final = b"xen_mc_batch: start batch LAZY_"

OffSection = tuple["TracedTask", "Place", tuple[tuple[int, str], ...]]
"""A section that began with the mode off: its task, where it began, and the lines around."""


class SectionTracker:
    """Follows tasks through their sections.

    off: the first section that was seen to begin with the mode off; undecided: what was seen may be
    a mistake or not, by release.
    """

    def __init__(
        self,
        monitors: TaskMonitors,
        cursor: LineCursor,
        features: TraceFeatures,
        seen: Seen,
        doubt: Callable[[str, int], None],
    ) -> None:
        """doubt(reason, line): called for what cannot be told."""
        self.off: OffSection | None = None
        self.undecided = False
        self._monitors = monitors
        self._cursor = cursor
        self._seen = seen
        self._doubt = doubt
        self._insists = features.insists
        self._no_counters = features.no_counters
        self._batches = False
        self._slow = features.insists == "yes"
        shown = features.shows_interrupts
        self._enable = events.ENABLE if shown else events.ENABLE_SOMEWHERE
        self._disable = events.DISABLE if shown else events.DISABLE_SOMEWHERE

    def begin_block(self) -> None:
        """The cursor is at a new block: whether it has Xen's batches is found out once."""
        self._batches = self._no_counters and _BATCH in self._cursor.lines.block

    def whole(self, cpu: TracedCpu, task: TracedTask | None) -> bool:
        """A section begins and ends at once, in no interrupt: whether there is no more to it.

        Where there is, nothing was done, and each of the two is to be told.
        """
        if task is None or task is not cpu.current or task.irq or task.entered:
            return False
        if self._slow or self._batches or cpu.next_unchecked or self._seen.sites:
            return False
        node = task.node
        if node.whole is None:
            inside, objects = self._monitors.monitor.step(node, self._enable)
            after, objects_too = self._monitors.monitor.step(inside, self._disable)
            node.whole = not (node.depth or objects or objects_too) and after is node
        if not node.whole:
            return False
        seen = self._seen
        seen.sections += 1
        seen.ends += 1
        seen.paired += 1
        cpu.stack_place, cpu.mode = None, False
        return True

    def begin(self, task: TracedTask, place: Place) -> None:
        """A section begins, at the instruction that counts it: it does, so not in an interrupt."""
        self._seen.sections += 1
        self._monitors.step(task, events.ENABLE, place)
        if len(task.begins) < _MAX_BEGINS:
            task.begins.append(place)

    def enter(self, cpu: TracedCpu, task: TracedTask, place: Place, irq: tuple[str, ...]) -> None:
        """A section begins."""
        cpu.stack_place, cpu.stack_needs = place, place[3]
        if self._seen.sites:
            # Probes have told of the section already: what is left to see is the CPU's mode.
            if self._insisted(cpu, irq, on=True):
                self._monitors.step(task, events.BUG, place)
            cpu.mode = True
            return
        self._seen.sections += 1
        if task.entered:
            self._entered(task, place)
        elif self._insisted(cpu, irq, on=True) and task.node.depth == 0:
            self._monitors.step(task, events.BUG, place)
        cpu.mode = True
        self._monitors.step(task, events.ENABLE_IRQ if irq else self._enable, place)
        if len(task.begins) < _MAX_BEGINS:
            task.begins.append(place)
        if self._batches and not irq:
            self._first_batch(task, place)

    def _insisted(self, cpu: TracedCpu, irq: tuple[str, ...], *, on: bool) -> bool:
        """Whether a call meets a BUG_ON, since the CPU's mode is this, as its hooks show."""
        return self._insists == "yes" and cpu.mode is on and cpu.hooks_begun and not irq

    def _entered(self, task: TracedTask, place: Place) -> None:
        """The task enters the mode after the switch to it has: it was preempted in between.

        The counter goes up before the mode is entered, and the switch goes by the counter
        (linux/pgtable.h; arch/x86/xen/enlighten_pv.c, xen_end_context_switch(), v7.0 and v7.1).
        """
        task.entered = False
        # The switch has shown the section that only begins here.
        task.node = self._monitors.monitor.known(task.node, 0, 0)
        if self._insists == "yes":
            self._monitors.step(task, events.BUG, place)
        elif self._insists == "unknown":
            self.undecided = True
            self._doubt(
                "a task enters the mode that the switch to it has entered: a crash on v7.0, in "
                "order on v7.1, and a section in a section before: name the release with --release",
                place[0],
            )

    def leave(
        self, cpu: TracedCpu, task: TracedTask, irq: tuple[str, ...], stamp: bytes, text: bytes
    ) -> None:
        """A section ends."""
        cpu.stack_place = None
        task.entered = False
        if self._insisted(cpu, irq, on=False):
            place: Place = [self._cursor.number, stamp, cpu.number, text, None]
            self._monitors.step(task, events.BUG, place)
        if self._seen.sites:
            cpu.mode = False
            return
        self.end(cpu, task, irq, stamp, text)

    def end(
        self, cpu: TracedCpu, task: TracedTask, irq: tuple[str, ...], stamp: bytes, text: bytes
    ) -> None:
        """A section ends, by a function or at the instruction that counts it."""
        self._seen.ends += 1
        if task.inherited and task.node.depth == 0:
            # The end of a section that began before the trace.
            task.inherited = False
            cpu.mode = False
            return
        monitors, node = self._monitors, task.node
        event = events.DISABLE_IRQ if irq else self._disable
        task.node, violations = node.next.get(event) or monitors.monitor.step(node, event)
        if violations:
            place: Place = [self._cursor.number, stamp, cpu.number, text, None]
            cpu.stack_place, cpu.stack_needs = place, text
            monitors.object(task, violations, place)
        if task.begins:
            self._seen.paired += 1
            task.begins.pop()
        cpu.mode = None if task.node.depth else False

    def _first_batch(self, task: TracedTask, place: Place) -> None:
        """What the first batch of a section says of the mode, where Xen's events are recorded."""
        lines, number = self._cursor.lines, self._cursor.number
        block, at = lines.block, lines.at(number)
        after = block.find(b"\n", at)
        end = block.find(b"lazy_mmu", after)
        hit = block.find(_BATCH, after, end if end >= 0 else after + _MAX_BATCH_BYTES)
        if hit < 0:
            return
        found = lines.parts(block.rfind(b"\n", 0, hit) + 1)
        if found is None or found[0].pid != str(task.pid).encode():
            return
        columns, _, text = found
        # In an interrupt, and with bottom halves off, the mode counts as off.
        if columns.flags and not columns.irq and not columns.bh:
            self._seen.first_batches += 1
            on = text[len(_BATCH) :].startswith(b"MMU")
            if not on and self.off is None:
                self.off = (task, place, lines.around(number))
            self._monitors.step(task, events.observed("enable", "on" if on else "off"), place)
