# SPDX-License-Identifier: GPL-2.0-or-later
"""An analysis of the same machine that was kept and rests on another walk of the headers.

A header that comes to define one more macro, a file that moves, a symbol of Kconfig that is new, a
neighbouring release: the walk is another one, and most of what an analysis looked at is as it was.
What it came to as a whole is not taken from there, but its parts are (taken_over.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lazymmu.contract import vocabulary
from lazymmu.kernelc import kept_trees
from lazymmu.kernelc.json_shapes import listed, mapped, string, strings
from lazymmu.snapshot.content import is_of_file
from lazymmu.witness.source.changes_since import ChangesSince
from lazymmu.witness.source.earlier_analysis import ASKED_BY_PARTS, EarlierAnalysis
from lazymmu.witness.source.rechecks import answers

if TYPE_CHECKING:
    from lazymmu.kernelc.configured_tree import ConfiguredTree
    from lazymmu.kernelc.facts import Facts, KeptFact
    from lazymmu.witness.source.prefilter import Prefilter

__all__ = ["of_another_walk"]


def of_another_walk(
    view: ConfiguredTree, facts: Facts, kind: str, key: str, marks: Prefilter
) -> EarlierAnalysis | None:
    """Return the analysis under a key that is nearest to a tree; None where none is of use.

    :param facts: where analyses are kept, under that kind.
    :param marks: the words of the tree that name the mode.
    """
    fact = facts.nearest(kind, key)
    if fact is None:
        return None
    try:
        parts = mapped(fact.value)
        walk = kept_trees.difference(view.library, string(parts["walk"]), view.walk)
        if walk is None or _features() & walk.symbols:
            return None
        since = ChangesSince(view, parts, walk.then.looked_into())
        if not _files_hold(fact, since) or not since.take_walk(walk):
            return None
        here = {*view.headers.files, *view.built}
        seen = {rel for rel, (then, _) in fact.changed.items() if is_of_file(then)} | walk.files
        if any(_is_answered_otherwise(view, rel, parts, marks, rel in here) for rel in seen):
            since.tables = True
        return EarlierAnalysis(fact, parts, since)
    except (KeyError, TypeError, ValueError, IndexError, LookupError):
        return None


def _features() -> frozenset[str]:
    """The symbols by which it is decided for a whole machine what it has."""
    return frozenset(word.config for word in vocabulary.load().features.values())


def _files_hold(fact: KeptFact, since: ChangesSince) -> bool:
    """Take in the files that have changed, or are gone; False where that is too much."""
    for rel, (then, now) in fact.changed.items():
        if is_of_file(then):
            if not is_of_file(now):
                since.lose(rel)
            elif not since.add(rel, then):
                return False
        # What is in a directory, and whether something is there, is asked outside of parts.
    return True


def _is_answered_otherwise(
    view: ConfiguredTree, rel: str, parts: Mapping[str, object], marks: Prefilter, here: bool
) -> bool:
    """Whether a part asked about a file what has another answer now.

    :param here: whether it is among the files that are seen now.
    """
    if here:
        told = answers(view, marks.words, rel, parts)
        return not ASKED_BY_PARTS.isdisjoint(kind for kind, same in told.items() if not same)
    asked = any(
        about == rel and kind in ASKED_BY_PARTS
        for kind, about, *_ in map(listed, listed(parts["checks"]))
    )
    return asked or any(rel in strings(files) for files in mapped(parts["searched"]).values())
