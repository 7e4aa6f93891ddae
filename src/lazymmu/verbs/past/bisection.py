# SPDX-License-Identifier: GPL-2.0-or-later
"""Which commit of a history changed something, found by halves, as git bisect does it.

The history may have merges. Only the commits that can have changed it are asked about; whoever
drives the search gives the answers, so that several searches share them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Mapping, Sequence

    from lazymmu.snapshot.object_store import LogEntry

__all__ = ["changed_by"]


def changed_by(
    entries: Mapping[str, LogEntry], candidates: Collection[str]
) -> Generator[str, bool | None, tuple[str, ...]]:
    """Search for the first commit with a change that the last commit has.

    :param entries: the commits after the one that does not have it, each after its parents.
    :param candidates: those that can have changed it.
    :returns: its name; several where it is one of those and nobody can tell, none where there is no
        candidate. Yields commits, and is sent whether each has the change, None for one that cannot
        be told.
    """
    masks = _ancestors(entries, candidates)
    names = [commit for commit in entries if commit in candidates]
    pool = next(reversed(masks.values()), 0)
    untold = 0
    while pool.bit_count() > 1:
        best = _middle(names, masks, pool, untold)
        if best is None:
            break
        has = yield best
        if has is None:
            untold |= 1 << names.index(best)
        else:
            pool &= masks[best] if has else ~masks[best]
    return tuple(name for place, name in enumerate(names) if pool >> place & 1)


def _middle(names: Sequence[str], masks: Mapping[str, int], pool: int, untold: int) -> str | None:
    """The candidate that tells most, None where none tells anything."""
    size, worths = pool.bit_count(), {}
    for place, name in enumerate(names):
        if (pool & ~untold) >> place & 1:
            below = (masks[name] & pool).bit_count()
            worths[name] = min(below, size - below)
    best = max(worths, key=worths.__getitem__, default=None)
    return best if best is not None and worths[best] else None


def _ancestors(entries: Mapping[str, LogEntry], candidates: Collection[str]) -> dict[str, int]:
    """For each commit a set of bits: which candidates it has, itself among them."""
    masks: dict[str, int] = {}
    bit = 1
    for commit, entry in entries.items():
        mask = 0
        for parent in entry.parents:
            mask |= masks.get(parent, 0)
        if commit in candidates:
            mask |= bit
            bit <<= 1
        masks[commit] = mask
    return masks
