# SPDX-License-Identifier: GPL-2.0-or-later
"""In what two walks of the headers differ is told as far as somebody who looked can see it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from lazymmu.kernelc import kept_trees
from lazymmu.kernelc.arch_profile import PROFILES
from lazymmu.kernelc.configured_tree import ConfiguredTree
from lazymmu.kernelc.walk_difference import WalkDifference
from lazymmu.snapshot.cache import Cache
from lazymmu.snapshot.tree import Tree

BASE = {
    "Makefile": b"VERSION = 7\nPATCHLEVEL = 3\n",
    "Kbuild": b"obj-y += mm/\n",
    "Kconfig": b'source "arch/$(SRCARCH)/Kconfig"\n',
    "arch/x86/Kconfig": b'config X86_64\n\tdef_bool y\nconfig OPEN\n\tbool "open"\n',
    "mm/Makefile": b"obj-y += a.o b.o\n",
    "mm/a.c": b'#include <linux/one.h>\n#include "own.h"\nint a(void) { return ONE; }\n',
    "mm/b.c": b"#include <linux/two.h>\nint b(void) { return TWO; }\n",
    "mm/own.h": b"#ifndef OWN\n#define OWN 1\n#endif\n",
    "include/linux/one.h": b"#ifdef CONFIG_OPEN\n#define ONE 1\n#endif\n#define THREE 3\n",
    "include/linux/two.h": b"#define TWO 2\nstatic inline int two(void) { return TWO; }\n",
    "include/linux/kconfig.h": b"#define IS_ENABLED(x) x\n",
    "include/linux/compiler_types.h": b"#define __used\n",
}


def difference(
    folder: Path, changes: Mapping[str, bytes | None], base: Mapping[str, bytes] = BASE
) -> WalkDifference:
    """In what a tree's walk differs with some files changed."""
    root = folder / "tree"
    for name, text in base.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text)
    store = Cache(folder / "store")
    views = [
        ConfiguredTree(tree, PROFILES["x86"], cache=store)
        for tree in (Tree.open(root), Tree.open(root).over(changes))
    ]
    found = kept_trees.difference(views[0].library, views[0].walk, views[1].walk)
    assert found is not None
    return found


def told(found: WalkDifference) -> dict[str, set[str]]:
    """What is different, without what is not."""
    kinds = ("symbols", "macros", "headers", "built", "seeing", "files", "loops")
    return {kind: set(value) for kind in kinds if (value := getattr(found, kind))}


TWO = "include/linux/two.h"
ONE = "include/linux/one.h"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"mm/b.c": BASE["mm/b.c"] + b"int c;\n"}, {}),
        ({TWO: b"/* a comment */\n" + BASE[TWO]}, {}),
        ({TWO: BASE[TWO].replace(b"TWO 2", b"TWO 3")}, {"macros": {"TWO"}, "headers": {TWO}}),
        ({TWO: BASE[TWO] + b"#define FOUR 4\n"}, {"macros": {"FOUR"}, "headers": {TWO}}),
        ({TWO: BASE[TWO] + b"#undef ONE\n"}, {"macros": {"ONE"}, "headers": {TWO}}),
        (
            {TWO: None, "include/linux/new.h": BASE[TWO],
             "mm/b.c": BASE["mm/b.c"].replace(b"two.h", b"new.h")},
            {"macros": {"TWO"}, "headers": {TWO, "include/linux/new.h"},
             "files": {TWO, "include/linux/new.h"}},
        ),
        (
            {"arch/x86/Kconfig": b"config X86_64\n\tdef_bool y\n"},
            {"symbols": {"OPEN"}, "macros": {"ONE"}, "headers": {ONE}},
        ),
        (
            {"arch/x86/Kconfig": BASE["arch/x86/Kconfig"] + b'config MORE\n\tbool "more"\n'},
            {"symbols": {"MORE"}},
        ),
        ({"mm/Makefile": b"obj-y += a.o\n"},
         {"built": {"mm/b.c"}, "files": {"mm/b.c", TWO}, "headers": {TWO}, "macros": {"TWO"}}),
        ({"mm/Makefile": b"obj-y += a.o\nobj-$(CONFIG_OPEN) += b.o\n"}, {"built": {"mm/b.c"}}),
        ({"mm/b.c": BASE["mm/b.c"] + b'#include "own.h"\n'}, {"seeing": {"mm/b.c"}}),
        ({".clang-format": b"ForEachMacros:\n  - 'for_each'\n"}, {"loops": {"for_each"}}),
    ],
)  # fmt: skip
def test_what_is_different_is_told_and_nothing_else(
    tmp_path: Path, changes: dict[str, bytes | None], expected: dict[str, set[str]]
) -> None:
    """A macro, a header, a symbol, a file, what a file sees: each by its name."""
    assert told(difference(tmp_path, changes)) == expected


def test_a_file_whose_condition_has_a_symbol_that_is_otherwise_is_built_otherwise(
    tmp_path: Path,
) -> None:
    """The condition is the same, and what it comes to is not."""
    base = BASE | {"mm/Makefile": b"obj-y += a.o\nobj-$(CONFIG_OPEN) += b.o\n"}
    options = base["arch/x86/Kconfig"].replace(b'bool "open"', b"def_bool y")
    found = difference(tmp_path, {"arch/x86/Kconfig": options}, base)
    assert found.symbols == {"OPEN"}
    assert found.built == {"mm/b.c"}


def test_the_files_of_a_name_are_compared_with_those_that_have_it_now(tmp_path: Path) -> None:
    """A name that another file has now, and one that nobody has any more."""
    found = difference(tmp_path, {})
    now = {"a": ["mm/a.c"], "b": ["mm/a.c"], "c": ["mm/c.c"]}
    assert found.renamed("functions", ["a", "b", "c", "two", "none"], now) == {"b", "c", "two"}
