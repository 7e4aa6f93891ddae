# SPDX-License-Identifier: GPL-2.0-or-later
"""What of the files that an analysis looked at has changed since it was kept."""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lazymmu.kernelc.file_parts import (
    ChangedParts,
    Lines,
    by_line,
    difference,
    macros_used,
    names_told,
)
from lazymmu.kernelc.ir.scopes import class_word
from lazymmu.kernelc.json_shapes import listed, mapped, numbers, strings
from lazymmu.kernelc.made_functions import name_parts
from lazymmu.witness.source.changed_names import ChangedNames
from lazymmu.witness.source.line_tokens import LineToken, LineTokens, token_of
from lazymmu.witness.source.moved_places import MovedPlaces

if TYPE_CHECKING:
    from lazymmu.kernelc.configured_tree import ConfiguredTree
    from lazymmu.kernelc.walk_difference import WalkDifference

__all__ = ["NAMES", "ChangesSince"]

INDEX: Final = ("functions", "fields", "structs", "given")
"""What `TreeState` has of each of them."""

NAMES: Final = ("names", "fields", "structs", "given")
"""What `Asked` has of each of the lists of `Names`, in their order."""

_CONDITION: Final = re.compile(rb"^[ \t]*#(?:[^\n\\]|\\[\s\S])*", re.M)
_WORD: Final = re.compile(rb"[A-Za-z_]\w*")

_ASKING: Final = frozenset({"if", "ifdef", "ifndef", "elif", "else", "endif", "defined"})
"""The words of conditions that are no names."""

_LINES: Final = 1 << 31


