# SPDX-License-Identifier: GPL-2.0-or-later
"""A folder with a module out of tree, put into the kernel that it is built for."""

from __future__ import annotations

from pathlib import Path

import pytest

from lazymmu.snapshot.tree import TreeError
from lazymmu.witness.source.external_module import ModuleFolder

OLD = Path(__file__).parents[3] / "examples/linux-old"


def test_the_kernel_is_read_with_the_module_in_it(tmp_path: Path) -> None:
    """The module's files are the kernel's, below the name under which it is built."""
    (tmp_path / "Makefile").write_text("obj-m := own.o\n")
    (tmp_path / "own.c").write_text("int own;\n")
    tree = ModuleFolder(tmp_path, OLD).tree
    assert tree.module
    assert tree.read(f"{tree.module}/own.c") == b"int own;\n"
    assert tree.has("mm/memory.c")


def test_a_folder_of_the_kernel_is_no_module(tmp_path: Path) -> None:
    """What is a part of the tree is checked with the tree."""
    with pytest.raises(TreeError, match="is part of the kernel tree"):
        ModuleFolder(OLD / "mm", OLD)
