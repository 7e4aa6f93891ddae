# SPDX-License-Identifier: GPL-2.0-or-later
"""An architecture's implementation of the mode, and what its walks came to, as plain values.

They are parts of an analysis like others (kept_parts.py): one is the implementation, one are the
walks. Neither is held against a change, or computed again by itself: where one of the texts has
changed that they were read from, the analysis begins anew, and finds them anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.kernelc.json_shapes import listed, string, strings
from lazymmu.witness.source.arch_hooks import SWITCH_HOOKS, Implementation
from lazymmu.witness.source.told_outcomes import outcome_of, plain_outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lazymmu.contract.vocabulary import Vocabulary
    from lazymmu.kernelc.configured_tree import Definition
    from lazymmu.witness.source.interproc.mode_api import ModeApi
    from lazymmu.witness.source.moved_places import MovedPlaces
    from lazymmu.witness.source.path.path_state import WalkOutcome
    from lazymmu.witness.source.told_values import Teller, ToldValues

__all__ = ["HOOKS", "JUDGED", "hooks_of", "judged_of", "names_of_hooks", "plain_hooks",
           "plain_judged"]  # fmt: skip

HOOKS: Final = "hooks"
"""The kind of the part that is the implementation (`arch_hooks.find`)."""

JUDGED: Final = "judged"
"""The kind of the part that the walks of its hooks are (`arch_hooks.judge`)."""

_FOUND: Final = ("enter", "leave", "flush", "switch", "updates", "definitions")


def names_of_hooks(words: Vocabulary, api: ModeApi) -> frozenset[str]:
    """Return the names that hooks and accessors are looked up by: they stand in no text."""
    return frozenset({*api.anywhere, *words.entries, *SWITCH_HOOKS})


def plain_hooks(found: Implementation) -> list[object]:
    """Return an implementation as plain values."""
    return [
        [[[d.file, d.name] for d in getattr(found, kind)] for kind in _FOUND],
        sorted(map(list, found.places)),
        " ".join(sorted(found.words)),
        " ".join(sorted(found.enter_words)),
        found.cut,
    ]


def hooks_of(
    plain: object, moved: MovedPlaces, definition: Callable[[str, str], Definition]
) -> Implementation:
    """Return the implementation that plain values tell, with its lines where they are now.

    :param definition: finds the definition of a file that has a name.
    :raises LookupError: a line or a definition is gone.
    :raises TypeError: nothing was told so.
    :raises ValueError: likewise.
    """
    found, places, words, enter_words, cut = listed(plain)
    kinds = [
        tuple(definition(file, name) for file, name in map(strings, listed(some)))
        for some in listed(found)
    ]
    now = set()
    for file, line in map(listed, listed(places)):
        if type(line) is not int:
            raise TypeError("no line")
        now.add((string(file), moved.line(string(file), line)))
    return Implementation(
        **dict(zip(_FOUND, kinds, strict=True)),
        places=frozenset(now),
        words=frozenset(string(words).split()),
        enter_words=frozenset(string(enter_words).split()),
        cut=cut is True,
    )


def plain_judged(
    walks: Sequence[tuple[Definition, WalkOutcome]], teller: Teller
) -> list[list[object]]:
    """Return what walks of hooks came to as plain values; errors as of `Teller.of`."""
    return [[d.file, d.name, plain_outcome(outcome, teller)] for d, outcome in walks]


def judged_of(
    plain: object, values: ToldValues, definition: Callable[[str, str], Definition]
) -> list[tuple[Definition, WalkOutcome]]:
    """Return the walks that plain values tell; errors as of `ToldValues.of`."""
    walks = []
    for file, name, outcome in map(listed, listed(plain)):
        walks.append((definition(string(file), string(name)), outcome_of(outcome, values)))
    return walks
