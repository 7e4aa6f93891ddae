# SPDX-License-Identifier: GPL-2.0-or-later
"""A small kernel that counts, its recording, and a second judge that shares no code with ours.

Two CPUs and a few tasks do what a list of moves says; who makes a mistake is known, because the
move says so.  `Simulation.must` and `may` are what a recording must be told to show, and all that
it may be: by what was recorded, of which task, and not by how it is written.

Rules of the kernel: include/linux/pgtable.h and include/linux/mm_types_task.h of v7.0 on; hooks
that pause, arch/x86/xen/enlighten_pv.c of v7.2 on.
"""

from __future__ import annotations

from dataclasses import dataclass, field

MISTAKES = ("leak section", "leak pause", "end twice", "resume twice", "sleep", "stray")
RIGHT = ("section", "nested", "paused", "user", "fork", "exit", "switch", "preempted", "interrupt")
BYTE = 256
HEAD = "# tracer: nop\n#\n# entries-in-buffer/entries-written: 1/1   #P:2\n#\n"
CLOCKS = {
    # kernel/trace/trace_output.c, trace_print_time(): microseconds, or counts as they are.
    "local": lambda now: f"{now // 1_000_000:5}.{now % 1_000_000:06}",
    "tai": lambda now: f"{now // 1_000_000 + 1_796_000_000:5}.{now % 1_000_000:06}",
    "boot": lambda now: f"{(now + 98_999_980) // 1_000_000:5}.{(now + 98_999_980) % 1_000_000:06}",
    "uptime": lambda now: f"{now // 1_000_000:5}.{now % 1_000_000 // 4000 * 4000:06}",
    "x86-tsc": lambda now: f"{now * 2394:12}",
    "counter": lambda now: f"{now - 999_995:12}",
}
"""How each clock of tracefs prints a time."""


@dataclass
class Sim:
    """One task.

    wrong: it has made a mistake, or runs with a count that is one; number: of tasks with its pid.
    """

    name: str
    pid: int
    ec: int = 0
    pc: int = 0
    wrong: bool = False
    number: int = 0

    @property
    def key(self) -> tuple[int, int]:
        """Which task it is: its pid, and how many had it before."""
        return self.pid, self.number

    def add(self, ec: int = 0, pc: int = 0) -> None:
        """Count as a byte does."""
        self.ec = (self.ec + ec) % BYTE
        self.pc = (self.pc + pc) % BYTE


