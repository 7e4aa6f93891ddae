# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may mean something else where names are defined that were not, or no more, or otherwise.

A name is looked up because it stands in a text: in that of a function, of a macro that is used
there, in a table of functions, among the functions that a parameter is bound to. So who has none of
the names in all that it has read has looked none of them up.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

from lazymmu.kernelc.ir.scopes import class_word
from lazymmu.kernelc.json_shapes import listed, mapped, string, strings

if TYPE_CHECKING:
    from lazymmu.kernelc.configured_tree import ConfiguredTree

__all__ = ["ChangedNames", "functions_read", "macros_naming"]

_OF_TABLES: Final = ("array", "items")
"""The questions about texts (rechecks.py) that are answered by names of functions."""

_TEXTS: Final = ("body", "shape")
"""What is read of a function, by its file and name."""

_WORD: Final = re.compile(r"[A-Za-z_]\w*")


class ChangedNames:
    """Some names of one configured tree that mean something else now."""

    def __init__(self, view: ConfiguredTree, names: Collection[str]) -> None:
        """Look in the files of `view`.

        :param names: of functions and of macros.
        """
        self._view = view
        self._names = frozenset(names)

    @cached_property
    def words(self) -> frozenset[str]:
        """The words by which a text means one of them: the name, its class's, a macro's."""
        found = self._names | {class_word(name) for name in self._names}
        new: Collection[str] = found
        while new:
            new = macros_naming(self._view, new) - found
            found |= new
        return found

    def are_in(self, text: str) -> bool:
        """Tell whether a text has one of the words."""
        return not self.words.isdisjoint(_WORD.findall(text))

    def are_in_tables(self, kept: Mapping[str, object]) -> bool:
        """Tell whether a table of functions has one of them that was looked at.

        :param kept: what was kept of the analysis that looked.
        """
        if not self._names:
            return False
        for item in listed(kept["checks"]):
            kind, _, _, known = listed(item)
            if kind in _OF_TABLES and self.are_in(repr(known)):
                return True
        files, some = self._view.parts(), _any_of(self.words)
        return any(
            not self.words.isdisjoint(files.in_tables(rel))
            for rel, told in mapped(kept["files"]).items()
            if told is not None and listed(listed(told)[1])[1] is True
            if some.search(self._view.sources.read(rel))
        )

    def concern(self, kept: Mapping[str, object]) -> bool:
        """Tell whether an analysis has looked one of them up.

        :param kept: what was kept of it.
        """
        if not self._names.isdisjoint(strings(kept["names"])) or kept["parts"] is None:
            return True
        items = [listed(item) for item in listed(mapped(kept["parts"])["items"])]
        return self.are_in_tables(kept) or bool(self.reached(functions_read(items)))

    def reached(self, functions: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """Return those of some functions, by file and name, in whose text one of them stands."""
        if not self._names:
            return set()
        some = _any_of(self.words)
        of_files: dict[str, set[str]] = {}
        for file, name in functions:
            of_files.setdefault(file, set()).add(name)
        found: set[tuple[str, str]] = set()
        for file, names in of_files.items():
            hits = [hit.start() for hit in some.finditer(self._view.sources.read(file))]
            if not hits:
                continue
            # Those that no text defines are made by a macro, of words anywhere in the file.
            made = set(names)
            for raw in self._view.raw_definitions(file):
                if raw.name in names:
                    made.discard(raw.name)
                    if any(raw.start <= hit < raw.end for hit in hits):
                        found.add((file, raw.name))
            found.update((file, name) for name in made)
        return found


def functions_read(items: Iterable[Sequence[object]]) -> set[tuple[str, str]]:
    """Return the functions in items that were read (`kept_parts.item_as_plain`), by file and name.

    :raises TypeError: they are nothing that was kept.
    """
    return {(string(item[1]), string(item[2])) for item in items if item[0] in _TEXTS}


def macros_naming(view: ConfiguredTree, words: Collection[str]) -> frozenset[str]:
    """Return the names of the macros whose text has one of some words."""
    if not words:
        return frozenset()
    some = _any_of(words)
    return frozenset(
        raw.name
        for rel in (*view.built, *view.headers.files)
        if some.search(text := view.sources.read(rel))
        for raw in view.raw_definitions(rel)
        if raw.kind != "function" and some.search(text, raw.start, raw.end)
    )


def _any_of(words: Collection[str]) -> re.Pattern[bytes]:
    either = b"|".join(re.escape(word.encode("latin-1")) for word in sorted(words))
    return re.compile(rb"\b(?:" + either + rb")\b")
