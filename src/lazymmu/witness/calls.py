# SPDX-License-Identifier: GPL-2.0-or-later
"""From a call in the source to events: what the vocabulary says, or what the callee may do.

A call may turn out in several *ways* (a trylock that succeeds or fails).  Each way is a list
of events, the call's value, and perhaps a callee to walk in the caller's place.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from lazymmu.contract.events import (
    BatchAdd,
    Disable,
    Drop,
    Enable,
    Event,
    Flush,
    Free,
    MaySleep,
    Pause,
    PerCpu,
    Pin,
    Read,
    Resume,
    Site,
    Take,
    TlbFlush,
    Unpin,
    Write,
)
from lazymmu.contract.monitor import Product
from lazymmu.contract.vocabulary import Vocabulary
from lazymmu.contract.vocabulary.words import Accessor, LockCall
from lazymmu.kernelc.ir import (
    RETURN,
    Expr,
    Function,
    Node,
    calls_in,
    changed,
    names_in,
    strip,
    text,
)
from lazymmu.kernelc.program import Definition, Program
from lazymmu.kernelc.values import NONZERO, USER_MM, ZERO, Value, truth

from .batch import batches, events
from .facts import Facts
from .finding import Step
from .frame import Frame, entry_name, lock_class
from .reach import Binding, Effects, Reach, callee

_FLUSH_CALLS = 2
"""Calls below a section through which TLB maintenance still counts as the section's own."""


@dataclass(frozen=True, slots=True)
class Note:
    """An event and what a report says of it.

    ``mark`` is what the event is to a path (see trail.py), "" when paths do not show it;
    ``more`` are the steps below the call that lead to it, ``conditions`` and ``ambiguous``
    what those need, ``tests`` how many of them a callee makes under a condition of its own.
    """

    event: Event
    mark: str = ""
    text: str = ""
    more: tuple[Step, ...] = ()
    conditions: frozenset[str] = frozenset()
    ambiguous: bool = False
    tests: int = 0


