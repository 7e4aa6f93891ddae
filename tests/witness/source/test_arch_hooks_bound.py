# SPDX-License-Identifier: GPL-2.0-or-later
"""An implementation that is more than anybody looks at is said to be so."""

from __future__ import annotations

from pathlib import Path

import pytest

import lazymmu
from lazymmu.witness.source import arch_hooks

EXAMPLE = Path(__file__).parents[3] / "examples" / "linux-old"


def test_functions_below_the_hooks_that_were_left_out_are_a_loss_that_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A bound that is met never ends in silence."""
    assert not [b for b in lazymmu.check(EXAMPLE, jobs=1).coverage.blind if not b.line]
    monkeypatch.setattr(arch_hooks, "MAX_BELOW_HOOKS", 1)
    blind = lazymmu.check(EXAMPLE, jobs=1, arches=["x86"]).coverage.blind
    assert "arch/x86" in {lost.file for lost in blind}
