# SPDX-License-Identifier: GPL-2.0-or-later
"""Presence conditions: in which configurations a file, a line, a macro or a word is there.

The term is that of product lines (Czarnecki and Antkiewicz, "Mapping Features to Models", GPCE
2005), and of kmax, which computes them for Kbuild (Gazzillo, "Kmax: Finding All Configurations
of Kbuild Makefiles Statically", ESEC/FSE 2017).

A presence condition is a conjunction of clauses, and a clause is a disjunction of literals:
`("CONFIG_X", "!CONFIG_Y || CONFIG_Z")` holds with X on, and Y off or Z on. That is also how
findings show it. A literal is a symbol that is on or off, or the place of a test that cannot be
evaluated (`mm/Makefile:3 (not evaluated)`), of which both sides are read.

What two readers of one tree find must be joined in one way only, which is why nobody else takes a
clause apart. The operations are exact up to MAX_CLAUSES and MAX_LITERALS. Beyond them whole
clauses are left out: the result then holds in some more configurations, and never in fewer, so
that no code is lost by it.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "ALWAYS",
    "MAX_CLAUSES",
    "MAX_LITERALS",
    "NEVER",
    "PresenceCondition",
    "both",
    "either",
    "is_negative",
    "literals",
    "negated",
    "simplify",
    "symbol_of",
    "unevaluated",
    "uses_unevaluated",
]

PresenceCondition = tuple[str, ...]
"""A conjunction of clauses, each the text of its literals with " || " between them."""

ALWAYS: Final[PresenceCondition] = ()
"""The conjunction of no clauses: every configuration has it."""

NEVER: Final[PresenceCondition] = ("",)
"""The one clause without a literal: no configuration has it."""

MAX_CLAUSES: Final = 100
"""Most clauses of a condition; the most in 7.3 are 6."""

MAX_LITERALS: Final = 200
"""Most literals of a clause; the most in 7.3 are 14."""

_OR: Final = " || "
_PREFIX: Final = "CONFIG_"
_UNEVALUATED: Final = " (not evaluated)"


def literals(clause: str) -> tuple[str, ...]:
    """Return the literals of a clause, of which one must hold."""
    return tuple(clause.split(_OR)) if clause else ()


def symbol_of(literal: str) -> str | None:
    """Return the symbol of a literal without CONFIG_; None of a test that cannot be evaluated."""
    name = literal.removeprefix("!")
    return name.removeprefix(_PREFIX) if name.startswith(_PREFIX) else None


def is_negative(literal: str) -> bool:
    """Tell whether a literal, or the first of a clause, wants its symbol off."""
    return literal.startswith("!")


def unevaluated(file: str, line: int) -> str:
    """Return the literal for a test at a line of a file that cannot be evaluated."""
    return f"{file}:{line}{_UNEVALUATED}"


def uses_unevaluated(clause: str) -> bool:
    """Tell whether a clause has a literal for a test that cannot be evaluated."""
    return _UNEVALUATED in clause


def both(left: PresenceCondition, right: PresenceCondition) -> PresenceCondition:
    """Return the conjunction of two conditions: the clauses of both in order, each once."""
    if not right or left == right:
        return left
    if not left:
        return right[:MAX_CLAUSES]
    added = tuple(clause for clause in right if clause not in left)
    return (left + added)[:MAX_CLAUSES] if added else left


def either(left: PresenceCondition, right: PresenceCondition) -> PresenceCondition:
    """Return the disjunction of two conditions, simplified: what either of two ways leads to.

    Clauses that both have stay; every other clause of one side is joined to every other of the
    other side, as `||` distributes over `&&`.
    """
    if right in (left, NEVER):
        return left
    if left == NEVER:
        return right
    if not left or not right:
        return ALWAYS
    common = [clause for clause in left if clause in right]
    ours = [clause for clause in left if clause not in common]
    theirs = [clause for clause in right if clause not in common]
    joined = (f"{one}{_OR}{other}" for one in ours for other in theirs)
    return simplify(islice((*common, *islice(joined, MAX_CLAUSES)), MAX_CLAUSES))


def negated(condition: PresenceCondition) -> PresenceCondition:
    """Return what holds where `condition` does not.

    A test that cannot be evaluated is its own opposite: it stands for both of its sides.
    """
    found = NEVER
    for clause in condition:
        found = either(found, tuple(_opposite(literal) for literal in literals(clause)))
    return found


def _opposite(literal: str) -> str:
    if uses_unevaluated(literal):
        return literal
    return literal[1:] if is_negative(literal) else f"!{literal}"


def simplify(clauses: Iterable[str]) -> PresenceCondition:
    """Return a condition that says the same with fewer clauses, in their order.

    Left out are literals and clauses that are there twice, clauses that always hold, and those
    that follow from a shorter one. Whether the rest can hold at all is not asked.
    """
    known: dict[frozenset[str], str] = {}
    for clause in clauses:
        words = dict.fromkeys(literals(clause))
        if len(words) <= MAX_LITERALS and not _holds_always(words):
            known.setdefault(frozenset(words), _OR.join(words))
    if len(known) == 1:
        return tuple(known.values())
    return tuple(_without_longer(known))


def _holds_always(words: dict[str, None]) -> bool:
    return any(is_negative(word) and word[1:] in words for word in words)


def _without_longer(known: dict[frozenset[str], str]) -> Iterator[str]:
    """Yield the clauses of which no other one has a part of the literals only."""
    for words, clause in known.items():
        if not any(other < words for other in known):
            yield clause
