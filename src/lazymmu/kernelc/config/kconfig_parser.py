# SPDX-License-Identifier: GPL-2.0-or-later
"""What a tree's Kconfig files say: a reader of the language, file by file.

The reader knows no architecture: one file's blocks are the same for all, and can be kept. How
they fit together for one architecture, and what follows, is kconfig.py's.

The language is that of Documentation/kbuild/kconfig-language.rst and kconfig-macro-language.rst.

Older forms are read too: `---help---`, and `$ARCH` in paths and strings (before v4.18).

Limits: `m` counts as `y`; ranges, options and comments are not looked at; macros that a Kconfig
file defines are not followed: with arguments they are tests of the toolchain (TESTS), without
they cannot be read (UNKNOWN).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from lazymmu.snapshot.conflict_markers import CONFLICT, conflicts

__all__ = [
    "FAILS",
    "NO",
    "TESTS",
    "UNKNOWN",
    "UNREAD",
    "YES",
    "Block",
    "Choice",
    "Expression",
    "File",
    "Source",
    "both",
    "condition",
    "either",
    "included",
    "negated",
    "parse",
    "substitute",
]

Expression = str | tuple["str | Expression", ...]
"""A condition: the name of a symbol, "y" or "n", or an operator with its operands.

("&", a, b, ...), ("|", a, b, ...), ("!", a), or ("c", comparison, left, right), in which a
literal begins with a quote and anything else names a symbol or is a number.
"""

YES: Final = "y"
NO: Final = "n"

TESTS: Final = "__tests__"
"""A symbol in the place of a test of the toolchain, `$(success,...)`, `$(cc-option,...)`."""

FAILS: Final = "__fails__"
"""A symbol in the place of a test that a current toolchain fails, `$(failure,...)`."""

UNREAD: Final = ""
"""A symbol in the place of a condition that cannot be read: it may hold, and it may not."""

UNKNOWN: Final = "__unknown__"
"""A word in the place of a text that cannot be read, such as what a shell would answer."""


class Block(NamedTuple):
    """One `config` entry: what it says about a symbol, where `depends` holds.

    choice: index in File.choices of the choice that it is a member of, -1 for none; defaults:
    (value, condition), the value as text; selects, implies: (symbol, condition).
    """

    name: str
    kind: str
    depends: Expression
    prompts: list[Expression]
    defaults: list[tuple[str, Expression]]
    selects: list[tuple[str, Expression]]
    implies: list[tuple[str, Expression]]
    choice: int


class Source(NamedTuple):
    """One line that includes another file: its path as written, and where it counts.

    relative: to the file at hand; optional: the other file may be missing.
    """

    path: str
    relative: bool
    depends: Expression
    optional: bool = False


class Choice(NamedTuple):
    """One choice: where it counts, and its defaults, (member, condition).

    prompts: when somebody is asked; exclusive: one member at most is on, which is not so when
    all may be modules; optional: none need be.
    """

    depends: Expression
    defaults: list[tuple[str, Expression]]
    prompts: list[Expression]
    exclusive: bool = True
    optional: bool = False


class File(NamedTuple):
    """What one Kconfig file says, in its order; lost: why some of it could not be read."""

    items: list[Block | Source]
    choices: list[Choice]
    lost: tuple[str, ...] = ()


_TOKEN: Final = re.compile(
    r"""\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([\w.]+)|(&&|\|\||!=|<=|>=|[!=<>()]))"""
)
_QUOTED: Final = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')""")
_SPLIT_IF: Final = re.compile(r"\"[^\"]*\"|'[^']*'|((?:\s|(?<=[)\"']))if\b)")
_CALLS: Final[Mapping[str, str]] = {
    "failure": FAILS,
    "shell": UNKNOWN,
    "error-if": "",
    "warning-if": "",
    "info": "",
}
_BARE: Final = re.compile(r"\$(ARCH|SRCARCH|SUBARCH)\b")
_LONGEST: Final = 20_000
"""Longest line that is looked at, in characters; scripts/kconfig/lexer.l takes no such line."""

_LARGEST: Final = 4 << 20
"""Most characters of one file that are looked at; the longest of 7.3 has 122,168."""

_DEEP: Final = 200
"""How deep menus and conditions, and parentheses in a condition, may stand inside each other."""

_PARTS: Final = 1_000
"""Most parts of one condition."""

_UNREAD: Final = f"a condition nested more than {_DEEP} deep, or of more than {_PARTS} parts"

