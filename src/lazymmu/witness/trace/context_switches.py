# SPDX-License-Identifier: GPL-2.0-or-later
"""Context switches in a trace: why a task went, what the hooks did, what the counters were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.ftrace.record import SWITCH, SWITCH_PLUGIN, fields_of
from lazymmu.witness.trace import line_class
from lazymmu.witness.trace import memo_monitor as moments
from lazymmu.witness.trace.task_state import Place, TaskTable

if TYPE_CHECKING:
    import re

    from lazymmu.witness.trace.memo_monitor import InternedEvent
    from lazymmu.witness.trace.task_state import SwitchRecord, TracedCpu, TracedTask

__all__ = ["SwitchTracker"]

_REMEMBERED: Final = 1 << 14
"""Texts of which it is remembered what they say."""

_TASK_DEAD: Final = 0x80  # include/linux/sched.h
_TASK_RTLOCK_WAIT: Final = 0x1000  # the same; sched_switch shows it as D


class SwitchTracker(TaskTable):
    """Follows tasks through context switches."""

    def _switch(self, cpu: TracedCpu, pid: bytes, comm: bytes, stamp: bytes, text: bytes) -> None:
        number = self._number
        prev, steps, nxt, comm_next = self._switches.get(text) or self._switched(text)
        if prev != pid:
            self._doubt("a sched_switch cannot be read", number)
            self._forget_all()
            return
        self.seen.switches += 1
        if cpu.pending_switch is not None:
            self._resolve(cpu)
        task = cpu.idle if pid == b"0" else self.tasks.get(pid) or self._task(pid, comm)
        if task is not cpu.current:
            cpu.prev = None
            if not self._placed(task, cpu, number):
                return
        if cpu.next_unchecked:
            self._arrive(cpu, task, stamp, text)
        if task.irq:
            self._interrupts(task, ())
        place: Place = [number, stamp, cpu.number, text, None]
        cpu.stack_place, cpu.stack_needs = place, "__schedule"
        cpu.last_switch = (task, steps, place)
        if self._blind:
            cpu.pending_switch = cpu.last_switch
        elif steps is _EXIT:
            cpu.pending_switch = cpu.last_switch
            self._resolve(cpu)
        else:
            for event in steps:
                self._step(task, event, place)
        come = cpu.idle if nxt == b"0" else self.tasks.get(nxt) or self._task(nxt, b"")
        come.comm = comm_next
        task.cpu, task.last_cpu, task.switched_out_at = None, cpu, stamp
        if come.cpu is not None and come.cpu is not cpu:
            self._doubt(
                "a task runs on two CPUs at once: lines are missing, or not in order", number
            )
            come.cpu.current = None
            self._retract(come)
        elif (
            come.last_cpu is not None and come.last_cpu is not cpu and come.switched_out_at == stamp
        ):
            # At one time on two CPUs: nobody knows on which first.
            self._retract(come)
            come.order_unknown = True
        elif come.order_unknown or self._partly:
            self._forget(come)
            come.order_unknown = False
        if come.recent_findings:
            come.recent_findings.clear()
        if come.last_cpu is not None:
            now = (
                cpu.switch_back
                if come.last_cpu is cpu
                else moments.switch_in(come.last_cpu.number, cpu.number)
            )
            self._step(come, now, place)
        come.cpu = cpu
        cpu.prev, cpu.current = task, come
        cpu.hooks_begun = cpu.hook_left_mode = False

    def _switched(self, text: bytes) -> SwitchRecord:
        """Who went (b"" when that cannot be read), why, and who came by which name; remembered."""
        found = SWITCH.match(text)
        known: SwitchRecord = (b"", (), b"", b"")
        if found is not None:
            known = _switched(found, found["prev_state"])
        elif (found := SWITCH_PLUGIN.match(text)) is not None:
            # The plugin drops the +, so that its R may be either: see `watch()`.
            state = found["prev_state"]
            known = _switched(found, b"R+" if state == b"R" else state)
        if len(self._switches) > _REMEMBERED:
            self._switches.clear()
        self._switches[text] = known
        return known

    def _resolve(self, cpu: TracedCpu) -> None:
        """Judge the switch that was put off."""
        out = cpu.pending_switch
        if out is None:
            return
        cpu.pending_switch = None
        task, steps, place = out
        for event in steps:
            self._step(task, event, place)
        if steps and steps[-1] is moments.OUT["exit"]:
            self._exit(task, place)
            self.tasks.pop(str(task.pid).encode(), None)

    def _hook(self, cpu: TracedCpu, act: int) -> None:
        """What the functions of a context switch show, and of powerpc's batches."""
        if act == line_class.END:
            gone = cpu.prev
            if cpu.hooks_begun and not cpu.hook_left_mode and gone is not None and self.seen.ends:
                # Nothing was left: the mode was off as the task went.
                if gone.node.depth == 0:
                    gone.inherited = False
                if cpu.mode is None:
                    cpu.mode = False
            cpu.next_unchecked = cpu.hooks_begun
        elif act == line_class.HOOK_LEAVE:
            cpu.hook_left_mode, cpu.mode = True, False
            if not self._blind:
                self._was_inside(cpu)
        elif act == line_class.HOOK_ENTER:
            cpu.mode = True
            come = cpu.current
            if come is not None and come.inherited and come.node.depth == 0:
                come.node = self.judge.inside
        elif act == line_class.HOOK_FLUSH:
            self._was_inside(cpu)
        elif act in (line_class.UPDATE, line_class.IMMEDIATE):
            self.seen.updates += 1

    def _was_inside(self, cpu: TracedCpu) -> None:
        """The hooks show that the task that went was in a section which began unseen."""
        task = cpu.prev
        if task is None or not (task.inherited or self._blind) or task.node.depth:
            return
        task.node = self.judge.inside
        cpu.pending_switch = cpu.pending_switch or cpu.last_switch
        self._resolve(cpu)
        if self._blind:
            task.node = self.judge.start

    def _arrive(self, cpu: TracedCpu, task: TracedTask, stamp: bytes, text: bytes) -> None:
        """After the hooks: does the CPU's mode fit the task that came?"""
        cpu.next_unchecked = False
        if task is not cpu.current or cpu.mode is None or not self._uncounted:
            return
        if task.inherited:
            if not cpu.mode and task.node.depth == 0:
                task.inherited = False
            return
        place: Place = [self._number, stamp, cpu.number, text, None]
        self._step(task, moments.observed("switch-in", "on" if cpu.mode else "off"), place)
        if not cpu.mode and task.node.depth:
            # The mode got lost, or the end of the section was on a CPU that is not in the trace.
            self._forget(task)

    # ---- counters --------------------------------------------------------------------------

    def _counters(
        self, cpu: TracedCpu, at: str, current: bytes, comm: bytes, stamp: bytes, text: bytes
    ) -> None:
        fields = fields_of("", text)
        numbers = {key: _number(fields.get(key, "")) for key in ("pid", "ec", "pc", "st", "pr")}
        pid, enabled, paused = numbers["pid"], numbers["ec"], numbers["pc"]
        if pid is None or enabled is None or paused is None:
            self._doubt("counters cannot be read", self._number)
            return
        self.seen.counters += 1
        name = str(pid).encode()
        known = comm if name == current else b""
        task = cpu.idle if pid == 0 else self.tasks.get(name) or self._task(name, known)
        place: Place = [self._number, stamp, cpu.number, text, None]
        cpu.stack_place, cpu.stack_needs = place, "__schedule"
        if self._blind:
            self._step(task, moments.MODE_UNKNOWN, place)
        if self._blind or paused:
            # Functions do not show pauses: the counter does.
            self._step(task, moments.PAUSE_UNKNOWN, place)
        self._step(task, moments.observed(at, "unknown", (enabled, paused)), place)
        if at == "exit":
            self._exit(task, place)
            return
        if at == "user-return":
            self._step(task, moments.USER_RETURN, place)
            task.node, task.inherited = self.judge.start, False
            task.begins.clear()
        if at != "switch-out":
            return
        if cpu.pending_switch is not None and cpu.pending_switch[0] is task:
            # The same switch, of which sched_switch has told why, but for the D of a lock.
            locked = (numbers["st"] or 0) & _TASK_RTLOCK_WAIT and not numbers["pr"]
            cpu.pending_switch = (task, _LOCK if locked else cpu.pending_switch[1], place)
            self._resolve(cpu)
        elif self._blind:
            cpu.pending_switch = (task, _why(numbers["st"], numbers["pr"]), place)
            self._resolve(cpu)
        if self._blind:
            self._step(task, moments.MODE_UNKNOWN, place)
            self._step(task, moments.PAUSE_UNKNOWN, place)


