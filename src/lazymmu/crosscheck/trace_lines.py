# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines of a trace that is made up, and what the contract's monitors see in them.

`TraceText` knows the forms of tracefs's lines, the names in them, and what each of them says to
whoever reads it; it does not know where they come from.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from lazymmu.contract.dialects import PTL_HELD
from lazymmu.contract.events import Exit, Observed, SwitchIn, Unknown
from lazymmu.contract.monitor import Runtime
from lazymmu.contract.rules import RULES
from lazymmu.contract.rules.rule import RuleKind
from lazymmu.contract.section import TaskState
from lazymmu.crosscheck.fine_replay import TracedContext
from lazymmu.crosscheck.values import TraceLine
from lazymmu.ftrace.kernel_checks import kernel_check
from lazymmu.witness.trace.check import trace_rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lazymmu.contract.events import Bug, Event
    from lazymmu.contract.monitor import Product
    from lazymmu.crosscheck.fine_replay import FineReplay
    from lazymmu.crosscheck.visibility import KernelVisibility

__all__ = ["SWITCHING", "TraceText"]

SWITCHING: Final = {"switch-begin": "__schedule", "switch-end": "__switch_to"}
"""Who calls the hooks of a context switch, as all traces show them (kernel/sched/core.c,
context_switch(), which is inline; arch/x86/kernel/process_64.c, __switch_to())."""

_RAW: Final = {"R+": 0, "R": 0, "S": 1, "D": 2, "X": 0x80}
"""prev_state of sched_switch as a number (linux/sched.h, TASK_RUNNING to TASK_DEAD)."""

_WRAPPED: Final = 0x80
"""From here on a count has gone below zero."""

_QUIET: Final = TracedContext("", False, 0, 0, 0, 0, "no", False, {})
_COPYING: Final = replace(_QUIET, preempt_count=2)
"""fork() copies a page table with the locks of two held (mm/memory.c, copy_pte_range())."""


