# SPDX-License-Identifier: GPL-2.0-or-later
"""Conditional compilation: which part of a text one architecture's compiler would see.

Three things live here: the directives of a text (`scan`), the table of macros that they
build up (`Macros`), and the selection that both together make (`Selection`, `interpret`).
Expressions are evaluated by if_expression.py.

A configuration symbol that a user may choose ("free") counts as on, so that the code it
guards is seen, with its presence condition (see presence.py). The other side of a free symbol, its
#else, is not seen.

Limits: a comment opener inside a string that goes on over lines can hide directives up to the
next comment end; `#include` is the caller's business.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from typing import Final, NamedTuple, Protocol

from lazymmu.kernelc.preprocess.if_bounds import BeyondError, Work
from lazymmu.kernelc.preprocess.if_expression import evaluate
from lazymmu.kernelc.presence import ALWAYS, NEVER, PresenceCondition, both, either

__all__ = [
    "MAX_DIRECTIVES",
    "Directive",
    "Macro",
    "Macros",
    "Options",
    "Scoped",
    "Selection",
    "blank",
    "guard",
    "interpret",
    "macro_text",
    "plain",
    "scan",
]


class Options(Protocol):
    """What the kernel's configuration says (see kconfig.Config)."""

    def value(self, symbol: str) -> str:
        """Return "y", "n" or "free" for a symbol without its CONFIG_ prefix."""
        ...

    def number(self, symbol: str) -> int | None:
        """Return the value of an int or hex symbol, None when it is none or has no default."""
        ...


Directive = tuple[str, int, int, str, str]
"""One preprocessor directive: (kind, start, end, word, rest).

kind: if, ifdef, ifndef, elif, else, endif, define, undef or include; start, end: its offsets,
line continuations and a comment that it opens included; word: the identifier that follows at
once, or nothing; rest: what comes after that.
"""


class Macro(NamedTuple):
    """One live `#define`: its text behind the name, its place, and its presence condition."""

    text: str
    file: str
    start: int
    presence: PresenceCondition

    @property
    def parameters(self) -> tuple[str, ...] | None:
        """Names of the parameters of a function-like macro, None for an object-like one."""
        if not self.text.startswith("("):
            return None
        names = self.text[1 : self.text.find(")")].replace("\\\n", " ").split(",")
        return tuple(name.strip() for name in names if name.strip())

    @property
    def value(self) -> str:
        """Replacement text with comments and line continuations taken out."""
        if not self.text.startswith("("):
            return plain(self.text)
        return plain(self.text[self.text.find(")") + 1 :])


_DIRECTIVE: Final = re.compile(
    r"\n[ \t]*#[ \t]*(ifdef|ifndef|if|elif|else|endif|define|undef|include)\b[ \t]*"
    r"(\w*)([^\n\\]*(?:\\(?:\r\n|[\s\S])[^\n\\]*)*)"
)
_COMMENT: Final = re.compile(
    r"(\"(?:[^\"\\\n]++|\\.)*+(?:\"|(?=\n)|\Z|\\))|/\*[\s\S]*?(?:\*/|\Z)|//[^\n]*"
)
_BLANKS: Final = bytes(byte if byte == 0x0A else 0x20 for byte in range(256))
_LONGEST: Final = 200_000
"""Longest macro that is read again by its place, in characters."""

MAX_DIRECTIVES: Final = 1_000_000
"""Most directives of one file; the most in 7.3, registers of a graphics card, are 194,934."""

_OPENERS: Final = frozenset({"if", "ifdef", "ifndef"})
_LINES: Final = frozenset({"define", "undef", "include"})


def plain(text: str) -> str:
    """Return `text` without comments and line continuations, and without outer blanks."""
    if "\\" in text:
        text = text.replace("\\\r\n", " ").replace("\\\n", " ")
    if "/*" in text or "//" in text:
        text = _COMMENT.sub(lambda match: match[1] or " ", text)
    return text.strip()


def blank(text: bytes) -> bytes:
    """Return blanks for every byte of `text` but its newlines, which stay."""
    return text.translate(_BLANKS)