_ARCHES: Final = frozenset({"ARCH", "SRCARCH", "SUBARCH"})


def both(left: Expression, right: Expression) -> Expression:
    """Return `left && right`."""
    if left == YES or right == NO:
        return right
    if right == YES or left == NO:
        return left
    return ("&", *_operands("&", left), *_operands("&", right))


def either(left: Expression, right: Expression) -> Expression:
    """Return `left || right`."""
    if left == NO or right == YES:
        return right
    if right == NO or left == YES:
        return left
    return ("|", *_operands("|", left), *_operands("|", right))


def negated(operand: Expression) -> Expression:
    """Return `!operand`."""
    if operand == YES:
        return NO
    if operand == NO:
        return YES
    return ("!", operand)


def _operands(operator: str, expression: Expression) -> tuple[Expression, ...]:
    if expression.__class__ is tuple and expression[0] == operator:
        return expression[1:]
    return (expression,)


def substitute(text: str, variables: Mapping[str, str]) -> str:
    """Replace `$(...)` in `text`: tests by TESTS, FAILS or UNKNOWN, others by `variables`.

    A reference to the architecture stays when `variables` has no value for it.
    """
    text = _BARE.sub(r"$(\1)", text)
    start = len(text)
    while (start := text.rfind("$(", 0, start)) >= 0:
        depth, end = 0, start
        for end in range(start + 1, len(text)):
            if text[end] == "(":
                depth += 1
            elif text[end] == ")":
                depth -= 1
                if depth == 0:
                    break
        if depth:
            return text[:start]
        name, comma, rest = text[start + 2 : end].partition(",")
        name = name.strip()
        if name == "if-success":
            value = rest.split(",")[1].strip() if "," in rest else ""
            value = {YES: TESTS, NO: FAILS}.get(value, value)
        elif comma:
            value = _CALLS.get(name, TESTS)
        elif name in _ARCHES and name not in variables:
            continue
        else:
            value = variables.get(name, UNKNOWN)
        text = text[:start] + value + text[end + 1 :]
    return text


def included(item: Source, rel: str, variables: Mapping[str, str]) -> str:
    """Return the path of the file that a `source` line in the file `rel` means."""
    path = substitute(item.path, variables) if "$" in item.path else item.path
    if item.relative:
        path = f"{rel.rpartition('/')[0]}/{path}".lstrip("/")
    return path


_conditions: dict[str, tuple[Expression, bool]] = {}


def condition(text: str) -> Expression:
    """Return the condition `text`; one that cannot be read is UNREAD, and none never holds."""
    return _read(text)[0]


def _read(text: str) -> tuple[Expression, bool]:
    """Return the condition `text`, and whether it is within the bounds of what is read."""
    known = _conditions.get(text)
    if known is None:
        plain = substitute(text, {}) if "$" in text else text
        tokens = [
            match[3] or match[4] or "'" + (match[1] if match[1] is not None else match[2])
            for match in _TOKEN.finditer(plain)
        ]
        try:
            parser = _Parser(tokens)
            known = (parser.alternatives() if tokens else NO), True
            if tokens and parser.tokens[parser.at]:
                known = UNREAD, True
        except IndexError:
            known = UNREAD, True
        except RecursionError:
            known = UNREAD, False
        if len(_conditions) > 100_000:
            _conditions.clear()
        _conditions[text] = known
    return known


class _Parser:
    """Recursive descent over the tokens of one condition.

    Raises IndexError at its end, RecursionError for one that is beyond a bound.
    """

    def __init__(self, tokens: list[str]) -> None:
        if len(tokens) > 4 * _PARTS:
            raise RecursionError
        self.tokens = [*tokens, ""]
        self.at = 0
        self.depth = 0

    def alternatives(self) -> Expression:
        left = self._conjunction()
        while self.tokens[self.at] == "||":
            self.at += 1
            left = either(left, self._conjunction())
        return left

    def _conjunction(self) -> Expression:
        left = self._factor()
        while self.tokens[self.at] == "&&":
            self.at += 1
            left = both(left, self._factor())
        return left

    def _factor(self) -> Expression:
        word = self.tokens[self.at]
        self.at += 1
        if word in ("!", "("):
            if self.depth >= _DEEP:
                raise RecursionError
            self.depth += 1
            if word == "!":
                inner = negated(self._factor())
            else:
                inner = self.alternatives()
                self.at += 1
            self.depth -= 1
            return inner
        operator = self.tokens[self.at]
        if operator in ("=", "!=", "<", ">", "<=", ">="):
            other = self.tokens[self.at + 1]
            self.at += 2
            return _comparison(operator, word, other)
        word = word.lstrip("'")
        if UNKNOWN in word:
            return UNREAD
        return YES if word == "m" else word or NO