@dataclass(slots=True)
class ChangesSince:
    """The changes of some files, as far as it was asked for what has changed.

    :param parts: what was kept of the analysis.
    :param indexed: the files whose names were known when it was kept.
    :param bodies: functions whose bodies are other ones, by file and name.
    :param names: names that are defined where they were not, or no more, or otherwise.
    :param tables: whether tables of functions may be other ones.
    :param strict: whether a file has changed of which all was asked.
    :param whole: files all of whose functions may be other ones.
    :param gone: those of them that are not there any more.
    :param retold: files of which something else is told now, though they are as they were.
    :param moved: where the lines are now.
    """

    view: ConfiguredTree
    parts: Mapping[str, object]
    indexed: Container[str]
    bodies: set[tuple[str, str]] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    tables: bool = False
    strict: bool = False
    whole: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    retold: set[str] = field(default_factory=set)
    moved: MovedPlaces = field(default_factory=MovedPlaces)

    def add(self, rel: str, then: str) -> bool:
        """Take a file that has changed; False where more has than definitions.

        :param then: the id of the content that it had.
        :raises ValueError: what was kept does not fit the file.
        """
        if self.parts["everything"] is not False or not self._take_names(rel, then):
            return False
        self.strict = self.strict or rel in strings(self.parts["strict"])
        if mapped(self.parts["files"]).get(rel) is None:
            self.moved.add(rel, (), ())
            return True
        return self._differ(rel)

    def lose(self, rel: str) -> None:
        """Take a file that is not there any more."""
        told = mapped(self.parts["files"]).get(rel)
        self.gone.add(rel)
        self.whole.add(rel)
        self.moved.add(rel, (), ())
        if told is not None:
            self.tables = True
            self.names.update(names_told(strings(listed(told)[2])))

    def take_walk(self, walk: WalkDifference) -> bool:
        """Take in what another walk of the headers sees; False where too much is different.

        To be called when the files are known that have changed.

        :raises KeyError, TypeError, ValueError: what was kept is nothing of the kind.
        """
        functions, fields, structs, given = (
            walk.renamed(index, strings(self.parts[kind]), self.view.index[kind])
            for kind, index in zip(NAMES, INDEX, strict=True)
        )
        self._take(functions, fields | structs, given)
        self.names |= walk.macros | walk.loops | {f"CONFIG_{symbol}" for symbol in walk.symbols}
        self.whole |= walk.built | walk.seeing
        files = mapped(self.parts["files"])
        looked_at = [
            rel for rel, told in files.items() if told is not None and rel not in self.gone
        ]
        anew = {rel for rel in looked_at if rel in walk.headers or rel in self.whole}
        if not all(self._differ(rel, whole=True) for rel in anew):
            return False
        # Of a header that was walked the walk says what is compiled.
        walked = self.view.headers.selections
        by_conditions = [
            rel
            for rel in looked_at
            if rel not in anew and (rel.endswith(".c") or rel not in walked)
        ]
        names: set[str] = set()
        while names != self.names:
            names = set(self.names)
            changed = ChangedNames(self.view, names, looked_at)
            for rel in by_conditions:
                asking = _asking(self.view.sources.read(rel))
                if changed.among(asking) and not self._differ(rel, changed=changed):
                    return False
        return True

    def _differ(
        self, rel: str, *, whole: bool = False, changed: ChangedNames | None = None
    ) -> bool:
        """Take in what is told of a file now; False where more is different than definitions.

        :param whole: something else is compiled of it.
        :param changed: something else may be compiled where a condition has one of these.
        """
        defined, flags, said, lines = listed(mapped(self.parts["files"])[rel])
        every, tables, uses = (flag is True for flag in listed(flags))
        wanted = frozenset(strings(self.parts["names"]))
        files = self.view.parts()
        now = files.of(rel, wanted, listed=every, tables=tables, uses=uses)
        found = difference(strings(said), now)
        if found is None:
            return False
        if whole or changed is not None:
            self.retold.add(rel)
        found = found._replace(conditions=found.conditions or whole)
        if found.conditions or found.order or changed is not None:
            found = self._with_conditions(rel, found, changed)
        made = self._made_of(found.made)
        self.tables = self.tables or found.tables
        self.names.update(found.names, made)
        self.bodies.update((rel, name) for name in (*found.bodies, *found.names, *made))
        used = macros_used(strings(said)) | macros_used(now)
        self._move(rel, found, used, _lines(defined, lines), files.lines(rel, wanted))
        return True

    def _take_names(self, rel: str, then: str) -> bool:
        """Take in what of that which was asked for has come to a file, or gone; False: unknown."""
        library = self.view.library
        before = library.names_of(rel, then)
        if before is None:
            return rel not in self.indexed
        functions, fields, structs, given = (
            ({*was} ^ {*now}) & frozenset(strings(self.parts[kind]))
            for kind, was, now in zip(NAMES, before, library.names([rel])[rel], strict=True)
        )
        self._take(functions, fields | structs, given)
        return True

    def _take(self, functions: set[str], of_tables: set[str], given: set[str]) -> None:
        self.names |= functions | self._made_of(given)
        self.tables = self.tables or bool(of_tables)

    def _made_of(self, words: set[str]) -> set[str]:
        """The names that were asked for which a macro may make that is given some words."""
        if not words:
            return set()
        # Whoever is given no word at all may make anything.
        names = strings(self.parts["names"])
        return {n for n in names if "" in words or name_parts(class_word(n)) & words}

    def _with_conditions(
        self, rel: str, found: ChangedParts, changed: ChangedNames | None
    ) -> ChangedParts:
        """The same of a file with other directives: of a body that has some others may be live.

        Where only a macro is defined elsewhere, or one more is, what goes by the configuration is
        as it was.
        """
        text = self.view.sources.read(rel)
        raws = self.view.raw_definitions(rel)
        macros = {raw.name for raw in raws if raw.kind != "function"}
        having = set()
        for raw in raws:
            lines = _CONDITION.findall(text, raw.start, raw.end) if raw.kind == "function" else ()
            words = {word.decode("latin-1") for line in lines for word in _WORD.findall(line)}
            other = changed is not None and bool(changed.among(words))
            if found.conditions or found.order:
                unlike = bool(words & macros) or not _are_options(words)
                other = other or found.conditions or unlike
            if words and other:
                having.add(raw.name)
        return found._replace(bodies=sorted({*found.bodies, *having}.difference(found.names)))

    def _move(self, rel: str, found: ChangedParts, used: set[str], then: Lines, now: Lines) -> None:
        other = {*found.bodies, *found.names}
        if found.made:
            # With other uses nobody can say which of them stands where.
            other |= used
        before = by_line([line for line in then if line[0] not in other])
        after = by_line([line for line in now if line[0] not in other])
        if found.bodies:
            tokens = LineTokens(self.view)
            for line, *told in map(listed, listed(mapped(self.parts["places"]).get(rel, []))):
                token = token_of(told)
                if token.name in found.bodies and isinstance(line, int):
                    there = _found(tokens, rel, token)
                    if there:
                        before.append((token.name, line, line))
                        after.append((token.name, there, there))
        self.moved.add(rel, before, after)


def _asking(text: bytes) -> set[str]:
    """The words of the conditions of a text."""
    words = {word for line in _CONDITION.findall(text) for word in _WORD.findall(line)}
    return {word.decode("latin-1") for word in words}


def _are_options(words: Collection[str]) -> bool:
    """Tell whether a condition with some words asks for the configuration alone."""
    return all(word in _ASKING or word.startswith("CONFIG_") for word in words)


def _found(tokens: LineTokens, rel: str, token: LineToken) -> int:
    """Where a line is now; 0 where it is gone, and whoever asks for it is told so."""
    try:
        return tokens.find(rel, token)
    except LookupError:
        return 0


def _lines(names: object, lines: object) -> Lines:
    flat = numbers(lines, 1, _LINES)
    return list(zip(strings(names), flat[::2], flat[1::2], strict=True))
