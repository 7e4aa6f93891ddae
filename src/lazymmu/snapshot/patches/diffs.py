# SPDX-License-Identifier: GPL-2.0-or-later
"""Diffs: unified ones, as diff, git and quilt write them, with git's lines about renames and modes.

What stands around a diff (a mail's text, a signature) is passed over. The form: git,
Documentation/diff-generate-patch.txt; the quoting of names: git, quote.c.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from typing import Final

from lazymmu.problem import Problem

__all__ = ["FilePatch", "Hunk", "diffs"]

_HUNK: Final = re.compile(rb"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_QUOTED: Final = re.compile(rb'"((?:[^"\\]|\\.)*)"')
_ESCAPE: Final = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_ESCAPES: Final = {
    b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r",
}  # fmt: skip
_DATE: Final = re.compile(rb"\t.*|[ \t]+\d{4}-\d\d-\d\d[ \t].*")
_NOWHERE: Final = b"/dev/null"

_LONGEST_NAME, _LONGEST_PATH = 255, 4095
"""Bytes of a file's name and of a path (NAME_MAX, and PATH_MAX without the null byte)."""


@dataclass(frozen=True, slots=True)
class Hunk:
    """A piece of a file, before and after.

    :param at: the line that it begins in, counted from 0, before and after.
    :param old: the lines before, each with its newline if it has one; new: those after.
    :param leading: how many lines at the beginning are in both; trailing: at the end.
    """

    at: tuple[int, int]
    old: tuple[bytes, ...]
    new: tuple[bytes, ...]
    leading: int
    trailing: int

    def reversed(self) -> Hunk:
        """The hunk that undoes this one."""
        return replace(self, at=self.at[::-1], old=self.new, new=self.old)


@dataclass(frozen=True, slots=True)
class FilePatch:
    """What becomes of one file.

    :param old: its path before, None if it was not there; new: after, None if it is gone.
    :param modes: before and after, as far as they are told, "" else.
    :param copied: the file remains where it was, too.
    :param binary: what changes is not told as lines.
    :param loose: told by a plain diff, in which only its lines say whether a file comes or goes.
    """

    old: str | None
    new: str | None
    hunks: tuple[Hunk, ...] = ()
    modes: tuple[str, str] = ("", "")
    copied: bool = False
    binary: bool = False
    loose: bool = False

    @property
    def path(self) -> str:
        """The path that it is called by."""
        return self.new or self.old or ""

    @property
    def moves(self) -> bool:
        """Whether the file has another name after."""
        return self.old is not None and self.new is not None and self.old != self.new

    @property
    def leaves(self) -> bool:
        """Whether there is nothing any more where the file was."""
        return self.old is not None and self.old != self.new and (not self.copied or not self.new)

    def reversed(self) -> FilePatch:
        """What undoes it; a copy is undone by deleting it."""
        if self.copied:
            return FilePatch(self.new, None, copied=True)
        hunks = tuple(hunk.reversed() for hunk in self.hunks)
        return replace(self, old=self.new, new=self.old, hunks=hunks, modes=self.modes[::-1])


def diffs(text: bytes, strip: int = 1) -> list[FilePatch]:
    """What a text with diffs says, in its order; nothing if there is none.

    :param strip: how many first parts its paths have that are not the tree's: 1 (`a/`), or 0.
    :raises Problem: a diff is damaged, or names what no tree has.
    """
    reader = _Reader(text.split(b"\n"), strip)
    found: list[FilePatch] = []
    while reader.at < len(reader.lines):
        one = reader.one()
        if one is not None:
            found.append(one)
    for one in found:
        for path in (one.old, one.new):
            _checked(path)
    return found


