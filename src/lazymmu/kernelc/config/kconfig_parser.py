# SPDX-License-Identifier: GPL-2.0-or-later
"""The parser of Kconfig files: from statements to what a file says.

The parser knows no architecture. How files fit together for one, and what follows, is
kconfig.py's. The language is that of Documentation/kbuild/kconfig-language.rst.

Limits: ranges, options and comments are not looked at.
"""

from __future__ import annotations

from typing import Final

from lazymmu.kernelc.config.kconfig_expressions import (
    MAX_NESTED,
    MAX_PARTS,
    UNREAD,
    YES,
    Expression,
    conjunction,
    disjunction,
    negation,
    parse_bounded,
)
from lazymmu.kernelc.config.kconfig_lexer import quoted, split_condition, statements
from lazymmu.kernelc.config.kconfig_macros import substitute
from lazymmu.kernelc.config.kconfig_model import ChoiceEntry, ConfigEntry, KconfigFile, SourceEntry
from lazymmu.snapshot.conflict_markers import CONFLICT, conflicts

__all__ = ["parse"]

_MAX_CHARACTERS: Final = 4 << 20
"""Most characters of one file that are looked at; the longest of 7.3 has 122,168."""

_BEYOND: Final = (
    f"a condition nested more than {MAX_NESTED} deep, or of more than {MAX_PARTS} parts"
)
_TYPES: Final = frozenset({"bool", "tristate", "int", "hex", "string"})


def parse(text: str) -> KconfigFile:
    """Read one Kconfig file. Never raises: lines that are not understood say nothing."""
    return _Reader().read(text)


class _Reader:
    """The state of reading one file: the menus, ifs and choices around, the open entry."""

    def __init__(self) -> None:
        self.items: list[ConfigEntry | SourceEntry] = []
        self.choices: list[ChoiceEntry] = []
        self.here: Expression = YES
        self.visible: Expression = YES
        self.choice = -1
        self.outer: list[tuple[Expression, Expression, int]] = []
        # What the next properties belong to: "config", "choice", "menu" or nothing.
        self.owner = ""
        self.block: ConfigEntry | None = None
        self.depends: Expression = YES
        self.lost: dict[str, None] = {}

    def read(self, text: str) -> KconfigFile:
        if len(text) > _MAX_CHARACTERS:
            return KconfigFile(
                [], [], (f"more than the {_MAX_CHARACTERS >> 20} MB that are read of such a file",)
            )
        if conflicts(text.encode("utf-8", "replace")):
            self.lost[CONFLICT] = None
        for keyword, rest in statements(text, self.lost):
            self._line(keyword, rest)
        self._finish()
        return KconfigFile(self.items, self.choices, tuple(self.lost))

    def _condition(self, text: str) -> Expression:
        found, whole = parse_bounded(text)
        if not whole:
            self.lost[_BEYOND] = None
        return found

    def _both(self, left: Expression, right: Expression) -> Expression:
        """`left && right`; of too many parts it is one that cannot be read."""
        found = conjunction(left, right)
        if found.__class__ is tuple and len(found) > MAX_PARTS:
            self.lost[f"a condition of more than {MAX_PARTS} parts"] = None
            return UNREAD
        return found

    def _valued(self, rest: str) -> tuple[str, Expression]:
        """A value and when it counts."""
        value, when = split_condition(rest)
        return value, self._condition(when) if when is not None else YES

    def _prompted(self, rest: str) -> Expression:
        """When the prompt `"text" if condition` is shown."""
        found = quoted(rest)
        tail = found[1].strip() if found is not None else ""
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
                self.block = ConfigEntry(rest, "", YES, [], [], [], [], self.choice)
                self.depends, self.owner = YES, "config"
            case "source" | "osource" | "rsource" | "orsource":
                self._finish()
                named = quoted(rest)
                path = named[0] if named is not None else rest
                self.items.append(SourceEntry(path, "rs" in keyword, self.here, keyword[0] == "o"))
            case "choice":
                self._push("choice")
                self.choice = len(self.choices)
                self.choices.append(ChoiceEntry(self.here, [], []))
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

    def _of_choice(self, choice: ChoiceEntry, keyword: str, rest: str) -> ChoiceEntry:
        """Take in a line as a property of the open choice."""
        match keyword:
            case "default":
                choice.defaults.append(self._valued(rest))
            case "optional":
                return choice._replace(optional=True)
            case "prompt" | "bool" | "tristate":
                if quoted(rest) is not None:
                    choice.prompts.append(self._both(self.visible, self._prompted(rest)))
                if keyword == "tristate":
                    return choice._replace(exclusive=False)
        return choice

    def _push(self, owner: str) -> None:
        self._finish()
        self.outer.append((self.here, self.visible, self.choice))
        if len(self.outer) > MAX_NESTED:
            self.lost[f"menus and conditions nested more than {MAX_NESTED} deep"] = None
            self.here = UNREAD
        self.owner = owner

    def _dependency(self, rest: str) -> Expression:
        text, when = self._valued(rest.removeprefix("on").strip())
        return disjunction(negation(when), self._condition(text))

    def _property(self, block: ConfigEntry, keyword: str, rest: str) -> bool:
        """Take in a line as a property of the open entry; False when it is none."""
        if keyword == "depends":
            self.depends = self._both(self.depends, self._dependency(rest))
        elif keyword in _TYPES or keyword == "prompt":
            if keyword != "prompt" and not block.kind:
                block = self.block = block._replace(kind=keyword)
            if quoted(rest) is not None:
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
