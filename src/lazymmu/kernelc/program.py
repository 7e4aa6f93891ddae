# SPDX-License-Identifier: GPL-2.0-or-later
"""One profile's functions on demand: who is called, and what the callee's graph is.

Nothing is parsed before it is asked for.  What could not be parsed or resolved is kept, for
the report on what a check could not see.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from lazymmu.kernelc.ir.cfg_builder import lower, unread
from lazymmu.kernelc.ir.expr import VARIABLES, Expr, Variable
from lazymmu.kernelc.ir.nodes import Function, writes
from lazymmu.kernelc.ir.scopes import class_functions, put_in_place, scope_of
from lazymmu.kernelc.reads import Reads

if TYPE_CHECKING:
    from lazymmu.kernelc.definition import Definition, TextOrigin

_CALL = re.compile(rb"[A-Za-z_]\w*\s*\(")


class DefinitionSource(Protocol):
    """What one profile sees of a tree (configured_tree.ConfiguredTree)."""

    def definitions(self, name: str, near: str | None = None) -> tuple[Definition, ...]:
        """Return what a name may mean in a file, the likeliest first."""
        ...

    def text(self, definition: Definition) -> bytes:
        """Return a definition's text, ready for the parser."""
        ...

    def making(self, name: str, near: str) -> tuple[Definition, ...]:
        """Return what macros make under a name in a file or its headers."""
        ...

    def source(self, definition: Definition) -> TextOrigin | None:
        """Return where that text comes from, None if it is the file's own."""
        ...

    def unreadable(self, definition: Definition) -> str:
        """Return why a definition is not to be read, "" when it is."""
        ...


@dataclass(frozen=True, slots=True)
class Target:
    """What a called name means: the definition, and whether others could be meant as well."""

    definition: Definition
    ambiguous: bool


