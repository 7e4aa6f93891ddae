# SPDX-License-Identifier: GPL-2.0-or-later
"""Conditional compilation: which part of a text one architecture's compiler would see.

Three things live here: the directives of a text (`scan`), the table of macros that they
build up (`Macros`), and the selection that both together make (`Selection`, `select`,
`regions`). Expressions are evaluated by `condition`.

A configuration symbol that a user may choose ("free") counts as on, so that the code it
guards is seen; what was seen only because of such a choice is labelled with the symbol. A
label is `CONFIG_X`, `!CONFIG_X` never occurs (the off side of a free symbol is not seen), and
`CONFIG_X || CONFIG_Y` stands where either would do.

Limits: a comment opener inside a string literal can hide directives up to the next comment
end when both stand on lines of their own; `#include` is the caller's business.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple, Protocol

from lazymmu.kernelc import condition

__all__ = [
    "Directive",
    "Macro",
    "Macros",
    "Options",
    "Selection",
    "blank",
    "evaluate",
    "interpret",
    "regions",
    "scan",
    "select",
]


class Options(Protocol):
    """What the kernel's configuration says (see kconfig.Config)."""

    def value(self, symbol: str) -> str:
        """Return "y", "n" or "free" for a symbol without its CONFIG_ prefix."""
        ...

    def number(self, symbol: str) -> int | None:
        """Return the value of an int or hex symbol, None when it is none or has no default."""
        ...


class Directive(NamedTuple):
    """One preprocessor directive: what it is, where it stands, and where its group goes on.

    `following` is, for if, ifdef, ifndef, elif and else, the index of the directive that
    ends the branch it opens; the number of directives when the text ends before.
    """

    kind: str
    start: int
    end: int
    argument: str
    following: int


class Macro(NamedTuple):
    """One live `#define`: the text after the word define, its place, and its conditions."""

    argument: str
    file: str
    start: int
    needs: tuple[str, ...]

    @property
    def parameters(self) -> tuple[str, ...] | None:
        """Names of the parameters of a function-like macro, None for an object-like one."""
        match = _DEFINE.match(self.argument)
        if match is None or match[2] is None:
            return None
        return tuple(name.strip() for name in match[2].split(",") if name.strip())

    @property
    def value(self) -> str:
        """Replacement text with comments and line continuations taken out."""
        match = _DEFINE.match(self.argument)
        if match is None:
            return ""
        return plain(self.argument[match.end() :])


_DIRECTIVE: Final = re.compile(
    r"\n[ \t]*#[ \t]*(ifdef|ifndef|if|elif|else|endif|define|undef|include)\b"
    r"([^\n\\]*(?:\\[\s\S][^\n\\]*)*)"
)
_DEFINE: Final = re.compile(r"[ \t]*([A-Za-z_]\w*)(?:\(([^)]*)\))?")
_NAME: Final = re.compile(r"[ \t]*([A-Za-z_]\w*)")
_COMMENT: Final = re.compile(r"/\*[\s\S]*?(?:\*/|\Z)|//[^\n]*")
_BLANKS: Final = bytes(byte if byte == 0x0A else 0x20 for byte in range(256))
_OPENERS: Final = frozenset({"if", "ifdef", "ifndef"})


def plain(text: str) -> str:
    """Return `text` without comments and line continuations, and without outer blanks."""
    if "\\" in text:
        text = text.replace("\\\r\n", " ").replace("\\\n", " ")
    if "/*" in text or "//" in text:
        text = _COMMENT.sub(" ", text)
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
        line = text.rfind("\n", 0, opener) + 1
        before = text[max(line, position) : opener]
        if "//" in before or before.count('"') % 2:
            position = opener + 2
            continue
        position, inside = opener + 2, True


