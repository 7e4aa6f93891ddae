# SPDX-License-Identifier: GPL-2.0-or-later
"""Follows tasks over CPUs through a trace, and says what each of its lines is to the contract.

What a line cannot tell is not made up: a task of which the beginning was not seen may be in a
section already (`inherited`), records that were lost make every task unknown again, and so do lines
out of order.  `Follower` knows lines, tasks and CPUs; it hands moments to a `Judge` and what that
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
from typing import TYPE_CHECKING, Any, Final, Protocol

from lazymmu.ftrace.lines import STACK, what
from lazymmu.ftrace.profile import counter_events, functions
from lazymmu.ftrace.record import SWITCH, SWITCH_PLUGIN, Kind, fields_of
from lazymmu.ftrace.trace import rest_at
from lazymmu.witness import trace_judge as moments
from lazymmu.witness.trace_finding import Seen

if TYPE_CHECKING:
    from collections.abc import Callable

    from lazymmu.contract.monitor import Violation
    from lazymmu.ftrace.lines import Columns
    from lazymmu.ftrace.record import Record
    from lazymmu.ftrace.trace import Lines
    from lazymmu.witness.trace_judge import Judge, Moment, Node

__all__ = ["NEEDLES", "Cpu", "Follower", "Place", "Tallied", "Task"]

NEEDLES: Final[tuple[bytes, ...]] = (
    b"_lazy_mmu",
    b"_context_switch",
    b"sched_switch",
    b"sched_process_",
)
"""What a line that matters contains, on every architecture.

