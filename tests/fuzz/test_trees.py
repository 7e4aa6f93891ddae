# SPDX-License-Identifier: GPL-2.0-or-later
"""Any text as a Kconfig file, a Makefile, a header or a source file of a tree."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from lazymmu.kernelc.arch_profile import PROFILES, Profile
from lazymmu.kernelc.config import kconfig_parser
from lazymmu.kernelc.config.kbuild import Kbuild
from lazymmu.kernelc.config.kconfig import Config, solve
from lazymmu.snapshot.tree import Tree
from lazymmu.witness.source.check import check

from .mutated import EXAMPLES, fuzz, mutated, seeds

TOY = Profile("toy", "a toy", "toy")
KCONFIG = seeds("linux-*/**/Kconfig*")
MAKE = seeds("linux-*/**/Makefile", "linux-*/**/Kbuild")
C = seeds("linux-new/mm/*.c", "linux-new/include/**/*.h", "linux-new/arch/x86/**/*.[ch]")
K_WORDS = (
    b"config A\n",
    b"\tbool\n",
    b"\tdepends on ",
    b"\tselect A\n",
    b"\tdefault y if ",
    b"choice\n",
    b"endchoice\n",
    b"if A\n",
    b"endif\n",
    b'menu "m"\n',
    b'source "Kconfig"\n',
    b"&& ",
    b"|| ",
    b"!",
    b"$(shell,a)",
    b"$(",
    b"\thelp\n",
    b"\tint\n",
    b"\tdefault 1\n",
    b"\trange 1 2\n",
)
M_WORDS = (
    b"obj-y += ",
    b"obj-$(CONFIG_A) += a.o\n",
    b"ifeq (",
    b"ifdef A\n",
    b"else\n",
    b"endif\n",
    b"$(",
    b"${",
    b"$(if ",
    b"$(foreach i,a b,$(i))",
    b"$(call a,b)",
    b"$(a:b=c)",
    b"include $(src)/Makefile\n",
    b"define x\n",
    b"endef\n",
    b"$(filter %.o,$(a))",
    b"a-y := a.o\n",
    b"a := $(a)$(a)\n",
    b"?= ",
    b"+= ",
)


def grown(files: dict[str, bytes], root: str) -> Tree:
    """A small tree with these files."""
    base = {
        "Makefile": b"VERSION = 7\nPATCHLEVEL = 1\n",
        "Kconfig": b'config A\n\tbool "a"\n',
        "a.c": b"",
    }
    for name in ("arch", "include/linux", "mm"):
        Path(root, name).mkdir(parents=True, exist_ok=True)
    for name, text in {**base, **files}.items():
        Path(root, name).write_bytes(text)
    return Tree.open(root)


@fuzz(text=mutated(KCONFIG, K_WORDS))
def test_any_kconfig_file_can_be_solved(text: bytes) -> None:
    """Every symbol has a value, and nothing is raised."""
    found = kconfig_parser.parse(text.decode("utf-8", "replace"))
    assert isinstance(found.items, list)
    with tempfile.TemporaryDirectory() as root:
        config = solve(grown({"Kconfig": text}, root), TOY)
    assert config.value("A") in ("y", "n", "free")


@fuzz(text=mutated(MAKE, M_WORDS))
def test_any_makefile_can_be_read(text: bytes) -> None:
    """What it builds is known, and nothing is raised."""
    with tempfile.TemporaryDirectory() as root:
        tree = grown({"Kbuild": text, "mm/Makefile": text}, root)
        kbuild = Kbuild(tree, Config(["A"], ["B"], {"N": 3}), PROFILES["x86"])
        kbuild.presence("a.c")
        kbuild.presence("mm/a.c")
        kbuild.include_directories("mm/a.c")


@fuzz(10, text=mutated([*C, *KCONFIG, *MAKE], (*K_WORDS, *M_WORDS)))
def test_a_tree_with_any_file_can_be_checked(text: bytes) -> None:
    """Wherever it stands, the rest of the tree is checked."""
    with tempfile.TemporaryDirectory() as root:
        shutil.copytree(EXAMPLES / "linux-new", root, dirs_exist_ok=True)
        place = "mm/right_loops.c" if len(text) % 3 else "arch/x86/include/asm/pgtable.h"
        place = ("mm/Makefile", "mm/Kconfig", place)[min(len(text) % 7, 2)]
        Path(root, place).write_bytes(text)
        assert check(root, arches=["x86"], jobs=1).arches in {("x86",), ()}
