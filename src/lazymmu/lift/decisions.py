# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known by the values that were read for it, in the order in which they were read.

What is read next may depend on what was read before, so that it is a tree: each node says what is
read there, and has a child for each value that was seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

__all__ = ["Decision", "Decisions"]

Read = TypeVar("Read")
Outcome = TypeVar("Outcome")


@dataclass(slots=True)
class Decision(Generic[Read, Outcome]):
    """What is read next, and by its value what comes then; or what comes of it all.

    :param read: None where nothing more is read.
    """

    read: Read | None
    outcome: Outcome | None = None
    children: dict[Hashable, Decision[Read, Outcome]] = field(default_factory=dict)


class Decisions(Generic[Read, Outcome]):
    """Such trees by their keys; who asks goes through them himself, since that is done often."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self.roots: dict[Hashable, Decision[Read, Outcome]] = {}

    def keep(self, key: Hashable, reads: Iterable[tuple[Read, Hashable]], outcome: Outcome) -> None:
        """Keep what came of something.

        :param reads: what was read for it, each thing once, in order, with what is told of it.
        """
        path = list(reads)
        nodes: list[Decision[Read, Outcome]] = [Decision(read) for read, _ in path]
        nodes.append(Decision(None, outcome))
        node = self.roots.setdefault(key, nodes[0])
        for (_, value), then in zip(path, nodes[1:], strict=True):
            node = node.children.setdefault(value, then)