class TraceText:
    """Lines, and what they say.

    Of the attributes, `broken` is the name of the task that, by what the lines say, has broken the
    rule; `others` are the other rules that they say are broken, and by whom; `kernel` is what it
    shows.
    """

    def __init__(self, kernel: KernelVisibility, rule: str, replay: FineReplay) -> None:
        """Of a replay that ends in breaking `rule`."""
        self.lines: list[TraceLine] = []
        self.broken = ""
        self.others: dict[str, set[str]] = {}
        self._rule = rule
        self._wrong: set[str] = set()
        self.kernel = kernel
        rules = [RULES[one] for one in trace_rules()]
        self._runtime = Runtime(rules, kernel.dialect or PTL_HELD)
        self._monitors: dict[str, Product] = {}
        self._sited: set[str] = set()
        self.last: dict[str, int] = {}
        idle = len(replay.tasks) - len(replay.running)
        self.pids = {name: 1000 + at if at < idle else 0 for at, name in enumerate(replay.tasks)}

    @property
    def sections(self) -> bool:
        """Whether functions are what tells sections: where probes do, those only show the mode."""
        return self.kernel.sections and not self.kernel.sites

    # ---- the beginning -------------------------------------------------------------------------

    def preface(self, running: Sequence[str]) -> None:
        """A task that forks all others, with a section in order; then everybody is in place.

        So the text shows which functions are traced, and that no task is in a section yet.
        """
        born = [name for name, pid in self.pids.items() if pid]
        self.pids["init"] = 1
        for meaning in ("enter", "leave"):
            if self.sections and meaning in self.kernel.calls:
                called = f"{self.kernel.calls[meaning].name} <-copy_page_range"
                self.line(0, "init", _COPYING, called)
        for name in born:
            self.forked(0, "init", _QUIET, name, (0, 0))
        # The first CPU last, so that all are in the trace by the time that tasks run.
        for cpu, name in reversed(list(enumerate(running))):
            before = "init"
            if cpu:
                before = f"cpuhp/{cpu}"
                self.pids[before] = 10 + cpu
            self.switched(cpu, before, name, "S")
            if "switch-begin" in self.kernel.calls:
                for meaning, caller in SWITCHING.items():
                    called = f"{self.kernel.calls[meaning].name} <-{caller}"
                    self.line(cpu, before, _QUIET, called, switching=True)

    # ---- switches, forks, exits -----------------------------------------------------------------

    def switched(
        self,
        cpu: int,
        task: str,
        coming: str,
        state: str,
        around: TracedContext = _QUIET,
        counters: tuple[int, int] = (0, 0),
    ) -> None:
        """sched_switch, and what the counters of the task that goes are, where they are read."""
        pid, after = self.pids[task], self.pids[coming]
        said = (
            f"sched_switch: prev_comm={_comm(task)} prev_pid={pid} prev_prio=120 "
            f"prev_state={state} ==> next_comm={_comm(coming)} next_pid={after} next_prio=120"
        )
        self.line(cpu, task, around, said, switching=True)
        more = f" st={_RAW[state]} pr={int(state == 'R+')}"
        self._reading(cpu, task, around, "switch-out", f"pid={pid} npid={after}", counters, more)
        if coming in self.last:
            self.says(coming, SwitchIn(cpu=cpu, from_cpu=self.last[coming]))

    def forked(
        self, cpu: int, task: str, around: TracedContext, child: str, counters: tuple[int, int]
    ) -> None:
        """sched_process_fork, and the counters with which the child begins."""
        said = (
            f"sched_process_fork: comm={_comm(task)} pid={self.pids[task]} "
            f"child_comm={_comm(task)} child_pid={self.pids[child]}"
        )
        self.line(cpu, task, around, said)
        self.counted(cpu, task, around, "start", counters, child)

    def ended(self, cpu: int, task: str, around: TracedContext) -> None:
        """sched_process_exit, after the counters of the task that ends."""
        self.counted(cpu, task, around, "exit", around.counters[task])
        said = f"sched_process_exit: comm={_comm(task)} pid={self.pids[task]} prio=120"
        self.line(cpu, task, around, said)
        self.says(task, Exit())

    # ---- counters ------------------------------------------------------------------------------

    def counted(
        self,
        cpu: int,
        task: str,
        around: TracedContext,
        at: str,
        counters: tuple[int, int],
        of: str = "",
    ) -> None:
        """The counters of `task`, or of another task, and what they say."""
        of = of or task
        if at in self.kernel.counters:
            self._reading(cpu, task, around, at, f"pid={self.pids[of]}", counters)
            self.unknown(of, counters)
            if of not in self._sited:
                # Else its probes have said what the counters are, and why.
                self.says(of, Observed(at, counters=counters))  # type: ignore[arg-type]

    def _reading(
        self,
        cpu: int,
        task: str,
        around: TracedContext,
        at: str,
        whose: str,
        counters: tuple[int, int],
        more: str = "",
    ) -> None:
        reading = self.kernel.counters.get(at)
        if reading is not None:
            where = f"__probestub_{reading.tracepoint}+0x4/0x20"
            said = f"{reading.name}: ({where}) {whose} ec={counters[0]} pc={counters[1]}{more}"
            self.line(cpu, task, around, said, switching=at == "switch-out")

    def unknown(self, task: str, counters: tuple[int, int] = (0, 0)) -> None:
        """Between two readings of its counters nothing is known of a task without functions.

        Nor of its pauses where there are functions: they do not tell a pause from an end.
        """
        if task in self._sited:
            return
        if not self.sections:
            self.says(task, Unknown("mode"))
        if not self.sections or counters[1]:
            self.says(task, Unknown("pause"))

    def site(
        self, cpu: int, task: str, around: TracedContext, place: str, does: str, event: Event | None
    ) -> None:
        """A probe at an instruction that changes the counters, and what that says."""
        name = self.kernel.sites.get(does)
        if name is None:
            return
        enabled, paused = counters = around.counters[task]
        said = f"{name}1: ({place}+0x4/0x20) pid={self.pids[task]} ec={enabled} pc={paused}"
        self.line(cpu, task, around, said)
        if event is not None:
            self._sited.add(task)
            # What it reads fills in what nobody knew.
            self.says(task, Observed("enable", counters=counters))
            self.says(task, event)

    def noticed(self, task: str, said: str, event: Bug) -> None:
        """A message of the kernel: what could be about anything needs a section, or a mistake."""
        check = kernel_check(said.encode())
        known = self._monitors.get(task)
        inside = known is not None and known.task.depth
        if check is not None and (check.concerns or inside or task in self._wrong):
            self.says(task, event)

    def wrapped(self, task: str, counters: tuple[int, int]) -> None:
        """A count below zero, which a hook of the switch has made, or a call that was told."""
        if task in self.others.get("unbalanced-pause", ()):
            return
        if self.kernel.pauses_out and counters[1] >= _WRAPPED:
            self.says(task, Observed("start", counters=counters))

    # ---- lines and what they say ---------------------------------------------------------------

    def says(self, task: str, event: Event) -> None:
        """The monitors see an event of a task."""
        unknown = {"locks", "pending"}
        if not self.sections:
            unknown |= {"mode", "pause"}
        before = self._monitors.get(task)
        if before is None:
            before = self._runtime.start(TaskState(unknown=frozenset(unknown)))
        self._monitors[task], violations = self._runtime.step(before, event)
        for one in violations:
            if one.rule == self._rule:
                self.broken = self.broken or task
                self._wrong.add(task)
            elif RULES[one.rule].kind is not RuleKind.INFORMATION:
                self.others.setdefault(one.rule, set()).add(task)
                self._wrong.add(task)

    def line(
        self, cpu: int, task: str, around: TracedContext, text: str, *, switching: bool = False
    ) -> None:
        """One line, with the flags of the moment around it."""
        pid = self.pids[task]
        comm = _comm(task) if pid else "<idle>"
        self.lines.append(TraceLine(cpu, comm, pid, _flags(around, switching=switching), text))


def _comm(task: str) -> str:
    """A task's name as the kernel keeps it (linux/sched.h, TASK_COMM_LEN)."""
    return task[:15]


def _flags(around: TracedContext, *, switching: bool) -> str:
    """The column of flags (kernel/trace/trace_output.c, trace_print_lat_fmt()).

    A context switch has interrupts off, and holds a lock with preemption off.  Counts are one
    digit, 15 at most, also of one that is below zero (kernel/trace/trace.c, tracing_gen_ctx()).
    """
    switching = switching or around.switching
    count = min((around.preempt_count + 2 * switching) & 0xFF, 0xF)
    hard_off = bool(around.irqs_off or switching or around.irq in ("hard", "nmi"))
    off = {(True, True): "D", (True, False): "d", (False, True): "b"}.get(
        (hard_off, bool(around.bh_off)), "."
    )
    irq = {"hard": "h", "soft": "s", "nmi": "z"}.get(around.irq, ".")
    depth = f"{count:x}" if count else "."
    stays = f"{min(around.migration_disabled, 0xF):x}" if around.migration_disabled else "."
    return f"{off}.{irq}{depth}{stays}"
