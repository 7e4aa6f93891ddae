# SPDX-License-Identifier: GPL-2.0-or-later
"""Variables of a Makefile, and what a text with references to them stands for.

Words carry presence conditions. A variable that sides of an open test assign differently has
the words of all of them: a word that is put together with it then is several words.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import defaultdict
from fnmatch import fnmatchcase
from posixpath import normpath
from typing import TYPE_CHECKING, Final, NamedTuple

from lazymmu.kernelc.config.make_bounds import DEEPEST, Budget, MakeLimitError
from lazymmu.kernelc.config.make_functions import carry_out
from lazymmu.kernelc.config.make_words import (
    UNKNOWN,
    Word,
    closing,
    presence_of,
    replaced,
    uncertain,
)
from lazymmu.kernelc.presence import PresenceCondition, both, symbol_of, unevaluated

if TYPE_CHECKING:
    from collections.abc import Callable

    from lazymmu.snapshot.tree import Tree

__all__ = ["WORDS", "WORK", "Later", "Setting", "Variables"]

_EMPTY: Final = (
    "obj-y",
    "obj-m",
    "lib-y",
    "lib-m",
    "ccflags-y",
    "subdir-ccflags-y",
    "EXTRA_CFLAGS",
)
"""What scripts/Makefile.build empties, so that it is expanded at once from then on."""

_PLAIN: Final = re.compile(r"[^\s$]+")

WORDS: Final = 5_000
"""Most words that a variable holds: a kernel's longest lists have some hundred."""

_LETTERS: Final = 10_000
"""Longest word."""

_WAYS: Final = 64
"""Most ways in which a word is put together from sides of open tests."""

WORK: Final = 1_000_000
"""Most references that one Makefile follows and words that they give, with its lines and the files
that it includes, which count as several: the most that a kernel's takes is a twentieth."""


class Setting(NamedTuple):
    """What a Makefile is read under.

    :param tree: where it and what it includes stand.
    :param value: what the configuration says of a symbol, "y", "n", "free" or "either" (see
        kconfig.Config.may).
    :param number: the value of a number.
    :param budget: what all that are read together may still ask for.
    """

    tree: Tree
    value: Callable[[str], str]
    number: Callable[[str], int | None]
    budget: Budget | None = None


class Later(NamedTuple):
    """A text that is expanded whenever its variable is referred to, and its presence condition."""

    text: str
    presence: PresenceCondition