def scan(text: str) -> list[Directive]:
    """Return the directives of `text` that stand outside comments, in order.

    `text` is a file decoded as latin-1, so that offsets are byte offsets.
    """
    found: list[tuple[str, int, int, str]] = []
    following: list[int] = []
    open_branches: list[int] = []
    position, inside = 0, False
    # The pattern starts at a newline, which is what makes it fast.
    text = "\n" + text
    for match in _DIRECTIVE.finditer(text):
        start, end = match.start() + 1, match.end()
        opener = text.rfind("/*", position, start)
        if inside or (opener >= 0 and text.find("*/", opener + 2, start) < 0):
            inside = _in_comment(text, position, start, inside)
            if inside:
                # Go on from inside the comment, and not past a close on this very line.
                position = start
                continue
        kind, argument = match[1], match[2]
        inside = False
        if "/*" in argument and _in_comment(argument, 0, len(argument), False):
            # The directive ends on the line on which its comment does.
            close = text.find("*/", end)
            end = close + 2 if close >= 0 else len(text)
        position = end
        index = len(found)
        found.append((kind, start - 1, end - 1, argument))
        following.append(0)
        if kind in _OPENERS:
            open_branches.append(index)
        elif kind in ("elif", "else", "endif") and open_branches:
            following[open_branches.pop()] = index
            if kind != "endif":
                open_branches.append(index)
    for index in open_branches:
        following[index] = len(found)
    return [Directive(*item, after) for item, after in zip(found, following, strict=True)]


class Macros:
    """The macros defined at one point of a walk, over the configuration.

    A table may stand on a `base`: what it defines and undefines itself then hides the base
    without changing it, which is how one .c file is looked at with the walk's final table.
    """

    __slots__ = ("_base", "_own", "options")

    def __init__(
        self,
        values: Mapping[str, str] | None = None,
        options: Options | None = None,
        *,
        base: Macros | None = None,
    ) -> None:
        """Start with object-like macros `values` (name to text) over `options` and `base`."""
        self._own: dict[str, Macro | None] = {}
        self._base = base
        self.options = options if options is not None or base is None else base.options
        for name, value in (values or {}).items():
            self._own[name] = Macro(f"{name} {value}", "", -1, ())

    def get(self, name: str) -> Macro | None:
        """Return the definition of `name`, None when it has none."""
        if name in self._own:
            return self._own[name]
        return self._base.get(name) if self._base is not None else None

    def define(self, argument: str, file: str, start: int, needs: tuple[str, ...]) -> None:
        """Enter the `#define` whose text after the word define is `argument`."""
        match = _NAME.match(argument)
        if match is not None:
            self._own[match[1]] = Macro(argument, file, start, needs)

    def undefine(self, argument: str) -> None:
        """Carry out `#undef argument`; a configuration symbol becomes undefined too."""
        match = _NAME.match(argument)
        if match is not None:
            self._own[match[1]] = None

    def items(self) -> Iterable[tuple[str, Macro]]:
        """Yield every name that is defined, with its definition."""
        if self._base is not None:
            for name, macro in self._base.items():
                if name not in self._own:
                    yield name, macro
        for name, own in self._own.items():
            if own is not None:
                yield name, own

    def defined(self, name: str) -> tuple[bool, tuple[str, ...]]:
        """Tell whether `name` is defined, and which free symbols that rests on."""
        if name in self._own:
            macro = self._own[name]
            return (macro is not None, macro.needs if macro is not None else ())
        if self._base is not None:
            return self._base.defined(name)
        if name.startswith("CONFIG_") and self.options is not None:
            value = self.options.value(name[7:])
            if value == "free":
                return True, (name,)
            return value == "y" or self.options.number(name[7:]) is not None, ()
        return False, ()


class Selection:
    """Which parts of one text are compiled, and under which free symbols.

    `dead` are the spans that are not, sorted and apart; `guarded` are the compiled spans
    that rest on free symbols, in order of their starts (inner ones after outer ones).
    """

    __slots__ = ("dead", "guarded")

    def __init__(
        self,
        dead: list[tuple[int, int]] | None = None,
        guarded: list[tuple[int, int, tuple[str, ...]]] | None = None,
    ) -> None:
        """Take spans as `interpret` finds them; both lists may be empty."""
        self.dead = dead if dead is not None else []
        self.guarded = guarded if guarded is not None else []

    def live(self, offset: int) -> bool:
        """Tell whether the text at `offset` is compiled."""
        index = bisect_right(self.dead, (offset, 1 << 62)) - 1
        return index < 0 or self.dead[index][1] <= offset

    def needs(self, offset: int) -> tuple[str, ...]:
        """Return the free symbols that the text at `offset` rests on."""
        labels: tuple[str, ...] = ()
        for start, end, needs in self.guarded:
            if start > offset:
                break
            if offset < end:
                labels += tuple(label for label in needs if label not in labels)
        return labels

    def merged(self, other: Selection) -> Selection:
        """Return what is compiled in either of two inclusions of the same text."""
        dead: list[tuple[int, int]] = []
        for start, end in self.dead:
            for first, last in other.dead:
                low, high = max(start, first), min(end, last)
                if low < high:
                    dead.append((low, high))
        return Selection(dead, sorted({*self.guarded, *other.guarded}))


