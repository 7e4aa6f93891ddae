# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may mean something else where names are defined that were not, or no more, or otherwise.

A name is looked up because it stands in a text: in that of a function, of a macro that is used
there, in a table of functions, among the functions that a parameter is bound to. So who has none of
the names in all that it has read has looked none of them up.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
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

_WORD: Final = re.compile(r"[A-Za-z_]\w*+")
_BYTES: Final = re.compile(rb"[A-Za-z_]\w*+")


class ChangedNames(Container[str]):
    """Some names of one configured tree that mean something else now, and the words that mean them.

    A word means one of them where it is the name, its class's (`class_word`), or a macro's in whose
    text one stands, however deep.
    """

    def __init__(
        self, view: ConfiguredTree, names: Collection[str], files: Iterable[str] = ()
    ) -> None:
        """Look in the files of `view`.

        :param names: of functions, of macros, and CONFIG_ symbols.
        :param files: those whose own macros count: all in which anything was looked at.
        """
        self._view = view
        self._names = frozenset(names) | {class_word(name) for name in names}
        self._macros = view.macro_words(files)
        self._met: set[str] = set()
        self._users: dict[str, list[str]] = {}
        self._meaning: set[str] = set()
        self._having: dict[str, bool] = {}

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._names)

    def __contains__(self, word: object) -> bool:
        """Tell whether a word means one of them."""
        return isinstance(word, str) and bool(self.among({word}))

    def among(self, words: Collection[str]) -> set[str]:
        """Return those of some words that mean one of them."""
        if not self._names:
            return set()
        new = set(words) - self._met
        if new:
            self._meet(new)
        return self._meaning.intersection(words)

    def _meet(self, new: set[str]) -> None:
        """Find out what words mean, and those in the texts of macros that they are."""
        met, meaning = self._met, self._meaning
        while new:
            met |= new
            named: set[str] = set()
            for macro, words in self._macros.of(new).items():
                named |= words
                for word in words:
                    self._users.setdefault(word, []).append(macro)
            new = named - met
        # A macro that was met now may have one in its text of which that was known before.
        work = [*(self._names & met), *meaning]
        meaning.update(work)
        while work:
            for macro in self._users.get(work.pop(), ()):
                if macro not in meaning:
                    meaning.add(macro)
                    work.append(macro)

    def are_in(self, text: str) -> bool:
        """Tell whether a text has one of the words."""
        return bool(self.among(set(_WORD.findall(text))))

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
        files = self._view.parts()
        return any(
            self.among(files.in_tables(rel))
            for rel, told in mapped(kept["files"]).items()
            if told is not None and listed(listed(told)[1])[1] is True
            if self._are_in_file(rel)
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
        of_files: dict[str, set[str]] = {}
        for file, name in functions:
            of_files.setdefault(file, set()).add(name)
        found: set[tuple[str, str]] = set()
        for file, names in of_files.items():
            if self._are_in_file(file):
                found.update((file, name) for name in self._reached_in(file, names))
        return found

    def _reached_in(self, file: str, names: set[str]) -> set[str]:
        """Those of some functions of a file; the file has one of the words."""
        text = self._view.sources.read(file)
        found: set[str] = set()
        # Those that no text defines are made by a macro, of words anywhere in the file.
        made = set(names)
        for raw in self._view.raw_definitions(file):
            if raw.name in names:
                made.discard(raw.name)
                if self.among({w.decode("latin-1") for w in _words(text, raw.start, raw.end)}):
                    found.add(raw.name)
        return found | made

    def _are_in_file(self, rel: str) -> bool:
        """Whether a file has one of the words."""
        known = self._having.get(rel)
        if known is None:
            words = set(_BYTES.findall(self._view.sources.read(rel)))
            known = self._having[rel] = bool(self.among({w.decode("latin-1") for w in words}))
        return known


def _words(text: bytes, start: int, end: int) -> set[bytes]:
    return set(_BYTES.findall(text, start, end))


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
