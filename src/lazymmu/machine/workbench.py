# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine on the workbench: do one thing after another, and look.

    bench = Workbench("arm64", "6.19.6", "p kernel", "q kernel")
    bench.do("lazy_mmu_mode_enable; set_pte p A; set_pte q B")
    bench.pending       # (("p", "dsb(ishst) and isb"), ("q", "dsb(ishst) and isb"))
    bench.do("lazy_mmu_mode_disable")
    bench.costs         # Counter({"barrier": 1})

Nothing is searched here and nothing is judged: what is done happens in this order and no other.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from lazymmu.contract.events import Bug
from lazymmu.machine.config import (
    ConfigError,
    EntrySpec,
    LockSpec,
    MachineConfig,
    Op,
    Preempt,
    TaskSpec,
)
from lazymmu.machine.context import CARRIED
from lazymmu.machine.machine import Machine

if TYPE_CHECKING:
    from lazymmu.contract.event_words import IrqKind
    from lazymmu.contract.events import Event
    from lazymmu.machine.config import Value
    from lazymmu.machine.context import StepContext

LEVELS = ("pte", "pmd", "pud", "p4d", "pgd")
SPACES = ("user", "kernel")


class CannotError(Exception):
    """What was asked for cannot happen now, or cannot go on; one sentence says why."""


