# SPDX-License-Identifier: GPL-2.0-or-later
"""One Makefile of a tree, carried out over words with labels; nothing of it is executed.

Read are assignments, conditionals, includes, defines and the functions of make_functions.py;
rules and recipes are not. A test that one configuration decides takes its side. A test that it
leaves open (members of a Kconfig choice, what cannot be evaluated) takes both, each with the
labels under which it is the one that counts: what both assign is then there side by side.

Limits: to a test all white space is one blank; a symbol that is free but no member of a
choice counts as on, so that the other side of its test is not read; a Makefile that grows or calls
without end is cut, and that is a loss.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from fnmatch import fnmatchcase
from posixpath import normpath
from typing import Final, NamedTuple

from lazymmu.kernelc.make_functions import carry_out
from lazymmu.kernelc.make_words import (
    UNKNOWN,
    Labels,
    Word,
    all_labels,
    closing,
    commas,
    opposite,
    replaced,
    sides,
    uncertain,
    union,
    unread,
)
from lazymmu.kernelc.tree import Tree

__all__ = ["Makefile", "Setting"]

_ASSIGN: Final = re.compile(
    r"\s*(?:override\s+|export\s+|private\s+)*"
    r"((?:[^\s:=+?$#(]|\$\([^()]*(?:\([^()]*\)[^()]*)*\))+)\s*"
    r"(:::=|:=|::=|\+=|\?=|=)\s*(.*)\Z",
    re.S,
)
_CONDITION: Final = re.compile(r"\s*(?:else\s+)?(ifeq|ifneq|ifdef|ifndef)\b\s*(.*)\Z", re.S)
_RENAMES: Final = re.compile(r"(\S*%\S*\.o)\s*:\s*(\S*%\S*\.o)(?:\s|\Z)")
_INCLUDE: Final = re.compile(r"\s*(-|s)?include\s+(.+)")
_CALL: Final = re.compile(r"\s*\$[({]call\s+([\w.-]+)\s*(?:,(.*))?[)}]\s*\Z", re.S)
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

_WORDS: Final = 5_000
"""Most words that a variable holds: a kernel's longest lists have some hundred."""

_LETTERS: Final = 10_000
"""Longest word."""

_WAYS: Final = 64
"""Most ways in which a word is put together from sides of open tests."""

_DEEPEST: Final = 500
"""How deep conditionals may nest: a kernel's nest four deep."""

_WORK: Final = 1_000_000
"""Most references that one Makefile follows and words that they give, with its lines and the files
that it includes, which count as _LINE and _FILE: the most that a kernel's takes is a twentieth."""

_LINE: Final = 5
_FILE: Final = 200


class Setting(NamedTuple):
    """What a Makefile is read under.

    tree: where it and what it includes stand; value: what the configuration says of a symbol,
    "y", "n", "free" or "either" (see kconfig.Config.may); number: the value of a number.
    """

    tree: Tree
    value: Callable[[str], str]
    number: Callable[[str], int | None]


class _Later(NamedTuple):
    """A text that is expanded whenever its variable is referred to, and its labels."""

    text: str
    labels: Labels


class _Branch(NamedTuple):
    """One open conditional.

    outer: is what is around it read; live: is its branch; done: was a branch taken for certain;
    labels: what the branch rests on, with what is around it; others: what the branches after it
    rest on.
    """

    outer: bool
    live: bool
    done: bool
    labels: Labels
    others: Labels


