# SPDX-License-Identifier: GPL-2.0-or-later
"""What of the files that an analysis looked at has changed since it was kept."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lazymmu.kernelc.file_parts import ChangedParts, Lines, by_line, difference
from lazymmu.kernelc.json_shapes import listed, mapped, numbers, strings
from lazymmu.witness.source.line_tokens import LineToken, LineTokens, token_of
from lazymmu.witness.source.moved_places import MovedPlaces

if TYPE_CHECKING:
    from lazymmu.kernelc.configured_tree import ConfiguredTree

__all__ = ["NAMES", "ChangesSince"]

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
    :param bodies: functions whose bodies are other ones, by file and name.
    :param names: names that are defined where they were not, or no more, or otherwise.
    :param moved: where the lines are now.
    """

    view: ConfiguredTree
    parts: Mapping[str, object]
    bodies: set[tuple[str, str]] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    moved: MovedPlaces = field(default_factory=MovedPlaces)

    def add(self, rel: str, then: str) -> bool:
        """Take a file that has changed; False where more has than definitions.

        :param then: the id of the content that it had.
        :raises ValueError: what was kept does not fit the file.
        """
        if rel in strings(self.parts["strict"]) or self.parts["everything"] is not False:
            return False
        names = self._names(rel, then)
        if names is None:
            return False
        self.names |= names
        kept = mapped(self.parts["files"]).get(rel)
        if kept is None:
            self.moved.add(rel, (), ())
            return True
        defined, flags, said, lines = listed(kept)
        every, tables, uses = (flag is True for flag in listed(flags))
        wanted = frozenset(strings(self.parts["names"]))
        files = self.view.parts()
        now = files.of(rel, wanted, listed=every, tables=tables, uses=uses)
        found = difference(strings(said), now)
        if found is None:
            return False
        if found.conditions or found.order:
            found = self._with_conditions(rel, found)
        self.names.update(found.names)
        self.bodies.update((rel, name) for name in (*found.bodies, *found.names))
        self._move(rel, found, _lines(defined, lines), files.lines(rel, wanted))
        return True

    def _names(self, rel: str, then: str) -> set[str] | None:
        """Names of functions that were asked for and have come to a file, or have gone.

        None where the same is so of the members of a table, say, or is not known.
        """
        library = self.view.library
        before = library.names_of(rel, then)
        if before is None:
            return None
        after = library.names([rel])[rel]
        functions, *others = (
            ({*was} ^ {*now}) & frozenset(strings(self.parts[kind]))
            for kind, was, now in zip(NAMES, before, after, strict=True)
        )
        return None if any(others) else functions

    def _with_conditions(self, rel: str, found: ChangedParts) -> ChangedParts:
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
            if words and (found.conditions or words & macros or not _are_options(words)):
                having.add(raw.name)
        return found._replace(bodies=sorted({*found.bodies, *having}.difference(found.names)))

    def _move(self, rel: str, found: ChangedParts, then: Lines, now: Lines) -> None:
        other = {*found.bodies, *found.names}
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