Readings of the counters do so because they say where they were made.
"""

POWERPC_NEEDLES: Final[tuple[bytes, ...]] = (b"__flush_tlb_pending <-", b"hpte_need_flush")
"""And on powerpc, which shows nothing else."""

Place = list[Any]
"""Number, time, CPU, text and stack (None: not yet seen) of a line; a list because it is cheap."""

# What an act is, from the profiles' words.
_ENTER, _LEAVE, _FLUSH, _BEGIN, _END, _UPDATE, _IMMEDIATE, _HOOK_ENTER, _HOOK_LEAVE, _HOOK_FLUSH = (
    range(1, 11)
)
_WORDS: Final = {
    _ENTER: "enter",
    _LEAVE: "leave",
    _FLUSH: "flush",
    _BEGIN: "switch-begin",
    _END: "switch-end",
    _UPDATE: "update",
    _IMMEDIATE: "immediate",
    _HOOK_ENTER: "hook-enter",
    _HOOK_LEAVE: "hook-leave",
    _HOOK_FLUSH: "hook-flush",
}
_REMEMBERED: Final = 1 << 14
"""Texts of which it is remembered what they say."""

_NOTHING: Final = 0
_EVENT: Final = -1
_ACTS: Final = {
    "enter": _ENTER,
    "leave": _LEAVE,
    "flush": _FLUSH,
    "switch-begin": _BEGIN,
    "switch-end": _END,
    "update": _UPDATE,
    "immediate": _IMMEDIATE,
    "nothing": _NOTHING,
}
_HOOKED: Final = {_ENTER: _HOOK_ENTER, _LEAVE: _HOOK_LEAVE, _FLUSH: _HOOK_FLUSH}

_BATCH: Final = b"xen_mc_batch: start batch LAZY_"
_TASK_DEAD: Final = 0x80  # include/linux/sched.h


class Tallied(Protocol):
    """Whoever counts what a trace shows: a summary.  It judges nothing."""

    needles: tuple[bytes, ...]
    """What else a line that it wants contains."""

    def add(self, record: Record, what: str, depth: int, *, known: bool) -> None:
        """One line, before the monitors have it.

        what: "enter", "leave", "flush" of a section; "hook-enter", "hook-leave", "hook-flush" when
        a context switch does it; "switch-begin", "switch-end", "update", "immediate"; "" for all
        else.  depth: sections that the line's task is in; known: the trace saw them all begin.
        """


class Task:
    """One task: where its monitors are, where its open sections began, and where it runs.

    inherited: the trace did not see how it began, so that more sections may be open than are known;
    cpu: where it runs now, None when it does not or nobody knows; last: where it ran before;
    irq: the interrupts that it is in; went: the time when it was switched out last; blurred: what
    came before and after that is not known; recent: findings since it was switched in.
    """

    __slots__ = (
        "begins",
        "blurred",
        "comm",
        "cpu",
        "inherited",
        "irq",
        "last",
        "node",
        "pid",
        "recent",
        "went",
    )

    def __init__(self, pid: int, comm: bytes, node: Node) -> None:
        """A task that was never seen before."""
        self.pid = pid
        self.comm = comm
        self.node = node
        self.inherited = True
        self.cpu: Cpu | None = None
        self.last: Cpu | None = None
        self.begins: list[Place] = []
        self.irq: tuple[str, ...] = ()
        self.went = b""
        self.blurred = False
        self.recent: list[Any] = []


class Cpu:
    """One CPU: whose it is, and how far its last context switch got.

    mode: whether the mode is on there, None when nobody knows; before: the task that was switched
    out last; gone: its switch (task, moments, place); out: the same, still to be judged; begun,
    ended, hooked:
    the hooks of the switch seen so far; arriving: the task that came is still to be looked at;
    last: the place that a stack would belong to, and what its stack must hold.
    """

    __slots__ = (
        "arriving",
        "before",
        "begun",
        "current",
        "ended",
        "gone",
        "hooked",
        "idle",
        "last",
        "mode",
        "needs",
        "number",
        "out",
    )

    def __init__(self, number: int, idle: Task) -> None:
        """A CPU of which nothing was seen before."""
        self.number = number
        self.idle = idle
        self.current: Task | None = None
        self.before: Task | None = None
        self.out: tuple[Task, tuple[Moment, ...], Place] | None = None
        self.gone: tuple[Task, tuple[Moment, ...], Place] | None = None
        self.mode: bool | None = None
        self.begun = self.ended = self.hooked = self.arriving = False
        self.last: Place | None = None
        self.needs: str | bytes = ""


class Follower:
    """See the module.

    found(task, violations, place, lines, number, offset): called for what the judge finds;
    doubt(reason, line): for what cannot be told.  seen counts.
    """

    def __init__(
        self,
        judge: Judge,
        found: Callable[[Task, tuple[Violation, ...], Place, Lines, int, int], None],
        doubt: Callable[[str, int], None],
        *,
        flags: bool,
        blind: bool,
        uncounted: bool,
        tally: Tallied | None = None,
    ) -> None:
        """flags: lines show interrupts; blind: no function shows sections, counters may; uncounted:
        the kernel surely has no counters, so that its functions are the mode; tally: told of each
        line."""
        self.judge = judge
        self.seen = Seen()
        self.tasks: dict[bytes, Task] = {}
        self.cpus: dict[bytes, Cpu] = {}
        self.tally = tally
        self.disorders = 0
        self.followed = 0
        self._found = found
        self._doubt = doubt
        self._flags = flags
        self._blind = blind
        self._uncounted = uncounted
        self._acts: dict[bytes, int] = {}
        self._switches: dict[bytes, tuple[bytes, bytes, bytes, bytes]] = {}
        self._stamp = b""
        self.gone: set[Node] = set()
        self.off: tuple[Task, Place, tuple[tuple[int, str], ...]] | None = None
        self._lines: Lines
        self._number = 0
        self._at = 0

    # ---- the loop --------------------------------------------------------------------------

    def block(self, lines: Lines) -> None:
        """Follow the lines of one block."""
        self._lines = lines
        acts, cpus, tasks = self._acts, self.cpus, self.tasks
        block, parts, known, width = lines.block, lines.parts, lines.known.get, lines.width
        last, tally, followed = self._stamp, self.tally, 0
        for number, at in lines:
            # What `parts()` does, spelled out for the columns that were met before.
            columns = known(block[at : at + width])
            rest = None if columns is None else rest_at(block, at + width)
            if columns is not None and rest is not None:
                stamp, text = rest.groups()
            else:
                found = parts(at)
                if found is None:
                    self._unreadable(number, at)
                    continue
                columns, stamp, text = found
            if lines.gap:
                self._forget_all()
                lines.gap = False
            if stamp != last:
                if (stamp < last and len(stamp) <= len(last)) or len(stamp) < len(last):
                    self.disorders += 1
                    self._doubt("lines are out of order: what came before them is not used", number)
                    self._forget_all()
                last = stamp
            followed += 1
            self._number, self._at = number, at
            cpu = cpus.get(columns.cpu) or self._cpu(columns.cpu)
            act = acts.get(text)
            if act is None:
                act = self._act(text)
            if tally is not None:
                self._tell(tally, columns, cpu, act)
            if act <= _NOTHING:
                if act == _EVENT:
                    self._event(cpu, columns, stamp, text)
                continue
            if act >= _BEGIN:
                self._hook(cpu, act)
                continue
            pid = columns.pid
            task = cpu.idle if pid == b"0" else tasks.get(pid)
            if task is None:
                task = self._task(pid, columns.comm)
            if task is not cpu.current and not self._placed(task, cpu, number):
                continue
            if cpu.arriving:
                self._arrive(cpu, task, stamp, text)
            irq = columns.irq
            if irq != task.irq:
                self._interrupts(task, irq)
            place: Place = [number, stamp, cpu.number, text, None]
            cpu.last, cpu.needs = place, text
            if act == _ENTER:
                self._enter(cpu, task, place, irq)
            elif act == _LEAVE:
                self._leave(cpu, task, place, irq)
            else:
                self.seen.flushes += 1
        self._stamp = last
        self.followed += followed

    def _tell(self, tally: Tallied, columns: Columns, cpu: Cpu, act: int) -> None:
        """Hand the line at hand to whoever counts."""
        task = cpu.idle if columns.pid == b"0" else self.tasks.get(columns.pid)
        record = self._lines.record(self._number, self._at)
        if record is not None:
            depth = 0 if task is None else task.node.depth
            tally.add(record, _WORDS.get(act, ""), depth, known=task is None or not task.inherited)

    def finish(self) -> None:
        """Judge what was put off to a line that never came."""
        for cpu in self.cpus.values():
            if cpu.out is not None:
                self._resolve(cpu)

    # ---- lines -----------------------------------------------------------------------------

    def _act(self, text: bytes) -> int:
        """What a text means; texts of functions are remembered."""
        if b"<-" not in text and not text.startswith(b"function:"):
            return _EVENT
        kind, name, caller, _ = what(text)
        if kind is not Kind.FUNCTION:
            return _EVENT
        function = functions().get(name)
        act = _NOTHING
        if function is not None:
            act = _ACTS[function.means]
            if not caller and act:
                self._doubt(
                    "functions are shown without their callers, so that a context switch cannot be "
                    "told from the end of a section: trace-cmd report needs `-O parent`",
                    self._number,
                )
                return _NOTHING
            if caller in function.inner or (function.within and caller not in function.within):
                act = _NOTHING
            elif caller in function.hooks:
                act = _HOOKED[act]
        if len(self._acts) < _REMEMBERED:
            self._acts[text] = act
        return act

    def _unreadable(self, number: int, at: int) -> None:
        """A line that holds a word that matters and is no record."""
        text = self._lines.text(at)
        # Frames of stacks, and heads of traces put together, hold such words too.
        frame = re.match(rb"\s*=>|#", text)
        if frame is None and any(needle in text for needle in self._lines.needles):
            self.seen.unreadable += 1
            self._doubt("a line that matters cannot be read", number)
            self._forget_all()

    def _event(self, cpu: Cpu, columns: Columns, stamp: bytes, text: bytes) -> None:
        pid, comm = columns.pid, columns.comm
        if text.startswith(b"sched_switch:"):
            self._switch(cpu, pid, comm, stamp, text)
        elif STACK.match(text):
            self._stack(cpu)
        elif text.startswith(b"sched_process_exit:"):
            task = cpu.idle if pid == b"0" else self.tasks.get(pid) or self._task(pid, comm)
            if task is cpu.current or self._placed(task, cpu, self._number):
                place: Place = [self._number, stamp, cpu.number, text, None]
                cpu.last, cpu.needs = place, ""
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

    def _enter(self, cpu: Cpu, task: Task, place: Place, irq: tuple[str, ...]) -> None:
        self.seen.sections += 1
        cpu.mode = True
        if irq:
            event = moments.ENABLE_IRQ
        else:
            event = moments.ENABLE if self._flags else moments.ENABLE_SOMEWHERE
        self._step(task, event, place)
        task.begins.append(place)
        if not irq and self._uncounted:
            self._batched(task, place)

    def _leave(self, cpu: Cpu, task: Task, place: Place, irq: tuple[str, ...]) -> None:
        self.seen.ends += 1
        if task.inherited and task.node.depth == 0:
            # The end of a section that began before the trace.
            task.inherited = False
            cpu.mode = False
            return
        if irq:
            event = moments.DISABLE_IRQ
        else:
            event = moments.DISABLE if self._flags else moments.DISABLE_SOMEWHERE
        self._step(task, event, place)
        if task.begins:
            task.begins.pop()
        cpu.mode = None if task.node.depth else False

    def _batched(self, task: Task, place: Place) -> None:
        """What the first batch of a section says of the mode, where Xen's events are recorded."""
        block, at = self._lines.block, self._at
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
                self.off = (task, place, self._lines.around(self._number, self._at))
            self._step(task, moments.observed("enable", "on" if on else "off"), place)

    # ---- context switches --------------------------------------------------------------------

    def _switch(self, cpu: Cpu, pid: bytes, comm: bytes, stamp: bytes, text: bytes) -> None:
        number = self._number
        known = self._switches.get(text)
        if known is None:
            known = self._switched(text)
        prev, state, nxt, comm_next = known
        if prev != pid:
            self._doubt("a sched_switch cannot be read", number)
            self._forget_all()
            return
        self.seen.switches += 1
        if cpu.out is not None:
            self._resolve(cpu)
        task = cpu.idle if pid == b"0" else self.tasks.get(pid) or self._task(pid, comm)
        if task is not cpu.current:
            cpu.before = None
            if not self._placed(task, cpu, number):
                return
        if cpu.arriving:
            self._arrive(cpu, task, stamp, text)
        if task.irq:
            self._interrupts(task, ())
        place: Place = [number, stamp, cpu.number, text, None]
        cpu.last, cpu.needs = place, "__schedule"
        if pid == b"0":
            steps: tuple[Moment, ...] = ()
        elif state[-1:] == b"+":
            steps = (moments.OUT["preempted"],)
        elif state == b"R":
            steps = (moments.OUT["yielded"],)
        elif state[:1] in b"XZx":
            steps = (moments.OUT["exit"],)
        else:
            steps = (moments.OUT["blocked"],)
        cpu.out = cpu.gone = (task, steps, place)
        if not self._blind:
            self._resolve(cpu)
        come = cpu.idle if nxt == b"0" else self.tasks.get(nxt) or self._task(nxt, b"")
        come.comm = comm_next
        task.cpu, task.last, task.went = None, cpu, stamp
        if come.cpu is not None and come.cpu is not cpu:
            self._doubt(
                "a task runs on two CPUs at once: lines are missing, or not in order", number
            )
            come.cpu.current = None
            self._retract(come)
        elif come.last is not None and come.last is not cpu and come.went == stamp:
            # At one time on two CPUs: nobody knows on which first.
            self._retract(come)
            come.blurred = True
        elif come.blurred or self._partial():
            self._forget(come)
            come.blurred = False
        come.recent.clear()
        if come.last is not None:
            self._step(come, moments.switch_in(come.last.number, cpu.number), place)
        come.cpu = cpu
        cpu.before, cpu.current = task, come
        cpu.begun = cpu.ended = cpu.hooked = False

    def _switched(self, text: bytes) -> tuple[bytes, bytes, bytes, bytes]:
        """Who went (b"" when that cannot be read), in which state, and who came; remembered."""
        found = SWITCH.match(text)
        known = (b"", b"", b"", b"")
        if found is not None:
            state = found["prev_state"]
            known = (found["prev_pid"], state, found["next_pid"], found["next_comm"])
        elif (found := SWITCH_PLUGIN.match(text)) is not None:
            # The plugin drops the +, so that its R may be either: see `watch()`.
            state = b"R+" if found["prev_state"] == b"R" else found["prev_state"]
            known = (found["prev_pid"], state, found["next_pid"], found["next_comm"])
        if len(self._switches) > _REMEMBERED:
            self._switches.clear()
        self._switches[text] = known
        return known

    def _resolve(self, cpu: Cpu) -> None:
        """Judge the switch that was put off."""
        out = cpu.out
        if out is None:
            return
        cpu.out = None
        task, steps, place = out
        for event in steps:
            self._step(task, event, place)
        if steps and steps[-1] is moments.OUT["exit"]:
            self._exit(task, place)
            self.tasks.pop(str(task.pid).encode(), None)

    def _hook(self, cpu: Cpu, act: int) -> None:
        """What the functions of a context switch show, and of powerpc's batches."""
        if act == _BEGIN:
            cpu.begun = True
        elif act == _END:
            gone = cpu.before
            if cpu.begun and not cpu.hooked and gone is not None and self.seen.ends:
                # Nothing was left: the mode was off as the task went.
                if gone.node.depth == 0:
                    gone.inherited = False
                if cpu.mode is None:
                    cpu.mode = False
            cpu.arriving = cpu.begun
            cpu.ended = True
        elif act == _HOOK_LEAVE:
            cpu.hooked, cpu.mode = True, False
            self._was_inside(cpu)
        elif act == _HOOK_ENTER:
            cpu.mode = True
            come = cpu.current
            if come is not None and come.inherited and come.node.depth == 0:
                come.node = self.judge.inside
        elif act == _HOOK_FLUSH:
            self._was_inside(cpu)
        elif act in (_UPDATE, _IMMEDIATE):
            self.seen.updates += 1

    def _was_inside(self, cpu: Cpu) -> None:
        """The hooks show that the task that went was in a section which began unseen."""
        task = cpu.before
        if task is None or not (task.inherited or self._blind) or task.node.depth:
            return
        task.node = self.judge.inside
        cpu.out = cpu.out or cpu.gone
        self._resolve(cpu)
        if self._blind:
            task.node = self.judge.start

    def _arrive(self, cpu: Cpu, task: Task, stamp: bytes, text: bytes) -> None:
        """After the hooks: does the CPU's mode fit the task that came?"""
        cpu.arriving = False
        if task is not cpu.current or cpu.mode is None or not self._uncounted:
            return
        if task.inherited:
            if not cpu.mode and task.node.depth == 0:
                task.inherited = False
            return
        place: Place = [self._number, stamp, cpu.number, text, None]
        self._step(task, moments.observed("switch-in", "on" if cpu.mode else "off"), place)

    # ---- counters --------------------------------------------------------------------------

    def _counters(
        self, cpu: Cpu, at: str, current: bytes, comm: bytes, stamp: bytes, text: bytes
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
        cpu.last, cpu.needs = place, "__schedule"
        if self._blind:
            self._step(task, moments.MODE_UNKNOWN, place)
            self._step(task, moments.PAUSE_UNKNOWN, place)
        self._step(task, moments.observed(at, "unknown", (enabled, paused)), place)
        if at == "exit":
            self._exit(task, place)
            return
        if at != "switch-out":
            return
        if cpu.out is not None and cpu.out[0] is task:
            # The same switch, of which sched_switch has told why.
            cpu.out = (task, cpu.out[1], place)
            self._resolve(cpu)
        elif self._blind:
            cpu.out = (task, _why(numbers["st"], numbers["pr"]), place)
            self._resolve(cpu)
        if self._blind:
            self._step(task, moments.MODE_UNKNOWN, place)
            self._step(task, moments.PAUSE_UNKNOWN, place)

    # ---- stacks, interrupts, tasks ---------------------------------------------------------

    def _stack(self, cpu: Cpu) -> None:
        """A stack belongs to the record before it on its CPU, if it can be that one's."""
        place, needs = cpu.last, cpu.needs
        cpu.last = None
        if place is None:
            return
        frames = self._lines.frames(self._at)
        if isinstance(needs, bytes):
            needs = what(needs)[1]
        if not needs or needs in frames:
            place[4] = frames

    def _interrupts(self, task: Task, now: tuple[str, ...]) -> None:
        """Bring the interrupts that a task is in to what the flags of its line say."""
        place: Place = [self._number, self._stamp, 0, b"", None]
        old = task.irq
        same = 0
        while same < min(len(old), len(now)) and old[same] == now[same]:
            same += 1
        for kind in reversed(old[same:]):
            self._step(task, moments.IRQ_EXIT[kind], place)
        for kind in now[same:]:
            self._step(task, moments.IRQ_ENTER[kind], place)
        task.irq = now

    def _step(self, task: Task, event: Moment, place: Place) -> None:
        node, violations = task.node.next.get(event) or self.judge.step(task.node, event)
        task.node = node
        if violations:
            self._found(task, violations, place, self._lines, self._number, self._at)

    def _cpu(self, name: bytes) -> Cpu:
        number = int(name)
        cpu = Cpu(number, Task(0, b"<idle>", self.judge.start))
        self.cpus[name] = cpu
        if self._lines.header.format == "latency":
            cpu.idle.comm = b"<idle>"
        return cpu

    def _task(self, pid: bytes, comm: bytes) -> Task:
        task = self.tasks[pid] = Task(int(pid), comm.strip(), self.judge.start)
        return task

    def _placed(self, task: Task, cpu: Cpu, number: int) -> bool:
        """Make `task` the one that runs on `cpu`, which nobody said; False: its line is no use."""
        if task is cpu.before and not cpu.arriving and cpu.current is not None:
            # Between sched_switch and the switch itself lines are still stamped with who goes.
            return False
        if cpu.current is not None:
            if self.seen.switches:
                self._doubt("a context switch is missing", number)
                self._forget(cpu.current)
                self._forget(task)
            cpu.current.cpu, cpu.current.last = None, cpu
        if (task.cpu or task.last or cpu) is not cpu:
            if self.seen.switches:
                self._doubt("a task moved to another CPU unseen", number)
            self._forget(task)
        if task.cpu is not None:
            task.cpu.current = None
        task.cpu = cpu
        cpu.current = task
        cpu.arriving = False
        return True

    def _partial(self) -> bool:
        """Whether what happens on some CPU is not in the trace, so far."""
        header = self._lines.header
        if len(self.cpus) == 1:
            return header.cpus != 1
        lossy = header.written is not None and header.written != header.entries
        return lossy and len(self.cpus) < (header.cpus or 0)

    def _exit(self, task: Task, place: Place) -> None:
        """The task ends; what it did until then is kept for the judgement of the whole."""
        self.gone.add(task.node)
        self._step(task, moments.EXIT, place)
        task.node = self.judge.start
        task.inherited = False
        task.begins.clear()

    def _retract(self, task: Task) -> None:
        """The order of a task's lines is not known: what was found in them is void."""
        for one in task.recent:
            one.void = True
        self._forget(task)

    def _forget(self, task: Task) -> None:
        self.gone.add(task.node)
        task.node = self.judge.start
        task.inherited = True
        task.begins = []
        task.irq = ()

    def _forget_all(self) -> None:
        """Records are missing: nothing is known of any task or CPU."""
        for task in self.tasks.values():
            self._forget(task)
            task.cpu = task.last = None
        for cpu in self.cpus.values():
            self._forget(cpu.idle)
            cpu.idle.cpu = None
            cpu.current = cpu.before = cpu.last = cpu.mode = None
            cpu.out = cpu.gone = None
            cpu.begun = cpu.ended = cpu.hooked = cpu.arriving = False


def _number(text: str) -> int | None:
    try:
        return int(text[:20], 0)
    except ValueError:
        return None


def _why(state: int | None, preempted: int | None) -> tuple[Moment, ...]:
    """Why a task is switched out, from its raw state and sched_switch's own argument."""
    if preempted or not state:
        return (moments.OUT["preempted"],)
    if state & _TASK_DEAD:
        return (moments.OUT["exit"],)
    return (moments.OUT["blocked"],)
