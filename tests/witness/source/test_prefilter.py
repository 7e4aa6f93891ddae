# SPDX-License-Identifier: GPL-2.0-or-later
"""Which files and architectures take part, by the words of a tree."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lazymmu.snapshot.tree import Tree
from lazymmu.witness.source.prefilter import prefilter

Grow = Callable[[dict[str, str | bytes]], Path]
SELECTS = "config TOY\n\tselect ARCH_HAS_LAZY_MMU_MODE\n"


@pytest.mark.parametrize(
    ("file", "text", "having"),
    [
        ("arch/toy/Kconfig", SELECTS, {"toy"}),
        ("arch/toy/Kconfig.cpu", SELECTS, {"toy"}),
        ("arch/toy/platforms/Kconfig", SELECTS, {"toy"}),
        ("arch/toy/OldKconfig", SELECTS, set()),
        ("arch/toy/Kconfig", "config TOY\n", set()),
        ("arch/Kconfig", SELECTS, set()),
        ("mm/Kconfig", SELECTS, set()),
        ("arch/toy/include/asm/pgtable.h", "void arch_enter_lazy_mmu_mode(void);\n", {"toy"}),
        ("arch/toy/include/asm/pgtable.h", "void arch_leave_lazy_mmu_mode(void);\n", set()),
        ("arch/toy/include/asm/pgtable.h", "/* arch_enter_lazy_mmu_mode() */\n", set()),
        ("arch/toy/mm/toy.c", "void arch_enter_lazy_mmu_mode(void) {}\n", set()),
    ],
)
def test_an_architecture_has_the_mode_by_its_own_word(
    grow: Grow, file: str, text: str, having: set[str]
) -> None:
    """An architecture has the mode if its Kconfig selects it or its header declares the hook."""
    tree = Tree.open(grow({"Kconfig": "", file: text}))
    assert prefilter(tree, 1, tree.manifest()).having == having
