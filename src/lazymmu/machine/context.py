# SPDX-License-Identifier: GPL-2.0-or-later
"""`StepContext`: what a step sees of the machine: this CPU, the current task, and all the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lazymmu.contract.events import Bug, Pin, Unpin
from lazymmu.machine.steps import Blocked

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator

    from lazymmu.contract.events import Event
    from lazymmu.machine.layout import Layout, Slot, StateRow


CARRIED: Final = ("multicall entry", "update", "translation")
"""Of costs: what something slow had to do, and not that it was done."""

BEGUN: Final = ("cpu", "thread")
"""A switch or an interrupt that a CPU is in."""


class StepContext:
    """The moment at which a step happens.

    :param cpu: number of this CPU; this_cpu: its variables; events: what has happened so far in
        this step; choice: the number of the alternative that is taken, -1 where there is no choice.
    :param costs: called with the name of each thing that takes time ("hypercall", "barrier",
        "invalidation"), for who counts.
    """

    __slots__ = (
        "_counts",
        "_index",
        "_layout",
        "_rt",
        "_tasks",
        "_view",
        "choice",
        "costs",
        "cpu",
        "events",
        "this_cpu",
    )

    def __init__(
        self,
        view: StateRow,
        layout: Layout,
        index: dict[str, dict[str, int]],
        cpu: int,
        costs: Callable[[str], None] | None = None,
        *,
        rt: bool = False,
        counts: bool = True,
    ) -> None:
        """Keep what the steps of a machine need.

        :param index: the number of each thing by kind and name.
        :param rt: PREEMPT_RT.
        :param counts: whether the kernel has a preempt count (PREEMPT_COUNT).
        """
        self._rt = rt
        self._counts = counts
        self._view = view
        self._layout = layout
        self._index = index
        self._tasks: dict[int, Slot] = {}
        self.cpu = cpu
        self.this_cpu = layout.slot(view, "cpu", cpu)
        self.events: list[Event] = []
        self.costs = costs
        self.choice = -1

    # ---- things ------------------------------------------------------------------------------

    @property
    def system(self) -> Slot:
        """Variables that exist once."""
        return self._layout.slot(self._view, "system", 0)

    @property
    def task(self) -> int:
        """Number of the task that runs here (`current`); an idle task's when none does."""
        return int(self.this_cpu.curr)

    @property
    def current(self) -> Slot:
        """The current task's variables."""
        return self.task_at(self.this_cpu.curr)

    def cpu_at(self, number: int) -> Slot:
        """Another CPU's variables."""
        return self._layout.slot(self._view, "cpu", number)

    def task_at(self, number: int) -> Slot:
        """A task's variables."""
        slot = self._tasks.get(number)
        if slot is None:
            slot = self._tasks[number] = self._layout.slot(self._view, "task", number)
        return slot

    def entry(self, name: str) -> Slot:
        """An entry's variables."""
        return self._layout.slot(self._view, "entry", self._index["entry"][name])

    def lock(self, name: str) -> Slot:
        """A lock's variables."""
        return self._layout.slot(self._view, "lock", self._index["lock"][name])

    def page(self, name: str) -> Slot:
        """A page's variables."""
        return self._layout.slot(self._view, "page", self._index["page"][name])

    def tlb(self, cpu: int, entry: str) -> Slot:
        """What a CPU's TLB may hold for an entry."""
        entries = self._index["entry"]
        return self._layout.slot(self._view, "tlb", cpu * len(entries) + entries[entry])

    def irq(self, number: int) -> Slot:
        """An interrupt's variables."""
        return self._layout.slot(self._view, "irq", number)

    @property
    def cpus(self) -> range:
        """Numbers of all CPUs."""
        return range(len(self._layout.names["cpu"]))

    def every(self, kind: str) -> Iterator[Slot]:
        """Variables of every thing of a kind: "cpu", "task"."""
        for number in range(len(self._layout.names[kind])):
            yield self._layout.slot(self._view, kind, number)

    def task_name(self, number: int) -> str:
        """A task's name: the scenario's, or `swapper/N`."""
        return self._layout.names["task"][number]

    def copy(self, names: tuple[str, ...], source: int, target: int) -> None:
        """Copy a task's variables to another one, as dup_task_struct() does (kernel/fork.c)."""
        one, other = self.task_at(source), self.task_at(target)
        for name in names:
            setattr(other, name, getattr(one, name))

    def apart(
        self,
        reads: list[tuple[int, Hashable]] | None = None,
        costs: Callable[[str], None] | None = None,
    ) -> StepContext:
        """The same moment on a copy of the state: what is done there never happens.

        :param reads: receives which values of the state were read, in order.
        :param costs: see the class.
        """
        index, layout = self._index, self._layout
        copy = _Copy(self._view, reads)
        return StepContext(copy, layout, index, self.cpu, costs, rt=self._rt, counts=self._counts)

    @property
    def changes(self) -> tuple[tuple[int, Hashable], ...]:
        """What was changed in a copy of the state."""
        return tuple(self._view.changed.items()) if isinstance(self._view, _Copy) else ()

    def redo(
        self,
        changes: Iterable[tuple[int, Hashable]],
        events: Iterable[Event],
        costs: Iterable[str],
    ) -> None:
        """Do here what was done to a copy."""
        for index, value in changes:
            self._view[index] = value
        self.events.extend(events)
        for what in costs:
            self.cost(what)

    def asked(self, index: int) -> Hashable:
        """What steps ask of a value: of a program that a CPU has begun, only whether it has."""
        value: Hashable = self._view[index]
        return bool(value) if self._layout.place(index)[:2] == BEGUN else value

    def mine(self, kind: str, name: str) -> Any:
        """A variable of this CPU, of the task that runs here, or one that exists once."""
        number = {"cpu": self.cpu, "system": 0}.get(kind, -1)
        if number < 0:
            number = self.task
        return self._view[self._layout.bases[kind][name] + number]

    def named(self, index: int) -> tuple[str, str] | None:
        """The kind and name by which `mine` gives what is at `index`, None for what is not mine.

        Nothing of the state is read for it, but who runs here, for what belongs to a task.
        """
        kind, name, number = self._layout.place(index)
        if kind == "task":
            return (kind, name) if number == self.task else None
        return (kind, name) if {"cpu": self.cpu, "system": 0}.get(kind) == number else None

    @property
    def kernel(self) -> tuple[bool, bool]:
        """What the kernel was built with, as far as steps ask: PREEMPT_RT, PREEMPT_COUNT."""
        return self._rt, self._counts

    # ---- context -----------------------------------------------------------------------------

    @property
    def rt(self) -> bool:
        """PREEMPT_RT."""
        return self._rt

    @property
    def in_interrupt(self) -> bool:
        """in_interrupt(): hard or soft interrupt, NMI, or bottom halves off (linux/preempt.h)."""
        return bool(self.this_cpu.irq) or bool(self.current.bh_off)

    @property
    def preemptible(self) -> bool:
        """preemptible(): preempt_count is zero and interrupts are on (linux/preempt.h).

        On PREEMPT_RT bottom halves off are counted in the task (softirq_disable_cnt), and not in
        preempt_count: in_interrupt() is true there, and the task is preemptible all the same.
        Without PREEMPT_COUNT it is never true.
        """
        return self._counts and not (self.atomic or self.this_cpu.thread or self.current.irqs_off)

    @property
    def alone(self) -> bool:
        """Whether nobody else gets this CPU before who runs here goes on.

        Neither a switch nor an interrupt is interrupted (`Machine._deliver()`).
        """
        if self.this_cpu.thread or self.current.irqs_off:
            return True
        return not (self.preemptible or self.interrupted)

    @property
    def interrupted(self) -> bool:
        """Whether there are any interrupts."""
        return bool(self._layout.names["irq"])

    @property
    def atomic(self) -> bool:
        """in_atomic(): preempt_count is not zero (linux/preempt.h).

        Interrupts and bottom halves are counted there with and without PREEMPT_COUNT.
        """
        current = self.current
        return bool(self.this_cpu.irq or current.preempt_count or (current.bh_off and not self._rt))

    def preempt_disable(self, *, said: bool = False) -> None:
        """preempt_disable(): a barrier and no more without PREEMPT_COUNT (linux/preempt.h).

        :param said: to who watches the task's pins as well.
        """
        if self._counts:
            self.current.preempt_count += 1
        if said:
            self.emit(Pin, kind="preempt")

    def preempt_enable(self, *, said: bool = False) -> None:
        """preempt_enable().

        Once too often it goes below zero, which preempt_count_sub() tells with CONFIG_DEBUG_PREEMPT
        alone (kernel/sched/core.c).
        """
        current = self.current
        if self._counts:
            under = current.preempt_count <= 0
            self.warn_on(under, "val > preempt_count()", "CONFIG_DEBUG_PREEMPT")
            current.preempt_count -= 1
            said = said and not under
        if said:
            self.emit(Unpin, kind="preempt")

    def local_irq_save(self, *, said: bool = False) -> int:
        """local_irq_save(), and local_irq_disable() for who does not keep what it gives.

        Whether interrupts are off is a flag of the CPU and no count (linux/irqflags.h): it gives
        what it was.

        :param said: to who watches the task's pins as well.
        """
        current = self.current
        flags = int(current.irqs_off)
        current.irqs_off = 1
        if said and not flags:
            self.emit(Pin, kind="irq")
        return flags

    def local_irq_restore(self, flags: int = 0, *, said: bool = False) -> None:
        """local_irq_restore(), and local_irq_enable(): on, however often they were put off.

        :param flags: what `local_irq_save` gave.
        :param said: to who watches the task's pins as well.
        """
        current = self.current
        before = int(current.irqs_off)
        current.irqs_off = flags
        if said and before != flags:
            self.emit(Pin if flags else Unpin, kind="irq")

    @property
    def lazy_active(self) -> bool:
        """is_lazy_mmu_mode_active() of v7.0 on (linux/sched.h): counted, and not in interrupt."""
        return self.task_active(self.task) and not self.in_interrupt

    def task_active(self, number: int) -> bool:
        """__task_lazy_mmu_mode_active() of v7.0 on (linux/sched.h): counted and not paused."""
        task = self.task_at(number)
        return bool(task.enable_count > 0 and task.pause_count == 0)

    # ---- what steps say ----------------------------------------------------------------------

    def emit(self, kind: type[Event], /, **fields: Any) -> None:
        """Say that something happened, here and to the current task unless `task` says other."""
        fields.setdefault("task", self.task_name(self.task))
        fields.setdefault("cpu", self.cpu)
        self.events.append(kind(**fields))

    def wait_for(self, condition: object) -> None:
        """Go no further until `condition` holds: the step does not happen."""
        if not condition:
            raise Blocked

    def cost(self, what: str) -> None:
        """Something slow was done, or was part of that.

        What is slow: "hypercall", "barrier", "invalidation"; a part of it: one of `CARRIED`.
        """
        if self.costs is not None:
            self.costs(what)

    def bug_on(self, condition: object, text: str) -> bool:
        """BUG_ON(): if it holds the machine stops.  Gives the condition's truth."""
        if condition:
            self.emit(Bug, condition=text)
            self.system.panicked = 1
        return bool(condition)

    def bug(self, text: str) -> None:
        """What the kernel prints as a BUG and goes on after, in whatever state it is in."""
        self.emit(Bug, condition=text, check="BUG")

    def warn_on(self, condition: object, text: str, config: str = "") -> bool:
        """WARN_ON(): said, and the machine goes on; config: what a kernel must have for that."""
        if condition:
            self.emit(Bug, condition=text, check="WARN", config=config)
        return bool(condition)

    def vm_warn_on(self, condition: object, text: str) -> bool:
        """VM_WARN_ON(): a WARN_ON() of kernels with CONFIG_DEBUG_VM (linux/mmdebug.h)."""
        if condition:
            self.emit(Bug, condition=text, check="VM_WARN", config="CONFIG_DEBUG_VM")
        return bool(condition)


class _Copy:
    """A state beside another one, that of which it reads what it was not given itself."""

    __slots__ = ("_reads", "_view", "changed")

    def __init__(self, view: StateRow, reads: list[tuple[int, Hashable]] | None) -> None:
        self._view = view
        self._reads = reads
        self.changed: dict[int, Hashable] = {}

    def __getitem__(self, index: int, /) -> Any:
        if index in self.changed:
            return self.changed[index]
        value = self._view[index]
        if self._reads is not None:
            self._reads.append((index, value))
        return value

    def __setitem__(self, index: int, value: Hashable, /) -> None:
        self.changed[index] = value
