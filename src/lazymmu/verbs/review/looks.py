# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks of a tree with some patches of a series laid on, in memory, each made once."""

from __future__ import annotations

from dataclasses import dataclass
from operator import is_
from typing import TYPE_CHECKING

from lazymmu.snapshot.content import blob_id
from lazymmu.snapshot.listing import wanted
from lazymmu.snapshot.patches.apply import Stack
from lazymmu.witness.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lazymmu.snapshot.patches.series import Patch
    from lazymmu.snapshot.tree import Tree
    from lazymmu.witness.finding import CheckResult, Finding

__all__ = ["Look", "Looks"]


@dataclass(frozen=True, slots=True)
class Look:
    """A tree with some patches, and what a check says of it."""

    tree: Tree
    result: CheckResult

    @property
    def verdicts(self) -> tuple[Finding, ...]:
        """What says that something is wrong, by place."""
        found = [one for one in self.result.findings if one.severity is not Severity.INFORMATION]
        return tuple(sorted(found, key=lambda one: (one.file, one.line, one.column, one.rule)))


class Looks:
    """A base, and what a check says of it with patches laid on.

    Trees with the same files are checked once, whichever patches made them so.
    """

    def __init__(self, base: Tree, look: Callable[[Tree], CheckResult]) -> None:
        """Lay patches on `base`, and ask `look`."""
        self.base = base = base.listed_once()
        self._look = look
        self._known: dict[frozenset[tuple[str, str]], CheckResult] = {}
        self._last: tuple[list[Patch], Stack] = [], Stack(base)

    def tree(self, patches: Iterable[Patch]) -> Tree:
        """The base with some patches, in their order.

        :raises PatchRefusedError: with the reason.
        """
        return self._laid(patches)[0]

    def of(self, patches: Sequence[Patch]) -> Look:
        """What a check says of the base with some patches.

        :raises PatchRefusedError: with the reason.
        """
        tree, key = self._laid(patches)
        if key not in self._known:
            self._known[key] = self._look(tree)
        return Look(tree, self._known[key])

    def _laid(self, patches: Iterable[Patch]) -> tuple[Tree, frozenset[tuple[str, str]]]:
        changes = self._stack(list(patches)).applied().changes
        key = frozenset(
            (rel, "" if content is None else blob_id(content))
            for rel, content in changes.items()
            if wanted(rel)
        )
        return (self.base.over(changes) if changes else self.base), key

    def _stack(self, patches: list[Patch]) -> Stack:
        """The base with some patches, built on the last one where that has the first of them.

        A series is looked at with one more patch each time: no patch is laid on twice for it.
        """
        laid, stack = self._last
        same = len(laid) <= len(patches) and all(map(is_, laid, patches))
        if not same:
            laid, stack = [], Stack(self.base)
        for patch in patches[len(laid) :]:
            stack.lay(patch)
            laid.append(patch)
        self._last = laid, stack
        return stack
