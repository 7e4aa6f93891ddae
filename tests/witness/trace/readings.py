# SPDX-License-Identifier: GPL-2.0-or-later
"""Tasks with counters, as v7.0 and later have them, and what a recording reads of them.

A task is played by the rules of linux/pgtable.h and of its kernel's switch hooks, so that what is
read of it is what a kernel would show; and a mistake is one wrong step in the play.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .lines import Tape


@dataclass
class Task:
    """One task: its name and pid, and its counters."""

    name: str
    pid: int
    ec: int = 0
    pc: int = 0

    @property
    def key(self) -> tuple[str, int]:
        """As lines name it."""
        return self.name, self.pid

    @property
    def counters(self) -> str:
        """Its fields in a reading."""
        return f"pid={self.pid} ec={self.ec} pc={self.pc}"

    def more(self, ec: int = 0, pc: int = 0) -> None:
        """Count, as a u8 does."""
        self.ec, self.pc = (self.ec + ec) & 255, (self.pc + pc) & 255


@dataclass
class Play:
    """A kernel at work on one CPU, and its recording.

    xen: it is Xen PV; pauses: its switch hooks pause the task that goes (v7.2 on), else they leave
    the mode and enter it; release: that the head names; seen: the events that are recorded,
    "function" being those of Xen.
    """

    xen: bool = True
    pauses: bool = True
    release: str = "7.3.4"
    seen: frozenset[str] = frozenset({"sw", "sw_out", "sw_in", "ex", "new", "ur", "sched"})
    tape: Tape = field(default_factory=Tape)
    now: Task = field(default_factory=lambda: Task("init", 1))

    def read(self, event: str, place: str, task: Task, more: str = "", flags: str = "d..2.") -> int:
        """A reading, if it is recorded; its line, 0 if it is not."""
        if event.rstrip("0123456789") not in self.seen and event not in self.seen:
            return 0
        said = f"{event}: ({place}+0x4/0x40) {task.counters}{more}"
        return self.tape.add(self.now.key, 0, said, flags)

    def switch(self, to: Task, state: str = "S") -> int:
        """A context switch; the line of the task's reading."""
        went = self.now
        raw = {"R+": 0, "R": 0, "S": 1, "D": 2, "X": 0x80}[state]
        if "sched" in self.seen:
            self.tape.switch(went.key, to.key, 0, state)
        more = f" npid={to.pid} st={raw:#x} pr={int(state == 'R+')}"
        line = self.read("sw", "__probestub_sched_switch", went, more)
        if self.xen:
            line = self.read("sw_out", "xen_start_context_switch", went) or line
            self.hook("xen_start_context_switch <-__schedule", went)
            went.more(pc=self.pauses)
            self.read("sw_in", "xen_end_context_switch", to)
            self.hook("xen_end_context_switch <-__switch_to", to)
            to.more(pc=-self.pauses)
        self.now = to
        return line

    def hook(self, called: str, task: Task) -> None:
        """A hook of a switch, and what it does to the mode of the CPU."""
        if not {"sw_out", "function"} & self.seen:
            return
        name = called.split(maxsplit=1)[0]
        self.tape.add(self.now.key, 0, called, "d..2.")
        if "function" in self.seen and not self.pauses and task.ec and not task.pc:
            act = "leave" if "start" in name else "enter"
            self.tape.add(self.now.key, 0, f"xen_{act}_lazy_mmu <-{name}", "d..2.")

    def function(self, name: str, place: str) -> None:
        """A function of Xen, which v7.1 calls where the mode goes on and off."""
        if self.xen and not self.pauses and "function" in self.seen:
            self.tape.add(self.now.key, 0, f"xen_{name}_lazy_mmu <-{place}")

    def fork(self, name: str, pid: int, *, ahead: bool = False) -> Task:
        """A child: a copy; `ahead`: with the pause that its first switch takes away."""
        child = Task(name, pid, self.now.ec, self.now.pc)
        child.more(pc=ahead)
        self.read("new", "__probestub_sched_process_fork", child)
        return child

    def user(self) -> int:
        """The task goes back to user mode."""
        return self.read("ur", "__probestub_sys_exit", self.now)

    def exit(self) -> int:
        """The task is on its way out."""
        return self.read("ex", "__probestub_sched_process_exit", self.now)

    def site(self, does: str, place: str = "zap_pte_range") -> int:
        """A call of the API as probes at its instructions see it, and its effect."""
        event, ec, pc = {
            "enable": ("en4", 1, 0),
            "disable": ("di5", -1, 0),
            "pause": ("pa1", 0, 1),
            "resume": ("re1", 0, -1),
        }[does]
        task = self.now
        line = self.read("ge2", place, task, flags="d.Z1.") if does == "enable" else 0
        if does in ("enable", "disable") and task.pc:
            return line
        line = self.read(event, place, task, flags="d.Z1.")
        was = bool(task.ec and not task.pc)
        task.more(ec, pc)
        now = bool(task.ec and not task.pc)
        if was != now:
            self.function("enter" if now else "leave", place)
        elif does == "disable":
            self.function("flush", place)
        return line

    @property
    def head(self) -> str:
        """The head of the recording."""
        named = f"Linux localhost {self.release} x86_64\n" if self.release else ""
        return f"{named}# tracer: nop\n#\n# entries-in-buffer/entries-written: 1/1   #P:1\n#\n"

    @property
    def shift(self) -> int:
        """How many lines the head is longer than the one that a tape counts from."""
        return 1 if self.release else 0