def _switched(found: re.Match[bytes], state: bytes) -> SwitchRecord:
    prev, nxt, comm = found.group("prev_pid", "next_pid", "next_comm")
    return prev, () if prev == b"0" else _STEPS.get(state) or _why_of(state), nxt, comm


def _why_of(state: bytes) -> tuple[InternedEvent, ...]:
    """Why a task is switched out, from sched_switch's prev_state."""
    if state.endswith(b"+"):
        return (moments.OUT["preempted"],)
    if state == b"R":
        return (moments.OUT["yielded"],)
    return _EXIT if state[:1] in b"XZx" else (moments.OUT["blocked"],)


_EXIT: Final = (moments.OUT["exit"],)
_LOCK: Final = (moments.OUT["lock"],)
_STEPS: Final = {state: _why_of(state) for state in (b"S", b"D", b"I", b"R", b"R+", b"X", b"Z")}


def _number(text: str) -> int | None:
    try:
        return int(text[:20], 0)
    except ValueError:
        return None


def _why(state: int | None, preempted: int | None) -> tuple[InternedEvent, ...]:
    """Why a task is switched out, from its raw state and sched_switch's own argument."""
    if preempted or not state:
        return (moments.OUT["preempted"],)
    if state & _TASK_DEAD:
        return (moments.OUT["exit"],)
    if state & _TASK_RTLOCK_WAIT:
        return _LOCK
    return (moments.OUT["blocked"],)
