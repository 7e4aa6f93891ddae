# SPDX-License-Identifier: GPL-2.0-or-later
"""Lock primitives as events: which lock, of which class, and whether it was taken at all."""

from __future__ import annotations

from lazymmu.contract.events import Drop, Pin, Take, Unknown, Unpin
from lazymmu.contract.site import Site
from lazymmu.contract.vocabulary import LockCall, Vocabulary
from lazymmu.kernelc.configured_tree import Definition
from lazymmu.kernelc.ir.abstract_value import NONZERO, ZERO, LockOf, Value
from lazymmu.kernelc.ir.expr import Address, AnyCall, Conditional, Deref, Expr, Field, Name, Number
from lazymmu.kernelc.ir.nodes import RETURN, Function, calls_in, spell, strip_casts, writes
from lazymmu.kernelc.program import Program
from lazymmu.witness.source.effects.effect import CallOutcome, Effect
from lazymmu.witness.source.function.frame import Frame
from lazymmu.witness.source.function.liveness import lock_class
from lazymmu.witness.source.function.names import EntryName
from lazymmu.witness.source.interproc.call_targets import Binding


class LockEffects:
    """Turns lock primitives into ways, for one program."""

    def __init__(self, program: Program, words: Vocabulary) -> None:
        self.program = program
        self.words = words
        self._failing: dict[str, tuple[bool, int]] = {}
        """Beside each answer, what it was read from."""

    def ways(
        self, frame: Frame, call: AnyCall, lock: LockCall, name: str, site: Site
    ) -> tuple[CallOutcome, ...]:
        """How a lock primitive can turn out: with the lock, or, where it may fail, without."""
        unknown = False
        names: list[tuple[EntryName, str]] = []
        for index in (lock.lock, *lock.also):
            given = call.arg(index) if index is not None else None
            if given is None:
                continue
            arg = strip_casts(given)
            if lock.field:
                arg = Field(arg, lock.field)
            kind = lock.cls or lock_class(arg, frame.plan.locks, self.words)
            if kind == "other" and isinstance(arg, Name):
                bound = frame.constants.get(arg.spelling)
                kind = bound.cls if isinstance(bound, LockOf) else kind
            unknown = unknown or (kind == "other" and self._is_unknown(frame, arg))
            if isinstance(arg, Address) and lock.lock is not None:
                arg = arg.operand
            names.append((EntryName(spell(arg)), kind))
        out = call.arg(lock.out) if lock.out is not None else None
        if out is not None:
            names.append((EntryName(spell(Deref(out))), lock.cls))
        if lock.returns == "lock" and not names:
            names.append((EntryName(spell(call)), lock.cls))
        says = f"calls {name}()"
        notes: list[Effect] = []
        match lock.action:
            case "take" | "try":
                how = "try" if lock.action == "try" else "lock"
                for held, kind in names:
                    notes.append(Effect(Take(held, kind, how=how, site=site), "take", says))  # type: ignore[arg-type]
                if lock.pin:
                    notes.append(Effect(Pin(lock.pin, site=site), "beside"))
            case "drop":
                for held, kind in names:
                    notes.append(Effect(Drop(held, kind, site=site), "drop", says))  # type: ignore[arg-type]
                if lock.pin:
                    notes.append(Effect(Unpin(lock.pin, site=site), "beside"))
            case "assert":
                for held, kind in names:
                    notes.append(Effect(Take(held, kind, how="caller-holds", site=site)))  # type: ignore[arg-type]
        if unknown and lock.action in ("take", "try", "assert"):
            # It may be the lock of a page table: nobody can say any more that none is held.
            notes.append(Effect(Unknown("locks", site=site)))
        returned = names[0][0] if lock.returns == "lock" and names else None
        success: Value = None
        if lock.may_fail or lock.returns == "lock":
            success = ZERO if lock.returns == "int" else NONZERO
        done = CallOutcome(tuple(notes), success, returned)
        if lock.may_fail and self._may_fail(name, frame.graph.file):
            return (done, CallOutcome((), NONZERO if lock.returns == "int" else ZERO))
        return (done,)

    def outputs(self, expr: Expr) -> frozenset[str]:
        """Variables that primitives take the address of: locks, and what receives one.

        The events name the lock after them, so that they do not count as overwritten.
        """
        found = set()
        for call in calls_in(expr):
            lock = self.words.locks.get(call.name or "")
            if lock is None:
                continue
            out = call.arg(lock.out) if lock.out is not None else None
            if out is not None:
                found.add(spell(Deref(out)))
            for index in (lock.lock, *lock.also):
                given = call.arg(index) if index is not None else None
                arg = strip_casts(given) if given is not None else None
                if isinstance(arg, Address):
                    found.add(spell(arg.operand))
        return frozenset(found)

    def binding(
        self, frame: Frame, call: AnyCall, definition: Definition, binding: Binding
    ) -> Binding:
        """Tell the callee which class the locks it is given have."""
        graph = self.program.function(definition)
        out = dict(binding)
        for param, arg in zip(graph.params, call.args, strict=False):
            inner = strip_casts(arg)
            if "spinlock_t *" not in graph.types.get(param, ""):
                continue
            kind = lock_class(inner, frame.plan.locks, self.words)
            bound = frame.constants.get(inner.spelling) if isinstance(inner, Name) else None
            if isinstance(bound, LockOf):
                out[param] = bound
            elif kind != "other" or isinstance(inner, Address):
                out[param] = LockOf(kind)
        return tuple(sorted(out.items(), key=lambda item: item[0]))

    def _is_unknown(self, frame: Frame, arg: Expr) -> bool:
        """Whether a lock of no class known is just not known: a pointer from elsewhere."""
        if not isinstance(arg, Name):
            return False
        if "spinlock_t *" not in frame.graph.types.get(arg.spelling, ""):
            return False
        return not isinstance(frame.constants.get(arg.spelling), LockOf)

    def _may_fail(self, name: str, file: str, depth: int = 4) -> bool:
        """Whether a lock primitive of this tree can return without the lock.

        Up to 6.4 pte_offset_map_lock() always took it; since 0d940a9b270b ("mm/pgtable: allow
        pte_offset_map[_lock]() to fail") (in v6.5) it may return NULL.
        """
        reads = self.program.reads
        known = self._failing.get(name)
        target = self.program.resolve(name, file)
        if target is not None:
            # Also of one that comes back to itself, of which nothing is known yet.
            reads.note(("body", target.definition.file, target.definition.name))
        if known is not None:
            reads.bits |= known[1]
            return known[0]
        self._failing[name] = True, 0
        outer = reads.begin()
        found = target is None or self._gives_up(target.definition, depth)
        self._failing[name] = found, reads.end(outer)
        return found

    def _gives_up(self, definition: Definition, depth: int) -> bool:
        graph = self.program.function(definition)
        if graph.broken or _gives_zero(graph):
            return True
        for _, call in graph.calls():
            name = call.name
            if name is None or name in self.words.any_context or not depth:
                continue
            word = self.words.locks.get(name)
            if word is not None and not (word.returns == "entry" and word.may_fail):
                continue
            known = self.program.resolve(name, graph.file) is not None
            if known and self._may_fail(name, graph.file, depth - 1):
                return True
        return False


def _gives_zero(graph: Function) -> bool:
    """Whether a function may return NULL or false by its own words."""
    for node in graph.nodes:
        if node.expr is None:
            continue
        if node.op == RETURN and _zero_inside(strip_casts(node.expr)):
            return True
        if any(v is not None and _zero_inside(strip_casts(v)) for _, v in writes(node.expr)):
            return True
    return False


def _zero_inside(expr: Expr) -> bool:
    match expr:
        case Conditional(_, yes, no):
            return _zero_inside(strip_casts(yes)) or _zero_inside(strip_casts(no))
        case Number(0):
            return True
    return False
