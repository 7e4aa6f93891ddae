# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines of tracefs text, made up: one function a line, with a clock of their own."""

from __future__ import annotations


class Tape:
    """Writes lines in order; each takes a microsecond.

    A task is its name and pid; `flags` are those of the line, "" for a trace without them.
    """

    def __init__(self, *, flags: bool = True) -> None:
        self.lines: list[str] = []
        self.clock = 5_000_000
        self.flags = flags

    def add(self, task: tuple[str, int], cpu: int, text: str, flags: str = ".....") -> int:
        """One line; its number counted from the first line after a head of four."""
        self.clock += 1
        stamp = f"{self.clock // 1_000_000:5}.{self.clock % 1_000_000:06}"
        column = f"{flags} " if self.flags else ""
        name, pid = task
        self.lines.append(f"{name:>16}-{pid:<7} [{cpu:03}] {column}{stamp}: {text}")
        return len(self.lines) + 4

    def enter(
        self, task: tuple[str, int], cpu: int, caller: str = "f", flags: str = "....."
    ) -> int:
        """A section begins on Xen PV."""
        return self.add(task, cpu, f"xen_enter_lazy_mmu <-{caller}", flags)

    def leave(
        self, task: tuple[str, int], cpu: int, caller: str = "f", flags: str = "....."
    ) -> int:
        """A section ends on Xen PV."""
        return self.add(task, cpu, f"xen_leave_lazy_mmu <-{caller}", flags)

    def switch(
        self,
        before: tuple[str, int],
        after: tuple[str, int],
        cpu: int,
        state: str = "S",
        *,
        hooks: str = "",
    ) -> int:
        """A context switch; `hooks`: "xen" with the hooks, and "leave", "enter" what these do."""
        line = self.add(
            before,
            cpu,
            f"sched_switch: prev_comm={before[0]} prev_pid={before[1]} prev_prio=120 "
            f"prev_state={state} ==> next_comm={after[0]} next_pid={after[1]} next_prio=120",
            "d..2.",
        )
        if "xen" in hooks:
            self.add(before, cpu, "xen_start_context_switch <-__schedule", "d..2.")
            if "leave" in hooks:
                self.leave(before, cpu, "xen_start_context_switch", "d..2.")
            self.add(before, cpu, "xen_end_context_switch <-__switch_to", "d..2.")
            if "enter" in hooks:
                self.enter(before, cpu, "xen_end_context_switch", "d..2.")
        return line

    def warm(self, *tasks: tuple[str, int]) -> None:
        """Let the trace see both CPUs, and each task from before its first section."""
        for cpu in (0, 1):
            idle = (f"swapper/{cpu}", 0)
            for task in tasks:
                self.switch(idle, task, cpu, "R", hooks="xen")
                self.enter(task, cpu, "warm")
                self.leave(task, cpu, "warm")
                self.switch(task, idle, cpu, hooks="xen")

    @property
    def text(self) -> str:
        """What was written."""
        return "".join(f"{line}\n" for line in self.lines)


IDLE0, IDLE1 = ("swapper/0", 0), ("swapper/1", 0)
A, B = ("alpha", 100), ("beta", 200)
