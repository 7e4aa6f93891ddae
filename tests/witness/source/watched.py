# SPDX-License-Identifier: GPL-2.0-or-later
"""Which analyses begin anew, and which of their parts are taken over from earlier ones."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from lazymmu.witness.source import analyse_arch
from lazymmu.witness.source.arch_result import ArchResult
from lazymmu.witness.source.parts_again import PartsAgain
from lazymmu.witness.source.taken_over import TakenOver

__all__ = ["Watched", "watching"]


@dataclass
class Watched:
    """What an analysis that begins anew takes over, and what it computes."""

    begun: int = 0
    own: Counter[bool] = field(default_factory=Counter)
    roots: Counter[bool] = field(default_factory=Counter)
    again: int = 0
    """Roots that were walked to see whether the earlier analysis holds, and are not once more."""


def watching(monkeypatch: pytest.MonkeyPatch) -> Watched:
    """Count the analyses that begin anew, and the parts that they take over."""
    seen = Watched()
    plain, own, root = analyse_arch._computed, TakenOver.own, TakenOver.root
    again = PartsAgain.root

    def computed(*asked: Any) -> tuple[ArchResult | None, Any]:
        seen.begun += 1
        return plain(*asked)

    def counting_own(self: TakenOver, *asked: Any) -> Any:
        found = own(self, *asked)
        seen.own[found is not None] += 1
        return found

    def counting_root(self: TakenOver, *asked: Any) -> Any:
        found = root(self, *asked)
        seen.roots[found is not None] += 1
        return found

    def counting_again(self: PartsAgain, *asked: Any) -> Any:
        found = again(self, *asked)
        seen.again += found is not None
        return found

    monkeypatch.setattr(analyse_arch, "_computed", computed)
    monkeypatch.setattr(PartsAgain, "root", counting_again)
    monkeypatch.setattr(TakenOver, "own", counting_own)
    monkeypatch.setattr(TakenOver, "root", counting_root)
    return seen
