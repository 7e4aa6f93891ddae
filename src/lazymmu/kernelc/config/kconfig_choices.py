# SPDX-License-Identifier: GPL-2.0-or-later
"""Choices of Kconfig: who may be chosen, who is, and which symbols exclude each other by that.

Of one choice no two members are on together, and, unless the choice is optional, not all are off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lazymmu.kernelc.config.kconfig_expressions import Expression
    from lazymmu.kernelc.config.kconfig_symbols import Choice
    from lazymmu.kernelc.config.kconfig_truth import Truth

__all__ = ["choosable", "choose", "excluded", "open_choices"]


def choose(truth: Truth, choices: Iterable[Choice]) -> set[str]:
    """Choose a member of every choice; return the members of those that changed."""
    changed: set[str] = set()
    for choice in choices:
        before = choice.chosen
        choice.chosen = next(_candidates(truth, choice), None)
        if choice.chosen != before:
            changed.update(choice.members)
    return changed


def _candidates(truth: Truth, choice: Choice) -> Iterator[str]:
    """Yield the members that may be on, those that are fixed and the defaults first."""
    for name in choice.members:
        if truth.fixed.get(name) == "y":
            yield name
    named = [name for name, when in choice.entry.defaults if truth.possible(when)]
    members = set(choice.members)
    truth.spend(len(named) + len(members))
    for name in [*named, *choice.members]:
        if truth.fixed.get(name) != "n" and name in members:
            truth.spend(truth.symbols[name].weight)
            for entry in truth.symbols[name].entries:
                if truth.possible(entry.depends) and any(map(truth.possible, entry.prompts)):
                    yield name


def choosable(truth: Truth, choice: Choice) -> list[str]:
    """Return the members of a choice that somebody may choose."""
    fixed = [name for name in choice.members if truth.fixed.get(name) == "y"]
    if fixed:
        return fixed
    if not any(map(truth.possible, choice.entry.prompts)):
        return [choice.chosen] if choice.chosen is not None else []
    return list(_candidates(truth, choice))


def excluded(truth: Truth, parts: Iterable[Expression]) -> bool:
    """Tell whether expressions cannot hold together because of a choice."""
    on: dict[int, str] = {}
    off: dict[int, set[str]] = {}
    for part in parts:
        name = part if part.__class__ is str else part[1] if part[0] == "!" else ""
        symbol = truth.symbols.get(name) if isinstance(name, str) else None
        if symbol is None or symbol.choice is None or not symbol.choice.entry.exclusive:
            continue
        which = id(symbol.choice)
        if part.__class__ is str:
            if on.setdefault(which, symbol.name) != symbol.name:
                return True
        else:
            off.setdefault(which, set()).add(symbol.name)
            if _is_made(truth, symbol.choice) and off[which] >= set(
                choosable(truth, symbol.choice)
            ):
                return True
    return False


def _is_made(truth: Truth, choice: Choice) -> bool:
    """Tell whether some member of a choice is on for certain."""
    return not choice.entry.optional and truth.certain(choice.depends)


def open_choices(truth: Truth, choices: Iterable[Choice]) -> list[tuple[list[str], bool]]:
    """Return the choices that are open: their members, and whether one must be on."""
    found = []
    for choice in choices:
        members = [name for name in choice.members if name in truth.can]
        if choice.entry.exclusive and len(members) > 1:
            found.append((members, _is_made(truth, choice)))
    return found
