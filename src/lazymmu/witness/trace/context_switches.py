# SPDX-License-Identifier: GPL-2.0-or-later
"""Context switches in a trace: why a task went, what the hooks did, and which task came.

Traps that this minds: the hooks of a switch enter and leave the mode too, and the entering one is
stamped with the task that goes; a switch whose reason only a later line tells is judged then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.ftrace.counter_events import TASK_DEAD
from lazymmu.witness.trace import interned_events as events
from lazymmu.witness.trace import line_class
from lazymmu.witness.trace.switch_text import EXIT, LOCK, PREEMPTED, YIELDED, SwitchReader

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from lazymmu.ftrace.counter_events import TracedCounters
    from lazymmu.witness.trace.interned_events import InternedEvent
    from lazymmu.witness.trace.task_monitors import TaskMonitors
    from lazymmu.witness.trace.task_state import LineCursor, Place, TracedCpu, TracedTask
    from lazymmu.witness.trace.task_table import TaskTable
    from lazymmu.witness.trace.trace_features import TraceFeatures
    from lazymmu.witness.trace.values import Seen

__all__ = ["SwitchTracker"]

_TASK_RTLOCK_WAIT: Final = 0x1000  # include/linux/sched.h; sched_switch shows it as D


class SwitchTracker:
    """Follows tasks through context switches."""

    def __init__(
        self,
        table: TaskTable,
        monitors: TaskMonitors,
        cursor: LineCursor,
        features: TraceFeatures,
        seen: Seen,
        doubt: Callable[[str, int], None],
    ) -> None:
        """doubt(reason, line): called for what cannot be told."""
        self._table = table
        self._monitors = monitors
        self._step = monitors.step
        self._monitor = monitors.monitor
        self._cursor = cursor
        self._seen = seen
        self._doubt = doubt
        self._counters_only = features.counters_only
        self._no_counters = features.no_counters
        self._reader = SwitchReader()
        self._texts = self._reader.texts

    # ---- sched_switch ----------------------------------------------------------------------

    def switch(self, cpu: TracedCpu, pid: bytes, comm: bytes, stamp: bytes, text: bytes) -> None:
        """A sched_switch, on a line that is stamped with the task `pid`."""
        table, number = self._table, self._cursor.number
        prev, steps, _, nxt, comm_next = self._texts.get(text) or self._reader.read(text)
        if prev != pid:
            self._doubt(
                "a sched_switch cannot be read: is the line cut, or wrapped by a mail?", number
            )
            table.forget_all()
            return
        self._seen.switches += 1
        if cpu.pending_switch is not None:
            self.resolve(cpu)
        task = cpu.idle if pid == b"0" else table.tasks.get(pid) or table.add(pid, comm)
        if task is not cpu.current:
            cpu.prev = None
            if not table.place(task, cpu):
                return
        if cpu.next_unchecked:
            self.check_next(cpu, task, stamp, text)
        if task.irq:
            self._monitors.interrupts(task, (), cpu, stamp)
        place: Place = [number, stamp, cpu.number, text, None]
        cpu.stack_place, cpu.stack_needs = place, "__schedule"
        cpu.last_switch = (task, steps, place)
        if cpu.judged_ahead == (task, task.times_on) and steps is not EXIT:
            cpu.judged_ahead = cpu.last_switch = None
        elif self._counters_only or steps is EXIT:
            cpu.pending_switch = cpu.last_switch
            if self._no_counters:
                self.resolve(cpu)
        else:
            for event in steps:
                self._step(task, event, place)
        come = cpu.idle if nxt == b"0" else table.tasks.get(nxt) or table.add(nxt, b"")
        if come.last_cpu is not None and self._waits(come, come.last_cpu):
            # What it did before it went on is judged before it does more.  If that was its end,
            # this is another task with its pid.
            self.resolve(come.last_cpu)
            come = cpu.idle if nxt == b"0" else table.tasks.get(nxt) or table.add(nxt, b"")
        come.comm = comm_next
        task.cpu, task.last_cpu, task.switched_out_at = None, cpu, stamp
        self._comes(come, cpu, stamp, place)
        cpu.prev, cpu.current = task, come
        cpu.hooks_begun = cpu.hook_left_mode = False

    def whole(
        self,
        cpu: TracedCpu,
        pid: bytes,
        stamp: bytes,
        text: bytes,
        number: int,
        apart: Collection[bytes] = (),
    ) -> bool:
        """Do a sched_switch, on line `number`, with its two hooks on the lines after it, in one go.

        It is done if nobody objects to anything, and no task is in a section or in an interrupt.
        Where there is more to it, nothing was done, and each of the three is to be told.

        :param apart: tasks, by their keys, that are not followed so.
        """
        # Long: as `switch()`, `hook()` and `hook()`, without what cannot be so here: most of some
        # recordings.
        prev, steps, checked, nxt, comm = self._texts.get(text) or self._reader.read(text)
        table, task = self._table, cpu.current
        come = cpu.idle if nxt == b"0" else table.tasks.get(nxt)
        if task is None or come is None or prev != pid or come is task or come.cpu is not None:
            return False
        if task is not (cpu.idle if pid == b"0" else table.tasks.get(pid)) or table.partial:
            return False
        if task.irq or come.order_unknown or steps is EXIT or cpu.mode is not False:
            return False
        if apart and (
            (pid if pid != b"0" else cpu.idle_key) in apart
            or (nxt if nxt != b"0" else cpu.idle_key) in apart
        ):
            return False
        last, there = come.last_cpu, come.node
        if cpu.pending_switch is not None:
            return False
        if last is None:
            return False
        if last is not cpu and (last.pending_switch is not None or come.switched_out_at == stamp):
            return False
        # As `check_next()`, where the monitors are told that the task runs with the mode off.
        if cpu.next_unchecked and self._no_counters and not task.inherited:
            steps_too = checked
        else:
            steps_too = steps
        node = task.node.quiet.get(steps_too) or self._monitor.quietly(task.node, steps_too)
        if node is None:
            return False
        event = cpu.switch_back if last is cpu else events.switch_in(last.number, cpu.number)
        there, violations = there.next.get(event) or self._monitor.step(there, event)
        if violations or there.depth or self._counters_only:
            return False
        seen = self._seen
        seen.switches += 1
        seen.hooks += 1
        place: Place = [number, stamp, cpu.number, text, None]
        cpu.stack_place, cpu.stack_needs = place, "__schedule"
        cpu.last_switch = (task, steps, place)
        task.node, come.node, come.comm = node, there, comm
        if seen.ends or (cpu.next_unchecked and self._no_counters):
            task.inherited = False
        task.cpu, task.last_cpu, task.switched_out_at = None, cpu, stamp
        if come.recent_findings:
            come.recent_findings.clear()
        come.cpu = cpu
        come.times_on += 1
        cpu.prev, cpu.current = task, come
        cpu.hooks_begun, cpu.hook_left_mode, cpu.next_unchecked = True, False, True
        return True

    def _comes(self, come: TracedTask, cpu: TracedCpu, stamp: bytes, place: Place) -> None:
        """`come` is switched in."""
        last = come.last_cpu
        if come.cpu is not None and come.cpu is not cpu:
            self._doubt(
                "a task runs on two CPUs at once: lines are missing, or not in order", place[0]
            )
            come.cpu.current = None
            self._table.retract(come)
        elif last is not None and last is not cpu and come.switched_out_at == stamp:
            # At one time on two CPUs: nobody knows on which first.
            self._table.retract(come)
            come.order_unknown = True
        elif come.order_unknown or self._table.partial:
            self._monitors.forget(come)
            come.order_unknown = False
        if come.recent_findings:
            come.recent_findings.clear()
        if last is not None:
            same = last is cpu
            event = cpu.switch_back if same else events.switch_in(last.number, cpu.number)
            self._step(come, event, place)
        come.cpu = cpu
        come.times_on += 1

    # ---- switches that are judged later ----------------------------------------------------

    def resolve(self, cpu: TracedCpu) -> None:
        """Judge the switch of `cpu` that was put off, if there is one."""
        if cpu.pending_switch is None:
            return
        task, steps, place = cpu.pending_switch
        cpu.pending_switch = None
        for event in steps:
            self._step(task, event, place)
        counts = task.counts
        if counts is not None and counts.hidden and counts.asleep is None:
            node = self._monitor.known(task.node, counts.enabled, counts.paused)
            slept = [one for event in steps for one in self._monitor.step(node, event)[1]]
            counts.asleep = (slept[0], place) if slept else None
        if steps and steps[-1] is events.OUT["exit"]:
            self._monitors.end(task, place)
            self._table.remove(task)

    def counted(
        self,
        cpu: TracedCpu,
        task: TracedTask,
        reading: TracedCounters,
        place: Place,
        *,
        shown: bool,
    ) -> None:
        """A reading at a switch tells the raw state of the task, and whether it was preempted.

        :param shown: functions tell of the task's sections.
        """
        pending = cpu.pending_switch
        if pending is None and cpu.prev is task and not self._counters_only:
            # Functions knew of no section when the switch was judged: the counters speak now.
            pending, cpu.last_switch = cpu.last_switch, None
            if pending is None or pending[1] is EXIT or (shown and pending[1] is PREEMPTED):
                # Counted before the function is called, and not counted before it is: a task that
                # is preempted between the two is in order (linux/pgtable.h, v7.0).
                return
        if pending is not None and pending[0] is task:
            # The same switch, of which sched_switch has told why, but for the D of a lock.
            locked = (reading.state or 0) & _TASK_RTLOCK_WAIT and not reading.preempted
            why = pending[1] if task.pid else _why(task, reading)
            cpu.pending_switch = (task, LOCK if locked else why, place)
            cpu.died = task if pending[1] is EXIT else None
            self.resolve(cpu)
        elif cpu.prev is not task:
            # Its sched_switch comes later, or is not recorded.
            why = _why(task, reading)
            if self._seen.switches and why and why[-1] is events.OUT["exit"]:
                # A task ends once: its sched_switch comes next, on the same CPU.
                return
            self.resolve(cpu)
            cpu.pending_switch = (task, why, place)
            cpu.judged_ahead = (task, task.times_on) if why else None
            cpu.died = task if why is EXIT else None
            self.resolve(cpu)

    @staticmethod
    def last(cpu: TracedCpu, task: TracedTask) -> bool:
        """Whether a switch of `cpu` that was put off is the task's last one."""
        waits = cpu.pending_switch
        return waits is not None and waits[0] is task and waits[1] is EXIT

    @staticmethod
    def _waits(task: TracedTask, cpu: TracedCpu) -> bool:
        """Whether the switch of `cpu` that was put off is this task's."""
        return cpu.pending_switch is not None and cpu.pending_switch[0] is task

    def finish(self) -> None:
        """Judge what was put off to a line that never came."""
        for cpu in self._table.cpus.values():
            self.resolve(cpu)

    # ---- hooks -----------------------------------------------------------------------------

    def hook(self, cpu: TracedCpu, act: int) -> None:
        """What the functions of a context switch show, and of powerpc's batches."""
        if act == line_class.BEGIN:
            cpu.hooks_begun = True
        elif act == line_class.END:
            self._hooks_end(cpu)
        elif act == line_class.HOOK_LEAVE:
            cpu.hook_left_mode, cpu.mode = True, False
            if not self._counters_only:
                self._was_inside(cpu)
        elif act == line_class.HOOK_ENTER:
            cpu.mode = True
            come = cpu.current
            if come is not None and come.node.depth == 0:
                come.entered = not self._no_counters
                if come.inherited:
                    come.node = self._monitor.inside
        elif act == line_class.HOOK_FLUSH:
            self._was_inside(cpu)
        elif act in (line_class.UPDATE, line_class.IMMEDIATE):
            self._seen.updates += 1

    def _hooks_end(self, cpu: TracedCpu) -> None:
        went = cpu.prev
        self._seen.hooks += 1
        untouched = cpu.hooks_begun and not cpu.hook_left_mode
        if untouched and went is not None and self._seen.ends:
            # Nothing was left: the mode was off as the task went.
            if went.node.depth == 0:
                went.inherited = False
            if cpu.mode is None:
                cpu.mode = False
        cpu.next_unchecked = cpu.hooks_begun

    def _was_inside(self, cpu: TracedCpu) -> None:
        """The hooks show that the task that went was in a section which began unseen."""
        task = cpu.prev
        if task is None or not (task.inherited or self._counters_only) or task.node.depth:
            return
        task.node = self._monitor.inside
        cpu.pending_switch = cpu.pending_switch or cpu.last_switch
        self.resolve(cpu)
        if self._counters_only:
            task.node = self._monitor.start

    def check_next(self, cpu: TracedCpu, task: TracedTask, stamp: bytes, text: bytes) -> None:
        """Look, after the hooks, whether the CPU's mode fits the task that came."""
        cpu.next_unchecked = False
        if task is not cpu.current or cpu.mode is None or not self._no_counters:
            return
        if task.inherited:
            if not cpu.mode and task.node.depth == 0:
                task.inherited = False
            return
        place: Place = [self._cursor.number, stamp, cpu.number, text, None]
        self._step(task, events.observed("switch-in", "on" if cpu.mode else "off"), place)
        if not cpu.mode and task.node.depth:
            # The mode got lost, or the end of the section was on a CPU that is not in the trace.
            self._monitors.forget(task)


def _why(task: TracedTask, reading: TracedCounters) -> tuple[InternedEvent, ...]:
    """Why a task is switched out, from its raw state and sched_switch's own argument, if at all."""
    if not task.pid:
        # It goes by its own schedule_idle() alone (kernel/sched/idle.c, do_idle()).
        return YIELDED
    state = reading.state
    if reading.preempted or (state == 0 and reading.preempted is None):
        return PREEMPTED
    if state is None:
        return ()
    if state == 0:
        return YIELDED
    if state & TASK_DEAD:
        return EXIT
    if state & _TASK_RTLOCK_WAIT:
        return LOCK
    return (events.OUT["blocked"],)