def _comparison(operator: str, left: str, right: str) -> Expression:
    """Return a comparison; with y, m or n it is the symbol itself or its negation."""
    state = right.lstrip("'")
    if UNKNOWN in left or UNKNOWN in right:
        return UNREAD
    if operator in ("=", "!=") and left[0] != "'" and state in ("y", "m", "n"):
        if state == "m" and operator == "!=":
            # Whether a driver is a module is never decided here.
            return YES
        return left if (state == "n") == (operator == "!=") else negated(left)
    return ("c", operator, left, right)


def _split(rest: str) -> tuple[str, str | None]:
    """Split `value if condition`; without an `if` there is no condition."""
    if "if" in rest:
        for match in _SPLIT_IF.finditer(rest):
            if match[1] is not None:
                return rest[: match.start()].strip(), rest[match.end() :].strip()
    return rest, None


def _uncommented(rest: str) -> str:
    quote = ""
    for position, character in enumerate(rest):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character == "#":
            return rest[:position].rstrip()
    return rest


def _after_help(lines: list[str], index: int) -> int:
    """Return the index of the first line behind the help text that begins at `index`.

    A help text has the indentation of its first line, and ends at a line with less.
    """
    count = len(lines)
    while index < count and not lines[index].strip():
        index += 1
    if index == count:
        return index
    first = lines[index]
    prefix = first[: len(first) - len(first.lstrip())]
    if not prefix:
        return index
    column = len(prefix.expandtabs())
    while index < count:
        line = lines[index]
        if not line.startswith(prefix):
            stripped = line.lstrip()
            if stripped and len(line[: len(line) - len(stripped)].expandtabs()) < column:
                break
        index += 1
    return index


_SOURCES: Final = frozenset({"source", "osource", "rsource", "orsource"})
_HELP: Final = frozenset({"help", "---help---"})
_TYPES: Final = frozenset({"bool", "tristate", "int", "hex", "string"})


def parse(text: str) -> File:
    """Read one Kconfig file. Never raises: lines that are not understood say nothing."""
    return _Reader().read(text)


