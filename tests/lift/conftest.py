# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines of small trees' own C, changed in memory as a test likes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import lazymmu
from lazymmu.snapshot.tree import Tree

EXAMPLES = Path(__file__).parents[2] / "examples"

Change = Callable[[str], str]


class Asked:
    """Asks machines of `examples/linux-new`, whose files may be changed before."""

    def __init__(self, name: str = "linux-new") -> None:
        self.root = EXAMPLES / name

    def tree(self, changes: dict[str, Change]) -> Tree:
        """The tree, with each of these files put through a function."""
        texts = {rel: change((self.root / rel).read_text()) for rel, change in changes.items()}
        for rel, text in texts.items():
            assert text != (self.root / rel).read_text(), f"{rel} is not changed"
        return Tree.open(self.root).over({rel: text.encode() for rel, text in texts.items()})

    def __call__(
        self,
        *scenarios: str,
        changes: dict[str, Change] | None = None,
        arch: str = "x86",
        steps: str = "fine",
    ) -> lazymmu.VerifyAnswer:
        """The answer for scenarios on the tree's own C."""
        request = lazymmu.VerifyRequest(
            scenarios=scenarios, arches=[arch], tree=self.tree(changes or {}), steps=steps, jobs=1
        )
        return lazymmu.verify(request)


@pytest.fixture
def asked() -> Asked:
    """Who asks machines of the example's C."""
    return Asked()


def rows(answer: lazymmu.VerifyAnswer) -> list[tuple[object, ...]]:
    """What came of each run: its verdict, its size, and the shortest ways."""
    return [
        (
            verdict.scenario,
            verdict.verdict,
            verdict.states,
            verdict.transitions,
            tuple((one.rule, one.preemptions, one.steps) for one in verdict.violations),
        )
        for verdict in answer.verdicts
    ]
