# SPDX-License-Identifier: GPL-2.0-or-later
"""A module out of tree is built by its own Makefile, which is told more than the kernel's are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lazymmu.kernelc.arch_profile import Profile
from lazymmu.kernelc.config.kbuild import Kbuild
from lazymmu.kernelc.config.kconfig import Config
from lazymmu.snapshot.tree import Tree

Grow = Callable[[dict[str, str | bytes]], Path]
CONFIG = Config(["ON"], ["FREE"], {"BITS": 64}, defined=["ON", "FREE", "OFF", "BITS"])


@pytest.fixture
def module(grow: Grow, tmp_path: Path) -> Callable[[str], Kbuild]:
    """The build of a kernel with a module of this Makefile in it."""

    def build(makefile: str) -> Kbuild:
        folder = tmp_path / "own"
        folder.mkdir()
        (folder / "Makefile").write_text(makefile)
        (folder / "a.c").write_text("")
        kernel = {"Kbuild": "obj-y += mm/\n", "mm/Makefile": makefile, "mm/a.c": ""}
        tree = Tree.open(grow({**kernel})).mounted("own", folder, module=True)
        return Kbuild(tree, CONFIG, Profile("toy", "a toy", "toy"))

    return build


@pytest.mark.parametrize(
    ("makefile", "own", "kernels"),
    [
        ("obj-m := a.o\n", (), ()),
        ("ifneq ($(KBUILD_EXTMOD),)\nobj-m := a.o\nendif\n", (), None),
        ("ifeq ($(M),)\nobj-m := a.o\nendif\n", None, ()),
        ("KBUILD_EXTMOD :=\nifneq ($(KBUILD_EXTMOD),)\nobj-m := a.o\nendif\n", (), None),
        ("ifneq ($(KERNELRELEASE),)\nobj-m := a.o\nendif\n", (), None),
        ("ifeq ($(ARCH),toy)\nobj-m := a.o\nendif\n", (), ()),
        ("obj-$(CONFIG_ON) := a.o\n", (), ()),
        ("obj-$(CONFIG_FREE) := a.o\n", ("CONFIG_FREE",), ("CONFIG_FREE",)),
        ("obj-$(CONFIG_OFF) := a.o\n", None, None),
        ("ifeq ($(CONFIG_BITS),64)\nobj-y := a.o\nendif\n", (), ()),
        ("obj-$(CONFIG_MINE) := a.o\n", ("CONFIG_MINE",), None),
    ],
)
def test_a_module_is_told_where_it_is_and_chooses_its_own_symbols(
    module: Callable[[str], Kbuild],
    makefile: str,
    own: tuple[str, ...] | None,
    kernels: tuple[str, ...] | None,
) -> None:
    """The command line of a module's build holds, and symbols that no Kconfig has are free."""
    kbuild = module(makefile)
    assert kbuild.presence("own/a.c") == own
    assert kbuild.presence("mm/a.c") == kernels
