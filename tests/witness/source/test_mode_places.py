# SPDX-License-Identifier: GPL-2.0-or-later
"""What became of each word of a tree that names the mode."""

from __future__ import annotations

from pathlib import Path

import pytest

import lazymmu
from lazymmu.snapshot.tree import Tree

OLD = Path(__file__).parents[3] / "examples/linux-old"
USED = "\tarch_enter_lazy_mmu_mode();\n\tarch_leave_lazy_mmu_mode();\n"


def standings(text: str) -> dict[tuple[int, str], tuple[str, str]]:
    """Line and word of each place in a file of mm/ with this text: its standing, and the reason."""
    makefile = (OLD / "mm/Makefile").read_bytes() + b"obj-y += own.o\n"
    tree = Tree.open(OLD).over({"mm/own.c": text.encode(), "mm/Makefile": makefile})
    found = lazymmu.check(tree, arches=["x86"]).coverage.places
    return {
        (one.line, one.word): (one.standing.value, one.reason)
        for one in found
        if one.file == "mm/own.c"
    }


BEGUN = "\tarch_enter_lazy_mmu_mode();\n\t"
GIVEN = "arch_leave_lazy_mmu_mode);\n}\n"


@pytest.mark.parametrize(
    ("text", "standing", "reason"),
    [
        (f"void f(void)\n{{\n{USED}}}\n", "walked", ""),
        ("/* of arch_enter_lazy_mmu_mode() */\n", "comment", ""),
        ("void arch_enter_lazy_mmu_mode(void);\n", "declaration", ""),
        ("void *f = arch_enter_lazy_mmu_mode;\n", "lost", "its address is taken"),
        (
            "void r(void (*b)(void))\n{\n\tb();\n}\nvoid f(void)\n{\n" + BEGUN + "r(" + GIVEN,
            "walked",
            "",
        ),
        ("void f(void)\n{\n" + BEGUN + "unseen(" + GIVEN, "lost", "its address is taken"),
        ("#ifdef CONFIG_OFF\n\nvoid f(void)\n{\n" + USED + "}\n#endif\n", "lost", "not compiled"),
        ("void f(void)\n{\n\tguard(lazy_mmu_mode)();\n}\n", "lost", "a guard, whose class"),
        ("void f(void)\n{\n\tg();\n\tguard(lazy_mmu_mode)();\n}\n", "lost", "a guard, whose class"),
        ("int f(void)\n{\n\treturn my_lazy_mmu;\n}\n", "lost", "a name that nothing declares"),
        ("int f(void)\n{\n\tg();\n\treturn my_lazy_mmu;\n}\n", "lost", "a name that nothing"),
        ("int my_lazy_mmu;\nint f(void)\n{\n\treturn my_lazy_mmu;\n}\n", "name", ""),
        ("int f(struct s *s)\n{\n\treturn s->lazy_mmu;\n}\n", "name", ""),
        ("void f(void)\n{\n\tmy_lazy_mmu();\n}\n", "lost", "calls something whose definition"),
        ("void my_lazy_mmu(void)\n{\n}\nvoid f(void)\n{\n\tmy_lazy_mmu();\n}\n", "name", ""),
    ],
)
def test_a_place_is_walked_or_a_name_or_lost_with_its_reason(
    text: str, standing: str, reason: str
) -> None:
    """Each word that names the mode has a standing, and what is lost a reason."""
    found = standings(text)
    assert found
    _, (was, why) = max(found.items())
    assert was == standing
    assert why.startswith(reason)
    assert bool(why) == bool(reason)
