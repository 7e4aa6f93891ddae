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
they were; a module counts as on, so that `X = m` is `X`, and `!X` cannot hold where X must be a
module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.kernelc.config.kconfig_choices import choosable, choose, excluded, open_choices
from lazymmu.kernelc.config.kconfig_expressions import parse_expression
from lazymmu.kernelc.config.kconfig_macros import FAILS, TESTS
from lazymmu.kernelc.config.kconfig_symbols import STATES, Choice, Symbol, watchers
from lazymmu.kernelc.config.kconfig_truth import KconfigLimitError, Truth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["Solver"]

_MAX_ROUNDS: Final = 100
"""How often both sets may narrow each other."""


class Solver:
    """Computes which symbols can be on (`can`) and which must be (`must`)."""

    def __init__(
        self,
        symbols: dict[str, Symbol],
        choices: list[Choice],
        fixed: Mapping[str, str],
        variables: Mapping[str, str],
    ) -> None:
        """Begin with the `fixed` symbols; `variables` name the architecture in Kconfig files."""
        self.symbols = symbols
        self.choices = choices
        self.fixed = fixed
        self.truth = Truth(symbols, fixed, variables, excluded)
        self.can = self.truth.can
        self.must = self.truth.must
        self.watchers = watchers(symbols.values())

    def can_be_on(self, symbol: Symbol) -> bool:
        """The rule of `can` for one symbol."""
        self.truth.spend(symbol.weight)
        possible = self.truth.possible
        if symbol.name in self.fixed:
            return self.fixed[symbol.name] == "y"
        if symbol.kind not in STATES:
            return False
        choice = symbol.choice
        if choice is not None:
            if not self.truth.open:
                return choice.chosen == symbol.name and possible(choice.depends)
            return symbol.name in choosable(self.truth, choice) and possible(choice.depends)
        for entry in symbol.entries:
            if entry.prompts and possible(entry.depends):
                for condition in entry.prompts:
                    if possible(condition):
                        return True
        if self._default_can_be_on(symbol):
            return True
        for owner, condition in symbol.selectors:
            if owner in self.can and possible(condition):
                return True
        for owner, condition in symbol.impliers:
            if owner in self.can and possible(condition):
                return any(possible(entry.depends) for entry in symbol.entries)
        return False

    def _default_can_be_on(self, symbol: Symbol) -> bool:
        """Tell whether a default can be on; one whose condition must hold hides those after it."""
        possible, certain = self.truth.possible, self.truth.certain
        for entry in symbol.entries:
            if entry.defaults and possible(entry.depends):
                for value, condition in entry.defaults:
                    if possible(condition):
                        if possible(parse_expression(value)):
                            return True
                        if certain(condition) and certain(entry.depends):
                            return False
        return False

    def must_be_on(self, symbol: Symbol) -> bool:
        """The rule of `must` for one symbol."""
        self.truth.spend(symbol.weight)
        possible, certain = self.truth.possible, self.truth.certain
        name = symbol.name
        if name in self.fixed:
            return self.fixed[name] == "y"
        if name not in self.can:
            return False
        for owner, condition in symbol.selectors:
            if owner in self.must and certain(condition):
                return True
        if symbol.choice is not None:
            members = set(choosable(self.truth, symbol.choice))
            if self.truth.open and len(members) > 1:
                return False
            if symbol.choice.chosen != name or not certain(symbol.choice.depends):
                return False
            return len(members) > 1 or self._must_be_shown(symbol)
        for entry in symbol.entries:
            if entry.prompts and possible(entry.depends):
                for condition in entry.prompts:
                    if possible(condition):
                        return False
        for entry in symbol.entries:
            if entry.defaults and possible(entry.depends):
                for value, condition in entry.defaults:
                    if possible(condition):
                        if not certain(parse_expression(value)):
                            return False
                        if certain(condition) and certain(entry.depends):
                            return True
        return False

    def _must_be_shown(self, symbol: Symbol) -> bool:
        """Tell whether somebody is asked for a symbol in any case."""
        certain = self.truth.certain
        return any(
            certain(entry.depends) and any(map(certain, entry.prompts)) for entry in symbol.entries
        )

    def _grow(
        self, target: set[str], rule: Callable[[Symbol], bool], todo: Iterable[str]
    ) -> set[str]:
        """Add to `target` what `rule` allows, beginning with `todo`; return what was added."""
        added: set[str] = set()
        while todo:
            following: set[str] = set()
            for name in sorted(todo):
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
            for name in sorted(todo):
                if name in self.can and not self.can_be_on(self.symbols[name]):
                    self.can.discard(name)
                    gone.add(name)
                    following.update(self.watchers.get(name, ()))
            todo = following
        return gone

    def _around(self, names: Iterable[str]) -> set[str]:
        found: set[str] = set()
        for name in names:
            found.update(self.watchers.get(name, ()))
        return found

    def run(self) -> None:
        """Compute both sets.

        :raises TooMuchError: that is beyond a bound.
        """
        self._grow(self.can, self.can_be_on, self.symbols)
        changed = choose(self.truth, self.choices)
        self._grow(self.can, self.can_be_on, changed)
        moved = set(self._grow(self.must, self.must_be_on, list(self.can)))
        rounds = 0
        while moved:
            if (rounds := rounds + 1) > _MAX_ROUNDS:
                raise KconfigLimitError
            gone = self._shrink(self._around(moved))
            changed = choose(self.truth, self.choices)
            gone |= self._shrink(changed)
            new = self._grow(self.can, self.can_be_on, changed)
            moved = self._grow(self.must, self.must_be_on, self._around(gone | new) | changed)

    def widen(self) -> None:
        """Take back what rests on the default of a choice, or on a test of the toolchain, alone.

        :raises TooMuchError: that is beyond a bound.
        """
        self.truth.open = True
        self.can.add(FAILS)
        self.must.discard(TESTS)
        todo = {name for choice in self.choices for name in choice.members}
        todo.update(self._around((TESTS, FAILS)))
        while todo:
            following: set[str] = set()
            for name in sorted(todo):
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
        return open_choices(self.truth, self.choices)
