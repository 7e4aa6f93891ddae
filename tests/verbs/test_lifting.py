# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines of a tree last as long as they are asked for."""

from __future__ import annotations

import weakref
from pathlib import Path

from lazymmu.garbage_collection import seldom_collected
from lazymmu.machine.releases import TREES
from lazymmu.verbs.lifting import lifted

TREE = Path(__file__).parents[2] / "examples" / "linux-new"


def test_what_was_lifted_is_gone_when_another_tree_is_lifted() -> None:
    """A series of patches is lifted part by part: each has what it was made from, and all of it."""
    views = []
    with seldom_collected():
        for _ in range(3):
            with lifted(TREE, ["x86"], "coarse", None) as (done,):
                assert not done.refused
                _, machine = TREES["x86", done.tree]
                views.append(weakref.ref(machine.lifted.linker.view))
                del machine
                assert sum(view() is not None for view in views) == 1
