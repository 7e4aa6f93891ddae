# SPDX-License-Identifier: GPL-2.0-or-later
"""What names of a tree's C stand for that are no functions: structures, enumerators, variables."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from lazymmu.kernelc.ir.expr import Binary, Cast, Conditional, Expr, Name, Not, Number, Unary
from lazymmu.kernelc.ir.nodes import RETURN
from lazymmu.lift.arithmetic import arithmetic
from lazymmu.lift.ctypes import CType, Declared, declarations, typed
from lazymmu.lift.problem import Unliftable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lazymmu.kernelc.configured_tree import ConfiguredTree
    from lazymmu.kernelc.program import Program

__all__ = ["PerCpuVariable", "TreeNames"]

_PERCPU: Final = re.compile(
    rb"\b(?:DEFINE|DECLARE)_PER_CPU\w*\s*\(\s*([^,()]+?)\s*,\s*(\w+)\s*\)\s*(?:=\s*([^;]+?)\s*)?;"
)
_ENUM: Final = re.compile(rb"\benum\b[^;{}()]*\{([^{}]*)\}")
_PLAIN: Final = re.compile(rb"/\*.*?\*/|//[^\n]*|^[ \t]*#.*$", re.S | re.M)
_SHIFTED: Final = re.compile(r"\(?(\d+)[uUlL]*\s*<<\s*(\d+)\)?|BIT(?:_ULL)?\((\d+)\)")
"""A bit, as enumerations spell it."""

_TYPEDEF: Final = r"\btypedef\b([^;{{}}()]{{1,200}}?[\s*])\b{name}\s*;"
"""What a typedef makes a name of, which is no structure: nothing can be cast to one."""

_NAMES: Final = re.compile(r"(?:^|,)\s*([A-Za-z_]\w*)")
_TASK: Final = "struct task_struct"
_THREAD_INFO: Final = "struct thread_info"
_DEEP: Final = 16
"""How often a constant may be made of another."""


_Place: TypeAlias = tuple[str, int, str]
"""A file, an offset in it, and what is between the braces there, or the first value."""


class PerCpuVariable(NamedTuple):
    """A per-CPU variable: its type, its value at the beginning, and where it is declared."""

    name: str
    type: CType
    initial: int
    file: str
    line: int


class TreeNames:
    """Looks up names in the texts that one architecture is compiled of."""

    def __init__(self, view: ConfiguredTree, program: Program) -> None:
        """Nothing is read before it is asked for."""
        self.view = view
        self.program = program
        self._declared: dict[str, list[_Place]] | None = None
        self._enumerators: dict[str, list[_Place]] | None = None
        self._others: tuple[str, ...] | None = None
        self._whole: tuple[bytes, list[int], list[tuple[str, bytes]]] | None = None
        self._read: dict[str, bytes] = {}
        self._structs: dict[str, dict[str, CType]] = {}
        self._inner: dict[str, tuple[Declared, ...]] = {}
        self._constants: dict[tuple[str, str], int | None] = {}
        self._percpu: dict[tuple[str, str], PerCpuVariable | None] = {}
        self._types: dict[str, CType | None] = {}

    # ---- types ------------------------------------------------------------------------------

    def member(self, owner: CType, name: str, near: str) -> CType | None:
        """Return the type of a member of a structure, None where that is not known.

        A task's thread_info lies in it (include/linux/sched.h, CONFIG_THREAD_INFO_IN_TASK), so that
        its members are the task's.
        """
        found = self._members(owner.base, near).get(name) if owner.base else None
        if found is None and owner.base == _TASK:
            return self._members(_THREAD_INFO, near).get(name)
        return found

    def typedef(self, name: str, near: str) -> CType | None:
        """Return the number or pointer that a name of a type stands for, None for any other."""
        if name not in self._types:
            kind: CType | None = CType(name)
            for _ in range(_DEEP):
                if kind is None or kind.width or kind.stars:
                    break
                kind = self._typedef(kind.base, near)
            self._types[name] = kind
        return self._types[name]

    def _typedef(self, name: str, near: str) -> CType | None:
        if not name.isidentifier():
            return None
        pattern = re.compile(_TYPEDEF.format(name=name).encode())
        for rel, text in sorted(self.naming(name), key=lambda found: found[0] != near):
            for match in pattern.finditer(text):
                if self.view.headers.selection(rel).is_compiled(match.start()):
                    return typed(match[1].decode("latin-1"))
        return None

    def _members(self, base: str, near: str) -> dict[str, CType]:
        known = self._structs.get(base)
        if known is None:
            declared = self._inner.get(base)
            if declared is None:
                declared = declarations(self._body(base, near))
            known = self._structs[base] = dict(self._flat(declared))
        return known

    def _flat(self, declared: tuple[Declared, ...]) -> Iterator[tuple[str, CType]]:
        for one in declared:
            if not one.inside:
                yield one.name, one.type
            elif one.name:
                # A structure without a tag gets one that C cannot spell.
                tag = f"struct <{len(self._inner)}>"
                self._inner[tag] = one.inside
                yield one.name, one.type._replace(base=tag)
            else:
                yield from self._flat(one.inside)

    def _body(self, base: str, near: str) -> str:
        pattern = re.compile(rb"\b" + base.encode().replace(b" ", rb"\s+") + rb"\s*\{")
        for text, match in self._found(pattern, base.rsplit(maxsplit=1)[-1].encode(), near):
            depth = 0
            for at in range(match.end() - 1, len(text)):
                depth += {123: 1, 125: -1}.get(text[at], 0)
                if depth == 0:
                    return text[match.end() : at].decode("latin-1")
        return ""

    # ---- constants -------------------------------------------------------------------------------

    def constant(self, name: str, near: str) -> int | None:
        """Return the value of an enumerator or of a macro that is a number, None for neither."""
        key = (name, near)
        if key not in self._constants:
            self._constants[key] = self._constant(name, near, 0)
        return self._constants[key]

    def room(self, kind: CType, near: str) -> int | None:
        """Return how many elements an array has, None where that is not known."""
        size = kind.dims[0] if kind.dims else ""
        return int(size) if size.isdigit() else self.constant(size, near) if size else None

    def _constant(self, name: str, near: str, depth: int) -> int | None:
        fixed = self.view.profile.constants.get(name)
        if fixed is not None:
            return fixed
        for found in self.view.definitions(name, near or None):
            if found.kind == "object" and depth < _DEEP:
                graph = self.program.function(found)
                value = next((n.expr for n in graph.nodes if n.op == RETURN), None)
                return None if value is None else self._folded(value, found.file, depth)
        return self._enumerator(name, near)

    def _folded(self, expr: Expr, near: str, depth: int) -> int | None:
        match expr:
            case Number(value):
                return value
            case Name(name):
                return self._constant(name, near, depth + 1)
            case Cast(spelled, inner):
                known = self._folded(inner, near, depth)
                made = None if known is None else typed(spelled).wrapped(known)
                return made if isinstance(made, int) else None
            case Unary(op, inner):
                known = self._folded(inner, near, depth)
                return None if known is None else {"-": -known, "~": ~known}.get(op, known)
            case Not(inner):
                known = self._folded(inner, near, depth)
                return None if known is None else int(not known)
            case Binary(op, left, right):
                a, b = self._folded(left, near, depth), self._folded(right, near, depth)
                return None if a is None or b is None else arithmetic(op, a, b)
            case Conditional(test, yes, no):
                known = self._folded(test, near, depth)
                return None if known is None else self._folded(yes if known else no, near, depth)
        return None

    def _enumerator(self, name: str, near: str) -> int | None:
        for rel, start, body in self._first(self._enums(name), near):
            if not self.view.headers.selection(rel).is_compiled(start):
                continue
            value: int | None = -1
            for part in body.split(","):
                spelled, _, given = part.strip().partition("=")
                if given:
                    value = self._given(given.strip(), rel)
                elif value is not None:
                    value += 1
                if spelled.strip() == name:
                    return value
        return None

    def _given(self, text: str, near: str) -> int | None:
        shifted = _SHIFTED.fullmatch(text)
        if shifted is not None:
            return int(shifted[1] or "1") << int(shifted[2] or shifted[3])
        try:
            return int(text.rstrip("uUlL"), 0)
        except ValueError:
            return self.constant(text, near) if text.isidentifier() else None

    # ---- variables -------------------------------------------------------------------------------

    def per_cpu(self, name: str, near: str) -> PerCpuVariable | None:
        """Return the per-CPU variable of this name, None where there is none."""
        key = (name, near)
        if key not in self._percpu:
            self._percpu[key] = self._per_cpu(name, near)
        return self._percpu[key]

    def _per_cpu(self, name: str, near: str) -> PerCpuVariable | None:
        declared: PerCpuVariable | None = None
        for rel, start, text in self._first(self._variables(name), near):
            match = _PERCPU.match(self.text(rel), start)
            if match is None:
                continue
            line = self.text(rel).count(b"\n", 0, start) + 1
            number = 0 if not text or "{" in text else self._given(text, rel)
            if number is None:
                raise Unliftable(f"the first value of {name} is not known", rel, line)
            kind = typed(match[1].decode("latin-1"))
            declared = PerCpuVariable(name, kind, number, rel, line)
            if match[0].startswith(b"DEFINE"):
                return declared
        return declared

    # ---- texts -----------------------------------------------------------------------------------

    def _found(
        self, pattern: re.Pattern[bytes], word: bytes, near: str
    ) -> Iterator[tuple[bytes, re.Match[bytes]]]:
        """Yield where a pattern is found in what is compiled, the file at hand first."""
        for rel, text in self._texts(near):
            if word not in text:
                continue
            selection = self.view.headers.selection(rel)
            for match in pattern.finditer(text):
                if selection.is_compiled(match.start()):
                    yield text, match

    def _enums(self, name: str) -> Sequence[_Place]:
        """Return where enumerations have a name, and what is between their braces."""
        if self._enumerators is None:
            self._enumerators = {}
            for rel, text in self.naming("enum"):
                at = -1
                while (at := text.find(b"enum", at + 1)) >= 0:
                    if match := _ENUM.match(text, at):
                        body = _PLAIN.sub(b"", match[1]).decode("latin-1")
                        for one in dict.fromkeys(_NAMES.findall(body)):
                            self._enumerators.setdefault(one, []).append((rel, at, body))
        return self._enumerators.get(name, ())

    def _variables(self, name: str) -> Sequence[_Place]:
        """Return where a variable of each CPU is declared, and its first value."""
        if self._declared is None:
            self._declared = {}
            for rel, text in self.naming("_PER_CPU"):
                for match in _PERCPU.finditer(text):
                    first = (match[3] or b"").decode("latin-1")
                    place = (rel, match.start(), first)
                    self._declared.setdefault(match[2].decode(), []).append(place)
        return self._declared.get(name, ())

    def naming(self, name: str) -> Iterator[tuple[str, bytes]]:
        """Yield the files that have a name somewhere in what they say, each with its text.

        All texts are searched as one, which is a hundred times faster than one after the other.
        """
        if self._whole is None:
            texts = list(self._texts(""))
            ends = list(accumulate(len(text) + 1 for _, text in texts))
            self._whole = (b"\0".join(text for _, text in texts), ends, texts)
        whole, ends, texts = self._whole
        wanted, at = name.encode(), 0
        while (at := whole.find(wanted, at)) >= 0:
            number = bisect_right(ends, at)
            yield texts[number]
            at = ends[number]

    @staticmethod
    def _first(places: Iterable[_Place], near: str) -> list[_Place]:
        """Return places in the file at hand before all others."""
        return sorted(places, key=lambda place: place[0] != near)

    def text(self, rel: str) -> bytes:
        """Return the text of a file, which is read once."""
        text = self._read.get(rel)
        if text is None:
            text = self._read[rel] = self.view.tree.read(rel)
        return text

    def _texts(self, near: str) -> Iterator[tuple[str, bytes]]:
        if near and self.view.tree.has(near):
            yield near, self.view.tree.read(near)
        if self._others is None:
            directory = f"arch/{self.view.profile.arch_dir}/"
            own = (rel for rel in self.view.built if rel.startswith(directory))
            self._others = tuple(dict.fromkeys((*self.view.headers.files, *own)))
        for rel in self._others:
            if rel != near:
                yield rel, self.text(rel)
