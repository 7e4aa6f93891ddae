# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64: barriers after a store wait for the section's end; who puts them off is the tree's C.

The machine's accessors store, and call for each store that needs barriers the function of the tree
that puts them off or emits them: the first one on the way from an accessor that asks for the mode,
or for a flag of the task.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from lazymmu.contract import vocabulary
from lazymmu.lift.implementation import LiftedArch, out_of_interrupts
from lazymmu.lift.primitives import does
from lazymmu.lift.steps import Going, PositionCall
from lazymmu.machine.arch.arm64 import PGTABLE_H, Arm64, Arm64TrySet
from lazymmu.machine.layout import Column
from lazymmu.machine.memory import NOTHING
from lazymmu.machine.steps import atomic, routine

if TYPE_CHECKING:
    from lazymmu.contract.event_words import FlushWhy, Known
    from lazymmu.lift.code import Code
    from lazymmu.lift.execute import Execution
    from lazymmu.lift.frames import Called
    from lazymmu.lift.values import Value
    from lazymmu.machine.context import StepContext
    from lazymmu.machine.steps import Routine, RoutineCall

__all__ = ["LiftedArm64", "LiftedArm64TrySet"]

_MODE = vocabulary.load().mode


class LiftedArm64(LiftedArch, Arm64):
    """The hooks and what puts barriers off are the tree's; the barriers are the machine's.

    :param puts_off: that function of the tree.
    """

    columns: ClassVar[tuple[Column, ...]] = (
        Column("unpublished", "cpu", NOTHING),
        Column("owed", "task", NOTHING),
    )
    puts_off: ClassVar[Code]

    def __init__(self, memory: object) -> None:
        """As for every implementation."""
        super().__init__(memory)  # type: ignore[arg-type]
        self.entry = ""
        self.emitted = False

    def lazy(self, here: StepContext) -> bool:
        """Whether barriers are put off, here and now: the tree's own function is asked."""
        return self.lifted.answers.ask(here, "lazy", self._is_lazy)

    def _is_lazy(self, apart: StepContext) -> bool:
        emitted, self.emitted = self.emitted, False
        self.update(apart)
        found, self.emitted = not self.emitted, emitted
        return found

    def update(self, here: StepContext) -> None:
        """Put barriers off, or emit them."""
        why, self.why, self.entry = self.why, "apart", ""
        self.runner.whole(here, self.puts_off)
        self.why = why

    def mode_on(self, here: StepContext) -> Known:
        """Whether they would be by the task that runs here, whatever interrupts it."""
        return "yes" if self.lifted.answers.ask(here, "mode", self._is_on) else "no"

    def _is_on(self, apart: StepContext) -> bool:
        out_of_interrupts(apart)
        return self._is_lazy(apart)

    def pending(self, here: StepContext, cpu: int) -> tuple[tuple[str, str], ...]:
        """What the task on a CPU owes, by entry."""
        task = here.task_at(here.cpu_at(cpu).curr)
        late = frozenset().union(*(here.cpu_at(number).unpublished for number in here.cpus))
        return tuple(
            (entry, "dsb(ishst) and isb" if entry in late else "isb") for entry in sorted(task.owed)
        )

    # ---- barriers --------------------------------------------------------------------------------

    @routine(PGTABLE_H)
    def queue_pte_barriers(self, entry: str) -> Routine:
        """The tree's function that puts barriers off."""
        yield self.putting_off(self.runner.begin(self.puts_off), entry)

    def putting_off(self, going: Going, entry: str) -> RoutineCall:
        """The same from where it is on."""
        return PositionCall(_put_off_goes_on, (self, going, entry))

    @atomic
    def on_put_off(self, here: StepContext, going: Going, entry: str) -> Going:
        """A step of it: at its end the task owes the barriers that it did not emit.

        That it emitted any goes with `going` as its value.
        """
        self.why, self.entry, self.emitted = "add", entry, bool(going.value)
        after, _ = self.runner.on(here, going, hooks=False)
        if not after.positions:
            if not self.emitted:
                here.current.owed = here.current.owed | {entry}
            self.updated(here, waits=not self.emitted)
        return replace(after, value=int(self.emitted))

    @atomic
    def on(self, here: StepContext, going: Going) -> Going:
        """A step of a hook."""
        code = going.positions[0].code
        names = {
            name for name, one in self.lifted.functions.items() if self.lifted.real(one) is code
        }
        ends = any(name in _MODE and _MODE[name].action == "disable" for name in names)
        self.why, self.entry = "leave" if ends else "api", ""
        return self.runner.on(here, going, hooks=False)[0]

    def does(self, here: Execution, call: Called) -> Value:
        """Emit barriers; all else is common."""
        context = here.context
        match call.word.does:
            case "barrier-store":
                self.emitted = True
                if self.why != "apart":
                    context.cost("barrier")
                    self.dsb(context)
            case "barrier-instruction":
                # In an interrupt it is not the interrupted task that emits.
                if not context.this_cpu.irq:
                    context.current.owed = NOTHING
            case _:
                value = does(here, call)
                if call.word.does == "flag-test-clear" and value and self.why in ("leave", "api"):
                    why: FlushWhy = "leave" if self.why == "leave" else "api"
                    self.flushed(context, why)
                return value
        here.seen.append((call.code.file, call.one.line))
        return 0


class LiftedArm64TrySet(LiftedArm64, Arm64TrySet):
    """The same of a tree that has ptep_try_set(), which is the machine's own."""


def _put_off_goes_on(arch: LiftedArm64, going: Going, entry: str) -> Routine:
    yield from arch.runner.go(
        going,
        None,
        lambda then: arch.on_put_off(then, entry),
        lambda then: arch.putting_off(then, entry),
    )
