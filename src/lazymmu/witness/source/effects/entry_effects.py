# SPDX-License-Identifier: GPL-2.0-or-later
"""Page-table entries as events: accessors, plain reads, and where a value came from."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from lazymmu.contract.deferral import invalidates_late
from lazymmu.contract.event_words import Space
from lazymmu.contract.events import Read, TlbFlush, Write
from lazymmu.contract.site import Site
from lazymmu.contract.vocabulary import Accessor, Vocabulary
from lazymmu.kernelc.ir.abstract_value import AddressOf, UserMm, Value, truth
from lazymmu.kernelc.ir.expr import (
    Address,
    AnyCall,
    Assign,
    Binary,
    Call,
    Deref,
    Expr,
    Field,
    IncDec,
    Index,
    Name,
)
from lazymmu.kernelc.ir.nodes import Node, calls_in, spell, strip_casts, uses, walk
from lazymmu.witness.source.effects.effect import Effect
from lazymmu.witness.source.effects.entry_runs import OneOfRun, one_of, those_after
from lazymmu.witness.source.function.frame import Frame
from lazymmu.witness.source.function.names import EntryName, entry_name
from lazymmu.witness.source.function.state import OriginList, State
from lazymmu.witness.source.interproc.constants import ConstantEvaluator
from lazymmu.witness.source.interproc.summaries import CalleeSummaries


class EntryEffects:
    """Turns what code does to entries into events, for one program.

    :param arch: the architecture by the name that the deferral table has for it, "" for none.
    """

    def __init__(
        self,
        facts: ConstantEvaluator,
        summaries: CalleeSummaries,
        words: Vocabulary,
        arch: str = "",
    ) -> None:
        self.facts = facts
        self.summaries = summaries
        self.words = words
        self.arch = arch

    def direct(self, frame: Frame, node: Node, expr: Expr, state: State) -> list[Effect]:
        """Entries that a node reads, or stores to, through their pointer, without an accessor.

        The pointer's type tells that it is one, or that a write to what it points to is pending.
        """
        found, stored = _read_pointers(expr), _stored_pointers(expr)
        if not found and not stored:
            return []
        site = Site(frame.graph.file, node.line, node.column, frame.graph.name)
        written = {item.entry: item.level for item in state.product.task.pending}
        notes = []
        for pointer in found:
            name = state.entry(entry_name(pointer))
            level = frame.entry_level(pointer) or written.get(name)
            says = "reads it through its pointer"
            if level is not None:
                event = Read(name, level=level, operation="", site=site)
                notes.append(Effect(event, "", says))
            if name not in written and (one := one_of(pointer, frame.graph, state)) is not None:
                event = Read(one.run, level=one.level, operation="", site=site)
                notes.append(_one_of(one, event, says))
        for pointer in stored if written else ():
            name = state.entry(entry_name(pointer))
            if (level := written.get(name)) is not None:
                store = Write(name, level=level, how="immediate", operation="", site=site)
                notes.append(Effect(store, "write", "stores to it through its pointer"))
        return notes

    def notes(
        self,
        frame: Frame,
        call: AnyCall,
        accessor: Accessor,
        name: str,
        env: Mapping[str, Value],
        site: Site,
        state: State,
    ) -> list[Effect]:
        """What an accessor does to its entry, and to those behind it that it is about, too."""
        pointer = call.arg(accessor.entry)
        if pointer is None:
            return []
        space = self._space(frame, call, accessor, env)
        first = state.entry(entry_name(pointer))
        entries = [first]
        count = call.arg(accessor.count) if accessor.count is not None else None
        if count is not None:
            known = self.facts.evaluator(env, frame.graph.file)
            entries += [state.entry(name) for name in those_after(pointer, count, known)]
        notes: list[Effect] = []
        for entry in entries:
            notes += self._of_entry(accessor, name, entry, space, site)
        if accessor.flushes_tlb:
            flush = TlbFlush("entry", space=space, how="now", entry=first, site=site)
            notes.append(Effect(flush, "tlb", f"calls {name}()"))
        task = state.product.task
        if not task.pending or task.pending_on(first) is not None:
            return notes
        run = one_of(pointer, frame.graph, state)
        return [*notes, *self._of_run(accessor, name, run, space, site)] if run else notes

    def _of_entry(
        self, accessor: Accessor, name: str, entry: EntryName, space: Space, site: Site
    ) -> list[Effect]:
        """What an accessor does to one entry."""
        notes: list[Effect] = []
        says = f"calls {name}()"
        if _looks(accessor):
            read = Read(entry, level=accessor.level, space=space, operation=name, site=site)
            notes.append(Effect(read, "", says))
        if accessor.operation != "read":
            event = Write(
                entry,
                level=accessor.level,
                space=space,
                how=accessor.how,
                operation=name,
                put_off=self.arch in accessor.put_off and invalidates_late(self.arch, space),
                huge=accessor.huge,
                site=site,
            )
            notes.append(Effect(event, "write", says))
        return notes

    def _of_run(
        self, accessor: Accessor, name: str, one: OneOfRun, space: Space, site: Site
    ) -> list[Effect]:
        """What an accessor does to one of several entries that were written together."""
        event: Read | Write
        if _looks(accessor):
            event = Read(one.run, level=accessor.level, space=space, operation=name, site=site)
        elif accessor.how == "immediate":
            event = Write(
                one.run,
                level=accessor.level,
                space=space,
                how="immediate",
                operation=name,
                site=site,
            )
        else:
            return []
        return [_one_of(one, event, f"calls {name}()")]

    def _space(
        self, frame: Frame, call: AnyCall, accessor: Accessor, env: Mapping[str, Value]
    ) -> Space:
        """Whose mapping an accessor changes: user's, the kernel's, or not known."""
        mm = call.arg(accessor.mm) if accessor.mm is not None else None
        if mm is not None:
            return self._mm_space(frame, mm, env, 3)
        if accessor.vma is not None:
            return "user"
        return "unknown"

    def _mm_space(self, frame: Frame, mm: Expr, env: Mapping[str, Value], hops: int) -> Space:
        mm = strip_casts(mm)
        value = self.facts.evaluator(env, frame.graph.file).value(mm)
        if isinstance(value, AddressOf) and value.variable == "init_mm":
            return "kernel"
        if isinstance(value, UserMm):
            return "user"
        same = env.get(f"({spell(mm)} == &init_mm)")
        if same is not None:
            return "kernel" if truth(same) else "user"
        source = self.summaries.shape(frame.graph).single.get(spell(mm))
        if source is not None and hops:
            return self._mm_space(frame, source, env, hops - 1)
        return "unknown"


def _looks(accessor: Accessor) -> bool:
    """Whether an accessor reads its entry, and not at one with its change of it."""
    deferred = accessor.operation == "modify" and accessor.how == "deferred"
    return accessor.operation == "read" or deferred


def _one_of(one: OneOfRun, event: Read | Write, says: str) -> Effect:
    """What is done to one of several entries, as sure as it is one of them."""
    tests = 1 if one.bounded else 0
    return Effect(event, "", says, tests=tests, ambiguous=not (one.bounded or one.certain))


def origins(expr: Expr, known: OriginList) -> set[EntryName]:
    """The entries from which a value was derived (see `derived`)."""
    if not known:
        return set()
    parts = set(uses(expr))
    if any("->" in origin.variable for origin in known):
        parts |= {spell(part) for part in walk(expr) if isinstance(part, Field)}
    return {origin.entry for origin in known if origin.variable in parts}


def derived(expr: Expr, known: OriginList, words: Vocabulary) -> EntryName | None:
    """The entry that a value comes from: read by an accessor, or by way of other variables.

    None for what an entry holds that maps nothing.
    """
    if any(call.name in words.nonpresent for call in calls_in(expr)):
        return None
    for call in calls_in(expr):
        accessor = words.entries.get(call.name or "")
        if accessor is None or accessor.operation == "write":
            continue
        pointer = call.arg(accessor.entry)
        if pointer is not None:
            return entry_name(pointer)
    for node in walk(expr, _read):
        if isinstance(node, Deref):
            return entry_name(node.operand)
    return min(origins(expr, known), default=None)


_STORING = frozenset({"WRITE_ONCE", "smp_store_release", "smp_store_mb"})
"""Macros that store into their first argument (include/asm-generic/rwonce.h, barrier.h)."""

_COPYING = {"memcpy": (1,), "__builtin_memcpy": (1,), "memmove": (1,), "memcmp": (0, 1)}
"""Functions of the C library that read what these of their arguments point to."""


@lru_cache(maxsize=1 << 15)
def _read_pointers(expr: Expr) -> tuple[Expr, ...]:
    """Pointers that an expression reads through: not where it takes an address, or stores."""
    found: list[Expr] = []
    for node in walk(expr, _read):
        if isinstance(node, Call) and node.name in _COPYING:
            found += [node.args[n] for n in _COPYING[node.name] if n < len(node.args)]
        elif (pointer := _through(node)) is not None:
            found.append(pointer)
    return tuple(found)


@lru_cache(maxsize=1 << 15)
def _stored_pointers(expr: Expr) -> tuple[Expr, ...]:
    """Pointers that an expression stores through: `*pte = x`, `WRITE_ONCE(*pte, x)`."""
    found: list[Expr] = []
    for node in walk(expr):
        match node:
            case Assign(_, target) | IncDec(_, target):
                stored = strip_casts(target)
            case Call(str(name), (target, _, *_)) if name in _STORING:
                stored = strip_casts(target.operand if isinstance(target, Address) else target)
            case _:
                continue
        if (pointer := _through(stored)) is not None:
            found.append(pointer)
    return tuple(found)


def _through(place: Expr) -> Expr | None:
    """The pointer by which a place is reached: `*p`, `p[i]`, `p->member`; None for any other."""
    match place:
        case Deref(pointer):
            return pointer
        case Index(base, position):
            return Binary("+", base, position)
        case Field(base) if isinstance(strip_casts(base), Name):
            return base
    return None


def _read(expr: Expr) -> tuple[Expr, ...]:
    match expr:
        case Address():
            return ()
        case Assign("=", Deref() | Index() | Field(), value):
            return (value,)
        case Call(str(name), (_, *values)) if name in _STORING:
            return tuple(values)
    return expr.operands
