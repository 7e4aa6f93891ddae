# SPDX-License-Identifier: GPL-2.0-or-later
"""The symbols and choices of Kconfig for one architecture, and which symbols mention which."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lazymmu.kernelc.config.kconfig_expressions import Expression, parse_expression

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lazymmu.kernelc.config.kconfig_model import ChoiceEntry, ConfigEntry

__all__ = ["NUMBERS", "STATES", "Choice", "Symbol", "watchers"]

STATES: Final = frozenset({"bool", "tristate"})
NUMBERS: Final = frozenset({"int", "hex"})


@dataclass(slots=True)
class Symbol:
    """One symbol with all its definitions."""

    name: str
    kind: str = ""
    entries: list[ConfigEntry] = field(default_factory=list)
    selectors: list[tuple[str, Expression]] = field(default_factory=list)
    impliers: list[tuple[str, Expression]] = field(default_factory=list)
    choice: Choice | None = None
    weight: int = 1
    """How many names its rules mention."""


@dataclass(slots=True)
class Choice:
    """One choice, its members in order, and who is chosen; for the rest see ChoiceEntry."""

    entry: ChoiceEntry
    depends: Expression
    members: list[str] = field(default_factory=list)
    chosen: str | None = None


def watchers(symbols: Iterable[Symbol]) -> dict[str, list[str]]:
    """Return for each name the symbols whose rules mention it; sets the symbols' weights.

    A rule that mentions a number mentions what decides the number, too.
    """
    found: dict[str, list[str]] = {}
    symbols = list(symbols)
    deciding = {symbol.name: _mentioned(symbol) for symbol in symbols if symbol.kind in NUMBERS}
    for symbol in symbols:
        names = _mentioned(symbol)
        numbers = [name for name in names if name in deciding]
        for number in numbers:
            more = deciding[number] - names
            names |= more
            numbers += [name for name in more if name in deciding]
        for name in names:
            known = found.get(name)
            if known is None:
                found[name] = [symbol.name]
            else:
                known.append(symbol.name)
        for entry in symbol.entries:
            # Of a whole expression only the parts at its top are counted: it is no deeper than
            # what is parsed.
            symbol.weight += 1 + _size(entry.depends) + len(entry.prompts)
            symbol.weight += sum(1 + _size(condition) for _, condition in entry.defaults)
        symbol.weight += len(symbol.selectors) + len(symbol.impliers)
    return found


def _mentioned(symbol: Symbol) -> set[str]:
    """Return the names that the rules for a symbol mention."""
    found: set[str] = set()
    for entry in symbol.entries:
        _names(entry.depends, found)
        for condition in entry.prompts:
            _names(condition, found)
        for value, condition in entry.defaults:
            _names(condition, found)
            _names(parse_expression(value), found)
    for owner, condition in (*symbol.selectors, *symbol.impliers):
        found.add(owner)
        _names(condition, found)
    if symbol.choice is not None:
        _names(symbol.choice.depends, found)
    return found


def _size(expression: Expression) -> int:
    return len(expression) if expression.__class__ is tuple else 1


def _names(expression: Expression, found: set[str]) -> None:
    if expression.__class__ is str:
        found.add(expression)
    elif expression[0] == "c":
        found.add(str(expression[2]))
        found.add(str(expression[3]))
    else:
        for part in expression[1:]:
            if part.__class__ is str:
                found.add(part)
            else:
                _names(part, found)