def _in_comment(text: str, position: int, end: int, inside: bool) -> bool:
    """Tell whether `end` lies in a block comment, when `position` is or is not `inside` one."""
    while True:
        if inside:
            close = text.find("*/", position, end)
            if close < 0:
                return True
            position, inside = close + 2, False
        opener = text.find("/*", position, end)
        if opener < 0:
            return False
        line = text.rfind("\n", position, opener) + 1
        before = text[max(line, position) : opener]
        if "//" in before or before.count('"') % 2:
            position = opener + 2
            continue
        position, inside = opener + 2, True


def scan(text: str) -> tuple[list[Directive], list[int]]:
    """Return the directives of `text` that stand outside comments, and how their groups go on.

    `text` is a file decoded as latin-1, so that offsets are byte offsets. The second list has
    for each if, ifdef, ifndef, elif and else the index of the directive that ends its branch
    (the number of directives when none does), and 0 for others.
    """
    found: list[Directive] = []
    following: list[int] = []
    open_branches: list[int] = []
    position, inside = 0, False
    # The pattern starts at a newline, which is what makes it fast.
    text = "\n" + text
    for match in _DIRECTIVE.finditer(text):
        start, end = match.start() + 1, match.end()
        if start < position:
            # In a comment that the directive before it opened.
            continue
        if len(found) >= MAX_DIRECTIVES:
            break
        opener = text.rfind("/*", position, start)
        if inside or (opener >= 0 and text.find("*/", opener + 2, start) < 0):
            inside = _in_comment(text, position, start, inside)
            if inside:
                position = start
                continue
        kind, word, rest = match.groups()
        if "/*" in rest and _in_comment(rest, 0, len(rest), False):
            # The directive ends on the line on which its comment does.
            close = text.find("*/", end)
            end = close + 2 if close >= 0 else len(text)
        position = end
        if kind not in _LINES:
            index = len(found)
            if kind in _OPENERS:
                open_branches.append(index)
            elif open_branches:
                following[open_branches.pop()] = index
                if kind != "endif":
                    open_branches.append(index)
        following.append(0)
        found.append((kind, start - 1, end - 1, word, rest))
    for index in open_branches:
        following[index] = len(found)
    return found, following


def macro_text(text: str, start: int) -> str:
    """Return what stands behind the name in the `#define` that begins at offset `start`."""
    match = _DIRECTIVE.match("\n" + text[start : start + _LONGEST])
    return match[3] if match is not None else ""


def guard(directives: list[Directive], following: list[int]) -> str | None:
    """Return the include guard that wraps all directives of a file, None if there is none."""
    if directives and directives[0][0] == "ifndef" and following[0] == len(directives) - 1:
        return directives[0][3]
    return None


_Entry = tuple[str | None, str, int, PresenceCondition]
"""A definition as a table holds it: text (None: not yet read), file, offset, its condition."""


