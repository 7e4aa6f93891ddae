# SPDX-License-Identifier: GPL-2.0-or-later
"""What Kconfig decides for one profile, and what it leaves to the user.

Every symbol is "y" (selected, or a default that no prompt can change), "n" (its dependencies
cannot hold, or nothing gives it a value, or it does not exist) or "free" (somebody may choose).
The profile's own symbols are fixed first, where the tree has them. Of a choice the default
member is taken, unless the profile fixes another.

How: two sets of symbols, those that can be on and those that must be. The first is the least set
that the rules allow while nothing but the fixed symbols must be on; the second follows from it;
then each narrows the other until neither changes.

Limits: `imply` makes a symbol possible, not necessary; free symbols that exclude each other are
both free; symbols that select each other in a circle stay possible once they were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from lazymmu.kernelc import kconfig_text
from lazymmu.kernelc.kconfig_text import NO, YES, Block, Expression, File, Source
from lazymmu.kernelc.profile import Profile
from lazymmu.kernelc.tree import Tree

__all__ = ["Config", "solve", "variables"]

_DEPTH: Final = 60
_STATES: Final = frozenset({"bool", "tristate"})
_NUMBERS: Final = frozenset({"int", "hex"})


class Config:
    """The configuration as far as one profile decides it."""

    def __init__(self, on: Iterable[str], free: Iterable[str], numbers: Mapping[str, int]) -> None:
        """Take the symbols that are on, those a user may choose, and the numbers."""
        self.on = frozenset(on)
        self.free = frozenset(free)
        self.numbers = dict(numbers)

    def value(self, symbol: str) -> str:
        """Return "y", "n" or "free" for a symbol without its CONFIG_ prefix."""
        if symbol in self.on:
            return "y"
        return "free" if symbol in self.free else "n"

    def number(self, symbol: str) -> int | None:
        """Return the value of an int or hex symbol, None when it is none or has no default."""
        return self.numbers.get(symbol)


@dataclass(slots=True)
class _Symbol:
    """One symbol with all its definitions."""

    name: str
    kind: str = ""
    blocks: list[Block] = field(default_factory=list)
    selectors: list[tuple[str, Expression]] = field(default_factory=list)
    impliers: list[tuple[str, Expression]] = field(default_factory=list)
    choice: _Choice | None = None


@dataclass(slots=True)
class _Choice:
    """One choice: where it counts, its members in order, its defaults, and who is chosen."""

    depends: Expression
    defaults: list[tuple[str, Expression]]
    members: list[str] = field(default_factory=list)
    chosen: str | None = None


class _Assembly:
    """The symbols of a tree for one architecture."""

    def __init__(self, tree: Tree, files: dict[str, File], variables: Mapping[str, str]) -> None:
        self.tree = tree
        self.files = files
        self.variables = variables
        self.symbols: dict[str, _Symbol] = {}
        self.choices: list[_Choice] = []
        self.used: list[str] = []
        self._depth = 0
        self._times: dict[str, int] = {}

    def take(self, rel: str, outer: Expression) -> None:
        """Take in the file `rel`, which is read where `outer` holds."""
        file = self.files.get(rel)
        if file is None:
            if not self.tree.has(rel):
                return
            file = kconfig_text.parse(self.tree.read(rel).decode("utf-8", "replace"))
            self.files[rel] = file
        times = self._times[rel] = self._times.get(rel, 0) + 1
        if self._depth > _DEPTH or times > _DEPTH:
            self.tree.lose(rel, "Kconfig files include each other in a circle")
            return
        self._depth += 1
        self.used.append(rel)
        first = len(self.choices)
        for choice in file.choices:
            depends = kconfig_text.both(outer, choice.depends)
            self.choices.append(_Choice(depends, choice.defaults))
        for item in file.items:
            if isinstance(item, Source):
                path = kconfig_text.included(item, rel, self.variables)
                self.take(path, kconfig_text.both(outer, item.depends))
            else:
                self._block(item, outer, first)
        self._depth -= 1

    def _block(self, block: Block, outer: Expression, first_choice: int) -> None:
        symbol = self.symbols.get(block.name)
        if symbol is None:
            symbol = self.symbols[block.name] = _Symbol(block.name)
        if outer != YES:
            block = block._replace(depends=kconfig_text.both(outer, block.depends))
        if not symbol.kind:
            symbol.kind = block.kind
        symbol.blocks.append(block)
        if block.choice >= 0 and symbol.choice is None:
            symbol.choice = self.choices[first_choice + block.choice]
            symbol.choice.members.append(block.name)

    def link(self) -> None:
        """Hand every select and imply to its target; those of unknown symbols say nothing."""
        for symbol in self.symbols.values():
            for block in symbol.blocks:
                for name, when in block.selects:
                    target = self.symbols.get(name)
                    if target is not None:
                        target.selectors.append(
                            (symbol.name, kconfig_text.both(block.depends, when))
                        )
                for name, when in block.implies:
                    target = self.symbols.get(name)
                    if target is not None:
                        target.impliers.append(
                            (symbol.name, kconfig_text.both(block.depends, when))
                        )


class _Solver:
    """Computes which symbols can be on (`can`) and which must be (`must`)."""

    def __init__(
        self,
        symbols: dict[str, _Symbol],
        choices: list[_Choice],
        fixed: Mapping[str, str],
        variables: Mapping[str, str],
    ) -> None:
        self.symbols = symbols
        self.choices = choices
        self.fixed = fixed
        self.variables = variables
        self.can = {YES, *(name for name, value in fixed.items() if value == "y")}
        self.must = set(self.can)
        self.watchers: dict[str, list[str]] = {}
        self._literals: dict[str, Expression] = {}
        for symbol in symbols.values():
            self._watch(symbol)

    def _watch(self, symbol: _Symbol) -> None:
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
        for other in mentioned:
            known = self.watchers.get(other)
            if known is None:
                self.watchers[other] = [name]
            else:
                known.append(name)

    def _literal(self, value: str) -> Expression:
        known = self._literals.get(value)
        if known is None:
            known = self._literals[value] = kconfig_text.condition(value)
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
                return True
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
                return any(map(self.certain, expression[1:]))
            case "!":
                return not self.possible(expression[1])
        return self._compare(expression) is True

    def _compare(self, expression: Expression) -> bool | None:
        left, right = self._constant(str(expression[2])), self._constant(str(expression[3]))
        if left is None or right is None:
            return None
        try:
            a, b = int(left, 0), int(right, 0)
        except ValueError:
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
        if word[0] == "'":
            return kconfig_text.substitute(word[1:], self.variables) if "$(" in word else word[1:]
        symbol = self.symbols.get(word)
        if symbol is None:
            return word
        number = self.number(symbol)
        return None if number is None else str(number)

    def number(self, symbol: _Symbol, depth: int = 0) -> int | None:
        """Return the value of an int or hex symbol: its first default that is possible."""
        base = 16 if symbol.kind == "hex" else 10
        if symbol.name in self.fixed:
            return _integer(self.fixed[symbol.name], 0)
        if symbol.kind not in _NUMBERS or depth > 8:
            return None
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

    def can_be_on(self, symbol: _Symbol) -> bool:
        """The rule of `can` for one symbol."""
        if symbol.name in self.fixed:
            return self.fixed[symbol.name] == "y"
        if symbol.kind not in _STATES:
            return False
        choice = symbol.choice
        if choice is not None:
            return choice.chosen == symbol.name and self.possible(choice.depends)
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

    def must_be_on(self, symbol: _Symbol) -> bool:
        """The rule of `must` for one symbol."""
        name = symbol.name
        if name in self.fixed:
            return self.fixed[name] == "y"
        if name not in self.can:
            return False
        for owner, condition in symbol.selectors:
            if owner in self.must and self.certain(condition):
                return True
        if symbol.choice is not None:
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
        self, target: set[str], rule: Callable[[_Symbol], bool], todo: Iterable[str]
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

    def _candidates(self, choice: _Choice) -> Iterator[str]:
        for name in choice.members:
            if self.fixed.get(name) == "y":
                yield name
        named = [name for name, when in choice.defaults if self.possible(when)]
        for name in [*named, *choice.members]:
            if self.fixed.get(name) != "n" and name in choice.members:
                for block in self.symbols[name].blocks:
                    if self.possible(block.depends) and any(map(self.possible, block.prompts)):
                        yield name

    def _around(self, names: Iterable[str]) -> set[str]:
        found: set[str] = set()
        for name in names:
            found.update(self.watchers.get(name, ()))
        return found

    def run(self) -> None:
        """Compute both sets."""
        self._grow(self.can, self.can_be_on, self.symbols)
        changed = self._choose()
        self._grow(self.can, self.can_be_on, changed)
        moved = set(self._grow(self.must, self.must_be_on, list(self.can)))
        while moved:
            gone = self._shrink(self._around(moved))
            changed = self._choose()
            gone |= self._shrink(changed)
            new = self._grow(self.can, self.can_be_on, changed)
            moved = self._grow(self.must, self.must_be_on, self._around(gone | new) | changed)


def _integer(text: str, base: int) -> int | None:
    try:
        return int(text, base)
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


def variables(profile: Profile) -> dict[str, str]:
    """Return the variables that Kconfig files use to name the architecture."""
    return dict.fromkeys(("ARCH", "SRCARCH", "SUBARCH"), profile.arch_dir)


def solve(tree: Tree, profile: Profile, files: dict[str, File] | None = None) -> Config:
    """Return what the tree's Kconfig decides for `profile`.

    `files` are Kconfig files that were read already, by path; those that had to be read are
    added to it. A tree without Kconfig files decides nothing: every symbol is "n".
    """
    names = variables(profile)
    assembly = _Assembly(tree, files if files is not None else {}, names)
    assembly.take("Kconfig", YES)
    assembly.link()
    symbols = assembly.symbols
    fixed = {name: item.value for name, item in profile.config.items() if name in symbols}
    solver = _Solver(symbols, assembly.choices, fixed, names)
    solver.run()
    numbers = {}
    for symbol in symbols.values():
        if symbol.kind in _NUMBERS:
            number = solver.number(symbol)
            if number is not None:
                numbers[symbol.name] = number
    for never in (YES, NO):
        solver.can.discard(never)
        solver.must.discard(never)
    return Config(solver.must, solver.can - solver.must, numbers)
