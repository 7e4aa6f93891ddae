# SPDX-License-Identifier: GPL-2.0-or-later
"""The names that a request may hold, and one sentence for a name that does not exist."""

from __future__ import annotations

import contextlib
import difflib
from typing import TYPE_CHECKING, Final

from lazymmu.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from lazymmu.witness.source.check import Where

__all__ = [
    "FEW_NAMES",
    "arches",
    "check",
    "dialect",
    "machines_have",
    "rules_of_source",
    "source_rules",
]

_VERBS: Final = {"machine": "lazymmu verify --rule", "trace": "lazymmu trace FILE --rule"}
"""What asks the other witnesses about a rule."""

FEW_NAMES: Final = 30
"""As many names as a message may list."""


def check(
    kind: str,
    names: Iterable[str],
    there_are: Iterable[str],
    more: Callable[[str], str] | None = None,
) -> None:
    """Raise Problem for the first of `names` that does not exist, with the nearest that does.

    :param more: what else there is to say of such a name, "" for nothing.
    """
    all_names = sorted(set(there_are))
    for name in sorted(names):
        if name not in all_names:
            near = difflib.get_close_matches(name, all_names, n=1)
            few = len(all_names) <= FEW_NAMES
            hint = f"there are {', '.join(all_names)}" if few else "--list names all of them"
            hint = f"did you mean {near[0]}?" if near else hint
            elsewhere = more(name) if more is not None else ""
            raise Problem(f"there is no {kind} {name!r}; {elsewhere or hint}")


def dialect(name: str | None) -> None:
    """Raise Problem unless `name` is a dialect, or None."""
    from lazymmu.contract.dialects import DIALECTS

    if name is not None:
        check("dialect", [name], DIALECTS)


def machines_have(name: str) -> str:
    """Where an architecture is known that source has no profile of: machines have more."""
    from lazymmu.litmus.run import names as there_are

    return f"machines have it: lazymmu verify --arch {name}" if name in there_are()[0] else ""


def rules_of_source(names: Collection[str]) -> None:
    """Raise Problem for a name that is no rule, or one of a rule that source cannot show."""
    from lazymmu.contract.rules import RULES

    of_source = source_rules()
    for name in names:
        witnesses = RULES[name].witnesses if name in RULES and name not in of_source else ()
        if shown := [f"{_VERBS[one]} {name}" for one in witnesses if one in _VERBS]:
            raise Problem(f"source cannot show the rule {name!r}; ask {' or '.join(shown)}")
    check("rule", names, of_source)


def source_rules() -> list[str]:
    """The names of the rules that source can show, in the contract's order."""
    from lazymmu.contract.rules import RULES
    from lazymmu.contract.rules.rule import Witness

    return [name for name, rule in RULES.items() if Witness.SOURCE in rule.witnesses]


def arches(named: Collection[str], trees: Iterable[Where] = ()) -> tuple[str, ...] | None:
    """The architectures of source in our order, or None for all.

    :param named: with ``all`` among them, or none, they are all.
    :param trees: those whose own architectures may be named as well.
    :raises Problem: with the reason.
    """
    from lazymmu.kernelc.arch_profile import PROFILES

    if not named or set(named) == {"all"}:
        return None
    others = set(named) - {"all", *PROFILES}
    if others:
        check("architecture", others, [*PROFILES, *_directories(trees)], machines_have)
    if "all" in named:
        return None
    return (*(name for name in PROFILES if name in named), *sorted(others))


def _directories(trees: Iterable[Where]) -> Iterator[str]:
    """The directories below arch/ of trees, of those that can be listed."""
    from lazymmu.snapshot.tree import Tree, TreeError

    for tree in trees:
        with contextlib.suppress(TreeError):
            opened = tree if isinstance(tree, Tree) else Tree.open(tree)
            yield from (entry.name for entry in opened.entries("arch") if entry.directory)
