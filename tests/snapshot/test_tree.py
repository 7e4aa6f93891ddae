# SPDX-License-Identifier: GPL-2.0-or-later
"""Opening a kernel tree, listing it, and reading files that may be anything."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lazymmu.snapshot import tree as tree_module
from lazymmu.snapshot.tree import Loss, Tree, TreeError

Grow = Callable[[dict[str, str | bytes]], Path]


@pytest.mark.parametrize(
    ("lines", "release"),
    [
        ("VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 8\nEXTRAVERSION =\n", "6.12.8"),
        ("VERSION = 7\nPATCHLEVEL = 3\nSUBLEVEL = 0\nEXTRAVERSION = -rc2\n", "7.3.0-rc2"),
        ("VERSION = 6\nPATCHLEVEL = 1\n", "6.1"),
    ],
)
def test_the_release_is_put_together_as_the_makefile_does(
    grow: Grow, lines: str, release: str
) -> None:
    """VERSION, PATCHLEVEL, SUBLEVEL and EXTRAVERSION make the release."""
    assert Tree.open(grow({"Makefile": lines})).release == release


def test_a_path_that_does_not_exist_is_named(tmp_path: Path) -> None:
    """One sentence tells that there is nothing."""
    with pytest.raises(TreeError, match=r"^.*/none: does not exist$"):
        Tree.open(tmp_path / "none")


def test_a_file_is_no_tree(tmp_path: Path) -> None:
    """One sentence tells that the path is a file."""
    (tmp_path / "file").write_text("")
    with pytest.raises(TreeError, match=r"is not a directory$"):
        Tree.open(tmp_path / "file")


def test_a_directory_that_is_no_kernel_tree_says_what_is_missing(tmp_path: Path) -> None:
    """The sentence names the first thing that every kernel tree has."""
    with pytest.raises(TreeError, match=r"not a kernel source tree \(it has no `Kconfig`\)$"):
        Tree.open(tmp_path)


def test_a_makefile_without_a_version_is_no_kernels(grow: Grow, tmp_path: Path) -> None:
    """Other projects have a Makefile, an arch and an mm directory too."""
    grow({"Makefile": b"all:\n\techo \xff\n"})
    with pytest.raises(TreeError, match=r"its Makefile names no VERSION"):
        Tree.open(tmp_path)


def test_a_missing_makefile_is_one_sentence(grow: Grow, tmp_path: Path) -> None:
    """A tree without a Makefile is one sentence, though all else may be there."""
    (grow({}) / "Makefile").unlink()
    with pytest.raises(TreeError, match=r"it has no `Makefile`"):
        Tree.open(tmp_path)


@pytest.mark.parametrize("path", ["\0", "x" * 5000])
def test_a_path_that_no_system_knows_is_one_sentence(path: str) -> None:
    """A path with a null byte or of absurd length raises TreeError as well."""
    with pytest.raises(TreeError):
        Tree.open(path)


def test_the_manifest_lists_what_a_check_may_read(grow: Grow, tmp_path: Path) -> None:
    """C of the kernel proper; build files of everything; nothing else."""
    tree = Tree.open(
        grow(
            {
                ".clang-format": "",
                "mm/memory.c": "int x;\n",
                "mm/Kconfig.debug": "",
                "mm/Makefile": "",
                "mm/notes.txt": "",
                "include/linux/mm.h": "",
                "scripts/Kconfig.include": "",
                "scripts/mod/modpost.c": "",
                "tools/vm/tool.c": "",
                "drivers/tools/tool.c": "",
                "Documentation/example.c": "",
                "samples/Kconfig": "",
                "arch/x86/Kbuild": "",
                ".git/x.c": "",
                "drivers/name.with.dots/a.c": "",
            },
        )
    )
    assert list(tree.manifest()) == [
        ".clang-format",
        "Kconfig",
        "Makefile",
        "arch/x86/Kbuild",
        "drivers/name.with.dots/a.c",
        "drivers/tools/tool.c",
        "include/linux/mm.h",
        "mm/Kconfig.debug",
        "mm/Makefile",
        "mm/memory.c",
        "samples/Kconfig",
        "scripts/Kconfig.include",
    ]
    status = os.stat(tmp_path / "mm/memory.c")
    assert tree.manifest()["mm/memory.c"] == (
        status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev,
    )  # fmt: skip


def test_links_to_directories_are_not_followed(grow: Grow, tmp_path: Path) -> None:
    """A link that leads back up must not make the walk endless."""
    grow({"mm/memory.c": ""})
    (tmp_path / "mm/self").symlink_to(tmp_path)
    (tmp_path / "mm/gone.c").symlink_to(tmp_path / "nowhere.c")
    tree = Tree.open(tmp_path)
    assert [path for path in tree.manifest() if path.endswith(".c")] == ["mm/memory.c"]
    assert [loss.file for loss in tree.losses] == ["mm/gone.c"]


def test_what_cannot_be_read_is_empty_and_recorded(grow: Grow, tmp_path: Path) -> None:
    """A file that vanished, a directory, and a path out of the tree are losses, each once."""
    tree = Tree.open(grow({"mm/memory.c": b"\xff\x00binary"}))
    assert tree.read("mm/memory.c") == b"\xff\x00binary"
    assert [
        tree.read(path) for path in ("mm/gone.c", "mm", "../secret", "/etc/passwd", "a\0b")
    ] == [b""] * 5
    tree.read("mm/gone.c")
    assert tree.losses[:4] == [
        Loss("mm/gone.c", "no such file or directory"),
        Loss("mm", "not a regular file"),
        Loss("../secret", "leads out of the tree"),
        Loss("/etc/passwd", "leads out of the tree"),
    ]
    assert len(tree.losses) == 5


def test_a_pipe_is_not_waited_for(grow: Grow, tmp_path: Path) -> None:
    """Reading a FIFO that nobody writes to returns at once."""
    tree = Tree.open(grow({}))
    os.mkfifo(tmp_path / "mm/pipe.c")
    assert tree.read("mm/pipe.c") == b""
    assert "mm/pipe.c" not in tree.manifest()


def test_an_absurdly_large_file_is_refused(
    grow: Grow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loss names the size and the limit."""
    tree = Tree.open(grow({}))
    with open(tmp_path / "mm/large.c", "wb") as file:
        file.truncate(100 << 20)
    assert tree.read("mm/large.c") == b""
    assert tree.losses == [Loss("mm/large.c", "100 mb is more than the 48 mb that is read")]
    monkeypatch.setattr(tree_module, "SIZE_CAP", 101 << 20)
    assert len(tree.read("mm/large.c")) == 100 << 20