class _Reader:
    """Goes through the lines of a text."""

    def __init__(self, lines: list[bytes], strip: int) -> None:
        self.lines = lines
        self._strip = strip
        self.at = 0
        if lines and not lines[-1]:
            lines.pop()

    def one(self) -> FilePatch | None:
        """The diff that begins at this line, which is passed over if none does."""
        line = self.lines[self.at]
        if line.startswith(b"diff --git "):
            return self._git(line)
        if line.startswith(b"--- ") and self._follows(b"+++ ", 1) and self._follows(b"@@ ", 2):
            return self._loose()
        if _HUNK.match(line):
            raise Problem(f"not a patch: line {self.at + 1} begins a hunk of no file")
        self.at += 1
        return None

    def _loose(self) -> FilePatch:
        """A diff without a head of git's; of two names the shorter is the file's (`x.c.orig`)."""
        names = self._names()
        old, new = (_path(name, self._strip) for name in names)
        if old is not None and new is not None:
            old = new = min(old, new, key=len)
        return FilePatch(
            old, new, tuple(self._hunks(names[1] or names[0] or b"")), loose=None not in names
        )

    def _follows(self, start: bytes, after: int) -> bool:
        at = self.at + after
        return at < len(self.lines) and self.lines[at].startswith(start)

    def _names(self) -> tuple[bytes | None, bytes | None]:
        """The names in the lines `---` and `+++`, None for no file."""
        names = [_name(self.lines[self.at + number][4:]) for number in (0, 1)]
        self.at += 2
        return names[0], names[1]

    def _git(self, head: bytes) -> FilePatch:
        """A diff that git wrote: its head says more than names."""
        old, new = _both(head.removeprefix(b"diff --git "))
        modes = ["", ""]
        born = died = copied = binary = False
        hunks: tuple[Hunk, ...] = ()
        self.at += 1
        while self.at < len(self.lines):
            key, _, value = self._head()
            match key:
                case b"old mode" | b"deleted file mode":
                    modes[0], died = _mode(value), died or key.startswith(b"deleted")
                case b"new mode" | b"new file mode":
                    modes[1], born = _mode(value), born or key.startswith(b"new file")
                case b"rename from" | b"copy from":
                    old = _prefixed(value, self._strip)
                    copied = key == b"copy from"
                case b"rename to" | b"copy to":
                    new = _prefixed(value, self._strip)
                case b"index":
                    mode = value.partition(b" ")[2]
                    modes = [modes[0] or _mode(mode), modes[1] or _mode(mode)]
                case b"similarity index" | b"dissimilarity index":
                    pass
                case b"GIT binary patch" | b"Binary files":
                    binary = True
                    self.at += 1
                    break
                case b"---":
                    names = self._names()
                    # These have no blanks to part by, where the first line has two names.
                    old, new = names[0] or old, names[1] or new
                    born, died = born or names[0] is None, died or names[1] is None
                    hunks = tuple(self._hunks(new or old or b""))
                    break
                case _:
                    break
            self.at += 1
        if old is None or new is None:
            raise Problem(f"not a patch: the names in `{_shown(head)}` cannot be told apart")
        changes = hunks or binary or born or died or copied or any(modes)
        if not changes and _path(old, self._strip) == _path(new, self._strip):
            raise Problem(f"not a patch: `{_shown(head)}` is all that there is of a diff")
        return FilePatch(
            None if born else _path(old, self._strip),
            None if died else _path(new, self._strip),
            hunks,
            (modes[0] or modes[1], modes[1] or modes[0]),
            copied,
            binary,
        )

    def _head(self) -> tuple[bytes, bytes, bytes]:
        """The word or words that a line of a head begins with, and the rest."""
        line = self.lines[self.at]
        if line.startswith(b"--- ") and self._follows(b"+++ ", 1):
            return b"---", b" ", line[4:]
        for key in (
            b"old mode", b"new mode", b"deleted file mode", b"new file mode", b"rename from",
            b"rename to", b"copy from", b"copy to", b"similarity index", b"dissimilarity index",
            b"index", b"Binary files",
        ):  # fmt: skip
            if line.startswith(key + b" "):
                return key, b" ", line[len(key) + 1 :]
        return line.rstrip(b"\r"), b"", b""

    def _hunks(self, name: bytes) -> list[Hunk]:
        hunks: list[Hunk] = []
        while self.at < len(self.lines) and (match := _HUNK.match(self.lines[self.at])):
            counts = [int(number) if number is not None else 1 for number in match.group(2, 4)]
            hunks.append(self._hunk(name, len(hunks) + 1, (int(match[1]), int(match[3])), counts))
        if not hunks:
            raise Problem(f"not a patch: {_shown(name)} has no hunk behind line {self.at}")
        return hunks

    def _hunk(self, name: bytes, number: int, at: tuple[int, int], counts: list[int]) -> Hunk:
        first = self.at + 1
        self.at += 1
        old: list[bytes] = []
        new: list[bytes] = []
        kinds: list[bytes] = []
        while len(old) < counts[0] or len(new) < counts[1]:
            line = self.lines[self.at] if self.at < len(self.lines) else None
            # A mailer may have cut the blank of an empty line.
            kind = None if line is None else line[:1] or b" "
            if line is None or kind not in {b" ", b"+", b"-"}:
                raise Problem(
                    f"not a patch: hunk {number} of {_shown(name)} (line {first}) is cut off"
                )
            self.at += 1
            text = line[1:] + b"\n"
            if self.at < len(self.lines) and self.lines[self.at].startswith(b"\\ "):
                self.at += 1
                text = line[1:]
            kinds.append(kind)
            old += [text] if kind != b"+" else []
            new += [text] if kind != b"-" else []
        if len(old) != counts[0] or len(new) != counts[1]:
            raise Problem(
                f"not a patch: hunk {number} of {_shown(name)} (line {first}) has other lines than "
                "its head says"
            )
        # A hunk without lines on one side names the line before it.
        where = [place - 1 if count else place for place, count in zip(at, counts, strict=True)]
        return Hunk(
            (max(where[0], 0), max(where[1], 0)), tuple(old), tuple(new), _run(kinds),
            _run(kinds[::-1]),
        )  # fmt: skip