@dataclass
class Simulation:
    """See the module.

    pauses: hooks of a switch pause who goes and resume who comes; ahead: a fork counts the pause
    that the first switch takes away; seen: names of the events that are recorded; columns: of the
    flags, 5 or 7; clock: the trace's, one of `CLOCKS`; late: readings of a switch come before its
    sched_switch; again: a child gets the pid of a task that has ended; lines: what was recorded;
    must: tasks, by pid and number, of which something has to be told; may: tasks of which something
    may be; births: of each pid, how many lines there were as its second task, its third ... began.
    """

    pauses: bool
    ahead: bool
    seen: frozenset[str]
    columns: int = 5
    clock: str = "local"
    late: bool = False
    again: bool = False
    lines: list[str] = field(default_factory=list)
    must: set[tuple[int, int]] = field(default_factory=set)
    may: set[tuple[int, int]] = field(default_factory=set)
    births: dict[int, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Four tasks wait, and each CPU is idle."""
        self.now = 1_000_000
        self.pids = iter(range(2000, 4000))
        self.free: list[int] = []
        waits = int(self.pauses)
        self.waiting = [Sim(f"t{at}", 1000 + at, 0, waits) for at in range(4)]
        self.running: list[Sim | None] = [None, None]

    # ---- what is recorded ------------------------------------------------------------------

    def line(self, cpu: int, text: str, flags: str = ".....") -> None:
        """One line of the task that runs on a CPU."""
        self.now += 1
        task = self.running[cpu]
        name, pid = (task.name, task.pid) if task else ("<idle>", 0)
        if self.columns == 7:
            flags = f"{flags[0]}{flags[1]}.{flags[2]}{flags[3]}.{flags[4]}"
        stamp = CLOCKS[self.clock](self.now)
        self.lines.append(f"{name:>16}-{pid:<7} [{cpu:03}] {flags} {stamp}: {text}")

    def read(self, cpu: int, event: str, place: str, task: Sim, more: str = "") -> bool:
        """A reading of a task's counters; whether it is recorded."""
        if event not in self.seen:
            return False
        number = "1" if event in ("en", "di", "pa", "re", "ge") else ""
        said = f"{event}{number}: ({place}+0x4/0x40) pid={task.pid} ec={task.ec} pc={task.pc}{more}"
        self.line(cpu, said, "d.Z2." if number else "d..2.")
        return True

    def lose(self, cpu: int) -> None:
        """Records are lost, and the recording says so."""
        self.lines.append(f"CPU:{cpu} [LOST 17 EVENTS]")

    # ---- what happens ----------------------------------------------------------------------

    def call(self, cpu: int, does: str) -> None:
        """A call of the API by the task that runs."""
        task = self.running[cpu]
        assert task is not None
        if does == "enable":
            self.read(cpu, "ge", "zap_pte_range", task)
        if does in ("enable", "disable") and task.pc:
            return
        event, ec, pc = {
            "enable": ("en", 1, 0),
            "disable": ("di", -1, 0),
            "pause": ("pa", 0, 1),
            "resume": ("re", 0, -1),
        }[does]
        shown = self.read(cpu, event, "zap_pte_range", task)
        if shown and ((does == "disable" and not task.ec) or (does == "resume" and not task.pc)):
            self.must.add(task.key)
        task.add(ec, pc)

    def wrong(self, cpu: int) -> None:
        """The task that runs makes a mistake."""
        task = self.running[cpu]
        assert task is not None
        task.wrong = True
        self.may.add(task.key)

    def settled(self, cpu: int, event: str, place: str) -> None:
        """The task ends, or returns to user mode: no count may be left."""
        task = self.running[cpu]
        assert task is not None
        if self.read(cpu, event, place, task) and (task.ec or task.pc):
            self.must.add(task.key)

    def switch(self, cpu: int, state: str = "S") -> None:
        """The CPU goes to whoever waits longest, or to idle."""
        went = self.running[cpu]
        comes = self.waiting.pop(0) if self.waiting else None
        if went is None and comes is None:
            return
        gone, come = (
            (one.name, one.pid) if one else (f"swapper/{cpu}", 0) for one in (went, comes)
        )
        said = (
            f"sched_switch: prev_comm={gone[0]} prev_pid={gone[1]} prev_prio=120 "
            f"prev_state={state if went else 'R'} ==> next_comm={come[0]} next_pid={come[1]} "
            "next_prio=120"
        )
        if "sched" in self.seen and not self.late:
            self.line(cpu, said, "d..2.")
        shown = False
        if went is not None:
            raw = {"R+": 0, "S": 1, "X": 0x80}[state]
            more = f" npid={come[1]} st={raw:#x} pr={int(state == 'R+')}"
            shown = self.read(cpu, "sw", "__probestub_sched_switch", went, more)
        if "sched" in self.seen and self.late:
            self.line(cpu, said, "d..2.")
        if went is not None:
            if shown and state == "S" and went.ec and not went.pc:
                self.must.add(went.key)
                self.may.add(went.key)
            if shown and state == "X" and (went.ec or went.pc):
                self.must.add(went.key)
            shown = self.read(cpu, "sw_out", "xen_start_context_switch", went)
            if shown and state == "X" and "sched" in self.seen and (went.ec or went.pc):
                self.must.add(went.key)
            went.add(pc=self.pauses)
        if comes is not None:
            self.read(cpu, "sw_in", "xen_end_context_switch", comes)
            comes.add(pc=-int(self.pauses))
            if comes.pc >= BYTE // 2:
                comes.wrong = True
                self.may.add(comes.key)
        if went is not None and state != "X":
            self.waiting.append(went)
        elif went is not None and self.again:
            self.free.append(went.pid)
        self.running[cpu] = comes

    def fork(self, cpu: int) -> None:
        """A child is a copy of its parent, counts included."""
        parent = self.running[cpu]
        assert parent is not None
        if self.free:
            pid = self.free.pop()
            self.births.setdefault(pid, []).append(len(self.lines))
        else:
            pid = next(self.pids)
        number = self.whose(pid, len(self.lines) + 1)[1]
        child = Sim(parent.name, pid, parent.ec, parent.pc, parent.wrong, number)
        if parent.ec or parent.pc:
            self.may.add(child.key)
        child.add(pc=self.ahead)
        self.read(cpu, "new", "__probestub_sched_process_fork", child)
        self.waiting.append(child)

    def exit(self, cpu: int) -> None:
        """The task ends, and its last switch comes."""
        self.settled(cpu, "ex", "__probestub_sched_process_exit")
        self.switch(cpu, "X")

    def move(self, cpu: int, what: str) -> None:
        """One move on a CPU; one that it cannot make is none."""
        if what == "lose":
            self.lose(cpu)
            return
        if self.running[cpu] is None:
            self.switch(cpu)
            return
        match what:
            case "section":
                self.calls(cpu, "enable disable")
            case "nested":
                self.calls(cpu, "enable enable disable disable")
            case "paused":
                self.calls(cpu, "enable pause enable disable resume disable")
            case "preempted":
                self.call(cpu, "enable")
                held = self.running[cpu]
                self.switch(cpu, "R+")
                self.until(cpu, held)
                self.call(cpu, "disable")
            case "user":
                self.settled(cpu, "ur", "__probestub_sys_exit")
            case "fork":
                self.fork(cpu)
            case "exit":
                self.exit(cpu)
            case "switch":
                self.switch(cpu)
            case "interrupt":
                self.line(cpu, "irq_handler_entry: irq=3 name=timer", "d.h1.")
                self.line(cpu, "irq_handler_exit: irq=3 ret=handled", "d.h1.")
            case _:
                self.wrong(cpu)
                self.mistake(cpu, what)

    def mistake(self, cpu: int, what: str) -> None:
        """A mistake of the task that runs."""
        task = self.running[cpu]
        assert task is not None
        match what:
            case "leak section":
                self.call(cpu, "enable")
            case "leak pause":
                self.call(cpu, "pause")
            case "end twice":
                self.calls(cpu, "enable disable disable")
            case "resume twice":
                self.calls(cpu, "pause resume resume")
            case "sleep":
                self.call(cpu, "enable")
                self.switch(cpu)
                self.until(cpu, task)
                self.call(cpu, "disable")
            case "stray":
                # Somebody writes into its counters.
                task.add(ec=1)

    def calls(self, cpu: int, names: str) -> None:
        """Some calls, one after the other."""
        for name in names.split():
            self.call(cpu, name)

    def until(self, cpu: int, task: Sim | None) -> None:
        """Others run on a CPU until it is a task's turn again."""
        while self.running[cpu] is not task:
            self.switch(cpu)

    def whose(self, pid: int, line: int) -> tuple[int, int]:
        """Which task a finding is of, by its pid and its line among the `lines`.

        Where nothing that is recorded tells of a task's last switch, or of its fork, all that have
        a pid are one.
        """
        if not self.seen & {"sched", "sw", "new"}:
            return pid, 0
        return pid, sum(born < line for born in self.births.get(pid, ()))

    def text(self, release: str, machine: str = "x86_64") -> str:
        """The recording."""
        named = f"Linux localhost {release} {machine}\n" if release else ""
        return named + HEAD + "".join(f"{line}\n" for line in self.lines)
