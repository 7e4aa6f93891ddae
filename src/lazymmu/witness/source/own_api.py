# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls that do what the mode's API does, whatever a tree calls them: found by what they do.

Four kinds, each found from the one before it until nothing is added:

* an *implementation of the API* moves a counter of the task one way and calls an architecture's
  hook. Which members the counters are is read off the tree's own lazy_mmu_mode_enable() and
  lazy_mmu_mode_pause() (include/linux/pgtable.h, 5ab246749569 ("mm: enable lazy_mmu sections to
  nest") (in v7.0));
* a *hook* is what an implementation calls that leads to a hook of the vocabulary, and what
  architectures may override (``#ifndef name``) whose default does so. An override means what the
  default means;
* a *wrapper* makes one call of the API on every path, and nothing else that any rule follows;
* *another name* is an object-like macro that is one identifier.

Where the tree counts sections itself, a wrapper of a hook is none of the API: it goes past the
counters, and that is a mistake of its own. What else begins or ends a section for its caller is
walked in its caller's place (entry_points.py).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final, Literal

from lazymmu.contract.vocabulary import ModeCall, Vocabulary
from lazymmu.kernelc.definition import Definition
from lazymmu.kernelc.ir.expr import AnyCall, Assign, Binary, Expr, Field, IncDec, Number
from lazymmu.kernelc.ir.nodes import EVAL, Function, calls_in, spell, strip_casts, walk
from lazymmu.kernelc.preprocess.headers import is_public
from lazymmu.kernelc.program import Program
from lazymmu.witness.source.api_candidates import Candidate
from lazymmu.witness.source.constant_pointers import Pointer
from lazymmu.witness.source.function.shape import FunctionFacts
from lazymmu.witness.source.interproc.mode_api import ModeApi

_Action = Literal["enable", "disable", "pause", "resume", "flush", "active"]

_MOVES: Final[Mapping[tuple[str, int], _Action]] = {
    ("enable", 1): "enable",
    ("enable", -1): "disable",
    ("pause", 1): "pause",
    ("pause", -1): "resume",
}
"""What a function does to the mode, by the counter that it moves and the direction."""

_ROUNDS: Final = 8
"""Wrappers inside each other, and other names of other names, that are followed."""

_DEPTH: Final = 2
"""Calls below an implementation of the API in which it may count, or come to the hook."""

_IDENTIFIER: Final = re.compile(rb"\s*\(?\s*([A-Za-z_]\w*)\s*\)?\s*\Z")


def derive(
    program: Program,
    words: Vocabulary,
    candidates: Collection[Candidate],
    pointers: Iterable[Pointer] = (),
) -> ModeApi:
    """The API of a tree: the vocabulary's, and what candidates and constant pointers add to it."""
    known = _Api(program, words, candidates)
    # Who counts itself comes first, then who has that done: who calls those is another's caller.
    for known.depth in range(_DEPTH + 1):
        for _ in range(_ROUNDS):
            if not known.grow():
                break
    pointed = frozenset(known.point(pointers))
    anywhere = {**words.mode, **known.anywhere}
    return ModeApi(anywhere, known.within, pointed, known.homes, known.another)


class OtherMeanings:
    """Whether a .c file has something else of its own under a name of the API."""

    def __init__(self, program: Program, homes: Mapping[str, Collection[str]]) -> None:
        self._program = program
        self._homes = homes
        self._known: dict[tuple[str, str], bool] = {}

    def __call__(self, name: str, file: str) -> bool:
        """Whether `file` has something of its own under `name`."""
        homes = self._homes.get(name)
        if homes is None or not file.endswith(".c") or file in homes:
            return False
        key = (name, file)
        if key not in self._known:
            found = {d.file for d in self._program.source.definitions(name, file)}
            self._known[key] = any(
                own == file or (own.endswith(".h") and not is_public(own))
                for own in found.difference(homes)
            )
        return self._known[key]


class _Api:
    """What is known of one tree's API so far."""

    def __init__(
        self, program: Program, words: Vocabulary, candidates: Collection[Candidate]
    ) -> None:
        self._program = program
        self._words = words
        self._candidates = [
            c for c in candidates if c.definition.name not in words.names
        ]  # The vocabulary's own word stands above what a tree makes of it.
        self._by_name: dict[str, list[Candidate]] = {}
        for candidate in self._candidates:
            self._by_name.setdefault(candidate.definition.name, []).append(candidate)
        self.anywhere: dict[str, ModeCall] = {}
        self.within: dict[tuple[str, str], ModeCall] = {}
        self.homes: dict[str, set[str]] = {}
        """The files that define each name of `anywhere`."""
        self.another = OtherMeanings(program, self.homes)
        self.depth = _DEPTH
        """How deep below a function is looked for what it counts."""
        self._implementing: list[Function] = []
        self._counters = self._found_counters()

    def of(self, name: str, file: str) -> ModeCall | None:
        """What a call in a file does to the mode, as far as is known."""
        own = self.within.get((file, name))
        found = self.anywhere.get(name)
        if found is not None and self.another(name, file):
            found = None
        return own or found or self._words.mode.get(name)

    def grow(self) -> bool:
        """Look at every candidate once more; whether anything was added."""
        added = False
        for candidate in self._candidates:
            definition = candidate.definition
            if self.of(definition.name, definition.file) is not None:
                continue
            found = self._meaning(candidate)
            if found is not None:
                self._add(candidate, found)
                added = True
        return added

    def point(self, pointers: Iterable[Pointer]) -> Iterator[tuple[str, int]]:
        """Take calls of constant pointers to what is known for calls of that; yield the places."""
        for pointer in pointers:
            found = self.of(pointer.function, pointer.file)
            if found is None:
                continue
            if pointer.private:
                self.within.setdefault((pointer.file, pointer.path), found)
            else:
                self.anywhere.setdefault(pointer.path, found)
            yield pointer.file, pointer.start

    def _add(self, candidate: Candidate, found: ModeCall) -> None:
        definition = candidate.definition
        source = f"{definition.file}, {definition.name}()"
        call = replace(found, source=source)
        if definition.file.endswith(".c") and (definition.static or definition.kind != "function"):
            self.within[definition.file, definition.name] = call
        else:
            self.anywhere[definition.name] = call
            self.homes.setdefault(definition.name, set()).add(definition.file)

    def _meaning(self, candidate: Candidate) -> ModeCall | None:
        """What a candidate does to the mode: the first of the four kinds that it is."""
        definition = candidate.definition
        if definition.kind == "object" and (other := self._other_name(definition)) is not None:
            return other
        graph = self._program.function(definition)
        if graph.broken:
            return None
        if self._counters and candidate.compiled:
            action = self._counted(graph)
            if action is not None:
                self._implementing.append(graph)
                return ModeCall(action, "generic", "")
        wrapped = self._wrapped(graph)
        if wrapped is None or (wrapped.layer == "generic" and not candidate.compiled):
            return None
        if wrapped.action == "flush" and not self._is_called(definition.name):
            return None
        if wrapped.layer == "arch" and self._counters:
            # Past the counters: only what an implementation of the API calls may do so.
            hook = candidate.overridable or self._is_called(definition.name)
            return wrapped if hook else None
        return wrapped if candidate.compiled or candidate.overridable else None

    # -- implementations of the API ---------------------------------------------------------------

    def _found_counters(self) -> dict[str, str]:
        """Members that count a task's sections and pauses, and which of the two they count."""
        found: dict[str, str] = {}
        for name, mode in self._words.mode.items():
            if mode.layer != "generic" and mode.whose is None:
                continue
            target = self._program.resolve(name, "")
            if target is None:
                continue
            graph = self._program.function(target.definition)
            self._implementing.append(graph)
            if mode.action in ("enable", "pause"):
                found.update({member: mode.action for member, way in _moved(graph) if way > 0})
        return found

    def _counted(self, graph: Function) -> _Action | None:
        """What a function does that moves one counter one way, and calls a hook."""
        moves: set[tuple[str, int]] = set()
        hooked = False
        for each in self._inside(graph):
            moves |= {(m, way) for m, way in _moved(each) if m in self._counters}
            hooked = hooked or any(self._is_hook(call, each) for _, call in each.calls())
        if len(moves) != 1 or not hooked:
            return None
        ((member, way),) = moves
        return _MOVES[self._counters[member], way]

    def _inside(self, graph: Function) -> Iterator[Function]:
        """A function, and the candidates below it that are no part of the API by themselves."""
        seen: set[tuple[str, int, str]] = set()
        todo = [(graph, 0)]
        while todo:
            at, depth = todo.pop()
            key = (at.file, at.line, at.name)
            if key in seen:
                continue
            seen.add(key)
            yield at
            for _, call in at.calls() if depth < self.depth else ():
                name = call.name or ""
                if name not in self._by_name or self.of(name, at.file) is not None:
                    continue
                target = self._program.resolve(name, at.file)
                if target is not None:
                    todo.append((self._program.function(target.definition), depth + 1))

    def _is_hook(self, call: AnyCall, graph: Function) -> bool:
        name = call.name or ""
        mode = self.of(name, graph.file)
        if mode is not None:
            return mode.layer == "arch"
        if name in self._words.names:
            return False
        for candidate in self._by_name.get(name, ()):
            wrapped = self._wrapped(self._program.function(candidate.definition))
            if wrapped is not None and wrapped.layer == "arch":
                return True
        target = self._program.resolve(name, graph.file)
        return target is not None and target.definition.file.startswith("arch/")

    def _is_called(self, name: str) -> bool:
        """Whether an implementation of the API calls a name, itself or below."""
        return any(
            call.name == name
            for graph in self._implementing
            for each in self._inside(graph)
            for _, call in each.calls()
        )

    # -- wrappers and other names -----------------------------------------------------------------

    def _wrapped(self, graph: Function) -> ModeCall | None:
        """The one call of the API that a function makes on every path, and nothing else."""
        facts = FunctionFacts.of(graph)
        found: ModeCall | None = None
        for index, node in enumerate(graph.nodes):
            for call in calls_in(node.expr) if node.expr is not None else ():
                mode = self.of(call.name or "", graph.file)
                if mode is None and self._is_harmless(call):
                    continue
                again = found is not None or not facts.always(graph, index)
                if mode is None or again or mode.whose is not None or mode.action == "active":
                    return None
                found = mode
            if node.op == EVAL and node.expr is not None and _stores(node.expr):
                return None
        return found

    def _is_harmless(self, call: AnyCall) -> bool:
        """Whether a call is a check or a trace point: it does nothing that any rule follows."""
        name = call.name or ""
        return name not in self._words.names and (name.isupper() or name.startswith("trace_"))

    def _other_name(self, definition: Definition) -> ModeCall | None:
        """What the name means that an object-like macro stands for."""
        match = _IDENTIFIER.match(self._program.source.text(definition).split(b"//")[0])
        if match is None:
            return None
        name = match[1].decode("latin-1")
        return None if name == definition.name else self.of(name, definition.file)


def _moved(graph: Function) -> Iterable[tuple[str, int]]:
    """Members that a function moves by one, and the direction of each."""
    found: set[tuple[str, int]] = set()
    for node in graph.nodes:
        for expr in walk(node.expr) if node.expr is not None else ():
            match expr:
                case IncDec(op, target):
                    member, way = strip_casts(target), 1 if op == "++" else -1
                case Assign("+=" | "-=" as op, target, Number(1)):
                    member, way = strip_casts(target), 1 if op == "+=" else -1
                case Assign("=", target, Binary("+" | "-" as op, base, Number(1))) if spell(
                    base
                ) == spell(target):
                    member, way = strip_casts(target), 1 if op == "+" else -1
                case _:
                    continue
            if isinstance(member, Field):
                found.add((member.name, way))
    return found


def _stores(expr: Expr) -> bool:
    """Whether an expression stores elsewhere than in a variable of the function's own."""
    return any(
        isinstance(each, (Assign, IncDec)) and isinstance(strip_casts(each.target), Field)
        for each in walk(expr)
    )
