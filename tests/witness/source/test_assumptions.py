# SPDX-License-Identifier: GPL-2.0-or-later
"""Conditions that can come out one way only where a CONFIG symbol is on."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from lazymmu.contract import vocabulary
from lazymmu.kernelc.ir.cfg_builder import lower
from lazymmu.kernelc.ir.nodes import BRANCH
from lazymmu.witness.source.path.assumptions import Assumptions

PRESENCE = {
    "is_device_exclusive_entry": ("CONFIG_DEVICE_PRIVATE",),
    "is_swap": ("CONFIG_SWAP", "!CONFIG_TINY"),
    "pte_present": (),
}


class Tree:
    """A tree in which some functions stand below an #ifdef."""

    def resolve(self, name: str, near: str) -> SimpleNamespace | None:
        """The definition of a name, with its presence condition."""
        if name not in PRESENCE:
            return None
        return SimpleNamespace(definition=SimpleNamespace(presence=PRESENCE[name]))


def needs(condition: str, holds: bool) -> set[str]:
    """What the outcome of a condition needs, without the prefix of symbols."""
    text = f"void f(struct entry e) {{ if ({condition}) use(e); }}".encode()
    graph = lower(text, name="f", file="mm/a.c", line=1)
    (branch,) = [node for node in graph.nodes if node.op == BRANCH]
    asked = Assumptions(Tree(), vocabulary.load())  # type: ignore[arg-type]
    assert branch.expr is not None
    return {one.removeprefix("CONFIG_") for one in asked.of(branch.expr, holds, "mm/a.c")}


@pytest.mark.parametrize(
    ("condition", "if_so", "if_not"),
    [
        ("is_device_exclusive_entry(e)", {"DEVICE_PRIVATE"}, set()),
        ("!!is_swap(e)", {"SWAP"}, set()),
        ("pte_present(e)", set(), set()),
        ("nobody_knows(e)", set(), set()),
        ("e.flags & VM_UFFD_WP", {"HAVE_ARCH_USERFAULTFD_WP"}, set()),
        ("~e.flags & VM_UFFD_WP", set(), {"HAVE_ARCH_USERFAULTFD_WP"}),
        ("e.flags & OTHER", set(), set()),
    ],
)
def test_who_takes_a_branch_assumes_what_the_answer_needs(
    condition: str, if_so: set[str], if_not: set[str]
) -> None:
    """Without the symbol a stub says no, so that only a yes needs it."""
    assert needs(condition, True) == if_so
    assert needs(condition, False) == if_not
