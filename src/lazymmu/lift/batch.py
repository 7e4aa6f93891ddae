# SPDX-License-Identifier: GPL-2.0-or-later
"""sparc64 and powerpc hash: invalidations wait in a CPU's batch, which is the tree's own C.

The machine's accessors store, and call for each translation that is to go the function of the tree
that adds to the batch: the first one on the way from an accessor that takes the address of a
variable of this CPU. What it is handed is known by the types of its parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from lazymmu.contract.events import (
    BatchAdd,
    BatchKey,
    FunctionCall,
    FunctionReturn,
    PerCpu,
    Pin,
    TlbFlush,
    Unpin,
)
from lazymmu.lift.ctypes import typed
from lazymmu.lift.implementation import LiftedArch, out_of_interrupts
from lazymmu.lift.primitives import does
from lazymmu.lift.problem import Unliftable
from lazymmu.lift.steps import Going, PositionCall
from lazymmu.lift.values import AddressSpace, CPointer, EntryRef, Handle, Value
from lazymmu.machine.arch.batch import CpuBatch
from lazymmu.machine.steps import atomic, routine

if TYPE_CHECKING:
    from lazymmu.contract.event_words import Known
    from lazymmu.lift.code import Code
    from lazymmu.lift.execute import Execution
    from lazymmu.lift.frames import Called
    from lazymmu.machine.arch.batch import Item
    from lazymmu.machine.context import StepContext
    from lazymmu.machine.layout import Column
    from lazymmu.machine.steps import Routine, RoutineCall

__all__ = ["Batch", "LiftedBatch"]


@dataclass(frozen=True, slots=True)
class Batch:
    """The batch of a tree.

    :param add: the function that adds to it.
    :param variable: its name.
    :param count: the member that says how many are in it.
    :param items: the members that hold what is known of each, of which one is its address.
    :param room: how many it holds.
    """

    add: Code
    variable: str
    count: str
    items: tuple[str, ...]
    room: int


class LiftedBatch(LiftedArch, CpuBatch):
    """A batch of a tree; a subclass adds the machine's accessors."""

    batch: ClassVar[Batch]
    columns: ClassVar[tuple[Column, ...]] = ()

    # ---- what the machine asks -------------------------------------------------------------------

    def active(self, here: StepContext) -> bool:
        """Whether an invalidation would wait, here and now: the tree's own function is asked."""
        handed = self._handed(next(iter(self.memory.specs)), "A")
        return self.lifted.answers.ask(here, ("active", handed), self._is_active)

    def _is_active(self, apart: StepContext) -> bool:
        self.put(apart, self.batch.count, 0)
        self.update(apart)
        return bool(self.member(apart, apart.cpu, self.batch.count))

    def mode_on(self, here: StepContext) -> Known:
        """Whether one by the task that runs here would wait, whatever interrupts it."""
        handed = self._handed(next(iter(self.memory.specs)), "A")
        return "yes" if self.lifted.answers.ask(here, ("mode", handed), self._is_on) else "no"

    def _is_on(self, apart: StepContext) -> bool:
        out_of_interrupts(apart)
        return self._is_active(apart)

    def update(self, here: StepContext) -> None:
        """Add a translation of the first entry."""
        entry = next(iter(self.memory.specs))
        why, self.why = self.why, "apart"
        self.runner.whole(here, self.batch.add, self._handed(entry, "A"))
        self.why = why

    def pending(self, here: StepContext, cpu: int) -> tuple[tuple[str, str], ...]:
        """What counts in a CPU's batch."""
        return tuple((entry, f"invalidate {value}") for entry, value in self.items_of(here, cpu))

    def look(self, here: StepContext, item: Item) -> bool:
        """The tree's function decides that."""
        raise NotImplementedError

    must_empty = look

    def items_of(self, here: StepContext, cpu: int) -> tuple[Item, ...]:
        """What counts in a CPU's batch: entries, and what they mapped."""
        count = self.member(here, cpu, self.batch.count)
        if not count:
            return ()
        found: list[Item] = []
        for name in self.batch.items:
            held = self.member(here, cpu, name)
            if isinstance(count, int) and isinstance(held, tuple):
                known = (one for one in held[:count] if isinstance(one, Handle) and one.name)
                found += [(one.name, one.value or "") for one in known]
        return tuple(found)

    def member(self, here: StepContext, cpu: int, member: str) -> Value:
        """What a member of a CPU's batch holds."""
        batch = self.batch
        name = self.lifted.reached.variables.names.get(("cpu", (batch.variable, member)))
        if name is None:
            what = f"{batch.variable} has no member {member} that {batch.add.name}() changes"
            raise Unliftable(what, batch.add.file, batch.add.line)
        held: Value = getattr(here.cpu_at(cpu), name)
        return held

    def put(self, here: StepContext, member: str, value: Value) -> None:
        """Change a member of this CPU's batch."""
        place = CPointer("cpu", here.cpu, (self.batch.variable, member), typed("unsigned long"))
        self.lifted.reached.variables.store(here, place, value)

    # ---- adding ----------------------------------------------------------------------------------

    def adding(self, entry: str, value: str) -> RoutineCall:
        """The tree's function that adds to the batch, called for a translation."""
        going = self.runner.begin(self.batch.add, self._handed(entry, value))
        return PositionCall(_add_goes_on, (self, going, True))

    def add_again(self, going: Going) -> RoutineCall:
        """The same from where it is on."""
        return PositionCall(_add_goes_on, (self, going, False))

    @cached_property
    def _known(self) -> dict[tuple[str, str], tuple[Value, ...]]:
        """What the function was handed before, for each entry and what it mapped."""
        return {}

    def _handed(self, entry: str, value: str) -> tuple[Value, ...]:
        """What the function is handed, by the types of its parameters."""
        known = self._known.get((entry, value))
        if known is None:
            known = self._known[entry, value] = self._typed(entry, value)
        return known

    def _typed(self, entry: str, value: str) -> tuple[Value, ...]:
        add = self.batch.add
        handed: list[Value] = []
        longs: list[Value] = [Handle(entry, value), value]
        for name in add.params:
            kind = typed(add.types[name])
            if kind.base == "struct mm_struct" and kind.stars:
                handed.append(AddressSpace(self.mm_of(entry)))
            elif kind.stars:
                handed.append(EntryRef(entry))
            elif kind.base in ("pte_t", "real_pte_t"):
                handed.append(value)
            elif kind.base == "unsigned long" and longs:
                handed.append(longs.pop(0))
            elif kind.base == "unsigned int":
                handed.append(_SIZES.get(self.memory.specs[entry].level, 0))
            elif kind.width is not None:
                handed.append(0)
            else:
                raise Unliftable(f"parameter {name} of {add.name}()", add.file, add.line)
        return tuple(handed)

    @cached_property
    def _compares(self) -> bool:
        return self.lifted.compares(self.batch.add)

    @atomic
    def on_add(self, here: StepContext, going: Going, first: bool) -> Going:
        """A step of the function that adds."""
        batch = self.batch
        self.why = "add"
        if first:
            here.emit(FunctionCall, function=batch.add.name, role="arch-hook")
            here.emit(BatchKey, variable=batch.variable, checked=self._compares)
        before = len(self.items_of(here, here.cpu))
        after, _ = self.runner.on(here, going, hooks=False)
        if len(self.items_of(here, here.cpu)) > before:
            here.emit(BatchAdd, variable=batch.variable)
        if not after.positions:
            self.updated(here, waits=bool(self.items_of(here, here.cpu)))
            here.emit(FunctionReturn, function=batch.add.name, role="arch-hook")
        return after

    # ---- hooks -----------------------------------------------------------------------------------

    @atomic
    def on(self, here: StepContext, going: Going) -> Going:
        """A step of a hook, which says what it does to the task and to the CPU's variables."""
        self.why = "hook"
        hook = going.positions[0].code.name
        if len(going.positions) == 1 and going.positions[0].at == 0:
            here.emit(FunctionCall, function=hook, role="arch-hook")
        after, _ = self.runner.on(here, going, hooks=False)
        if not after.positions:
            here.emit(FunctionReturn, function=hook, role="arch-hook")
        return after

    def half(self, here: StepContext, code: Code | None, prev: int, next_: int) -> None:
        """A half of a switch_to(), which tells of a batch that it has emptied."""
        before = self.items_of(here, here.cpu)
        super().half(here, code, prev, next_)
        if before and not self.items_of(here, here.cpu):
            self.flushed(here, "switch")

    @routine("include/asm-generic/tlb.h")
    def tlb_flush(self, *entries: str) -> Routine:
        """This CPU's batch goes out before pages are freed: as the tree's flush does it."""
        yield self.full(entries)

    @atomic
    def full(self, here: StepContext, entries: tuple[str, ...]) -> None:
        """All of it in one step."""
        for entry in entries:
            space = self.memory.specs[entry].space
            here.emit(TlbFlush, scope="entry", space=space, how="now", entry=entry)
        items = self.items_of(here, here.cpu)
        if items:
            mm = self.member(here, here.cpu, "mm")
            here.cost("invalidation")
            self.forget(here, items, mm.name if isinstance(mm, AddressSpace) else "")
            self.put(here, self.batch.count, 0)
            self.flushed(here, "full")

    # ---- words -----------------------------------------------------------------------------------

    def does(self, here: Execution, call: Called) -> Value:
        """Invalidate; all else is common, and told of in a hook."""
        context, word = here.context, call.word
        if word.does in ("invalidate-page", "invalidate-items", "invalidate-mine"):
            items, mm = self._meant(here, call)
            if self.why == "apart":
                return 0
            context.cost("invalidation")
            self.forget(context, items, mm)
            here.seen.append((call.code.file, call.one.line))
            if self.why == "add" and call.code is not self.batch.add:
                full = len(self.items_of(context, context.cpu)) >= self.batch.room
                self.flushed(context, "full" if full else "key-change")
            return 0
        value = does(here, call)
        if self.why == "hook":
            if word.does == "percpu-address" and isinstance(value, CPointer):
                context.emit(PerCpu, variable=str(value.path[0]), access="address")
            elif word.does in ("pin", "unpin") and word.kind == "preempt" and not word.pins:
                context.emit(Pin if word.does == "pin" else Unpin, kind="preempt")
        return value

    def _meant(self, here: Execution, call: Called) -> tuple[tuple[Item, ...], str]:
        """Return which translations are to go, and of which address space."""
        word, context = call.word, here.context
        if word.does == "invalidate-mine":
            mm: Value = self.member(context, context.cpu, "mm")
            items = self.items_of(context, context.cpu)
        else:
            mm = call.arg(word.mm) if word.mm >= 0 else AddressSpace("")
            if word.does == "invalidate-page":
                found: tuple[Value, ...] = (call.arg(word.arg),)
            else:
                found = self._array(here, call)
            if not all(isinstance(one, Handle) for one in found):
                raise call.refused("of what is no address of an entry")
            known = (one for one in found if isinstance(one, Handle) and one.name)
            items = tuple((one.name, one.value or "") for one in known)
        if isinstance(mm, AddressSpace):
            return items, mm.name
        # An empty batch belongs to nobody yet.
        if items:
            raise call.refused("of what is no address space")
        return (), ""

    @staticmethod
    def _array(here: Execution, call: Called) -> tuple[Value, ...]:
        count, array = call.arg(call.word.number), call.arg(call.word.arg)
        if not isinstance(count, int) or not isinstance(array, CPointer):
            raise call.refused("of what is no array")
        path, first = array.path, 0
        if isinstance(last := path[-1], int):
            path, first = path[:-1], last
        kind = array.type.element if array.type.dims else array.type
        places = (array._replace(path=(*path, first + at), type=kind) for at in range(count))
        return tuple(here.load(place, call.code, call.one.line) for place in places)


_SIZES = {"pte": 0, "pmd": 1, "pud": 2, "p4d": 3, "pgd": 4}
"""Sizes of pages by the level of their entries: all that is asked is whether two are equal."""


def _add_goes_on(arch: LiftedBatch, going: Going, first: bool) -> Routine:
    yield from arch.runner.go(going, None, lambda then: arch.on_add(then, first), arch.add_again)
