# SPDX-License-Identifier: GPL-2.0-or-later
"""What Kconfig decides for one profile, and what it leaves to the user.

Every symbol is "y" (selected, or a default that no prompt can change), "n" (its dependencies
cannot hold, or nothing gives it a value, or it does not exist) or "free" (somebody may choose).
The profile's own symbols are fixed first, where the tree has them. `value` takes the default
member of a choice, unless the profile fixes another, and a toolchain whose tests succeed, so that
the headers of one consistent machine are read. `may` leaves both open: which files are built is
asked of it, so that none is lost that another member builds. How it is solved: kconfig_solver.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.kernelc.config.kconfig_expressions import NO, UNREAD, YES, Expression, conjunction
from lazymmu.kernelc.config.kconfig_macros import FAILS, TESTS
from lazymmu.kernelc.config.kconfig_model import ConfigEntry, KconfigFile, SourceEntry, included
from lazymmu.kernelc.config.kconfig_parser import parse
from lazymmu.kernelc.config.kconfig_solver import Solver
from lazymmu.kernelc.config.kconfig_symbols import NUMBERS, Choice, Symbol
from lazymmu.kernelc.config.kconfig_truth import KconfigLimitError
from lazymmu.kernelc.presence import PresenceCondition, is_negative, symbol_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lazymmu.kernelc.arch_profile import Profile
    from lazymmu.snapshot.tree import Tree

__all__ = ["Config", "solve", "variables"]

_DEPTH: Final = 60
_PARTS: Final = 1_000
"""Most parts of the condition under which a file is included."""
_ENTRIES: Final = 1_000_000
"""Most entries and inclusions of all files, however often each is read; in 7.3 they are 20,640."""
_COPIED: Final = 100
"""Parts of a condition that are copied to each symbol that is selected under it."""


class Config:
    """The configuration as far as one profile decides it."""

    def __init__(
        self,
        on: Iterable[str],
        free: Iterable[str],
        numbers: Mapping[str, int],
        either: Iterable[str] = (),
        choices: Iterable[tuple[Iterable[str], bool]] = (),
        defined: Iterable[str] | None = None,
    ) -> None:
        """Take the symbols that are on, those a user may choose, and the numbers.

        either: symbols of which `value` says one state, and another member of a choice or
        another toolchain the other; choices: the members of each open choice, and whether one
        of them must be on; defined: all symbols that there are, None when nobody will ask.
        """
        self.defined = frozenset(defined) if defined is not None else None
        self.on = frozenset(on)
        self.free = frozenset(free)
        self.numbers = dict(numbers)
        self.either = frozenset(either)
        self.choices = tuple((frozenset(members), made) for members, made in choices)
        self._choice = {
            name: index for index, (members, _) in enumerate(self.choices) for name in members
        }

    def value(self, symbol: str) -> str:
        """Return "y", "n" or "free" for a symbol without its CONFIG_ prefix."""
        if symbol in self.on:
            return "y"
        return "free" if symbol in self.free else "n"

    def may(self, symbol: str) -> str:
        """Return what `value` says, or "either" where both sides of the symbol are to be seen."""
        return "either" if symbol in self.either else self.value(symbol)

    def excludes(self, presence: PresenceCondition) -> bool:
        """Tell whether clauses CONFIG_X and !CONFIG_X cannot hold together, by a choice."""
        on: dict[int, str] = {}
        off: dict[int, set[str]] = {}
        for clause in presence:
            name = symbol_of(clause)
            index = self._choice.get(name) if name is not None else None
            if name is None or index is None:
                continue
            if is_negative(clause):
                members, made = self.choices[index]
                off.setdefault(index, set()).add(name)
                if made and off[index] >= members:
                    return True
            elif on.setdefault(index, name) != name:
                return True
        return any(name in off.get(index, ()) for index, name in on.items())

    def instead(self, presence: PresenceCondition) -> dict[str, bool]:
        """Return which symbols are on, and which off, where a condition needs others.

        Nothing where the defaults do: a file that another member of a choice builds, or the other
        side of a free symbol, is read as that machine reads it.
        """
        found: dict[str, bool] = {}
        for clause in presence:
            name = symbol_of(clause)
            if is_negative(clause):
                if name is not None and self.may(name) == "free":
                    found[name] = False
                continue
            index = self._choice.get(name) if name is not None else None
            if name is not None and index is not None and self.value(name) == "n":
                found.update(dict.fromkeys(self.choices[index][0], False))
                found[name] = True
        return found

    def number(self, symbol: str) -> int | None:
        """Return the value of an int or hex symbol, None when it is none or has no default."""
        return self.numbers.get(symbol)


class _Assembly:
    """The symbols of a tree for one architecture."""

    def __init__(
        self, tree: Tree, files: dict[str, KconfigFile], variables: Mapping[str, str]
    ) -> None:
        self.tree = tree
        self.files = files
        self.variables = variables
        self.symbols: dict[str, Symbol] = {}
        self.choices: list[Choice] = []
        self.used: list[str] = []
        self._depth = 0
        self._left = _ENTRIES
        self._times: dict[str, int] = {}

    def take(self, rel: str, outer: Expression, needed: str = "") -> None:
        """Take in the file `rel`, which is read where `outer` holds.

        needed: the file that includes it, unless that may do without.
        """
        file = self.files.get(rel)
        if file is None:
            if not self.tree.has(rel):
                if needed:
                    self.tree.lose(rel, f"is not there, but {needed} includes it")
                return
            file = parse(self.tree.read(rel).decode("utf-8", "replace"))
            self.files[rel] = file
        times = self._times[rel] = self._times.get(rel, 0) + 1
        if self._depth > _DEPTH or times > _DEPTH:
            self.tree.lose(rel, "Kconfig files include each other in a circle")
            return
        self._depth += 1
        for reason in file.lost:
            self.tree.lose(rel, reason)
        if outer.__class__ is tuple and len(outer) > _PARTS:
            self.tree.lose(rel, f"a condition of more than {_PARTS} parts")
            outer = UNREAD
        self.used.append(rel)
        first = len(self.choices)
        for choice in file.choices:
            depends = conjunction(outer, choice.depends)
            self.choices.append(Choice(choice, depends))
        for item in file.items:
            self._left -= 1
            if self._left < 0:
                self.tree.lose(rel, "Kconfig files include each other in a circle")
                break
            if isinstance(item, SourceEntry):
                path = included(item, rel, self.variables)
                by = "" if item.optional else rel
                self.take(path, conjunction(outer, item.depends), by)
            else:
                self._entry(item, outer, first)
        self._depth -= 1

    def _entry(self, entry: ConfigEntry, outer: Expression, first_choice: int) -> None:
        symbol = self.symbols.get(entry.name)
        if symbol is None:
            symbol = self.symbols[entry.name] = Symbol(entry.name)
        if outer != YES:
            entry = entry._replace(depends=conjunction(outer, entry.depends))
        if not symbol.kind:
            symbol.kind = entry.kind
        symbol.entries.append(entry)
        if entry.choice >= 0 and symbol.choice is None:
            symbol.choice = self.choices[first_choice + entry.choice]
            symbol.choice.members.append(entry.name)

    def link(self) -> None:
        """Hand every select and imply to its target; those of unknown symbols say nothing."""
        for symbol in self.symbols.values():
            for entry in symbol.entries:
                for name, when in entry.selects:
                    target = self.symbols.get(name)
                    if target is not None:
                        target.selectors.append((symbol.name, _along(entry.depends, when)))
                for name, when in entry.implies:
                    target = self.symbols.get(name)
                    if target is not None:
                        target.impliers.append((symbol.name, _along(entry.depends, when)))


def _along(depends: Expression, when: Expression) -> Expression:
    """`depends && when`; the parts of a long condition are not copied for each select."""
    if depends.__class__ is tuple and len(depends) > _COPIED:
        return depends if when == YES else ("&", depends, when)
    return conjunction(depends, when)


def variables(profile: Profile) -> dict[str, str]:
    """Return the variables that Kconfig files use to name the architecture."""
    return dict.fromkeys(("ARCH", "SRCARCH", "SUBARCH"), profile.arch_dir)


def solve(
    tree: Tree,
    profile: Profile,
    files: dict[str, KconfigFile] | None = None,
    used: dict[str, None] | None = None,
) -> Config:
    """Return what the tree's Kconfig decides for `profile`.

    `files` are Kconfig files that were read already, by path; those that had to be read are
    added to it. What is taken in, read now or before, is added to `used`. A tree without Kconfig
    files decides nothing: every symbol is "n".
    """
    names = variables(profile)
    assembly = _Assembly(tree, files if files is not None else {}, names)
    assembly.take("Kconfig", YES)
    assembly.link()
    if used is not None:
        used.update(dict.fromkeys(assembly.used))
    symbols = assembly.symbols
    fixed = {name: item.value for name, item in profile.config.items() if name in symbols}
    solver = Solver(symbols, assembly.choices, fixed, names)
    numbers: dict[str, int] = {}
    choices: list[tuple[list[str], bool]] = []
    on, can = solver.must, solver.can
    try:
        solver.run()
        for symbol in symbols.values():
            if symbol.kind in NUMBERS:
                number = solver.truth.number(symbol)
                if number is not None:
                    numbers[symbol.name] = number
        on, can = set(solver.must), set(solver.can)
        solver.widen()
        choices = solver.groups()
    except KconfigLimitError:
        tree.lose("Kconfig", "its symbols are too much to be settled")
        on, can = set(on), set(can)
    either = (on - solver.must) | (solver.can - can)
    either.update(name for members, _ in choices for name in members)
    for never in (YES, NO, TESTS, FAILS, UNREAD):
        for found in (on, can, either):
            found.discard(never)
    # A module out of tree may ask for symbols of its own, which whoever builds it sets.
    return Config(on, can - on, numbers, either, choices, symbols if tree.module else None)