class Variables(ABC):
    """The variables of one Makefile, each a list of words with presence conditions."""

    def __init__(
        self,
        setting: Setting,
        directory: str,
        given: dict[str, list[Word]] | None = None,
        fixed: dict[str, str] | None = None,
    ) -> None:
        """Begin without a line, for a directory.

        given: variables that others exported; fixed: variables of the command line, which no
        line changes.
        """
        self.setting = setting
        self.directory = directory
        self.renamed: list[tuple[str, str]] = []
        self.variables: dict[str, list[Word | Later]] = {
            name: list(words) for name, words in (given or {}).items()
        }
        self.variables.update({name: [] for name in _EMPTY})
        self.variables.update({name: [(text, ())] for name, text in (fixed or {}).items()})
        self._fixed = frozenset(fixed or ())
        self.variables["src"] = self.variables["obj"] = [(directory, ())]
        self.variables["srctree"] = self.variables["objtree"] = []
        self._open: list[str] = []
        self._own: set[str] = set()
        self._emptied: defaultdict[str, list[PresenceCondition]] = defaultdict(list)
        self._late: set[str] = set()
        self._line_number = 0
        self._work = 0
        self._depth = 0
        self._budget = setting.budget if setting.budget is not None else Budget()

    def words(self, name: str) -> list[Word]:
        """Return the words of a list, as a build would have them at the end."""
        if not any(isinstance(item, Later) for item in self.variables.get(name, ())):
            return self.variable(name)
        try:
            with self._budget.line():
                return self.variable(name)
        except MakeLimitError as why:
            self._lose(f"{why}, asked for `{name:.40}`")
        except RecursionError:
            self._lose(f"`{name:.40}` nests too deep")
        return self.unread()

    def charge(self, characters: int) -> None:
        """Count work for the line at hand.

        :raises TooMuchError: that is enough.
        """
        self._budget.charge(characters)

    def _lose(self, reason: str) -> None:
        self.setting.tree.lose(self._open[0] if self._open else self.directory, reason)

    def _here(self) -> PresenceCondition:
        return (unevaluated(self._open[-1] if self._open else self.directory, self._line_number),)

    def unread(self) -> list[Word]:
        """Return the word for what cannot be evaluated at the line at hand."""
        return [(UNKNOWN, self._here())]

    def _is_open(self, clause: str) -> bool:
        """Tell whether a clause is a symbol of which both sides are to be seen."""
        symbol = symbol_of(clause)
        return symbol is not None and self.setting.value(symbol) in ("either", "free")

    def known(self, name: str) -> bool:
        """Tell whether a variable was given a value."""
        return name in self.variables or self._decided(name)

    def _decided(self, name: str) -> bool:
        return name.startswith("CONFIG_") and self.setting.value(name[7:]) != "n"

    def variable(self, name: str) -> list[Word]:
        """Return the words of a variable."""
        if name.startswith("CONFIG_") and name not in self.variables:
            value = self.setting.value(name[7:])
            if value == "n":
                number = self.setting.number(name[7:])
                return [(str(number), ())] if number is not None else []
            return [("y", (name,) if value in ("free", "either") else ())]
        found: list[Word] = []
        for item in self.variables.get(name, ()):
            if len(found) > WORDS:
                break
            if isinstance(item, Later):
                expanded = self.expand(item.text)
                found += [(word, both(item.presence, own)) for word, own in expanded]
            else:
                found.append(item)
        return found

    def bound(self, values: dict[str, list[Word]], text: str) -> list[Word]:
        """Return the words of a text while some variables have other values."""
        before = {name: self.variables.get(name) for name in values}
        self.variables.update({name: list(words) for name, words in values.items()})
        try:
            return self.expand(text)
        finally:
            for name, words in before.items():
                if words is None:
                    self.variables.pop(name, None)
                else:
                    self.variables[name] = words

    def expand(self, text: str) -> list[Word]:
        """Return the words of `text` with its variables and functions replaced.

        :raises TooMuchError: that is beyond a bound.
        """
        self.charge(len(text))
        if "$" not in text:
            return [(word, ()) for word in text.split()]
        if self._depth >= DEEPEST:
            raise MakeLimitError(f"references nested more than {DEEPEST} deep")
        self._depth += 1
        try:
            result = self._expanded(text)
        finally:
            self._depth -= 1
        self.charge(sum(len(word) for word, _ in result))
        return result

    def _expanded(self, text: str) -> list[Word]:
        result: list[Word] = []
        # The ways in which the word at hand may be put together: one, but for sides of an open
        # test. A list in the middle of a word splits it, as make does.
        current: list[Word] = []

        def add(pieces: list[Word]) -> None:
            nonlocal current
            current = [
                (before + piece, both(presence, own))
                for before, presence in current or [("", ())]
                for piece, own in pieces[:_WAYS]
            ][:_WAYS]
            if current and len(current[0][0]) > _LETTERS:
                self._lose("puts together a word without end")
                current = self.unread()

        def end() -> None:
            nonlocal current
            result.extend(item for item in current if item[0])
            current = []

        position = 0
        while position < len(text) and len(result) <= WORDS:
            character = text[position]
            if character == "$" and position + 1 < len(text):
                if text[position + 1] in "({":
                    close = closing(text, position + 1)
                    words = self._reference(text[position + 2 : close])
                    position = close + 1
                    self._work += 1 + len(words)
                    if any(len(word) > _LETTERS for word, _ in words):
                        self._lose("puts together a word without end")
                        words = self.unread()
                else:
                    name = text[position + 1]
                    words = [("$", ())] if name == "$" else self.variable(name)
                    position += 2
                if len(words) > 1 and uncertain(presence_of(words)):
                    add(words)
                    continue
                for index, word in enumerate(words):
                    if index:
                        end()
                    add([word])
            elif character.isspace():
                end()
                position += 1
            else:
                plain = _PLAIN.match(text, position)
                piece = plain[0] if plain is not None else character
                add([(piece, ())])
                position += len(piece)
        end()
        return result

    def _reference(self, inner: str) -> list[Word]:
        if self._work > WORK:
            self._lose("calls functions without end")
            return self.unread()
        name, space, rest = inner.partition(" ")
        if "\t" in name:
            name, space, rest = inner.partition("\t")
        if not space or "$" in name or "(" in name:
            expanded = self.expand(inner) if "$" in inner else [(inner, ())]
            if len(expanded) != 1:
                return []
            target, around = expanded[0]
            pattern = target.split(":", 1)
            words = self.variable(pattern[0])
            if len(pattern) == 2 and "=" in pattern[1]:
                old, new = pattern[1].split("=", 1)
                words = [(replaced(word, old, new), presence) for word, presence in words]
            return [(word, both(presence, around)) for word, presence in words]
        return carry_out(self, name, rest.lstrip())

    def matching(self, pattern: str) -> list[str]:
        """Return the paths of the tree that a pattern of a shell fits, `*` in its last part."""
        rel = normpath(pattern.lstrip("/")) + ("/" if pattern.endswith("/") else "")
        if not any(character in rel for character in "*?["):
            found = (
                self.setting.tree.entries(rel) if rel[-1:] == "/" else self.setting.tree.has(rel)
            )
            return [pattern] if found else []
        above, _, last = rel.rpartition("/")
        if any(character in above for character in "*?["):
            return []
        names = [entry.name for entry in self.setting.tree.entries(above)]
        head = pattern[: len(pattern) - len(last)]
        return [
            f"{head}{name}"
            for name in names
            if fnmatchcase(name, last) and (name[0] != "." or last[0] == ".")
        ][:WORDS]

    def _text(self, text: str) -> str:
        return " ".join(word for word, _ in self.expand(text))

    @abstractmethod
    def carry_out_text(self, text: str) -> None:
        """Read what `$(eval text)` is given as lines of the Makefile."""
