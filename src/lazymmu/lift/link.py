# SPDX-License-Identifier: GPL-2.0-or-later
"""What a call in a tree's C means: a word, another function of the tree, or one out of a table."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lazymmu.lift.code import Code, Instruction, Opcode, compiled
from lazymmu.lift.names import TreeNames
from lazymmu.lift.problem import Unliftable
from lazymmu.lift.ready import ready
from lazymmu.lift.static_keys import StaticKeys
from lazymmu.lift.supposed import hangs_on
from lazymmu.lift.words import LiftWord, words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lazymmu.kernelc.configured_tree import ConfiguredTree
    from lazymmu.kernelc.definition import Definition
    from lazymmu.kernelc.parse.ops_tables import Initialiser
    from lazymmu.kernelc.program import Program
    from lazymmu.lift.ctypes import CType
    from lazymmu.lift.ready import Doing

__all__ = ["CallMeaning", "Linker"]

TRACE = "trace_"
"""What calls of tracepoints begin with (include/linux/tracepoint.h, DECLARE_TRACE())."""


@dataclass(frozen=True, slots=True)
class CallMeaning:
    """What a call means; `skip` arguments stand before those of the function.

    :param nothing: why a call does nothing, "" for one that does.
    :param cast: the type that what looks like a call makes its argument: `(phys_addr_t)(x)`.
    """

    word: LiftWord | None = None
    code: Code | None = None
    skip: int = 0
    nothing: str = ""
    cast: CType | None = None


class Linker:
    """Resolves calls for one architecture of a tree, and keeps what was found.

    abstracted: what was left out, by the name of the call, with its reason.
    """

    def __init__(
        self,
        view: ConfiguredTree,
        program: Program,
        belongs: Callable[[Initialiser], bool],
        keys: Mapping[str, int] | None = None,
    ) -> None:
        """See the class.

        :param belongs: whether what stands in a table counts on this machine.
        :param keys: what static keys are that may be either.
        """
        self.view = view
        self.program = program
        self.names = TreeNames(view, program)
        self.words = words(view.profile.arch_dir)
        self.belongs = belongs
        self.keys = StaticKeys(view, keys or {})
        self.abstracted: dict[str, str] = {}
        self.codes: dict[tuple[str, int, str], Code] = {}
        self._targets: dict[tuple[str, str], CallMeaning | None] = {}
        self._tables: dict[tuple[str, str], CallMeaning | None] = {}
        self._ready: dict[Code, tuple[Doing, ...]] = {}
        self._supposing: dict[tuple[Code, int], bool] = {}

    def ready(self, code: Code) -> tuple[Doing, ...]:
        """Return what does each instruction of a function."""
        made = self._ready.get(code)
        if made is None:
            made = self._ready[code] = ready(code, self)
        return made

    def apart(self, more: dict[str, LiftWord]) -> Linker:
        """Return one for other words, which shares what is known of functions."""
        other = copy.copy(self)
        other.words = more
        other.abstracted, other._targets, other._tables, other._ready = {}, {}, {}, {}
        other._supposing = {}
        return other

    def code(self, definition: Definition) -> Code:
        """Return a definition's instructions.

        :raises Unliftable: with the reason.
        """
        key = (definition.file, definition.line, definition.name)
        known = self.codes.get(key)
        if known is None:
            graph = self.program.function(definition)
            graph.line = definition.line
            known = self.codes[key] = compiled(graph)
        return known

    def function(self, name: str, near: str = "") -> Code | None:
        """Return a function of the tree, None where it has none of that name."""
        found = self.program.resolve(name, near)
        return None if found is None else self.code(found.definition)

    def target(self, name: str, near: str) -> CallMeaning | None:
        """Return what a call of `name` in the file `near` means, None for what is not known."""
        key = (name, near)
        if key not in self._targets:
            self._targets[key] = self._target(name, near)
        return self._targets[key]

    def _target(self, name: str, near: str) -> CallMeaning | None:
        word = self.words.get(name)
        if word is not None:
            if word.abstracts:
                self.abstracted[name] = word.abstracts
            return CallMeaning(word)
        found = self.program.resolve(name, near)
        if found is not None:
            if found.ambiguous:
                where = found.definition
                raise Unliftable(f"{name}() may mean several functions", where.file, where.line)
            return CallMeaning(code=self.code(found.definition))
        if name.startswith(TRACE):
            self.abstracted[name] = "a tracepoint does nothing"
            return CallMeaning(nothing="a tracepoint")
        # Types and functions share their names: what is a type is no function.
        cast = self.names.typedef(name, near)
        return None if cast is None else CallMeaning(cast=cast)

    def supposes(self, code: Code, one: Instruction, arg: int) -> bool:
        """Tell whether what a call is handed hangs on what is one answer, whatever it is asked of.

        :param one: the call.
        :param arg: the number of the argument.
        """
        key = (code, id(one))
        if key not in self._supposing:
            at = next(n for n, other in enumerate(code.instructions) if other is one)
            self._supposing[key] = hangs_on(code, at, one.args[arg], self._is_supposed)
        return self._supposing[key]

    def _is_supposed(self, name: str) -> bool:
        word = self.words.get(name)
        return word is not None and word.does == "number" and bool(word.abstracts)

    def held(self, path: str, skip: int) -> CallMeaning | None:
        """Return the function that stands at `path` of a table, None where none does."""
        key = (path, str(skip))
        if key not in self._tables:
            self._tables[key] = self._held(path, skip)
        return self._tables[key]

    def _held(self, path: str, skip: int) -> CallMeaning | None:
        """As `held`, the first time.

        A table may be filled several times while a system comes up. Functions of the time before
        (`__init`) are gone when tasks run; of others, the one that goes through all the rest.
        """
        codes: dict[Code, Initialiser] = {}
        idle: list[str] = []
        for item in self.view.held(path):
            if not self.belongs(item):
                continue
            found = self.program.resolve(item.function, item.file)
            if found is None:
                idle.append(item.function)
            elif not self.view.has(found.definition, b"__init"):
                codes[self.code(found.definition)] = item
        last = [code for code in codes if all(self._calls(code, o) for o in codes if o is not code)]
        if len(last) == 1:
            return CallMeaning(code=last[0], skip=skip)
        if codes:
            shown = ", ".join(sorted(code.name for code in codes))
            (first, *_) = codes.values()
            raise Unliftable(f"{path} may be any of {shown}", first.file, first.line)
        if idle:
            self.abstracted[path] = f"{', '.join(sorted(set(idle)))} does nothing"
            return CallMeaning(nothing=idle[0], skip=skip)
        return None

    def _calls(self, code: Code, other: Code) -> bool:
        """Whether a function calls another one by its name."""
        return any(
            one.op is Opcode.CALL
            and (target := self.target(one.what, code.file)) is not None
            and target.code is other
            for one in code.instructions
        )
