# SPDX-License-Identifier: GPL-2.0-or-later
"""Which .c files one configuration builds, and under which free symbols.

The tree's own Makefiles are read as Kbuild reads them (Documentation/kbuild/makefiles.rst), from
the top: `obj-$(CONFIG_X)` lists, directories, composite objects, variables that collect objects,
and conditionals. Every word of a list carries the free symbols that put it there.

Limits: recipes and rules are not read, nor what a shell would answer; `-D` flags do not reach
the preprocessor. A directory is entered by its own Makefile only, so that files listed with a
path by a far Makefile (virt/kvm) are found when that Makefile was read before.
"""

from __future__ import annotations

import contextlib
import re
from posixpath import dirname, normpath
from typing import Final

from lazymmu.kernelc.cpp import Options
from lazymmu.kernelc.profile import Profile
from lazymmu.kernelc.tree import Tree

__all__ = ["Kbuild"]

Labels = tuple[str, ...]
Word = tuple[str, Labels]

_ASSIGN: Final = re.compile(
    r"\s*(?:override\s+|export\s+)*((?:[^\s:=+?$#(]|\$\([^()]*(?:\([^()]*\)[^()]*)*\))+)\s*"
    r"(:=|::=|\+=|\?=|=)\s*(.*)\Z",
    re.S,
)
_CONDITION: Final = re.compile(r"\s*(?:else\s+)?(ifeq|ifneq|ifdef|ifndef)\b\s*(.*)\Z", re.S)
_INCLUDE: Final = re.compile(r"\s*-?include\s+(.+)")
_LISTS: Final = ("obj-y", "obj-m", "lib-y", "lib-m")
_TOP_LISTS: Final = ("init", "core", "drivers", "net", "libs", "virt")
_WORDS: Final = 5_000
"""Most words that a variable holds: a kernel's longest lists have some hundred."""


class Kbuild:
    """The Makefiles of a tree under one configuration, read as they are asked for."""

    def __init__(self, tree: Tree, config: Options, profile: Profile | None = None) -> None:
        """Look at `tree` under `config`; without `profile` no architecture's Makefile is read."""
        self.tree = tree
        self.config = config
        self._files: dict[str, Labels] = {}
        self._directories: dict[str, Labels | None] = {"": ()}
        self._read = {""}
        self._flags: dict[str, tuple[str, ...]] = {"": ()}
        self._exported: dict[str, list[Word]] = {}
        self._arch = profile.arch_dir if profile is not None else ""
        self._top()

    def conditions(self, rel: str) -> Labels | None:
        """Return the free symbols without which the .c file `rel` is not built.

        None when it cannot be built at all under this configuration. Labels are CONFIG_X, or
        `CONFIG_X || CONFIG_Y` when either builds it.
        """
        self._enter(dirname(rel))
        return self._files.get(rel)

    def include_directories(self, rel: str) -> tuple[str, ...]:
        """Return the directories that `-I` flags of the file's Makefiles add, nearest first."""
        directory = dirname(rel)
        self._enter(directory)
        return self._flags.get(directory, ())

    def _top(self) -> None:
        """Read the top directory's lists: Kbuild, and what the architecture adds to them."""
        lists: dict[str, list[Word]] = {}
        if self._arch:
            arch = _Makefile(self, f"arch/{self._arch}", {})
            arch.read(f"arch/{self._arch}/Makefile")
            for kind in _TOP_LISTS:
                for state in ("y", "m"):
                    lists.setdefault(kind, []).extend(arch.variables.get(f"{kind}-{state}", []))
            self._exported = {
                name: words
                for name, words in arch.variables.items()
                if not name.startswith(tuple(f"{kind}-" for kind in _TOP_LISTS))
            }
        top = _Makefile(self, "", self._exported)
        top.variables["SRCARCH"] = [(self._arch, ())]
        top.variables["ARCH_CORE"] = lists.get("core", [])
        top.variables["ARCH_DRIVERS"] = lists.get("drivers", [])
        libraries = [word for word in lists.get("libs", []) if word[0].endswith("/")]
        top.variables["ARCH_LIB"] = [*libraries, ("lib/", ())]
        if self.tree.has("Kbuild"):
            top.read("Kbuild")
        # Before 6.1 the top Makefile listed directories in variables of its own.
        for kind, words in lists.items():
            if kind != "libs":
                top.variables.setdefault("obj-y", []).extend(words)
        self._collect("", top, ())

    def _enter(self, directory: str) -> Labels | None:
        """Read the Makefile of a directory and of those above it; its labels, None if unbuilt."""
        if directory in self._read:
            return self._directories.get(directory)
        self._read.add(directory)
        above = dirname(directory)
        self._enter(above)
        labels = self._directories.get(directory)
        if labels is None:
            self._flags[directory] = self._flags.get(above, ())
            return None
        makefile = _Makefile(self, directory, self._exported)
        for name in ("Kbuild", "Makefile"):
            if self.tree.has(f"{directory}/{name}"):
                makefile.read(f"{directory}/{name}")
                break
        self._collect(directory, makefile, labels)
        return labels

    def _collect(self, directory: str, makefile: _Makefile, labels: Labels) -> None:
        """Enter what the lists of a directory's Makefile name."""
        flags = self._flags.get(dirname(directory), ()) if directory else ()
        own: list[str] = []
        for name in ("ccflags-y", "subdir-ccflags-y", "EXTRA_CFLAGS"):
            own += _include_paths([word for word, _ in makefile.variables.get(name, [])])
        self._flags[directory] = tuple(dict.fromkeys([*own, *flags]))
        for kind in _LISTS:
            for word, needs in makefile.variables.get(kind, []):
                self._object(directory, makefile, word, _union(labels, needs), set())

    def _object(
        self,
        directory: str,
        makefile: _Makefile,
        word: str,
        labels: Labels,
        seen: set[tuple[str, Labels]],
    ) -> None:
        """Enter one word of a list: a directory, or an object with its members."""
        path = normpath(f"{directory}/{word}") if directory else normpath(word)
        if word.endswith("/"):
            self._directories[path] = _least(self._directories.get(path), labels)
            return
        if not word.endswith(".o") or (word, labels) in seen:
            return
        seen.add((word, labels))
        source = path[:-2] + ".c"
        if self.tree.has(source):
            self._files[source] = _least(self._files.get(source), labels)
        stem = word[:-2]
        for suffix in ("-objs", "-y", "-m"):
            for member, needs in makefile.variables.get(stem + suffix, []):
                self._object(directory, makefile, member, _union(labels, needs), seen)