def _run(kinds: list[bytes]) -> int:
    return next((number for number, kind in enumerate(kinds) if kind != b" "), len(kinds))


def _both(text: bytes) -> tuple[bytes | None, bytes | None]:
    """The two names of a line `diff --git`, None where it does not tell where one ends."""
    text = text.rstrip(b"\r")
    if text.startswith(b'"') and (match := _QUOTED.match(text)):
        return _unquoted(match[0]), _unquoted(text[match.end() + 1 :])
    if text.endswith(b'"'):
        at = text.find(b' "')
        return text[:at], _unquoted(text[at + 1 :])
    # Both are the same, but for the first part.
    for match in re.finditer(rb" ", text):
        one, other = text[: match.start()], text[match.end() :]
        if one.partition(b"/")[2] == other.partition(b"/")[2] and b"/" in one:
            return one, other
    return None, None


def _name(text: bytes) -> bytes | None:
    """A name in a line `---` or `+++`, None for no file."""
    text = text.rstrip(b"\r")
    if text.startswith(b'"') and (match := _QUOTED.match(text)):
        return _unquoted(match[0])
    text = _DATE.sub(b"", text)
    return None if text == _NOWHERE else text


def _prefixed(text: bytes, strip: int) -> bytes:
    """A name in a line about renames, which has no first part that is not its own."""
    return b"a/" * strip + _unquoted(text.rstrip(b"\r"))


def _unquoted(text: bytes) -> bytes:
    match = _QUOTED.fullmatch(text)
    if match is None:
        return text

    def meant(escape: re.Match[bytes]) -> bytes:
        word = escape[1]
        return bytes([int(word, 8) & 0xFF]) if len(word) == 3 else _ESCAPES.get(word, word)

    return _ESCAPE.sub(meant, match[1])


def _path(name: bytes | None, strip: int) -> str | None:
    """A path in the tree: the name without its first part (`a/`, `b/`, `linux.orig/`), if any."""
    if name is None:
        return None
    if not strip:
        return os.fsdecode(name)
    first, slash, rest = name.partition(b"/")
    if not slash or not rest or (not first and name.startswith(b"/")):
        raise Problem(f"names no file of a tree: {_shown(name)} (paths have a first part, as a/)")
    return os.fsdecode(rest)


def _mode(text: bytes) -> str:
    mode = text.strip().decode("ascii", "replace")
    return mode if re.fullmatch(r"[0-7]{6}", mode) else ""


def _checked(rel: str | None) -> None:
    """Refuse a path that no tree has, or no patch of source changes."""
    if rel is None:
        return
    parts = rel.split("/")
    if rel.startswith("/") or ".." in parts or "\0" in rel:
        raise Problem(f"leads out of the tree: {rel}")
    if any(part.lower() == ".git" for part in parts):
        raise Problem(f"names a file of git's own: {rel}")
    if len(os.fsencode(rel)) > _LONGEST_PATH or any(
        len(os.fsencode(part)) > _LONGEST_NAME for part in parts
    ):
        raise Problem("names a file that no tree can have, its name is too long")
    if any(part in ("", ".") for part in parts):
        raise Problem(f"names no file of a tree: {rel}")


def _shown(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
