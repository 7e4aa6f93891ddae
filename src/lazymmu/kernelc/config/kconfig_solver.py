# SPDX-License-Identifier: GPL-2.0-or-later
"""Which symbols of Kconfig can be on and which must be: the rules, and how they are solved.

Two sets of symbols: those that can be on and those that must be. The first is the least set that
the rules allow while nothing but the fixed symbols must be on; the second follows from it; then
each narrows the other until neither changes.

That is first done with one member of every choice, the default, and with a current GCC. `widen`
then takes back what rests on these two alone: any member that can be chosen may be on, and any
test of the toolchain may fail. Of one choice no two members are on together, and, unless the
choice is optional, not all are off.

Limits: `imply` makes a symbol possible, not necessary; free symbols that exclude each other
outside of choices are both free; symbols that select each other in a circle stay possible once
they were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from lazymmu.kernelc.config import kconfig_parser
from lazymmu.kernelc.config.kconfig_parser import FAILS, NO, TESTS, UNREAD, YES, Block, Expression

__all__ = ["NUMBERS", "Choice", "Solver", "Symbol", "TooMuchError"]

_STATES: Final = frozenset({"bool", "tristate"})
NUMBERS: Final = frozenset({"int", "hex"})

_WORK: Final = 10_000_000
"""Names that are looked at until all symbols are settled; in 7.3 they are 640,369."""

_ROUNDS: Final = 100
"""How often both sets may narrow each other."""

_DIGITS: Final = 200
"""Most digits of a number."""


class TooMuchError(Exception):
    """The symbols do not settle within the bounds."""


@dataclass(slots=True)
class Symbol:
    """One symbol with all its definitions."""

    name: str
    kind: str = ""
    blocks: list[Block] = field(default_factory=list)
    selectors: list[tuple[str, Expression]] = field(default_factory=list)
    impliers: list[tuple[str, Expression]] = field(default_factory=list)
    choice: Choice | None = None
    weight: int = 1
    """How many names its rules mention."""


@dataclass(slots=True)
class Choice:
    """One choice, its members in order, and who is chosen; for the rest see kconfig_text.Choice."""

    said: kconfig_parser.Choice
    depends: Expression
    members: list[str] = field(default_factory=list)
    chosen: str | None = None


class Solver:
    """Computes which symbols can be on (`can`) and which must be (`must`)."""

    def __init__(
        self,
        symbols: dict[str, Symbol],
        choices: list[Choice],
        fixed: Mapping[str, str],
        variables: Mapping[str, str],
    ) -> None:
        self.symbols = symbols
        self.choices = choices
        self.fixed = fixed
        self.variables = variables
        self.open = False
        self.can = {YES, TESTS, *(name for name, value in fixed.items() if value == "y")}
        self.must = set(self.can)
        self.can.add(UNREAD)
        self.watchers: dict[str, list[str]] = {}
        self._literals: dict[str, Expression] = {}
        self._left = _WORK
        for symbol in symbols.values():
            self._watch(symbol)

    def _watch(self, symbol: Symbol) -> None:
        """Note which symbols the rules for `symbol` mention."""
        mentioned: set[str] = set()
        for block in symbol.blocks:
            _names(block.depends, mentioned)
            for condition in block.prompts:
                _names(condition, mentioned)
            for value, condition in block.defaults:
                _names(condition, mentioned)
                _names(self._literal(value), mentioned)
        for owner, condition in symbol.selectors:
            mentioned.add(owner)
            _names(condition, mentioned)
        for owner, condition in symbol.impliers:
            mentioned.add(owner)
            _names(condition, mentioned)
        if symbol.choice is not None:
            _names(symbol.choice.depends, mentioned)
        name = symbol.name
        for block in symbol.blocks:
            # Of a whole expression only the parts at its top are counted: it is no deeper than
            # what kconfig_text reads.
            symbol.weight += 1 + _size(block.depends) + len(block.prompts)
            symbol.weight += sum(1 + _size(condition) for _, condition in block.defaults)
        symbol.weight += len(symbol.selectors) + len(symbol.impliers)
        for other in mentioned:
            known = self.watchers.get(other)
            if known is None:
                self.watchers[other] = [name]
            else:
                known.append(name)

    def _literal(self, value: str) -> Expression:
        known = self._literals.get(value)
        if known is None:
            known = self._literals[value] = kconfig_parser.condition(value)
        return known

    def possible(self, expression: Expression) -> bool:
        """Tell whether the expression can hold."""
        if expression.__class__ is str:
            return expression in self.can
        match expression[0]:
            case "&":
                for part in expression[1:]:
                    if part.__class__ is str:
                        if part not in self.can:
                            return False
                    elif not self.possible(part):
                        return False
                return not self.open or not self._excluded(expression[1:])
            case "|":
                for part in expression[1:]:
                    if part in self.can if part.__class__ is str else self.possible(part):
                        return True
                return False
            case "!":
                return not self.certain(expression[1])
        return self._compare(expression) is not False

    def certain(self, expression: Expression) -> bool:
        """Tell whether the expression must hold."""
        if expression.__class__ is str:
            return expression in self.must
        match expression[0]:
            case "&":
                return all(map(self.certain, expression[1:]))
            case "|":
                if any(map(self.certain, expression[1:])):
                    return True
                return self.open and self._excluded(
                    [kconfig_parser.negated(p) for p in expression[1:]]
                )
            case "!":
                return not self.possible(expression[1])
        return self._compare(expression) is True

    def _compare(self, expression: Expression) -> bool | None:
        left, right = self._constant(str(expression[2])), self._constant(str(expression[3]))
        if left is None or right is None:
            return None
        a, b = _integer(left, 0), _integer(right, 0)
        if a is None or b is None:
            truth = left == right
            return {"=": truth, "!=": not truth}.get(str(expression[1]))
        match expression[1]:
            case "=":
                return a == b
            case "!=":
                return a != b
            case "<":
                return a < b
            case ">":
                return a > b
            case "<=":
                return a <= b
        return a >= b

    def _constant(self, word: str) -> str | None:
        """Return the text of one side of a comparison, None when it is not decided."""
        if self.open and (TESTS in word or FAILS in word):
            return None
        word = word.replace(TESTS, YES).replace(FAILS, NO)
        if word[0] == "'":
            return kconfig_parser.substitute(word[1:], self.variables) if "$(" in word else word[1:]
        symbol = self.symbols.get(word)
        if symbol is None:
            return word
        number = self.number(symbol)
        return None if number is None else str(number)

    def number(self, symbol: Symbol, depth: int = 0) -> int | None:
        """Return the value of an int or hex symbol: its first default that is possible."""
        base = 16 if symbol.kind == "hex" else 10
        if symbol.name in self.fixed:
            return _integer(self.fixed[symbol.name], 0)
        if symbol.kind not in NUMBERS or depth > 8:
            return None
        self._spend(symbol.weight)
        for block in symbol.blocks:
            if not self.possible(block.depends):
                continue
            for value, condition in block.defaults:
                if self.possible(condition):
                    value = value.strip("\"'")
                    if value in self.symbols:
                        return self.number(self.symbols[value], depth + 1)
                    return _integer(value, base)
        return None

    def _spend(self, work: int) -> None:
        self._left -= work
        if self._left < 0:
            raise TooMuchError

    def can_be_on(self, symbol: Symbol) -> bool:
        """The rule of `can` for one symbol."""
        self._spend(symbol.weight)
        if symbol.name in self.fixed:
            return self.fixed[symbol.name] == "y"
        if symbol.kind not in _STATES:
            return False
        choice = symbol.choice
        if choice is not None:
            if not self.open:
                return choice.chosen == symbol.name and self.possible(choice.depends)
            return symbol.name in self._choosable(choice) and self.possible(choice.depends)
        for block in symbol.blocks:
            if (block.prompts or block.defaults) and self.possible(block.depends):
                for condition in block.prompts:
                    if self.possible(condition):
                        return True
                for value, condition in block.defaults:
                    if self.possible(condition) and self.possible(self._literal(value)):
                        return True
        for owner, condition in symbol.selectors:
            if owner in self.can and self.possible(condition):
                return True
        for owner, condition in symbol.impliers:
            if owner in self.can and self.possible(condition):
                return any(self.possible(block.depends) for block in symbol.blocks)
        return False

    def must_be_on(self, symbol: Symbol) -> bool:
        """The rule of `must` for one symbol."""
        self._spend(symbol.weight)
        name = symbol.name
        if name in self.fixed:
            return self.fixed[name] == "y"
        if name not in self.can:
            return False
        for owner, condition in symbol.selectors:
            if owner in self.must and self.certain(condition):
                return True
        if symbol.choice is not None:
            if self.open and len(set(self._choosable(symbol.choice))) > 1:
                return False
            return symbol.choice.chosen == name and self.certain(symbol.choice.depends)
        for block in symbol.blocks:
            if block.prompts and self.possible(block.depends):
                for condition in block.prompts:
                    if self.possible(condition):
                        return False
        for block in symbol.blocks:
            if block.defaults and self.possible(block.depends):
                for value, condition in block.defaults:
                    if self.possible(condition):
                        if not self.certain(self._literal(value)):
                            return False
                        if self.certain(condition) and self.certain(block.depends):
                            return True
        return False

    def _grow(
        self, target: set[str], rule: Callable[[Symbol], bool], todo: Iterable[str]
    ) -> set[str]:
        """Add to `target` what `rule` allows, beginning with `todo`; return what was added."""
        added: set[str] = set()
        while todo:
            following: set[str] = set()
            for name in todo:
                if name not in target:
                    symbol = self.symbols.get(name)
                    if symbol is not None and rule(symbol):
                        target.add(name)
                        added.add(name)
                        following.update(self.watchers.get(name, ()))
            todo = following
        return added

    def _shrink(self, todo: Iterable[str]) -> set[str]:
        """Take out of `can` what its rule no longer allows; return what was taken out."""
        gone: set[str] = set()
        while todo:
            following: set[str] = set()
            for name in todo:
                if name in self.can and not self.can_be_on(self.symbols[name]):
                    self.can.discard(name)
                    gone.add(name)
                    following.update(self.watchers.get(name, ()))
            todo = following
        return gone

    def _choose(self) -> set[str]:
        """Choose a member of every choice; return the members of those that changed."""
        changed: set[str] = set()
        for choice in self.choices:
            before = choice.chosen
            choice.chosen = next(self._candidates(choice), None)
            if choice.chosen != before:
                changed.update(choice.members)
        return changed

    def _candidates(self, choice: Choice) -> Iterator[str]:
        for name in choice.members:
            if self.fixed.get(name) == "y":
                yield name
        named = [name for name, when in choice.said.defaults if self.possible(when)]
        members = set(choice.members)
        self._spend(len(named) + len(members))
        for name in [*named, *choice.members]:
            if self.fixed.get(name) != "n" and name in members:
                self._spend(self.symbols[name].weight)
                for block in self.symbols[name].blocks:
                    if self.possible(block.depends) and any(map(self.possible, block.prompts)):
                        yield name

    def _around(self, names: Iterable[str]) -> set[str]:
        found: set[str] = set()
        for name in names:
            found.update(self.watchers.get(name, ()))
        return found

    def run(self) -> None:
        """Compute both sets. Raises TooMuchError when that is beyond a bound."""
        self._grow(self.can, self.can_be_on, self.symbols)
        changed = self._choose()
        self._grow(self.can, self.can_be_on, changed)
        moved = set(self._grow(self.must, self.must_be_on, list(self.can)))
        rounds = 0
        while moved:
            if (rounds := rounds + 1) > _ROUNDS:
                raise TooMuchError
            gone = self._shrink(self._around(moved))
            changed = self._choose()
            gone |= self._shrink(changed)
            new = self._grow(self.can, self.can_be_on, changed)
            moved = self._grow(self.must, self.must_be_on, self._around(gone | new) | changed)

    def _choosable(self, choice: Choice) -> list[str]:
        """Return the members of a choice that somebody may choose."""
        fixed = [name for name in choice.members if self.fixed.get(name) == "y"]
        if fixed:
            return fixed
        if not any(map(self.possible, choice.said.prompts)):
            return [choice.chosen] if choice.chosen is not None else []
        return list(self._candidates(choice))

    def _excluded(self, parts: Iterable[Expression]) -> bool:
        """Tell whether conditions cannot hold together because of a choice."""
        on: dict[int, str] = {}
        off: dict[int, set[str]] = {}
        for part in parts:
            name = part if part.__class__ is str else part[1] if part[0] == "!" else ""
            symbol = self.symbols.get(name) if isinstance(name, str) else None
            if symbol is None or symbol.choice is None or not symbol.choice.said.exclusive:
                continue
            which = id(symbol.choice)
            if part.__class__ is str:
                if on.setdefault(which, symbol.name) != symbol.name:
                    return True
            else:
                off.setdefault(which, set()).add(symbol.name)
                if self._is_made(symbol.choice) and off[which] >= set(
                    self._choosable(symbol.choice)
                ):
                    return True
        return False

    def _is_made(self, choice: Choice) -> bool:
        """Tell whether some member of a choice is on for certain."""
        return not choice.said.optional and self.certain(choice.depends)

    def widen(self) -> None:
        """Take back what rests on the default of a choice, or on a test of the toolchain, alone.

        Raises TooMuchError when that is beyond a bound.
        """
        self.open = True
        self.can.add(FAILS)
        self.must.discard(TESTS)
        todo = {name for choice in self.choices for name in choice.members}
        todo.update(self._around((TESTS, FAILS)))
        while todo:
            following: set[str] = set()
            for name in todo:
                symbol = self.symbols.get(name)
                if symbol is None:
                    continue
                changed = False
                if name not in self.can and self.can_be_on(symbol):
                    self.can.add(name)
                    changed = True
                if name in self.must and not self.must_be_on(symbol):
                    self.must.discard(name)
                    changed = True
                if changed:
                    following.update(self.watchers.get(name, ()))
                    if symbol.choice is not None:
                        following.update(symbol.choice.members)
            todo = following

    def groups(self) -> list[tuple[list[str], bool]]:
        """Return the choices that are open after `widen`: members, and whether one must be on."""
        found = []
        for choice in self.choices:
            members = [name for name in choice.members if name in self.can]
            if choice.said.exclusive and len(members) > 1:
                found.append((members, self._is_made(choice)))
        return found


def _size(expression: Expression) -> int:
    return len(expression) if expression.__class__ is tuple else 1


def _integer(text: str, base: int) -> int | None:
    try:
        return int(text, base) if len(text) <= _DIGITS else None
    except ValueError:
        return None


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