def _include_paths(words: list[str]) -> list[str]:
    """Return the tree's directories among compiler flags: `-Idir`, `-I dir`."""
    found: list[str] = []
    for index, word in enumerate(words):
        if word.startswith("-I"):
            path = word[2:] or (words[index + 1] if index + 1 < len(words) else "")
            path = normpath(path.lstrip("/")) if path else ""
            if path and not path.startswith(".."):
                found.append(path)
    return found


def _union(left: Labels, right: Labels) -> Labels:
    if not right:
        return left
    return left + tuple(label for label in right if label not in left)


def _least(known: Labels | None, new: Labels) -> Labels:
    """Return the labels of something that is reached in two ways."""
    if known is None or known == new:
        return new
    if set(known) <= set(new):
        return known
    if set(new) <= set(known):
        return new
    common = tuple(label for label in known if label in new)
    rest = [tuple(label for label in side if label not in common) for side in (known, new)]
    if len(rest[0]) == len(rest[1]) == 1:
        words = dict.fromkeys(" || ".join((*rest[0], *rest[1])).split(" || "))
        return (*common, " || ".join(words))
    return min(known, new, key=len)


class _Makefile:
    """The variables of one Makefile, each a list of words with labels."""

    def __init__(self, kbuild: Kbuild, directory: str, exported: dict[str, list[Word]]) -> None:
        self.kbuild = kbuild
        self.directory = directory
        self.variables: dict[str, list[Word]] = dict(exported)
        self.variables["src"] = self.variables["obj"] = [(directory, ())]
        self.variables["srctree"] = self.variables["objtree"] = []
        self._open: set[str] = set()

    def read(self, rel: str) -> None:
        """Carry out the lines of the Makefile `rel`."""
        if rel in self._open:
            return
        self._open.add(rel)
        text = self.kbuild.tree.read(rel).decode("utf-8", "replace")
        # Per open conditional: is its branch taken, was one taken before, and its labels.
        branches: list[tuple[bool, bool, Labels]] = []
        in_define = False
        for line in text.replace("\\\n", " ").split("\n"):
            stripped = line.strip()
            if not stripped or stripped[0] == "#":
                continue
            if in_define:
                in_define = not stripped.startswith("endef")
                continue
            word = stripped.split(None, 1)[0]
            if word == "define":
                in_define = True
            elif word.startswith("if") and (match := _CONDITION.match(stripped)):
                truth, labels = self._test(match[1], match[2])
                branches.append((truth, truth, labels if truth else ()))
            elif word == "else" and branches:
                _, before, _ = branches.pop()
                truth, labels = (not before), ()
                match = _CONDITION.match(stripped)
                if truth and match is not None:
                    truth, labels = self._test(match[1], match[2])
                branches.append((truth, before or truth, labels if truth else ()))
            elif word == "endif" and branches:
                branches.pop()
            elif all(taken for taken, _, _ in branches):
                around: Labels = ()
                for _, _, labels in branches:
                    around = _union(around, labels)
                with contextlib.suppress(RecursionError):
                    self._line(stripped, around)
        self._open.discard(rel)

    def _line(self, line: str, around: Labels) -> None:
        match = _ASSIGN.match(line)
        if match is None:
            included = _INCLUDE.match(line)
            if included is not None:
                for path, _ in self.expand(included[1]):
                    rel = normpath(path.lstrip("/"))
                    if self.kbuild.tree.has(rel):
                        self.read(rel)
            return
        names = self.expand(match[1])
        if len(names) != 1:
            return
        name, needs = names[0]
        value = match[3]
        if "#" in value:
            value = value.split("#", 1)[0]
        labels = _union(around, needs)
        words = [(word, _union(labels, own)) for word, own in self.expand(value)]
        if match[2] == "+=":
            self.variables[name] = [*self.variables.get(name, []), *words]
        elif match[2] != "?=" or name not in self.variables:
            self.variables[name] = words
        if len(self.variables.get(name, ())) > _WORDS:
            del self.variables[name][_WORDS:]
            self.kbuild.tree.lose(f"{self.directory}/Makefile", f"`{name:.40}` grows without end")

    def _test(self, kind: str, text: str) -> tuple[bool, Labels]:
        if kind in ("ifdef", "ifndef"):
            words = self._variable(text.split("#", 1)[0].strip())
            truth = bool(words)
            labels = _all_labels(words)
        else:
            sides = _sides(text)
            left, right = self.expand(sides[0]), self.expand(sides[1])
            truth = [word for word, _ in left] == [word for word, _ in right]
            labels = _union(_all_labels(left), _all_labels(right))
        return (truth, labels) if kind in ("ifdef", "ifeq") else (not truth, labels)

    def _variable(self, name: str) -> list[Word]:
        if name.startswith("CONFIG_"):
            value = self.kbuild.config.value(name[7:])
            if value == "n":
                number = self.kbuild.config.number(name[7:])
                return [(str(number), ())] if number is not None else []
            return [("y", (name,) if value == "free" else ())]
        return self.variables.get(name, [])

    def expand(self, text: str) -> list[Word]:
        """Return the words of `text` with its variables and functions replaced."""
        if "$" not in text:
            return [(word, ()) for word in text.split()]
        # Parts of one word collect in `current`; a list of several words in the middle of a
        # word splits it, as make does.
        result: list[Word] = []
        current: Word | None = None

        def add(piece: str, labels: Labels) -> None:
            nonlocal current
            before = current if current is not None else ("", ())
            current = (before[0] + piece, _union(before[1], labels))

        def end() -> None:
            nonlocal current
            if current is not None and current[0]:
                result.append(current)
            current = None

        position = 0
        while position < len(text):
            character = text[position]
            if character == "$" and position + 1 < len(text):
                if text[position + 1] in "({":
                    close = _closing(text, position + 1)
                    words = self._reference(text[position + 2 : close])
                    position = close + 1
                else:
                    words = [("$", ())] if text[position + 1] == "$" else []
                    position += 2
                for index, (word, labels) in enumerate(words):
                    if index:
                        end()
                    add(word, labels)
            elif character.isspace():
                end()
                position += 1
            else:
                add(character, ())
                position += 1
        end()
        return result

    def _reference(self, inner: str) -> list[Word]:
        name, space, rest = inner.partition(" ")
        if not space or "$" in name or "(" in name:
            expanded = self.expand(inner) if "$" in inner else [(inner, ())]
            if len(expanded) != 1:
                return []
            target, needs = expanded[0]
            pattern = target.split(":", 1)
            words = self._variable(pattern[0])
            if len(pattern) == 2 and "=" in pattern[1]:
                old, new = pattern[1].split("=", 1)
                words = [(_replace(word, old, new), labels) for word, labels in words]
            return [(word, _union(labels, needs)) for word, labels in words]
        return self._function(name, rest)

    def _function(self, name: str, rest: str) -> list[Word]:
        arguments = _commas(rest)
        match name:
            case "subst" if len(arguments) == 3:
                old, new = arguments[0].strip(), arguments[1]
                return [
                    (word.replace(old, new), labels) for word, labels in self.expand(arguments[2])
                ]
            case "patsubst" if len(arguments) == 3:
                old, new = (self._text(item) for item in arguments[:2])
                return [
                    (_replace(word, old, new), labels) for word, labels in self.expand(arguments[2])
                ]
            case "filter" | "filter-out" if len(arguments) == 2:
                patterns = [word for word, _ in self.expand(arguments[0])]
                return [
                    item
                    for item in self.expand(arguments[1])
                    if any(_fits(item[0], pattern) for pattern in patterns) == (name == "filter")
                ]
            case "addprefix" | "addsuffix" if len(arguments) == 2:
                added = self._text(arguments[0])
                return [
                    (added + word if name == "addprefix" else word + added, labels)
                    for word, labels in self.expand(arguments[1])
                ]
            case "strip" | "sort" | "abspath" | "realpath":
                return self.expand(rest)
            case "if" if len(arguments) > 1:
                test = self.expand(arguments[0])
                chosen = arguments[1] if test else ",".join(arguments[2:])
                needs = _all_labels(test)
                return [(word, _union(needs, own)) for word, own in self.expand(chosen)]
            case "or":
                for argument in arguments:
                    if words := self.expand(argument):
                        return words
            case "and":
                words = []
                for argument in arguments:
                    if not (words := self.expand(argument)):
                        break
                return words
            case "findstring" if len(arguments) == 2:
                wanted = self._text(arguments[0])
                found = self.expand(arguments[1])
                return [(wanted, _all_labels(found))] if wanted in self._text(arguments[1]) else []
        return []

    def _text(self, text: str) -> str:
        return " ".join(word for word, _ in self.expand(text))


