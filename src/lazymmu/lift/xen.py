# SPDX-License-Identifier: GPL-2.0-or-later
"""x86-64 as a Xen PV guest, with the hooks and accessors of a tree above the machine's queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lazymmu.lift.ctypes import CType
from lazymmu.lift.execute import Stopped
from lazymmu.lift.implementation import LiftedArch, out_of_interrupts, source_of
from lazymmu.lift.primitives import does
from lazymmu.lift.steps import Going, PositionCall, Steps
from lazymmu.lift.values import CPointer, EntryRef, Handle, Value
from lazymmu.machine.arch.xen import XenQueue
from lazymmu.machine.steps import atomic, routine

if TYPE_CHECKING:
    from lazymmu.contract.event_words import Known
    from lazymmu.lift.execute import Execution
    from lazymmu.lift.frames import Called
    from lazymmu.machine.config import Value as EntryValue
    from lazymmu.machine.context import StepContext
    from lazymmu.machine.memory import Memory
    from lazymmu.machine.steps import Routine, RoutineCall

__all__ = ["ACCESSORS", "LiftedXen"]

ACCESSORS = ("set_pte",)


class LiftedXen(LiftedArch, XenQueue):
    """The queue of multicalls is the machine's; who fills it and lets it go is the tree's C.

    set_pte() is the tree's, each access a step. Where a hook is one step it is the machine's, which
    asks the tree's whether an update would wait; so are the other accessors.
    """

    def __init__(self, memory: Memory) -> None:
        """As for every implementation."""
        super().__init__(memory)
        self.operation = ""
        self.queued = False

    # ---- accessors -------------------------------------------------------------------------------

    @routine(source_of("set_pte"))
    def set_pte(self, entry: str, value: EntryValue) -> Routine:
        """As the tree has it."""
        yield self._storing(entry, value, "set_pte")

    @routine(source_of("set_pte"))
    def pte_clear(self, entry: str) -> Routine:
        """set_pte() of none (arch/x86/include/asm/paravirt.h)."""
        yield self._storing(entry, None, "pte_clear")

    def _storing(self, entry: str, value: EntryValue, operation: str) -> RoutineCall:
        if self.steps is not Steps.FINE:
            if value is None:
                return super().pte_clear(entry)
            return super().set_pte(entry, value)
        code = self.lifted.functions["set_pte"]
        going = self.runner.begin(code, (EntryRef(entry), value))
        return self.store_again(going, operation)

    def store_again(self, going: Going, operation: str) -> RoutineCall:
        """The tree's set_pte() from where it is on; operation: in whose name."""
        return PositionCall(_store_goes_on, (self, going, operation))

    @atomic
    def on_store(self, here: StepContext, going: Going, operation: str) -> Going:
        """A step of set_pte(), which says of an update whether it waits."""
        self.why, self.operation, self.queued = "store", operation, False
        after, _ = self.runner.on(here, going, hooks=False)
        if not after.positions:
            self.updated(here, waits=self.queued and bool(here.this_cpu.mc_queue))
        return after

    # ---- what the machine asks -------------------------------------------------------------------

    def update(self, here: StepContext) -> None:
        """set_pte() of the first entry."""
        entry = EntryRef(next(iter(self.memory.specs)))
        self.runner.whole(here, self.lifted.functions["set_pte"], (entry, None))

    def lazy(self, here: StepContext) -> bool:
        """Whether an update here and now would stay in the queue: set_pte() is asked."""
        entry = next(iter(self.memory.specs))
        return self.lifted.answers.ask(here, ("lazy", entry), self._is_lazy)

    def _is_lazy(self, apart: StepContext) -> bool:
        apart.this_cpu.mc_queue = ()  # a full one would go out before the update
        why, self.why = self.why, "apart"
        self.update(apart)
        self.why = why
        return bool(apart.this_cpu.mc_queue)

    def mode_on(self, here: StepContext) -> Known:
        """Whether an update by the task that runs here would wait, whatever interrupts it."""
        entry = next(iter(self.memory.specs))
        return "yes" if self.lifted.answers.ask(here, ("mode", entry), self._is_on) else "no"

    def _is_on(self, apart: StepContext) -> bool:
        out_of_interrupts(apart)
        return self._is_lazy(apart)

    def does(self, here: Execution, call: Called) -> Value:
        """Queue, issue and store; all else is common."""
        context = here.context
        match call.word.does:
            case "queue-issue":
                self._goes_out(context)
            case "queue-store":
                entry, value = self._update(here, call)
                self._says(context, entry, value)
                self.queued = True
                self.make_room(context, "set")
                queue = context.this_cpu.mc_queue
                context.this_cpu.mc_queue = (*queue, ("set", entry, value))
            case "store-now":
                entry, value = self._update(here, call)
                if self.why != "apart":
                    self._says(context, entry, value)
                    context.cost("hypercall")
                    context.cost("update")
                    self.memory.take_effect(context, entry, value, self._waiting(context, entry))
            case _:
                return does(here, call)
        here.seen.append((call.code.file, call.one.line))
        return 0

    def _says(self, context: StepContext, entry: str, value: EntryValue) -> None:
        """Say that the code changes an entry, where it is not only asked what it would do."""
        if self.why == "store":
            self.memory.write(context, entry, value, self.operation, "deferred")

    def _goes_out(self, context: StepContext) -> None:
        if self.why == "apart" and not context.preemptible:
            context.this_cpu.mc_queue = ()
            return
        waits = len(context.this_cpu.mc_queue)
        if self.why == "switch" and waits:
            self.flushed(context, "switch")
        elif self.why == "store" and waits > 1:
            self.flushed(context, "irq")
        self.xen_mc_flush(context)
        if context.system.panicked:
            raise Stopped

    def _update(self, here: Execution, call: Called) -> tuple[str, Any]:
        """Return the entry and the value of a struct mmu_update."""
        record = call.arg(call.word.arg)
        if isinstance(record, CPointer):
            entry, value = (
                here.load(
                    record._replace(path=(*record.path, name), type=CType("")),
                    call.code,
                    call.one.line,
                )
                for name in (call.word.entry, call.word.value)
            )
            if isinstance(entry, (EntryRef, Handle)) and (value is None or isinstance(value, str)):
                return entry.name, value
        raise call.refused("of what is no entry")


def _store_goes_on(arch: LiftedXen, going: Going, operation: str) -> Routine:
    yield from arch.runner.go(
        going,
        None,
        lambda then: arch.on_store(then, operation),
        lambda then: arch.store_again(then, operation),
    )