class Workbench:
    """One machine and its state.

    costs: how often each slow thing was done (hypercall, barrier, invalidation ...); events: all
    that happened so far, oldest first; machine, state: for whoever wants to see more.
    """

    def __init__(
        self,
        arch: str,
        release: str,
        *entries: str | EntrySpec,
        cpus: int = 1,
        tasks: int = 0,
        locks: tuple[str, ...] = ("L",),
        pages: tuple[str, ...] = ("A", "B", "C"),
        preempt: Preempt = Preempt.FULL,
        rt: bool = False,
    ) -> None:
        """Build it.

        entries: `p`, `p kernel`, `d pmd`, `q pte user = A`; tasks: how many, T0 and so on, one on
        each CPU and the rest waiting (0: as many as CPUs); pages: names of pages that entries may
        map.  Raises ConfigError for a machine that no kernel is.
        """
        specs = tuple(
            _entry(entry) if isinstance(entry, str) else entry for entry in entries or ("p",)
        )
        # Programs come later; these say which entries may ever map which page.
        known = tuple(Op("set_pte", (spec.name, page)) for spec in specs for page in pages)
        self.machine = Machine(
            MachineConfig(
                arch,
                release,
                entries=specs,
                tasks=tuple(
                    TaskSpec(f"T{number}", known, cpu=number if number < cpus else -1)
                    for number in range(tasks or cpus)
                ),
                locks=tuple(LockSpec(lock) for lock in locks),
                cpus=cpus,
                preempt=preempt,
                rt=rt,
            )
        )
        self.state: list[Any] = list(self.machine.initial)
        self.costs: Counter[str] = Counter()
        self.events: list[Event] = []
        for number in range(tasks or cpus):
            self._here(0).task_at(number).stack = ()

    # ---- doing -----------------------------------------------------------------------------------

    def do(self, *program: str | Op, cpu: int = 0) -> tuple[Event, ...]:
        """Let the task that runs on `cpu` run a program to its end; gives what happened.

        `program`: operations as in a scenario, `set_pte p A; ptep_get p`, or as values.

        :raises ConfigError: for an operation that the machine lacks.
        :raises CannotError: the task stops on the way (`go()` continues it).
        """
        before = len(self.events)
        self.begin(*program, cpu=cpu)
        self.go(cpu)
        return tuple(self.events[before:])

    def begin(self, *program: str | Op, cpu: int = 0) -> None:
        """Give the task that runs on `cpu` a program, and do not take a step yet."""
        here = self._here(cpu)
        if here.task >= len(self.machine.config.tasks):
            raise CannotError(f"cpu{cpu} runs no task; switch to one first")
        if here.current.stack:
            raise CannotError(f"{self.running(cpu)} is still in {self._place(cpu)}")
        here.current.stack = self.machine.continuations.begin(
            self.machine.programs.run(_ops(program))
        )

    def step(self, cpu: int = 0) -> tuple[Event, ...] | None:
        """Take one step of what runs on `cpu`; None when there is none to take."""
        return self._act("run", cpu)

    def go(self, cpu: int = 0) -> None:
        """Take steps until what runs on `cpu` is at its end, or the machine has stopped at a BUG.

        :raises CannotError: it has to wait.
        """
        while self.step(cpu) is not None:
            pass
        if self.place(cpu) and not self._here(cpu).system.panicked:
            raise CannotError(f"{self.running(cpu)} waits in {self._place(cpu)}")

    def switch(self, task: str, cpu: int = 0) -> tuple[Event, ...]:
        """Preempt what runs on `cpu`, and run `task` there (`swapper/0`: nobody).

        :raises CannotError: the one keeps its CPU or the other cannot come.
        """
        before = len(self.events)
        number = self.machine.layout.names["task"].index(task)
        if self._act("switch", cpu, number) is None:
            raise CannotError(f"cpu{cpu} cannot switch from {self.running(cpu)} to {task} now")
        while self._here(cpu).this_cpu.thread and self.step(cpu) is not None:
            pass
        return tuple(self.events[before:])

    def interrupt(
        self, *program: str | Op, kind: IrqKind = "hard", cpu: int = 0
    ) -> tuple[Event, ...]:
        """Interrupt what runs on `cpu` by a handler that runs a program to its end.

        :raises CannotError: interrupts are off there.
        """
        here = self._here(cpu)
        off = here.current.irqs_off or here.this_cpu.thread
        if off or (kind == "soft" and here.current.bh_off):
            raise CannotError(f"cpu{cpu} takes no {kind} interrupt now")
        before = len(self.events)
        here.this_cpu.irq = kind
        here.this_cpu.thread = self.machine.continuations.begin(
            self.machine.handler(kind, _ops(program))
        )
        while self._here(cpu).this_cpu.thread:
            if self.step(cpu) is None:
                if here.system.panicked:
                    break
                raise CannotError(f"the interrupt on cpu{cpu} waits in {self._place(cpu)}")
        return tuple(self.events[before:])

    # ---- looking ---------------------------------------------------------------------------------

    @property
    def pending(self) -> tuple[tuple[str, str], ...]:
        """What waits to take effect, of all CPUs and the tasks on them: (entry, what)."""
        return tuple(
            item
            for cpu in range(self.machine.config.cpus)
            for item in self.machine.arch.pending(self._here(cpu), cpu)
        )

    def stored(self, entry: str) -> Value:
        """What memory holds."""
        return self._here(0).entry(entry).stored  # type: ignore[no-any-return]

    def effective(self, entry: str) -> Value:
        """What a page walk finds."""
        return self._here(0).entry(entry).effective  # type: ignore[no-any-return]

    def tlb(self, entry: str, cpu: int = 0) -> frozenset[Value]:
        """Old translations that the TLB of `cpu` may still hold."""
        return self._here(cpu).tlb(cpu, entry).old  # type: ignore[no-any-return]

    def mode(self, cpu: int = 0) -> str:
        """Whether an update made by what runs on `cpu` would be put off: "on", "off", "unknown"."""
        known = self.machine.arch.mode_on(self._here(cpu))
        return {"yes": "on", "no": "off"}.get(known, "unknown")

    def running(self, cpu: int = 0) -> str:
        """Name of the task that runs on `cpu`."""
        here = self._here(cpu)
        return here.task_name(here.task)

    def place(self, cpu: int = 0) -> tuple[str, ...]:
        """Kernel functions that `cpu` is in, outermost first; empty when it has nothing to do."""
        here = self._here(cpu)
        if not (here.this_cpu.thread or here.current.stack):
            return ()
        number = self._number("run", cpu, 0)
        return self.machine.describe_step(self.state, number).stack or ("a handler",)

    @property
    def bugs(self) -> tuple[str, ...]:
        """Conditions of the BUG_ON() and WARN_ON() that fired."""
        return tuple(event.condition for event in self.events if isinstance(event, Bug))

    # ---- inside ----------------------------------------------------------------------------------

    def _here(self, cpu: int) -> StepContext:
        return self.machine.here(self.state, cpu)

    def _place(self, cpu: int) -> str:
        return f"{self.place(cpu)[-1]}()"

    def _number(self, kind: str, cpu: int, number: int) -> int:
        for index, action in enumerate(self.machine.actions):
            if (action.kind, action.cpu, action.number) == (kind, cpu, number):
                return index
        raise CannotError(f"there is no cpu{cpu}, or it is not that task's")

    def _act(self, kind: str, cpu: int, number: int = 0) -> tuple[Event, ...] | None:
        events = self.machine.step(self.state, self._number(kind, cpu, number), self._count)
        if events is not None:
            self.events.extend(events)
        return events

    def _count(self, what: str) -> None:
        if what not in CARRIED:
            self.costs[what] += 1


def _ops(program: tuple[str | Op, ...]) -> tuple[Op, ...]:
    """Operations from text, one per line or `;`, or as they are."""
    found: list[Op] = []
    for part in program:
        if isinstance(part, Op):
            found.append(part)
            continue
        lines = (line.split() for line in part.replace("\n", ";").split(";"))
        found.extend(Op(words[0], tuple(words[1:])) for words in lines if words)
    return tuple(found)


def _entry(text: str) -> EntrySpec:
    """An entry from `name [level] [space] [= value]`."""
    words, _, value = text.partition("=")
    name, *more = words.split()
    fields: dict[str, Any] = {"value": None if value.strip() in ("", "none") else value.strip()}
    for word in more:
        if word in LEVELS:
            fields["level"] = word
        elif word in SPACES:
            fields["space"] = word
        else:
            raise ConfigError(f"{word} is neither a level nor a space of entry {name}")
    return EntrySpec(name, **fields)
