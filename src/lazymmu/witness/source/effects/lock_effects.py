# SPDX-License-Identifier: GPL-2.0-or-later
"""Lock primitives as events: which lock, of which class, and whether it was taken at all."""

from __future__ import annotations

from lazymmu.contract.events import Drop, Pin, Site, Take, Unknown, Unpin
from lazymmu.contract.vocabulary import LockCall, Vocabulary
from lazymmu.kernelc.configured_tree import Definition
from lazymmu.kernelc.ir.abstract_value import NONZERO, ZERO, Value
from lazymmu.kernelc.ir.nodes import RETURN, Expr, Function, calls_in, changed, strip, text
from lazymmu.kernelc.program import Program
from lazymmu.witness.source.effects.effect import Note, Way
from lazymmu.witness.source.function.frame import Frame
from lazymmu.witness.source.function.liveness import lock_class
from lazymmu.witness.source.interproc.call_targets import Binding


class Locks:
    """Turns lock primitives into ways, for one program."""

    def __init__(self, program: Program, words: Vocabulary) -> None:
        self.program = program
        self.words = words
        self._failing: dict[str, bool] = {}

    def ways(
        self, frame: Frame, call: Expr, lock: LockCall, name: str, site: Site
    ) -> tuple[Way, ...]:
        """How a lock primitive can turn out: with the lock, or, where it may fail, without."""
        args = call[2]
        unknown = False
        names: list[tuple[str, str]] = []
        for index in (lock.lock, *lock.also):
            if index is not None and -len(args) <= index < len(args):
                arg = strip(args[index])
                if lock.field:
                    arg = ("field", arg, lock.field)
                kind = lock.cls or lock_class(arg, frame.plan.locks, self.words)
                if kind == "other" and arg[0] == "id":
                    bound = frame.constants.get(arg[1])
                    kind = str(bound[1]) if bound is not None and bound[0] == "lock" else kind
                unknown = unknown or (kind == "other" and self._is_unknown(frame, arg))
                if arg[0] == "addr" and (lock.lock is not None):
                    arg = arg[1]
                names.append((text(arg), kind))
        if lock.out is not None and lock.out < len(args):
            out = args[lock.out]
            spelling = text(out[1]) if out[0] == "addr" else "*" + text(out)
            names.append((spelling, lock.cls))
        if lock.returns == "lock" and not names:
            names.append((text(call), lock.cls))
        says = f"calls {name}()"
        notes: list[Note] = []
        match lock.action:
            case "take" | "try":
                how = "try" if lock.action == "try" else "lock"
                for spelling, kind in names:
                    notes.append(Note(Take(spelling, kind, how=how, site=site), "take", says))  # type: ignore[arg-type]
                if lock.pin:
                    notes.append(Note(Pin(lock.pin, site=site)))
            case "drop":
                for spelling, kind in names:
                    notes.append(Note(Drop(spelling, kind, site=site), "drop", says))  # type: ignore[arg-type]
                if lock.pin:
                    notes.append(Note(Unpin(lock.pin, site=site)))
            case "assert":
                for spelling, kind in names:
                    notes.append(Note(Take(spelling, kind, how="caller-holds", site=site)))  # type: ignore[arg-type]
        if unknown and lock.action in ("take", "try", "assert"):
            # It may be the lock of a page table: nobody can say any more that none is held.
            notes.append(Note(Unknown("locks", site=site)))
        given = names[0][0] if lock.returns == "lock" and names else ""
        success: Value = None
        if lock.may_fail or lock.returns == "lock":
            success = ZERO if lock.returns == "int" else NONZERO
        done = Way(tuple(notes), success, given)
        if lock.may_fail and self._may_fail(name, frame.graph.file):
            return (done, Way((), NONZERO if lock.returns == "int" else ZERO))
        return (done,)

    def outputs(self, expr: Expr) -> frozenset[str]:
        """Variables that primitives take the address of: locks, and what receives one.

        The events name the lock after them, so that they do not count as overwritten.
        """
        found = set()
        for call in calls_in(expr):
            lock = self.words.locks.get(call[1]) if isinstance(call[1], str) else None
            if lock is None:
                continue
            if lock.out is not None and lock.out < len(call[2]):
                out = call[2][lock.out]
                found.add(text(out[1]) if out[0] == "addr" else "*" + text(out))
            for index in (lock.lock, *lock.also):
                if index is not None and -len(call[2]) <= index < len(call[2]):
                    arg = strip(call[2][index])
                    found.update([text(arg[1])] if arg[0] == "addr" else ())
        return frozenset(found)

    def binding(
        self, frame: Frame, call: Expr, definition: Definition, binding: Binding
    ) -> Binding:
        """Tell the callee which class the locks it is given have."""
        graph = self.program.function(definition)
        out = dict(binding)
        for param, arg in zip(graph.params, call[2], strict=False):
            inner = strip(arg)
            if "spinlock_t *" not in graph.types.get(param, ""):
                continue
            kind = lock_class(inner, frame.plan.locks, self.words)
            bound = frame.constants.get(inner[1]) if inner[0] == "id" else None
            if bound is not None and bound[0] == "lock":
                out[param] = bound
            elif kind != "other" or inner[0] == "addr":
                out[param] = ("lock", kind)
        return tuple(sorted(out.items(), key=lambda item: item[0]))

    def _is_unknown(self, frame: Frame, arg: Expr) -> bool:
        """Whether a lock of no class known is just not known: a pointer from elsewhere."""
        if arg[0] != "id" or "spinlock_t *" not in frame.graph.types.get(arg[1], ""):
            return False
        bound = frame.constants.get(arg[1])
        return bound is None or bound[0] != "lock"

    def _may_fail(self, name: str, file: str, depth: int = 4) -> bool:
        """Whether a lock primitive of this tree can return without the lock.

        Up to 6.4 pte_offset_map_lock() always took it; since 0d940a9b270b ("mm/pgtable: allow
        pte_offset_map[_lock]() to fail") (in v6.5) it may return NULL.
        """
        known = self._failing.get(name)
        if known is None:
            self._failing[name] = True
            target = self.program.resolve(name, file)
            known = target is None or self._gives_up(target.definition, depth)
            self._failing[name] = known
        return known

    def _gives_up(self, definition: Definition, depth: int) -> bool:
        graph = self.program.function(definition)
        if graph.broken or _gives_zero(graph):
            return True
        for _, call in graph.calls():
            if not isinstance(call[1], str) or call[1] in self.words.any_context or not depth:
                continue
            word = self.words.locks.get(call[1])
            if word is not None and not (word.returns == "entry" and word.may_fail):
                continue
            known = self.program.resolve(call[1], graph.file) is not None
            if known and self._may_fail(call[1], graph.file, depth - 1):
                return True
        return False


def _gives_zero(graph: Function) -> bool:
    """Whether a function may return NULL or false by its own words."""
    for node in graph.nodes:
        if node.expr is None:
            continue
        if node.op == RETURN and _zero_inside(strip(node.expr)):
            return True
        if any(v is not None and _zero_inside(strip(v)) for _, v in changed(node.expr)):
            return True
    return False


def _zero_inside(expr: Expr) -> bool:
    if expr[0] == "cond":
        return _zero_inside(strip(expr[2])) or _zero_inside(strip(expr[3]))
    return bool(expr == ("num", 0))