class Macros:
    """The macros defined at one point of a walk, over the configuration.

    A table may stand on a `base`: what it defines and undefines itself then hides the base
    without changing it, which is how one .c file is looked at with the walk's final table.
    """

    __slots__ = ("_base", "_load", "_own", "beyond", "options", "work")

    def __init__(
        self,
        values: Mapping[str, str] | None = None,
        options: Options | None = None,
        *,
        base: Macros | None = None,
        load: Callable[[str, int], str] | None = None,
    ) -> None:
        """Start with object-like macros `values` (name to text) over `options` and `base`.

        `load` finds the text of a macro that was entered without one, by file and offset.
        """
        self._own: dict[str, _Entry | None] = {}
        self._base: Macros | None = base
        self._load = load
        self.beyond = False
        """Whether a condition was met that is too much to be evaluated; it does not hold then."""
        self.work: Work = base.work if base is not None else Work()
        self.options: Options | None = options
        if options is None and base is not None:
            self.options = base.options
        for name, value in (values or {}).items():
            self._own[name] = (f" {value}", "", -1, ALWAYS)

    def get(self, name: str) -> Macro | None:
        """Return the definition of `name`, None when it has none."""
        if name in self._own:
            known = self._own[name]
            if known is None:
                return None
            if known[0] is None:
                text = self._load(known[1], known[2]) if self._load is not None else ""
                known = self._own[name] = (text, *known[1:])
            return Macro._make(known)
        return self._base.get(name) if self._base is not None else None

    def where(self, name: str) -> tuple[str, int] | None:
        """Return the file and offset of the definition of `name`, None when it has none."""
        if name in self._own:
            known = self._own[name]
            return None if known is None else (known[1], known[2])
        return self._base.where(name) if self._base is not None else None

    def define(
        self, name: str, text: str | None, file: str, start: int, presence: PresenceCondition
    ) -> None:
        """Carry out a `#define`, whose text behind the name is `text`."""
        self._own[name] = (text, file, start, presence)

    def undefine(self, name: str) -> None:
        """Carry out an `#undef`; a configuration symbol becomes undefined too."""
        self._own[name] = None

    def places(self) -> Iterable[tuple[str, str, int, PresenceCondition]]:
        """Yield what this table itself defines: (name, file, offset, presence condition)."""
        for name, known in self._own.items():
            if known is not None:
                yield name, known[1], known[2], known[3]

    def removed(self) -> Iterable[str]:
        """Yield the names that this table itself undefines."""
        return (name for name, known in self._own.items() if known is None)

    def defined(self, name: str) -> tuple[bool, PresenceCondition]:
        """Tell whether `name` is defined, and under which presence condition that is so."""
        known = self._own.get(name)
        if known is not None:
            return True, known[3]
        if name in self._own:
            return False, ALWAYS
        if self._base is not None:
            return self._base.defined(name)
        if name.startswith("CONFIG_") and self.options is not None:
            value = self.options.value(name[7:])
            if value == "free":
                return True, (name,)
            return value == "y" or self.options.number(name[7:]) is not None, ALWAYS
        return False, ALWAYS


class Scoped(Macros):
    """A table that keeps what local headers change of what others defined, to take it back.

    While `local` names a file, its defines and undefines of names that have a definition (or
    that Kconfig decides) are noted in `changes`.
    """

    __slots__ = ("changes", "local")

    def __init__(
        self,
        values: Mapping[str, str],
        options: Options | None,
        load: Callable[[str, int], str] | None = None,
    ) -> None:
        """Start like Macros, with no file local."""
        super().__init__(values, options, load=load)
        self.local = ""
        self.changes: list[tuple[str, str, _Entry | None, bool]] = []

    def define(
        self, name: str, text: str | None, file: str, start: int, presence: PresenceCondition
    ) -> None:
        """Carry out a `#define`; see Macros."""
        if self.local and (name in self._own or name.startswith("CONFIG_")):
            self.changes.append((name, self.local, self._own.get(name), name in self._own))
        self._own[name] = (text, file, start, presence)

    def undefine(self, name: str) -> None:
        """Carry out an `#undef`; see Macros."""
        if self.local:
            self.changes.append((name, self.local, self._own.get(name), name in self._own))
        self._own[name] = None

    def restore(self) -> dict[str, tuple[str, int]]:
        """Take back the changes; return by name who made them, and where it defines it now.

        The offset is -1 for a name that was undefined.
        """
        made: dict[str, tuple[str, int]] = {}
        while self.changes:
            name, file, before, known = self.changes.pop()
            if name not in made:
                now = self._own.get(name)
                made[name] = (file, now[2] if now is not None else -1)
            if known:
                self._own[name] = before
            else:
                self._own.pop(name, None)
        return made


