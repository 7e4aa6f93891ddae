# SPDX-License-Identifier: GPL-2.0-or-later
"""Follows tasks over CPUs through a trace, and says what each of its lines is to the contract.

What a line cannot tell is not made up: a task of which the beginning was not seen may be in a
section already (`inherited`), records that were lost make every task unknown again, and so do lines
out of order.  `LineLoop` knows lines, tasks and CPUs; it hands moments to a `Judge` and what that
finds to `found`.

Traps of a trace that this minds (each seen on a real kernel):

* the hooks of a context switch enter and leave the mode too, and the entering one is stamped with
  the task that goes, not with the one that comes;
* pid 0 is one task per CPU;
* `prev_state` R+ is a preempted task, R one that called schedule(), X and Z one that ended;
* interrupts show in the flags of a line alone: a function called in one is stamped with the task
  that was interrupted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lazymmu.ftrace.lines import STACK
from lazymmu.ftrace.profile import counter_events
from lazymmu.ftrace.record import fields_of
from lazymmu.witness.trace import line_class
from lazymmu.witness.trace import memo_monitor as moments
from lazymmu.witness.trace.context_switches import SwitchTracker

if TYPE_CHECKING:
    from lazymmu.ftrace.block import Lines
    from lazymmu.ftrace.lines import Columns
    from lazymmu.witness.trace.task_state import Head, Place, TracedCpu, TracedTask, TraceObserver

__all__ = ["LineLoop"]

_REMEMBERED: Final = 1 << 14
"""Texts of functions, and columns, of which it is remembered what they mean."""

_OPEN: Final = 16
"""Beginnings of open sections that are remembered of a task."""

_FRAMES: Final = (b" =>", b"=>")
"""How the lines of a stack begin."""

_BATCH: Final = b"xen_mc_batch: start batch LAZY_"


class LineLoop(SwitchTracker):
    """See the module."""

    def block(self, lines: Lines) -> None:
        """Follow the lines of one block."""
        self._lines = lines
        known_acts, heads, tasks = self._acts, self._heads, self.tasks
        enter, leave, begin, nothing = (
            line_class.ENTER,
            line_class.LEAVE,
            line_class.BEGIN,
            line_class.NOTHING,
        )
        tally, last = self.tally, self._stamp
        self._batches = self._uncounted and _BATCH in lines.block
        if lines.gap:
            self._lost()
        for number, (key, stamp, text, line) in lines.split():
            head = heads.get(key)
            if head is None:
                if line.startswith(_FRAMES):
                    continue
                columns = lines.known.get(key) or lines.meet(key)
                if columns is None:
                    found = lines.other(number)
                    if lines.gap:
                        self._lost()
                    if found is None:
                        self._unreadable(number)
                        continue
                    columns, stamp, text = found
                    stamp = stamp.rjust(lines.wide)
            else:
                columns = head[0]
            if stamp != last:
                if (stamp < last and len(stamp) <= len(last)) or len(stamp) < len(last):
                    self.disorders += 1
                    self._doubt("lines are out of order: what came before them is not used", number)
                    self._forget_all()
                    head = None
                last = stamp
            _, cpu, pid, irq = head or self._head(key, columns)
            self._number = number
            act = known_acts.get(text)
            if act is None:
                act = line_class.SWITCH if text.startswith(b"sched_switch:") else self._act(text)
            if tally is not None:
                self._tell(tally, columns, cpu, act)
            if act <= nothing:
                if act == line_class.SWITCH:
                    self._switch(cpu, pid, columns.comm, stamp, text)
                elif act == line_class.EVENT:
                    self._event(cpu, columns, stamp, text)
                continue
            if act >= begin:
                if act == begin:
                    cpu.hooks_begun = True
                else:
                    self._hook(cpu, act)
                continue
            task = cpu.idle if pid == b"0" else tasks.get(pid)
            if task is None:
                task = self._task(pid, columns.comm)
            if task is not cpu.current and not self._placed(task, cpu, number):
                continue
            if cpu.next_unchecked:
                self._arrive(cpu, task, stamp, text)
            if irq != task.irq:
                self._interrupts(task, irq)
            if act == enter:
                self._enter(cpu, task, [number, stamp, cpu.number, text, None], irq)
            elif act == leave:
                self._leave(cpu, task, irq, stamp, text)
            else:
                cpu.stack_place = None
                self.seen.flushes += 1
        self._stamp = last

    def _head(self, key: bytes, columns: Columns) -> Head:
        """What the columns of a line stand for, remembered by their bytes."""
        cpu = self.cpus.get(columns.cpu) or self._cpu(columns.cpu)
        head = (columns, cpu, columns.pid, columns.irq)
        if key and self._lines.known.get(key) is columns:
            if len(self._heads) > _REMEMBERED:
                self._heads.clear()
            self._heads[key] = head
        return head

    def finish(self) -> None:
        """Judge what was put off to a line that never came."""
        for cpu in self.cpus.values():
            if cpu.pending_switch is not None:
                self._resolve(cpu)

    def _tell(self, tally: TraceObserver, columns: Columns, cpu: TracedCpu, act: int) -> None:
        """Hand the line at hand to whoever counts."""
        task = cpu.idle if columns.pid == b"0" else self.tasks.get(columns.pid)
        record = self._lines.record(self._number)
        if record is not None:
            depth = 0 if task is None else task.node.depth
            tally.add(
                record,
                line_class.WORDS.get(act, ""),
                depth,
                known=task is None or not task.inherited,
            )

    # ---- lines -----------------------------------------------------------------------------

    def _act(self, text: bytes) -> int:
        """What a text means; texts of functions are remembered."""
        act = line_class.act_of(text)
        if act is None:
            self._doubt(
                "functions are shown without their callers, so that a context switch cannot be "
                "told from the end of a section: trace-cmd report needs `-O parent`",
                self._number,
            )
            return line_class.NOTHING
        if act != line_class.EVENT and len(self._acts) < _REMEMBERED:
            self._acts[text] = act
        return act

    def _lost(self) -> None:
        """Records are missing before the line at hand."""
        self._forget_all()
        self._lines.gap = False

    def _unreadable(self, number: int) -> None:
        """A line that holds a word that matters and is no record."""
        text = self._lines.text(self._lines.at(number))
        # Frames of stacks, and heads of traces put together, hold such words too.
        frame = re.match(rb"\s*=>|#", text)
        if frame is None and any(needle in text for needle in self._lines.needles):
            self.seen.unreadable += 1
            self._doubt("a line that matters cannot be read", number)
            self._forget_all()

    def _event(self, cpu: TracedCpu, columns: Columns, stamp: bytes, text: bytes) -> None:
        pid, comm = columns.pid, columns.comm
        if STACK.match(text):
            self._stack(cpu)
        elif text.startswith(b"sched_process_exit:"):
            task = cpu.idle if pid == b"0" else self.tasks.get(pid) or self._task(pid, comm)
            if task is cpu.current or self._placed(task, cpu, self._number):
                place: Place = [self._number, stamp, cpu.number, text, None]
                cpu.stack_place, cpu.stack_needs = place, ""
                self._exit(task, place)
        elif text.startswith(b"sched_process_fork:"):
            child = fields_of("sched_process_fork", text[19:]).get("child_pid", "").encode()
            if child.isdigit():
                self.tasks.pop(child, None)
                self._task(child, b"").inherited = False
        else:
            name = text.partition(b":")[0]
            at = counter_events().get(name.decode("ascii", "replace"))
            if at is not None:
                self._counters(cpu, at, pid, comm, stamp, text)

    # ---- sections --------------------------------------------------------------------------

    def _enter(self, cpu: TracedCpu, task: TracedTask, place: Place, irq: tuple[str, ...]) -> None:
        self.seen.sections += 1
        cpu.stack_place, cpu.stack_needs, cpu.mode = place, place[3], True
        if irq:
            event = moments.ENABLE_IRQ
        else:
            event = moments.ENABLE if self._flags else moments.ENABLE_SOMEWHERE
        node = task.node
        task.node, violations = node.next.get(event) or self.judge.step(node, event)
        if violations:
            self._found(task, violations, place, self._lines, self._number)
        if len(task.begins) < _OPEN:
            task.begins.append(place)
        if self._batches and not irq:
            self._batched(task, place)

    def _leave(
        self, cpu: TracedCpu, task: TracedTask, irq: tuple[str, ...], stamp: bytes, text: bytes
    ) -> None:
        self.seen.ends += 1
        cpu.stack_place = None
        node = task.node
        if node.depth == 0 and task.inherited:
            # The end of a section that began before the trace.
            task.inherited = False
            cpu.mode = False
            return
        if irq:
            event = moments.DISABLE_IRQ
        else:
            event = moments.DISABLE if self._flags else moments.DISABLE_SOMEWHERE
        task.node, violations = node.next.get(event) or self.judge.step(node, event)
        if violations:
            place: Place = [self._number, stamp, cpu.number, text, None]
            cpu.stack_place, cpu.stack_needs = place, text
            self._found(task, violations, place, self._lines, self._number)
        if task.begins:
            task.begins.pop()
        cpu.mode = None if task.node.depth else False

    def _batched(self, task: TracedTask, place: Place) -> None:
        """What the first batch of a section says of the mode, where Xen's events are recorded."""
        block, at = self._lines.block, self._lines.at(self._number)
        after = block.find(b"\n", at)
        end = block.find(b"lazy_mmu", after)
        hit = block.find(_BATCH, after, end if end >= 0 else after + 4096)
        if hit < 0:
            return
        found = self._lines.parts(block.rfind(b"\n", 0, hit) + 1)
        if found is None or found[0].pid != str(task.pid).encode():
            return
        columns, _, text = found
        # In an interrupt, and with bottom halves off, the mode counts as off.
        if columns.flags and not columns.irq and not columns.bh:
            on = text[len(_BATCH) :].startswith(b"MMU")
            if not on and self.off is None:
                self.off = (task, place, self._lines.around(self._number))
            self._step(task, moments.observed("enable", "on" if on else "off"), place)
