# SPDX-License-Identifier: GPL-2.0-or-later
"""Which problem of one release is which of a later one, of several trees in their order.

A problem is known by rule, file and function from one tree to the next; where these change, by what
`moves` says. It may be away in between.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lazymmu.verbs.moves import moves

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lazymmu.snapshot.tree import Tree
    from lazymmu.witness.finding import Finding

__all__ = ["Key", "by_release", "chains", "key_of", "lineage"]

Key = tuple[str, str, str]
"""What a problem is known by in one tree: rule, file, function."""


def key_of(finding: Finding) -> Key:
    """What a finding is known by in its tree."""
    return finding.rule, finding.file, finding.function


def by_release(releases: Sequence[str]) -> list[int]:
    """The places of some releases in the order of their numbers; equal ones as they stand.

    A candidate (7.3.0-rc2) comes before its release.
    """
    return sorted(range(len(releases)), key=lambda place: _number(releases[place]))


def _number(release: str) -> tuple[tuple[int, ...], int]:
    plain, _, candidate = release.partition("-rc")
    numbers = [int(number) for number in re.findall(r"\d+", plain)[:3]]
    found = re.match(r"\d+", candidate)
    # 6.12 and 6.12.0 are one.
    return tuple((*numbers, 0, 0, 0)[:3]), int(found[0]) if found else 1 << 30


def lineage(trees: Sequence[tuple[Tree, Sequence[Finding]]]) -> dict[Key, Key]:
    """What each problem was before, of those that changed file or function.

    :param trees: in the order of their releases, each with all that was found in it.
    :returns: the former key by the later one.
    """
    found: dict[Key, Key] = {}
    last: dict[Key, int] = {}
    for number, (tree, findings) in enumerate(trees):
        here = {key_of(finding): finding for finding in findings}
        born = [finding for key, finding in here.items() if key not in last]
        for before in range(number - 1, -1, -1):
            gone = [
                finding
                for finding in trees[before][1]
                if last.get(key_of(finding)) == before and key_of(finding) not in here
            ]
            for origin, finding in moves((trees[before][0], gone), (tree, born)):
                found[key_of(finding)] = key_of(origin)
                # It is this one from here on.
                last[key_of(origin)] = -1
                born.remove(finding)
        last |= dict.fromkeys(here, number)
    return found


def chains(former: Mapping[Key, Key]) -> dict[Key, tuple[Key, ...]]:
    """For each key that has changed all that its problem is known by, the latest first.

    :param former: what each was before (`lineage`).
    """
    found: dict[Key, tuple[Key, ...]] = {}
    for latest in former.keys() - set(former.values()):
        chain = [latest]
        while (before := former.get(chain[-1])) is not None and before not in chain:
            chain.append(before)
        found |= dict.fromkeys(chain, tuple(chain))
    return found