class Selection:
    """Which parts of one text are compiled, and under which presence conditions.

    `dead` are the spans that are not, sorted and apart; `guarded` are the compiled spans that
    are not there always, in order of their starts (inner ones after outer ones), each with what
    it asks for besides those around it.
    """

    __slots__ = ("_outer", "dead", "guarded")

    def __init__(
        self,
        dead: list[tuple[int, int]] | None = None,
        guarded: list[tuple[int, int, PresenceCondition]] | None = None,
    ) -> None:
        """Take spans as `interpret` finds them; both lists may be empty."""
        self.dead = dead if dead is not None else []
        self.guarded = guarded if guarded is not None else []
        self._outer: list[int] | None = None

    def live(self, offset: int) -> bool:
        """Tell whether the text at `offset` is compiled."""
        index = bisect_right(self.dead, (offset, 1 << 62)) - 1
        return index < 0 or self.dead[index][1] <= offset

    def presence(self, offset: int) -> PresenceCondition:
        """Return the presence condition of the text at `offset`."""
        if self._outer is None:
            self._outer = self._nested()
        around: list[PresenceCondition] = []
        at = bisect_right(self.guarded, offset, key=itemgetter(0)) - 1
        while at >= 0:
            if offset < self.guarded[at][1]:
                around.append(self.guarded[at][2])
            at = self._outer[at]
        found = ALWAYS
        for presence in reversed(around):
            found = both(found, presence)
        return found

    def _nested(self) -> list[int]:
        """For each guarded span the index of the one that it stands in, -1 for none."""
        outer: list[int] = []
        open_: list[int] = []
        for index, (start, _, _) in enumerate(self.guarded):
            while open_ and self.guarded[open_[-1]][1] <= start:
                open_.pop()
            outer.append(open_[-1] if open_ else -1)
            open_.append(index)
        return outer

    def merged(self, other: Selection) -> Selection:
        """Return what is compiled in either of two inclusions of the same text."""
        dead: list[tuple[int, int]] = []
        mine, others = 0, 0
        while mine < len(self.dead) and others < len(other.dead):
            start, end = self.dead[mine]
            first, last = other.dead[others]
            if max(start, first) < min(end, last):
                dead.append((max(start, first), min(end, last)))
            if end <= last:
                mine += 1
            else:
                others += 1
        guarded: list[tuple[int, int, PresenceCondition]] = []
        ours, theirs = ({(a, b): found for a, b, found in s.guarded} for s in (self, other))
        for start, end in {**ours, **theirs}:
            one = ours.get((start, end), ALWAYS) if self.live(start) else NEVER
            two = theirs.get((start, end), ALWAYS) if other.live(start) else NEVER
            if presence := either(one, two):
                guarded.append((start, end, presence))
        return Selection(dead, sorted(guarded))


def interpret(
    directives: list[Directive],
    following: list[int],
    macros: Macros,
    length: int,
    *,
    file: str = "",
    include: Callable[[str], None] | None = None,
    defines: bool = True,
) -> Selection:
    """Run the directives of one text of `length` bytes (see `scan`) against `macros`.

    `macros` is changed by the text's defines unless `defines` is False; `include` is called
    with the argument of every live `#include`, at its place in the order.
    """
    dead: list[tuple[int, int]] = []
    guarded: list[tuple[int, int, PresenceCondition]] = []
    # Per open group: was a branch taken, and the condition under which those were not that
    # stand before.
    groups: list[tuple[bool, PresenceCondition]] = []
    presence = ALWAYS
    outer: list[PresenceCondition] = []
    index, count = 0, len(directives)
    define = macros.define
    while index < count:
        kind, start, end, word, rest = directives[index]
        if kind == "define":
            if defines:
                define(word, rest, file, start, presence)
        elif kind == "include":
            if include is not None:
                include(word + rest)
        elif kind == "undef":
            if defines:
                macros.undefine(word)
        elif kind == "endif":
            if groups:
                groups.pop()
                presence = outer.pop()
        else:
            if kind in _OPENERS:
                outer.append(presence)
                groups.append((False, ALWAYS))
            elif not groups:
                index += 1
                continue
            taken, because = groups[-1]
            presence = outer[-1]
            own = ALWAYS
            if taken:
                truth = False
            elif kind == "else":
                truth, own = True, because
            elif kind == "ifdef":
                truth, own = macros.defined(word)
            elif kind == "ifndef":
                truth, own = macros.defined(word)
                truth = not truth
            else:
                try:
                    truth, own = evaluate(plain(word + rest), macros)
                except BeyondError:
                    truth, macros.beyond = False, True
                own = both(own, because)
            after = following[index]
            stop = directives[after][1] if after < count else length
            if truth:
                groups[-1] = (True, ALWAYS)
                if own:
                    presence = both(presence, own)
                    guarded.append((end, stop, own))
            else:
                if not taken:
                    groups[-1] = (False, both(because, own))
                if end < stop:
                    dead.append((end, stop))
                index = after
                continue
        index += 1
    return Selection(dead, guarded)
