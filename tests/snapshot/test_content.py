# SPDX-License-Identifier: GPL-2.0-or-later
"""Names of contents: those of git, with or without a repository, read or known from its index."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.snapshot import git_index
from lazymmu.snapshot.content import SHA256, blob_id
from lazymmu.snapshot.tree import Tree

EXAMPLE = Path(__file__).parents[2] / "examples" / "linux-new"


def later(repository: Path) -> None:
    """Let the index be surely younger than each file that it has."""
    index = repository / ".git" / "index"
    os.utime(index, ns=(index.stat().st_atime_ns, index.stat().st_mtime_ns + 5_000_000_000))


@pytest.fixture
def unread(monkeypatch):
    """Makes reading any file of a tree an error."""

    def deny(self: object, rel: str, cap: int) -> bytes:
        raise AssertionError(f"{rel} was read")

    return lambda: monkeypatch.setattr("lazymmu.snapshot.listing.Source.read", deny)


def test_a_content_has_the_name_that_git_gives_it(repository, git):
    """In both formats, and for nothing at all."""
    blob = git(repository, "rev-parse", "HEAD:mm/inner.c")
    content = (repository / "mm" / "inner.c").read_bytes()
    assert blob_id(content) == blob
    assert blob_id(b"") == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    assert len(blob_id(content, SHA256)) == 64


@pytest.mark.parametrize("version", ["2", "3", "4"])
def test_an_index_has_what_git_lists(tmp_path, git, version):
    """In each of its versions; the third only has flags that need it."""
    tree = tmp_path / "linux"
    shutil.copytree(EXAMPLE, tree)
    git(tree, "init", "-q")
    git(tree, "add", "-A")
    git(tree, "update-index", "--index-version", version)
    if version == "3":
        git(tree, "update-index", "--skip-worktree", "Makefile")
    listed = git(tree, "ls-files", "--stage", "-z").split("\0")
    wanted = {line.partition("\t")[2]: line.split(" ")[1] for line in listed if line}
    found = git_index.parse((tree / ".git" / "index").read_bytes())
    assert {path: entry.blob for path, entry in found.items()} == wanted
    assert [path for path, entry in found.items() if entry.skipped] == ["Makefile"] * (
        version == "3"
    )


def test_a_file_that_git_has_seen_is_named_without_reading_it(repository, git, unread):
    """An unchanged entry of the index gives the name of its content."""
    later(repository)
    blob = git(repository, "rev-parse", "HEAD:mm/inner.c")
    opened = Tree.open(repository)
    unread()
    assert opened.content_id("mm/inner.c") == blob


@pytest.mark.parametrize("when", ["older", "same-size", "young"])
def test_a_file_that_changed_since_is_read(repository, when):
    """Also when size and time of change are as they were, and when the clock cannot tell."""
    file = repository / "mm" / "inner.c"
    before = file.stat()
    later(repository)
    file.write_bytes(file.read_bytes().replace(b"one", b"two"))
    if when == "older":
        os.utime(file, (1, 1))
    if when == "same-size":
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    if when == "young":
        os.utime(repository / ".git" / "index", ns=(1, 1))
    assert Tree.open(repository).content_id("mm/inner.c") == blob_id(file.read_bytes())


@pytest.mark.parametrize(
    ("where", "text"),
    [
        (".gitattributes", "*.c filter=x\n"),
        ("mm/.gitattributes", "*.c eol=crlf\n"),
        (".git/info/attributes", "*.c text\n"),
        (".git/config", "[core]\n\tautocrlf = true\n"),
        (".git/config", "[include]\n\tpath = elsewhere\n"),
        (".git/config.worktree", "[core]\n\tattributesFile = elsewhere\n"),
    ],
)
def test_a_repository_that_converts_files_is_not_believed(repository, git, where, text):
    """What is on the disk may then differ from what was committed under that name."""
    file = repository / where
    file.parent.mkdir(exist_ok=True)
    with file.open("a") as stream:
        stream.write(text)
    if where.endswith(".gitattributes"):
        git(repository, "add", where)
    later(repository)
    index = git_index.index_of(str(repository))
    assert index is not None
    assert not index.plain


def test_a_tree_without_git_has_the_same_names(tree):
    """They are computed from the files then."""
    opened = Tree.open(tree)
    assert opened.content_id("mm/inner.c") == blob_id(b"int one;\nint two;\nint three;\n")
    assert opened.content_id("mm/none.c") is None
    assert opened.content_id("mm") is None


def test_a_changed_tree_has_the_name_of_the_change(tree):
    """What is laid over a tree has names as well, and what is gone has none."""
    over = Tree.open(tree).over({"mm/inner.c": b"other\n", "Kconfig": None, "mm/new.c": b""})
    assert over.content_id("mm/inner.c") == blob_id(b"other\n")
    assert over.content_id("mm/new.c") == blob_id(b"")
    assert over.content_id("Kconfig") is None
    assert over.content_id("Makefile") == Tree.open(tree).content_id("Makefile")


def test_a_folder_that_is_mounted_has_its_own_names(tree, tmp_path):
    """A module out of tree stands in its kernel under another path."""
    module = tmp_path / "module"
    module.mkdir()
    (module / "m.c").write_text("int m;\n")
    mounted = Tree.open(tree).mounted("drivers/m", module)
    assert mounted.content_id("drivers/m/m.c") == blob_id(b"int m;\n")
    assert mounted.content_id("mm/inner.c") == Tree.open(tree).content_id("mm/inner.c")


@given(st.binary(max_size=200), st.integers(0, 400), st.binary(max_size=4))
def test_any_bytes_are_an_index_or_refused(content, at, put):
    """A stranger's index may say anything, and is never more than refused."""
    body = b"DIRC\0\0\0\2\0\0\0\1" + content
    body = body[:at] + put + body[at + len(put) :]
    for text in (content, body, body + bytes(20)):
        try:
            git_index.parse(text)
        except git_index.IndexFormatError:
            continue
