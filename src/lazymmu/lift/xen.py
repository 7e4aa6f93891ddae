# SPDX-License-Identifier: GPL-2.0-or-later
"""x86-64 as a Xen PV guest, with the hooks and accessors of a tree above the machine's queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lazymmu.lift.ctypes import CType
from lazymmu.lift.execute import Stopped
from lazymmu.lift.implementation import LiftedArch, out_of_interrupts
from lazymmu.lift.primitives import does
from lazymmu.lift.values import CPointer, EntryRef, Handle, Value
from lazymmu.machine.arch.xen import XenQueue

if TYPE_CHECKING:
    from lazymmu.contract.event_words import Known
    from lazymmu.lift.execute import Execution
    from lazymmu.lift.frames import Called
    from lazymmu.machine.context import StepContext

__all__ = ["ACCESSORS", "LiftedXen"]

ACCESSORS = ("set_pte",)


class LiftedXen(LiftedArch, XenQueue):
    """The queue of multicalls is the machine's; who fills it and lets it go is the tree's C."""

    def update(self, here: StepContext) -> None:
        """set_pte() of the first entry."""
        entry = EntryRef(next(iter(self.memory.specs)))
        self.runner.whole(here, self.lifted.functions["set_pte"], (entry, None))

    def lazy(self, here: StepContext) -> bool:
        """Whether an update here and now would stay in the queue: set_pte() is asked."""
        entry = next(iter(self.memory.specs))
        return bool(self.lifted.answers.ask(here, ("lazy", entry), self._is_lazy))

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
                self.make_room(context, "set")
                queue = context.this_cpu.mc_queue
                context.this_cpu.mc_queue = (*queue, ("set", entry, value))
            case "store-now":
                entry, value = self._update(here, call)
                if self.why != "apart":
                    context.cost("hypercall")
                    context.cost("update")
                    self.memory.take_effect(context, entry, value, self._waiting(context, entry))
            case _:
                return does(here, call)
        here.seen.append((call.code.file, call.one.line))
        return 0

    def _goes_out(self, context: StepContext) -> None:
        if self.why == "apart" and not context.preemptible:
            context.this_cpu.mc_queue = ()
            return
        waits = len(context.this_cpu.mc_queue)
        if self.why == "switch" and waits:
            self.flushed(context, "switch")
        elif self.why == "irq" and waits > 1:
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