class _Reader:
    """The state of reading one file: the menus, ifs and choices around, the open entry."""

    def __init__(self) -> None:
        self.items: list[Block | Source] = []
        self.choices: list[Choice] = []
        self.here: Expression = YES
        self.visible: Expression = YES
        self.choice = -1
        self.outer: list[tuple[Expression, Expression, int]] = []
        # What the next properties belong to: "config", "choice", "menu" or nothing.
        self.owner = ""
        self.block: Block | None = None
        self.depends: Expression = YES
        self.lost: dict[str, None] = {}

    def read(self, text: str) -> File:
        if len(text) > _LARGEST:
            return File(
                [], [], (f"more than the {_LARGEST >> 20} MB that are read of such a file",)
            )
        if conflicts(text.encode("utf-8", "replace")):
            self.lost[CONFLICT] = None
        lines = text.split("\n")
        index, count = 0, len(lines)
        while index < count:
            line = lines[index].strip()
            index += 1
            if not line or line[0] == "#":
                continue
            if line.endswith("\\"):
                pieces = []
                while line.endswith("\\"):
                    pieces.append(line[:-1])
                    line = lines[index].strip() if index < count else ""
                    index += 1
                line = " ".join([*pieces, line])
            if len(line) > _LONGEST:
                self.lost[f"a line of more than {_LONGEST} characters"] = None
                continue
            parts = line.split(None, 1)
            if not parts:
                continue
            keyword = parts[0]
            rest = parts[1] if len(parts) > 1 else ""
            if "#" in rest:
                rest = _uncommented(rest)
            if keyword in _HELP:
                if not rest:
                    index = _after_help(lines, index)
            else:
                self._line(keyword, rest)
        self._finish()
        return File(self.items, self.choices, tuple(self.lost))

    def _condition(self, text: str) -> Expression:
        found, whole = _read(text)
        if not whole:
            self.lost[_UNREAD] = None
        return found

    def _both(self, left: Expression, right: Expression) -> Expression:
        """`left && right`; of too many parts it is one that cannot be read."""
        found = both(left, right)
        if found.__class__ is tuple and len(found) > _PARTS:
            self.lost[f"a condition of more than {_PARTS} parts"] = None
            return UNREAD
        return found

    def _valued(self, rest: str) -> tuple[str, Expression]:
        """A value and when it counts."""
        value, when = _split(rest)
        return value, self._condition(when) if when is not None else YES

    def _prompted(self, rest: str) -> Expression:
        """When the prompt `"text" if condition` is shown."""
        match = _QUOTED.match(rest)
        tail = rest[match.end() :].strip() if match is not None else ""
        return self._condition(tail[2:].strip()) if tail.startswith("if") else YES

    def _finish(self) -> None:
        if self.block is not None:
            depends = self._both(self.here, self.depends)
            self.items.append(self.block._replace(depends=depends))
        self.block, self.owner = None, ""

    def _line(self, keyword: str, rest: str) -> None:
        block = self.block
        if block is not None and self._property(block, keyword, rest):
            return
        match keyword:
            case "config" | "menuconfig":
                self._finish()
                self.block = Block(rest, "", YES, [], [], [], [], self.choice)
                self.depends, self.owner = YES, "config"
            case "source" | "osource" | "rsource" | "orsource":
                self._finish()
                match = _QUOTED.match(rest)
                path = (match[1] or match[2] or "") if match is not None else rest
                self.items.append(Source(path, "rs" in keyword, self.here, keyword[0] == "o"))
            case "choice":
                self._push("choice")
                self.choice = len(self.choices)
                self.choices.append(Choice(self.here, [], []))
            case "menu":
                self._push("menu")
            case "if":
                self._push("")
                self.here = self._both(self.here, self._condition(rest))
            case "endif" | "endmenu" | "endchoice":
                self._finish()
                if self.outer:
                    self.here, self.visible, self.choice = self.outer.pop()
            case "comment" | "mainmenu":
                self._finish()
            case "depends" if self.owner in ("menu", "choice"):
                self.here = self._both(self.here, self._dependency(rest))
                if self.owner == "choice":
                    self.choices[-1] = self.choices[-1]._replace(depends=self.here)
            case "visible" if self.owner == "menu":
                when = self._condition(rest.removeprefix("if").strip())
                self.visible = self._both(self.visible, when)
            case _ if self.owner == "choice":
                self.choices[-1] = self._of_choice(self.choices[-1], keyword, rest)

    def _of_choice(self, choice: Choice, keyword: str, rest: str) -> Choice:
        """Take in a line as a property of the open choice."""
        match keyword:
            case "default":
                choice.defaults.append(self._valued(rest))
            case "optional":
                return choice._replace(optional=True)
            case "prompt" | "bool" | "tristate":
                if _QUOTED.match(rest) is not None:
                    choice.prompts.append(self._both(self.visible, self._prompted(rest)))
                if keyword == "tristate":
                    return choice._replace(exclusive=False)
        return choice

    def _push(self, owner: str) -> None:
        self._finish()
        self.outer.append((self.here, self.visible, self.choice))
        if len(self.outer) > _DEEP:
            self.lost[f"menus and conditions nested more than {_DEEP} deep"] = None
            self.here = UNREAD
        self.owner = owner

    def _dependency(self, rest: str) -> Expression:
        text, when = self._valued(rest.removeprefix("on").strip())
        return either(negated(when), self._condition(text))

    def _property(self, block: Block, keyword: str, rest: str) -> bool:
        """Take in a line as a property of the open entry; False when it is none."""
        if keyword == "depends":
            self.depends = self._both(self.depends, self._dependency(rest))
        elif keyword in _TYPES or keyword == "prompt":
            if keyword != "prompt" and not block.kind:
                block = self.block = block._replace(kind=keyword)
            if _QUOTED.match(rest) is not None:
                block.prompts.append(self._both(self.visible, self._prompted(rest)))
        elif keyword == "select":
            block.selects.append(self._valued(rest))
        elif keyword in ("default", "def_bool", "def_tristate"):
            if keyword != "default" and not block.kind:
                block = self.block = block._replace(kind=keyword[4:])
            if "$" in rest:
                rest = substitute(rest, {})
            block.defaults.append(self._valued(rest))
        elif keyword == "imply":
            block.implies.append(self._valued(rest))
        else:
            return keyword in ("range", "option", "optional", "modules", "transitional")
        return True
