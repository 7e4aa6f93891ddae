# SPDX-License-Identifier: GPL-2.0-or-later
"""Trees of every kind by one interface: a directory, a commit, patches over either."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from lazymmu.problem import Problem
from lazymmu.snapshot.content import blob_id
from lazymmu.snapshot.snapshots import Commit, Patched, WorkTree

EXAMPLE = Path(__file__).parents[2] / "examples" / "linux-new"

PATCH = (
    b"--- a/mm/inner.c\n+++ b/mm/inner.c\n@@ -1,3 +1,3 @@\n"
    b" int one;\n-int two;\n+int 2;\n int three;\n"
)
PATCHED = b"int one;\nint 2;\nint three;\n"


@pytest.mark.parametrize("base", ["tree", "commit"])
def test_patches_lie_over_a_directory_or_a_commit(repository, base):
    """In memory; what is below stays as it is."""
    below = WorkTree(str(repository)) if base == "tree" else Commit(str(repository), "HEAD")
    with Patched(below, PATCH).opened() as tree:
        assert tree.read("mm/inner.c") == PATCHED
        assert tree.content_id("mm/inner.c") == blob_id(PATCHED)
        assert tree.read("mm/kept.c") == b"int kept;\n"
        assert tree.release == "6.12.8"
    with Patched(
        Patched(below, PATCH), PATCH.replace(b"2;", b"3;").replace(b"two", b"2")
    ).opened() as tree:
        assert tree.read("mm/inner.c") == PATCHED.replace(b"2", b"3")


def test_a_commit_has_what_a_checkout_of_it_has(tmp_path, git):
    """Every file that a check may read, its content, its name, and every directory."""
    top = tmp_path / "linux"
    shutil.copytree(EXAMPLE, top)
    (top / "mm" / "link.c").symlink_to("rmap.c")
    (top / "mm" / "out.c").symlink_to("/etc/passwd")
    git(top, "init", "-q")
    git(top, "add", "-A")
    git(top, "commit", "-q", "-m", "first")
    with WorkTree(str(top)).opened() as lying, Commit(str(top), "HEAD").opened() as stored:
        listed = list(lying.manifest())
        assert list(stored.manifest()) == listed
        for rel in listed:
            assert stored.read(rel) == lying.read(rel)
            assert stored.content_id(rel) == lying.content_id(rel) == blob_id(lying.read(rel))
            assert stored.has(rel)
        for rel in ("", "mm", "arch", "include/linux", "mm/tests", "mm/rmap.c", "none"):
            there = [one for one in lying.entries(rel) if one.name != ".git"]
            assert stored.entries(rel) == there
        assert stored.link("mm/link.c") == lying.link("mm/link.c") == "rmap.c"
        assert stored.read("mm/link.c") == lying.read("mm/link.c")
        assert stored.read("mm/out.c") == b""
        assert stored.release == lying.release
        assert {one.file for one in stored.losses} == {one.file for one in lying.losses}


def test_a_commit_is_read_without_a_checkout(repository, git):
    """Whatever became of the work tree since; and nothing is written."""
    (repository / "mm" / "inner.c").unlink()
    before = {path: path.lstat().st_mtime_ns for path in repository.rglob("*")}
    with Commit(str(repository), "HEAD").opened() as tree:
        assert tree.read("mm/inner.c") == b"int one;\nint two;\nint three;\n"
    assert {path: path.lstat().st_mtime_ns for path in repository.rglob("*")} == before


@pytest.mark.parametrize("target", ["../../x", "/etc/passwd", "loop.c", "inner.c/x", "none.c", ""])
def test_a_link_of_a_commit_leads_nowhere_but_into_it(repository, git, target):
    """Out of the tree, round in a circle, through a file, or to nothing: it is a loss."""
    file = repository.parent / "target"
    file.write_text(target)
    blob = git(repository, "hash-object", "-w", file)
    git(repository, "update-index", "--add", "--cacheinfo", f"120000,{blob},mm/loop.c")
    git(repository, "commit", "-q", "-m", "link")
    with Commit(str(repository), "HEAD").opened() as tree:
        assert tree.read("mm/loop.c") == b""
        assert [one.file for one in tree.losses] == ["mm/loop.c"]
        assert not tree.has("mm/loop.c")


def test_what_is_no_kernel_tree_is_refused(tmp_path, git):
    """Each kind says so in one sentence."""
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "first")
    for snapshot in (WorkTree(str(tmp_path)), Commit(str(tmp_path), "HEAD")):
        with pytest.raises(Problem, match="not a kernel source tree"), snapshot.opened():
            raise AssertionError
    assert os.listdir(tmp_path) == [".git"]