class Makefile:
    """The variables of one Makefile, each a list of words with labels.

    renamed: patterns of objects that rules make from others, `%.pi.o` from `%.o`.
    """

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
        self.variables: dict[str, list[Word | _Later]] = {
            name: list(words) for name, words in (given or {}).items()
        }
        self.variables.update({name: [] for name in _EMPTY})
        self.variables.update({name: [(text, ())] for name, text in (fixed or {}).items()})
        self._fixed = frozenset(fixed or ())
        self.variables["src"] = self.variables["obj"] = [(directory, ())]
        self.variables["srctree"] = self.variables["objtree"] = []
        self._open: list[str] = []
        self._own: set[str] = set()
        self._late: set[str] = set()
        self._line_number = 0
        self._work = 0

    def read(self, rel: str) -> None:
        """Carry out the lines of the Makefile `rel`."""
        if rel in self._open or len(self._open) > 40:
            return
        outer = self._line_number
        self._work += _FILE
        self._open.append(rel)
        self._carry_out(self.setting.tree.read(rel).decode("utf-8", "replace"))
        self._open.pop()
        self._line_number = outer

    def words(self, name: str) -> list[Word]:
        """Return the words of a list, as a build would have them at the end."""
        with contextlib.suppress(RecursionError):
            return self.variable(name)
        return self.unread()

    def _carry_out(self, text: str) -> None:
        branches: list[_Branch] = []
        define: list[str] = []
        lines = text.split("\n")
        index = 0
        while index < len(lines):
            line = lines[index]
            self._line_number = index + 1
            index += 1
            self._work += _LINE
            if self._work > _WORK:
                self._lose("includes files without end")
                return
            if define:
                if line.strip().startswith("endef"):
                    self.variables[define[0]] = [_Later("\n".join(define[1:]), ())]
                    define = []
                else:
                    define.append(line)
                continue
            parts = [line]
            while parts[-1].endswith("\\"):
                parts[-1] = parts[-1][:-1]
                parts.append(lines[index].strip() if index < len(lines) else "")
                index += 1
            stripped = " ".join(parts).strip()
            if not stripped or stripped[0] == "#":
                continue
            word = stripped.split(None, 1)[0]
            if word == "define":
                define = [stripped[6:].strip(" \t:=") or "define"]
            elif (word.startswith("if") or word in ("else", "endif")) and self._conditional(
                word, stripped, branches
            ):
                continue
            elif not branches:
                self._line(stripped, ())
            elif branches[-1].live:
                self._line(stripped, branches[-1].labels)

    def _conditional(self, word: str, line: str, branches: list[_Branch]) -> bool:
        """Carry out a line of a conditional; False when it is none."""
        match = _CONDITION.match(line)
        if word == "endif":
            if branches:
                branches.pop()
            return True
        before: Labels = ()
        last = branches[-1] if branches else None
        if word == "else":
            if last is None:
                return True
            branches.pop()
            if last.done or not last.outer:
                branches.append(_Branch(last.outer, False, True, (), ()))
                return True
            before = last.others
            last = branches[-1] if branches else None
        elif match is None:
            return False
        outer = last is None or last.live
        around = last.labels if last is not None else ()
        if len(branches) == _DEEPEST:
            self._lose("conditionals nest too deep")
        if not outer or len(branches) >= _DEEPEST:
            branches.append(_Branch(False, False, True, (), ()))
            return True
        truth: bool | None = True
        labels: Labels = ()
        others: Labels = ()
        if match is not None:
            try:
                truth, labels, others = self._test(match[1], match[2])
            except RecursionError:
                truth, labels, others = None, self._here(), self._here()
        labels = union(around, union(before, labels))
        branches.append(
            _Branch(True, truth is not False, truth is True, labels, union(before, others))
        )
        return True

    def carry_out_text(self, text: str) -> None:
        """Read what `$(eval text)` is given as lines of the Makefile."""
        match = _CALL.match(text)
        body = self.variables.get(match[1], []) if match is not None else []
        if match is None or len(body) != 1 or not isinstance(body[0], _Later):
            self._line(self._text(text), ())
            return
        arguments = ["", *commas(match[2] or "")]
        values = {str(index): self.expand(item) for index, item in enumerate(arguments)}
        for line in body[0].text.split("\n"):
            words = self.bound(values, line)
            self._line(" ".join(word for word, _ in words), all_labels(words))

    def _line(self, line: str, around: Labels) -> None:
        try:
            self._assign(line, around)
        except RecursionError:
            self._lose("nests too deep")

    def _assign(self, line: str, around: Labels) -> None:
        match = _ASSIGN.match(line)
        if match is None:
            self._other(line)
            return
        names = self.expand(match[1])
        if len(names) == 1:
            value = match[3].split("#", 1)[0] if "#" in match[3] else match[3]
            self._set(names[0], match[2], value, around)
        elif uncertain(all_labels(names)):
            value = match[3].split("#", 1)[0]
            for name in names:
                self._set(name, match[2], value, around)

    def _other(self, line: str) -> None:
        """Carry out an include, or functions that stand alone."""
        included = _INCLUDE.match(line)
        if included is None:
            rule = _RENAMES.match(line)
            if rule is not None:
                made, source = self._text(rule[1]), self._text(rule[2])
                if made.endswith(".o") and made.count("%") == source.count("%") == 1:
                    self.renamed.append((made, source))
            elif line.startswith("$(") and closing(line, 1) == len(line) - 1:
                self.expand(line)
            return
        for path, _ in self.expand(included[2].split("#", 1)[0]):
            rel = normpath(path.lstrip("/"))
            if self.setting.tree.has(rel):
                self.read(rel)
            elif not included[1] and UNKNOWN not in rel and not _made(rel):
                self._lose(f"line {self._line_number} includes {rel}, which is not there")

    def _set(self, name: Word, operator: str, value: str, around: Labels) -> None:
        target = name[0].replace(UNKNOWN, "y")
        if target in self._fixed:
            return
        labels = union(around, name[1])
        new: list[Word | _Later]
        known = self.variables.get(target)
        if operator == "?=" and (known is not None or self._decided(target)):
            return
        if operator in ("=", "?=") or (operator == "+=" and known is None):
            self._late.add(target)
        elif operator != "+=":
            self._late.discard(target)
        if target in self._late and "$" in value:
            new = [_Later(value, labels)]
        else:
            new = [(word, union(labels, own)) for word, own in self.expand(value)]
        if known is not None and (operator == "+=" or uncertain(around)):
            if target not in self._own:
                known = self.variables[target] = list(known)
            room = max(_WORDS - len(known), 0)
            known += new[:room]
        else:
            room = _WORDS
            self.variables[target] = new[:room]
        if len(new) > room:
            self._lose(f"`{target:.40}` grows without end")
        self._own.add(target)

    def _lose(self, reason: str) -> None:
        self.setting.tree.lose(self._open[0] if self._open else self.directory, reason)

    def _place(self) -> str:
        return f"{self._open[-1] if self._open else self.directory}:{self._line_number}"

    def _here(self) -> Labels:
        return (unread(self._open[-1] if self._open else self.directory, self._line_number),)

    def unread(self) -> list[Word]:
        """Return the word for what cannot be evaluated at the line at hand."""
        return [(UNKNOWN, self._here())]

    def _test(self, kind: str, text: str) -> tuple[bool | None, Labels, Labels]:
        """Return whether a test holds, and what it and its opposite rest on; None: either."""
        wanted = kind in ("ifdef", "ifeq")
        if kind in ("ifdef", "ifndef"):
            left, right = self._value(text.split("#", 1)[0].strip()), []
            truth = bool(left)
        else:
            first, second = sides(text)
            left, right = self.expand(first), self.expand(second)
            truth = [word for word, _ in left] == [word for word, _ in right]
        words = [*left, *right]
        labels = all_labels(words)
        if any(UNKNOWN in word for word, _ in words):
            return None, labels, labels
        if uncertain(labels):
            return self._alternatives(kind, left, right, wanted)
        open_labels = tuple(label for label in labels if self._either(label))
        truth = truth == wanted
        if open_labels:
            against = opposite(open_labels)
            return None, *((labels, against) if truth else (against, labels))
        return truth, labels if truth else (), ()

    def _value(self, name: str) -> list[Word]:
        """Return what ifdef looks at: a text that is expanded later counts, whatever it gives."""
        found: list[Word] = []
        for word, labels in self.expand(name):
            late = [i for i in self.variables.get(word, ()) if isinstance(i, _Later) and i.text]
            values = self.variable(word) or [("late", item.labels) for item in late]
            found += [(value, union(labels, own)) for value, own in values]
        return found

    def _alternatives(
        self, kind: str, left: list[Word], right: list[Word], wanted: bool
    ) -> tuple[bool | None, Labels, Labels]:
        """Test a word that is another one on each side of an open test."""
        labels = all_labels([*left, *right])
        if kind in ("ifdef", "ifndef") or not left or not right or len(right) > 1:
            return None, labels, labels
        fitting = [own for word, own in left if (word == right[0][0]) == wanted]
        others = [own for word, own in left if (word == right[0][0]) != wanted]
        if not fitting or not others:
            return bool(fitting), (), ()
        one, other = (side[0] if len(side) == 1 else labels for side in (fitting, others))
        return None, one, other

    def _either(self, label: str) -> bool:
        return label.startswith("CONFIG_") and self.setting.value(label[7:]) == "either"

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
            if len(found) > _WORDS:
                break
            if isinstance(item, _Later):
                expanded = self.expand(item.text)
                found += [(word, union(item.labels, own)) for word, own in expanded]
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
        """Return the words of `text` with its variables and functions replaced."""
        if "$" not in text:
            return [(word, ()) for word in text.split()]
        result: list[Word] = []
        # The ways in which the word at hand may be put together: one, but for sides of an open
        # test. A list in the middle of a word splits it, as make does.
        current: list[Word] = []

        def add(pieces: list[Word]) -> None:
            nonlocal current
            current = [
                (before + piece, union(labels, own))
                for before, labels in current or [("", ())]
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
        while position < len(text) and len(result) <= _WORDS:
            character = text[position]
            if character == "$" and position + 1 < len(text):
                if text[position + 1] in "({":
                    close = closing(text, position + 1)
                    words = self._reference(text[position + 2 : close])
                    position = close + 1
                    self._work += 1 + len(words)
                    if any(len(word) > _LETTERS for word, _ in words):
                        words = self.unread()
                else:
                    name = text[position + 1]
                    words = [("$", ())] if name == "$" else self.variable(name)
                    position += 2
                if len(words) > 1 and uncertain(all_labels(words)):
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
                stop = position + 1
                while stop < len(text) and text[stop] != "$" and not text[stop].isspace():
                    stop += 1
                add([(text[position:stop], ())])
                position = stop
        end()
        return result

    def _reference(self, inner: str) -> list[Word]:
        if self._work > _WORK:
            self._lose("calls functions without end")
            return self.unread()
        name, space, rest = inner.partition(" ")
        if "\t" in name:
            name, space, rest = inner.partition("\t")
        if not space or "$" in name or "(" in name:
            expanded = self.expand(inner) if "$" in inner else [(inner, ())]
            if len(expanded) != 1:
                return []
            target, needs = expanded[0]
            pattern = target.split(":", 1)
            words = self.variable(pattern[0])
            if len(pattern) == 2 and "=" in pattern[1]:
                old, new = pattern[1].split("=", 1)
                words = [(replaced(word, old, new), labels) for word, labels in words]
            return [(word, union(labels, needs)) for word, labels in words]
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
        ][:_WORDS]

    def _text(self, text: str) -> str:
        return " ".join(word for word, _ in self.expand(text))


def _made(rel: str) -> bool:
    """Tell whether a file is made by the build, so that a plain tree has it not."""
    return rel.startswith("include/config/") or "/generated/" in rel or rel.endswith(".cmd")