def interpret(
    directives: list[Directive],
    macros: Macros,
    length: int,
    *,
    file: str = "",
    include: Callable[[str], None] | None = None,
    defines: bool = True,
) -> Selection:
    """Run the directives of one text of `length` bytes against `macros`.

    `macros` is changed by the text's defines unless `defines` is False; `include` is called
    with the argument of every live `#include`, at its place in the order.
    """
    dead: list[tuple[int, int]] = []
    guarded: list[tuple[int, int, tuple[str, ...]]] = []
    # Per open group: does a branch follow that may still be taken, and its own labels.
    groups: list[tuple[bool, tuple[str, ...]]] = []
    needs: tuple[str, ...] = ()
    outer: list[tuple[str, ...]] = []
    index, count = 0, len(directives)
    while index < count:
        kind, start, end, argument, following = directives[index]
        if kind == "define":
            if defines:
                macros.define(argument, file, start, needs)
        elif kind == "include":
            if include is not None:
                include(argument)
        elif kind == "undef":
            if defines:
                macros.undefine(argument)
        elif kind == "endif":
            if groups:
                groups.pop()
                needs = outer.pop()
        else:
            if kind in _OPENERS:
                outer.append(needs)
                groups.append((False, ()))
            elif not groups:
                index += 1
                continue
            taken, because = groups[-1]
            needs = outer[-1]
            if taken:
                truth, labels = False, ()
            elif kind == "else":
                truth, labels = True, because
            elif kind == "ifdef" or kind == "ifndef":
                match = _NAME.match(argument)
                truth, labels = macros.defined(match[1]) if match is not None else (False, ())
                if kind == "ifndef":
                    truth = not truth
            else:
                truth, labels = condition.evaluate(plain(argument), macros)
                labels = _union(labels, because)
            after = directives[following].start if following < count else length
            if truth:
                groups[-1] = (True, ())
                if labels:
                    needs = _union(needs, labels)
                    guarded.append((end, after, labels))
            else:
                if not taken:
                    groups[-1] = (False, _union(because, labels))
                if end < after:
                    dead.append((end, after))
                index = following
                continue
        index += 1
    return Selection(dead, guarded)


def _union(left: tuple[str, ...], right: tuple[str, ...]) -> tuple[str, ...]:
    if not right:
        return left
    return left + tuple(label for label in right if label not in left)


def evaluate(expression: bytes, macros: Macros) -> bool:
    """Tell whether `#if expression` holds under `macros`; free symbols count as on.

    An expression that is no C expression is false, as its code could not be compiled.
    """
    return condition.evaluate(plain(expression.decode("latin-1")), macros)[0]


def apply(text: bytes, directives: list[Directive], selection: Selection) -> bytes:
    """Return `text` with directives and what `selection` leaves out blanked.

    Length and newlines stay as they are.
    """
    pieces: list[bytes] = []
    position = 0
    spans = [(item.start, item.end) for item in directives]
    spans += selection.dead
    spans.sort()
    for start, end in spans:
        if end <= position:
            continue
        start = max(start, position)
        pieces.append(text[position:start])
        pieces.append(text[start:end].translate(_BLANKS))
        position = end
    pieces.append(text[position:])
    return b"".join(pieces)


def select(text: bytes, macros: Macros) -> bytes:
    """Return `text` with unselected branches and all directive lines blanked.

    Its own defines count from where they stand, and leave `macros` as it is. Length and
    newlines stay as they are.
    """
    directives = scan(text.decode("latin-1"))
    return apply(text, directives, interpret(directives, Macros(base=macros), len(text)))


def regions(text: bytes, macros: Macros) -> list[tuple[int, int, tuple[str, ...]]]:
    """Return the spans of `text` that free symbols guard: (start, end, their labels)."""
    directives = scan(text.decode("latin-1"))
    return interpret(directives, Macros(base=macros), len(text)).guarded