class Program:
    """Functions of one profile, resolved and lowered on demand."""

    def __init__(self, source: DefinitionSource) -> None:
        self.source = source
        self.unparsed: dict[tuple[str, int], tuple[str, str]] = {}
        """Definitions that were not read in full: (file, line) to (name, reason)."""
        self.reads = Reads()
        """The bodies that are read, and what else rests on them."""
        self._functions: dict[tuple[str, int, str], Function] = {}
        self._targets: dict[tuple[str, str], Target | None] = {}
        self._scoped: dict[tuple[str, int, str], int] = {}
        """What was read for functions that take guards: the bodies put in their places."""

    @property
    def parsed(self) -> int:
        """How many functions were read, in this analysis or in one that it takes over."""
        return sum(item[0] == "body" for item in self.reads.items)

    def resolve(self, name: str, near: str) -> Target | None:
        """The definition that a call of ``name`` in file ``near`` means, None when there is none.

        ``near`` is "" for a call that stands in no file of the tree.
        A macro that only renames is followed to what it names.
        """
        key = (name, near)
        if key not in self._targets:
            self._targets[key] = self._resolve(name, near, 4)
        return self._targets[key]

    def is_value(self, name: str, near: str) -> bool:
        """Whether a name is, in a file, an object-like macro that calls nothing."""
        found = self.source.definitions(name, near or None)
        return bool(found) and found[0].kind == "object"

    def _resolve(self, name: str, near: str, hops: int) -> Target | None:
        found = self.source.definitions(name, near or None)
        if not found:
            return None
        first = found[0]
        if first.kind == "object":
            alias = self.source.text(first).split(b"//")[0].strip().decode("latin-1")
            if alias.isidentifier() and alias != name and hops:
                return self._resolve(alias, near, hops - 1)
            functions = [d for d in found if d.kind != "object"]
            if not functions and _CALL.search(self.source.text(first)) is None:
                return None
            # Used alone as a statement, it does what its text does.
            first = functions[0] if functions else first
        rivals = [
            d
            for d in found
            if d.kind == first.kind == "function" and d.file != first.file and not d.static
        ]
        return Target(first, bool(rivals) and not first.static and first.file.endswith(".c"))

    def function(self, definition: Definition) -> Function:
        """The flow graph of a definition; a broken one when it cannot be parsed."""
        key = (definition.file, definition.line, definition.name)
        self.reads.note(("body", definition.file, definition.name))
        known = self._functions.get(key)
        if known is None:
            name, file = definition.name, definition.file
            line = definition.first_line
            params = definition.params if definition.kind != "function" else None
            if why := self.source.unreadable(definition):
                known = unread(why, name=name, file=file, line=line, macro_params=params)
            else:
                text = self.source.text(definition)
                source = self.source.source(definition)
                places = source.place if source is not None else None
                known = lower(
                    text, name=name, file=file, line=line, macro_params=params, places=places
                )
                known.spliced.update(dict.fromkeys(source.macros if source is not None else ()))
            self._functions[key] = known
            if known.scoped and not known.unread:
                outer = self.reads.begin()
                put_in_place(known, partial(self._read, near=file))
                self._scoped[key] = self._scoped[known.place] = self.reads.end(outer)
            if known.broken:
                self.unparsed[(definition.file, definition.line)] = (definition.name, known.broken)
        elif key in self._scoped:
            self.reads.bits |= self._scoped[key]
        return known

    def shaped(self, definition: Definition) -> Function:
        """The same for who only asks what a call of it has to be told: its shape is read."""
        outer = self.reads.bits
        known = self.function(definition)
        key = (definition.file, definition.line, definition.name)
        self.reads.instead(outer | self._scoped.get(key, 0), ("shape", *key))
        return known

    def to_walk(self, definition: Definition) -> Function:
        """The same for who hands it on to be walked: it is read there."""
        outer = self.reads.bits
        known = self.function(definition)
        self.reads.bits = outer
        return known

    def is_walked(self, graph: Function) -> None:
        """Note that a graph is read, with the bodies that were put in its guards' places."""
        self.reads.note(("body", graph.file, graph.name))
        self.reads.bits |= self._scoped.get(graph.place, 0)

    def broken(self, definition: Definition) -> str:
        """Why a definition was not read in full, "" where it was."""
        key = (definition.file, definition.line, definition.name)
        return self.reads.unit(("broken", *key), lambda: self.function(definition).broken)

    def place(self, definition: Definition) -> tuple[str, int, str]:
        """Where a definition's text stands: file, line and name; nothing of its body is read."""
        return self.to_walk(definition).place

    def scope(self, cls: str, file: str, line: int) -> Function | None:
        """A graph that takes a guard and drops it at once; None when its class is not found."""
        constructor, destructor = class_functions(cls)
        outer = self.reads.begin()
        found = self._read(constructor, near=file)
        if found is None or self._read(destructor, near=file) is None:
            self.reads.end(outer)
            return None
        made = scope_of(cls, found, file, line)
        put_in_place(made, partial(self._read, near=file))
        self._scoped[made.place] = self.reads.end(outer)
        return made

    def _read(self, name: str, *, near: str) -> Function | None:
        """The graph of what a name means in a file, None when that is nothing."""
        # A macro of a class's own name only adds what is of no matter here: from 7.0 on, a second
        # variable for the compiler's analysis of locks (WITH_LOCK_GUARD_1_ATTRS()).
        found = [d for d in self.source.definitions(name, near) if d.kind == "function"]
        found = found or list(self.source.making(name, near))
        return self.function(found[0]) if found else None


def assignments(function: Function) -> dict[Variable, list[Expr | None]]:
    """What each variable of a function is ever assigned; None for a change in place."""
    out: dict[Variable, list[Expr | None]] = {}
    for node in function.nodes:
        if node.expr is not None:
            for target, value in writes(node.expr):
                if isinstance(target, VARIABLES):
                    out.setdefault(target, []).append(value)
    return out