def _all_labels(words: list[Word]) -> Labels:
    found: Labels = ()
    for _, labels in words:
        found = _union(found, labels)
    return found


def _closing(text: str, opener: int) -> int:
    """Return the index of the bracket that closes the one at `opener`."""
    pair = {"(": ")", "{": "}"}[text[opener]]
    depth = 0
    for index in range(opener, len(text)):
        if text[index] == text[opener]:
            depth += 1
        elif text[index] == pair:
            depth -= 1
            if depth == 0:
                return index
    return len(text)


def _commas(text: str) -> list[str]:
    """Split a function's arguments at the commas outside brackets."""
    parts, depth, start = [], 0, 0
    for index, character in enumerate(text):
        if character in "({":
            depth += 1
        elif character in ")}":
            depth -= 1
        elif character == "," and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    return [*parts, text[start:]]


def _sides(text: str) -> tuple[str, str]:
    """Split the operands of ifeq: `(a,b)`, or two quoted ones."""
    text = text.strip()
    if text.startswith("("):
        parts = _commas(text[1 : _closing(text, 0)])
        return parts[0].strip(), ",".join(parts[1:]).strip()
    quoted: list[str] = re.findall(r"\"([^\"]*)\"|'([^']*)'", text)
    values = ["".join(item) for item in quoted]
    return (values[0], values[1]) if len(values) > 1 else (text, "")


def _fits(word: str, pattern: str) -> bool:
    head, percent, tail = pattern.partition("%")
    if not percent:
        return word == pattern
    return len(word) >= len(head) + len(tail) and word.startswith(head) and word.endswith(tail)


def _replace(word: str, old: str, new: str) -> str:
    """Replace by pattern, as patsubst and `$(x:old=new)` do."""
    if "%" not in old:
        old, new = f"%{old}", f"%{new}"
    if not _fits(word, old):
        return word
    head, _, tail = old.partition("%")
    return new.replace("%", word[len(head) : len(word) - len(tail)], 1)