@dataclass(frozen=True, slots=True)
class Inside:
    """A callee that is walked in its caller's place."""

    definition: Definition
    binding: Binding
    quiet: bool
    callback: bool
    ambiguous: bool


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which a call turns out."""

    notes: tuple[Note, ...] = ()
    value: Value = None
    name: str = ""
    inside: Inside | None = None


_NOTHING = (Way(),)


class Calls:
    """Turns calls into ways, for one program and one vocabulary."""

    def __init__(
        self,
        program: Program,
        facts: Facts,
        reach: Reach,
        words: Vocabulary,
        *,
        tables: Mapping[str, Collection[str]],
    ) -> None:
        self.program = program
        self.facts = facts
        self.reach = reach
        self.words = words
        self.tables = tables
        self.helpers: set[tuple[str, int]] = set()
        """Functions (file, line of their text) that change the mode for their callers."""
        self.helper_names: set[str] = set()
        self._failing: dict[str, bool] = {}
        self.keyed: frozenset[str] = frozenset()
        """Per-CPU variables that are batches of one mm each."""
        self._batches: dict[tuple[str, int], Mapping[str, str]] = {}
        self.implementation: frozenset[tuple[str, int]] = frozenset()
        """Functions (file, line of their text) of the architecture that is being judged itself."""

    def reads(self, frame: Frame, expr: Expr) -> Iterator[Expr]:
        """Entries read through their pointer, without an accessor."""
        if frame.quiet:
            return
        for deref in _derefs(expr):
            if frame.entry_level(deref[1]) is not None:
                yield deref

    def read(self, frame: Frame, deref: Expr, line: int, column: int) -> Note:
        """The event of such a read."""
        level = frame.entry_level(deref[1]) or "pte"
        site = Site(frame.graph.file, line, column, frame.graph.name)
        return Note(Read(entry_name(deref[1]), level=level, operation="a dereference", site=site))  # type: ignore[arg-type]

    def lock_outputs(self, expr: Expr) -> frozenset[str]:
        """Variables that receive a lock: their events name the lock after them."""
        found = set()
        for call in calls_in(expr):
            lock = self.words.locks.get(call[1]) if isinstance(call[1], str) else None
            if lock is not None and lock.out is not None and lock.out < len(call[2]):
                out = call[2][lock.out]
                found.add(text(out[1]) if out[0] == "addr" else "*" + text(out))
        return frozenset(found)

    def batch(self, frame: Frame, node: Node) -> tuple[Note, ...]:
        """What a node of an implementation does to its per-CPU batches."""
        if not self.implementation:
            return ()
        graph = frame.graph
        key = (graph.file, graph.line)
        local = self._batches.get(key)
        if local is None:
            local = self._batches[key] = batches(graph, self.words)
        return tuple(
            Note(event, "", "stores into the batch")
            for event in events(graph, node, local)
            if not isinstance(event, BatchAdd) or event.variable in self.keyed
        )

    def ways(
        self, frame: Frame, call: Expr, product: Product, env: Mapping[str, Value]
    ) -> tuple[Way, ...]:
        """How a call in this frame can turn out."""
        name = callee(call, frame.graph, env)
        site = Site(frame.graph.file, call[3], call[4], frame.graph.name)
        if name is None:
            self.reach.target(call, frame.graph, env)
            return _NOTHING
        words = self.words
        if name in self.facts.constants:
            return (Way(value=("int", self.facts.constants[name])),)
        mode = words.mode.get(name)
        if mode is not None and not self.implementation:
            return self._mode(name, mode.action, mode.layer, site)
        lock = words.locks.get(name)
        if lock is not None:
            return self._lock(frame, call, lock, name, site)
        pin = words.pins.get(name)
        if pin is not None:
            kind = Pin if pin.action == "pin" else Unpin
            return (Way((Note(kind(pin.kind, site=site), "pin", f"calls {name}()"),)),)
        access = words.percpu.get(name)
        if access is not None:
            return self._percpu(call, name, site)
        if name in words.any_context:
            return _NOTHING
        tlb = words.tlb.get(name)
        if tlb is not None:
            event = TlbFlush(tlb.scope, space=tlb.space, how=tlb.how, site=site)
            return (Way((Note(event, "tlb", f"calls {name}()"),)),)
        accessor = words.entries.get(name)
        if accessor is not None:
            return self._accessor(frame, call, accessor, name, product, env, site)
        return self._other(frame, call, name, product, env, site)

    # -- one kind of call each ----------------------------------------------------------------

    def _mode(self, name: str, action: str, layer: str, site: Site) -> tuple[Way, ...]:
        says = f"calls {name}()"
        note: Note | None = None
        match action:
            case "enable":
                note = Note(Enable(layer=layer, site=site), "begin", says)  # type: ignore[arg-type]
            case "disable":
                note = Note(Disable(layer=layer, site=site), "end", says)  # type: ignore[arg-type]
            case "pause":
                note = Note(Pause(layer=layer, site=site), "pause", says)  # type: ignore[arg-type]
            case "resume":
                note = Note(Resume(layer=layer, site=site), "resume", says)  # type: ignore[arg-type]
            case "flush":
                note = Note(Flush("api", layer=layer, site=site), "flush", says)  # type: ignore[arg-type]
        return (Way((note,)),) if note is not None else _NOTHING

    def _lock(
        self, frame: Frame, call: Expr, lock: LockCall, name: str, site: Site
    ) -> tuple[Way, ...]:
        args = call[2]
        names: list[tuple[str, str]] = []
        for index in (lock.lock, *lock.also):
            if index is not None and -len(args) <= index < len(args):
                arg = strip(args[index])
                if lock.field:
                    arg = ("field", arg, lock.field)
                cls_ = lock.cls or lock_class(arg, frame.plan.locks, self.words)
                if cls_ == "other" and arg[0] == "id":
                    bound = frame.constants.get(arg[1])
                    cls_ = str(bound[1]) if bound is not None and bound[0] == "lock" else cls_
                if arg[0] == "addr" and (lock.lock is not None):
                    arg = arg[1]
                names.append((text(arg), cls_))
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
                for spelling, cls_ in names:
                    notes.append(Note(Take(spelling, cls_, how=how, site=site), "take", says))  # type: ignore[arg-type]
                if lock.pin:
                    notes.append(Note(Pin(lock.pin, site=site)))
            case "drop":
                for spelling, cls_ in names:
                    notes.append(Note(Drop(spelling, cls_, site=site), "drop", says))  # type: ignore[arg-type]
                if lock.pin:
                    notes.append(Note(Unpin(lock.pin, site=site)))
            case "assert":
                for spelling, cls_ in names:
                    notes.append(Note(Take(spelling, cls_, how="caller-holds", site=site)))  # type: ignore[arg-type]
        given = names[0][0] if lock.returns == "lock" and names else ""
        success: Value = None
        if lock.may_fail or lock.returns == "lock":
            success = ZERO if lock.returns == "int" else NONZERO
        done = Way(tuple(notes), success, given)
        if lock.may_fail and self._may_fail(name, frame.graph.file):
            return (done, Way((), NONZERO if lock.returns == "int" else ZERO))
        return (done,)

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
            if self.program.resolve(call[1], graph.file) is not None:
                if self._may_fail(call[1], graph.file, depth - 1):
                    return True
        return False

    def _percpu(self, call: Expr, name: str, site: Site) -> tuple[Way, ...]:
        access = self.words.percpu[name]
        args = call[2]
        variable = text(args[access.arg]) if -len(args) <= access.arg < len(args) else "?"
        notes = []
        if access.pins:
            notes.append(Note(Pin("preempt", site=site)))
        notes.append(
            Note(
                PerCpu(variable.lstrip("&"), access.access, site=site), "percpu", f"calls {name}()"
            )
        )
        return (Way(tuple(notes)),)

    def _accessor(
        self,
        frame: Frame,
        call: Expr,
        accessor: Accessor,
        name: str,
        product: Product,
        env: Mapping[str, Value],
        site: Site,
    ) -> tuple[Way, ...]:
        notes: list[Note] = []
        args = call[2]
        if not frame.quiet and -len(args) <= accessor.entry < len(args):
            entry = entry_name(args[accessor.entry])
            space = self._space(frame, call, accessor, env)
            level = accessor.level
            says = f"calls {name}()"
            if accessor.operation == "read" or (
                accessor.operation == "modify" and accessor.how == "deferred"
            ):
                notes.append(
                    Note(Read(entry, level=level, space=space, operation=name, site=site))  # type: ignore[arg-type]
                )
            if accessor.operation != "read":
                event = Write(
                    entry,
                    level=level,
                    space=space,
                    how=accessor.how,
                    operation=name,
                    site=site,  # type: ignore[arg-type]
                )
                notes.append(Note(event, "write", says))
            if accessor.flushes_tlb:
                flush = TlbFlush("entry", space=space, how="now", entry=entry, site=site)  # type: ignore[arg-type]
                notes.append(Note(flush, "tlb", says))
        if product.task.depth:
            effects = self.reach.of_call(call, frame.graph, env)
            notes.extend(self._mode_notes(effects, site, name))
        return (Way(tuple(notes)),)

    def _space(self, frame: Frame, call: Expr, accessor: Accessor, env: Mapping[str, Value]) -> str:
        """Whose mapping an accessor changes: user's, the kernel's, or not known."""
        args = call[2]
        if accessor.mm is not None and -len(args) <= accessor.mm < len(args):
            return self._mm_space(frame, args[accessor.mm], env, 3)
        if accessor.vma is not None:
            return "user"
        return "unknown"

    def _mm_space(self, frame: Frame, mm: Expr, env: Mapping[str, Value], hops: int) -> str:
        mm = strip(mm)
        value = self.facts.evaluator(env, frame.graph.file).value(mm)
        if value == ("addr", "init_mm"):
            return "kernel"
        if value == USER_MM:
            return "user"
        same = env.get(f"({text(mm)} == &init_mm)")
        if same is not None:
            return "kernel" if truth(same) else "user"
        source = self.reach.shape(frame.graph).single.get(text(mm))
        if source is not None and hops:
            return self._mm_space(frame, source, env, hops - 1)
        return "unknown"

    def _other(
        self,
        frame: Frame,
        call: Expr,
        name: str,
        product: Product,
        env: Mapping[str, Value],
        site: Site,
    ) -> tuple[Way, ...]:
        notes: list[Note] = []
        free = self.words.frees.get(name)
        if free is not None and free.certain and -len(call[2]) <= free.arg < len(call[2]):
            for entry in origins(call[2][free.arg], env):
                event = Free(entry, what=free.what, site=site)
                says = f"calls {name}()"
                notes.append(Note(event, "free", says))
        on = product.task.depth > 0
        if on:
            root = self.reach.sleep_root(call, frame.graph, env)
            if root is not None:
                if root:
                    event = MaySleep(root, False, site=site)
                    notes.append(Note(event, "sleep", f"calls {name}()"))
                return (Way(tuple(notes)),)
        if not (on or self.implementation or self._known(frame, call, name)):
            return (Way(tuple(notes)),)
        target = self.reach.target(call, frame.graph, env)
        if target is None:
            return (Way(tuple(notes)),)
        definition = target.definition
        place = (definition.file, self.program.function(definition).line)
        callback = isinstance(call[1], str) and call[1] in frame.graph.types
        if (
            callback
            or place in self.helpers
            or place in self.implementation
            or frame.carries(call)
            or self._calls_back(frame, call, env)
        ):
            binding = self.reach.bind(definition, call, frame.graph, env)
            binding = self._lock_binding(frame, call, definition, binding)
            inside = Inside(definition, binding, frame.quiet, callback, target.ambiguous)
            return (Way(tuple(notes), inside=inside),)
        if on:
            effects = self.reach.of_call(call, frame.graph, env)
            notes.extend(self.effect_notes(effects, site, name, target.ambiguous))
            notes.extend(self._flush_notes(frame, call, effects, site, name))
            notes.extend(self._table_notes(frame, call, name, env, site))
        return (Way(tuple(notes)),)

    def _known(self, frame: Frame, call: Expr, name: str) -> bool:
        """Outside sections, only calls that may touch what is followed are resolved."""
        return (
            frame.carries(call)
            or name in frame.graph.types
            or name in self.helper_names
            or any(
                arg[0] == "id" and frame.constants.get(arg[1], ("",))[0] == "fn" for arg in call[2]
            )  # type: ignore[index]
        )

    def _calls_back(self, frame: Frame, call: Expr, env: Mapping[str, Value]) -> bool:
        """Whether a call hands on a callback that was bound by the caller."""
        return any(
            arg[0] == "id"
            and arg[1] in frame.graph.params
            and (env.get(arg[1]) or ("",))[0] == "fn"
            for arg in call[2]
        )

    def _lock_binding(
        self, frame: Frame, call: Expr, definition: object, binding: Binding
    ) -> Binding:
        """Tell the callee which class the locks it is given have."""
        graph = self.program.function(definition)  # type: ignore[arg-type]
        out = dict(binding)
        for param, arg in zip(graph.params, call[2], strict=False):
            inner = strip(arg)
            if "spinlock_t *" not in graph.types.get(param, ""):
                continue
            cls_ = lock_class(inner, frame.plan.locks, self.words)
            bound = frame.constants.get(inner[1]) if inner[0] == "id" else None
            if bound is not None and bound[0] == "lock":
                out[param] = bound
            elif cls_ != "other":
                out[param] = ("lock", cls_)
        return tuple(sorted(out.items(), key=lambda item: item[0]))

    # -- what reach.py found, as events ---------------------------------------------------------

    def effect_notes(self, effects: Effects, site: Site, name: str, ambiguous: bool) -> list[Note]:
        """Sleeping and mode calls that a callee may come to."""
        notes = []
        sleep = effects.best("sleep")
        if sleep is not None:
            event = MaySleep(
                sleep.what, False, condition=" ".join(sorted(sleep.conditions)), site=site
            )
            notes.append(
                Note(
                    event,
                    "sleep",
                    f"calls {name}()",
                    sleep.steps,
                    sleep.conditions,
                    sleep.ambiguous or ambiguous,
                    sleep.tests,
                )
            )
        notes.extend(self._mode_notes(effects, site, name))
        return notes

    def _mode_notes(self, effects: Effects, site: Site, name: str) -> list[Note]:
        notes = []
        for chain in effects.chains.get("enable", ()):
            last = chain.steps[-1]
            inner = Site(last.file, last.line, last.column, last.function)
            layer = chain.detail[0]
            path = (Step(site.file, site.line, site.column, site.function, f"calls {name}()"),)
            path += chain.steps[:-1]
            notes.append(
                Note(
                    Enable(layer=layer, site=inner),  # type: ignore[arg-type]
                    "",
                    f"calls {chain.what}()",
                    path,
                    chain.conditions,
                    chain.ambiguous,
                    chain.tests,
                )
            )
            notes.append(Note(Disable(layer=layer, site=inner)))  # type: ignore[arg-type]
        if not notes:
            for chain in effects.chains.get("pause", ())[:1]:
                layer = chain.detail[0]
                notes.append(Note(Pause(layer=layer, site=site)))  # type: ignore[arg-type]
                notes.append(Note(Resume(layer=layer, site=site)))  # type: ignore[arg-type]
        return notes

    def _flush_notes(
        self, frame: Frame, call: Expr, effects: Effects, site: Site, name: str
    ) -> list[Note]:
        """TLB maintenance by a near callee that is given the mapping: a vma or an mm."""
        types = frame.graph.types
        if not any(
            arg[0] == "id"
            and types.get(arg[1]) in ("struct vm_area_struct *", "struct mm_struct *")
            for arg in map(strip, call[2])
        ):
            return []
        notes = []
        for chain in effects.chains.get("tlb", ()):
            if len(chain.steps) <= _FLUSH_CALLS:
                scope, space, how = chain.detail
                event = TlbFlush(scope, space=space, how=how, site=site)  # type: ignore[arg-type]
                notes.append(
                    Note(
                        event,
                        "tlb",
                        f"calls {name}()",
                        chain.steps,
                        chain.conditions,
                        chain.ambiguous,
                    )
                )
        return notes[:1]

    def _table_notes(
        self, frame: Frame, call: Expr, name: str, env: Mapping[str, Value], site: Site
    ) -> list[Note]:
        """What the functions of an operations table may do that a call hands to a walker."""
        taker = self.words.callbacks.get(name)
        if taker is None or taker.ops is None or not -len(call[2]) <= taker.ops < len(call[2]):
            return []
        value = self.facts.evaluator(env, frame.graph.file).value(call[2][taker.ops])
        if value is None or value[0] != "addr":
            return []
        notes = []
        for function in self.tables.get(str(value[1]), ()):
            target = self.program.resolve(function, frame.graph.file)
            if target is not None:
                effects = self.reach.of(target.definition, (), 0)
                step = Step(
                    target.definition.file, target.definition.line, 1, function, "called back"
                )
                down = {
                    kind: tuple(replace(c, steps=(step, *c.steps)) for c in chains)
                    for kind, chains in effects.chains.items()
                }
                notes.extend(self.effect_notes(Effects(down), site, name, target.ambiguous))
        return notes


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


def origins(expr: Expr, env: Mapping[str, Value]) -> set[str]:
    """The entries from which a value was derived (see ``derived``)."""
    found = set()
    for name in names_in(expr):
        source = env.get("~" + name)
        if source is not None and source[0] == "from":
            found.add(str(source[1]))
    return found


def derived(expr: Expr, env: Mapping[str, Value], words: Vocabulary) -> Value:
    """The entry that a value comes from: read by an accessor, or by way of other variables."""
    for call in calls_in(expr):
        accessor = words.entries.get(call[1]) if isinstance(call[1], str) else None
        if accessor is not None and accessor.operation != "write":
            if -len(call[2]) <= accessor.entry < len(call[2]):
                return ("from", entry_name(call[2][accessor.entry]))
    for deref in _derefs(expr):
        return ("from", entry_name(deref[1]))
    known = sorted(origins(expr, env))
    return ("from", known[0]) if known else None


def _derefs(expr: Expr) -> Iterator[Expr]:
    if expr[0] == "addr":
        return
    for place, item in enumerate(expr[1:], start=1):
        if type(item) is tuple and item:
            if type(item[0]) is str:
                if expr[0] == "assign" and place == 2 and item[0] == "deref":
                    continue
                yield from _derefs(item)
            else:
                for part in item:
                    if type(part) is tuple:
                        yield from _derefs(part)
    if expr[0] == "deref":
        yield expr
