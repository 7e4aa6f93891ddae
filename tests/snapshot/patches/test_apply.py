# SPDX-License-Identifier: GPL-2.0-or-later
"""Patches on a tree in memory, held against what git makes of the same."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazymmu.problem import Problem
from lazymmu.snapshot.patches.apply import PatchRefusedError, Stack, apply
from lazymmu.snapshot.patches.series import Patch, read_series
from lazymmu.snapshot.tree import Tree

TEN = "".join(f"line {number}\n" for number in range(10))


def kernel(top: Path, files: dict[str, str]) -> Path:
    """A tree with some files."""
    for folder in ("arch", "include/linux", "mm"):
        (top / folder).mkdir(parents=True)
    (top / "Makefile").write_text("VERSION = 6\nPATCHLEVEL = 12\n")
    (top / "Kconfig").write_text("")
    for rel, text in files.items():
        (top / rel).parent.mkdir(parents=True, exist_ok=True)
        (top / rel).write_text(text)
    return top


def laid(tree: Path, patch: str | bytes) -> dict[str, bytes | None]:
    """What a patch makes of a tree."""
    text = patch if isinstance(patch, bytes) else patch.encode()
    return apply(Tree.open(tree), read_series(text)).changes


def by_git(tree: Path, patch: bytes) -> dict[str, bytes] | None:
    """What git makes of the same, None if it refuses."""
    done = subprocess.run(
        ["git", "apply", "--whitespace=nowarn"], cwd=tree, input=patch, capture_output=True,
        check=False,
        env={**os.environ, "GIT_CEILING_DIRECTORIES": str(tree.parent)},
    )  # fmt: skip
    return None if done.returncode else content(tree)


def content(tree: Path) -> dict[str, bytes]:
    """All files of a tree."""
    return {
        str(path.relative_to(tree)): path.read_bytes()
        for path in tree.rglob("*")
        if path.is_file() and ".git/" not in str(path)
    }


def made(old: dict[str, str], new: dict[str, str], *options: str) -> bytes:
    """The diff that git makes of two trees."""
    with tempfile.TemporaryDirectory() as top:
        git = ["git", "-C", top]
        subprocess.run([*git, "init", "-q"], check=True)
        for files in (old, new):
            for path in Path(top).iterdir():
                if path.name != ".git":
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
            for rel, text in files.items():
                (Path(top) / rel).parent.mkdir(parents=True, exist_ok=True)
                (Path(top) / rel).write_text(text)
            subprocess.run([*git, "add", "-A"], check=True)
            if files is old:
                tree = subprocess.run([*git, "write-tree"], check=True, capture_output=True).stdout
        compare = [*git, "diff", "--cached", *options, tree.decode().strip()]
        return subprocess.run(compare, check=True, capture_output=True).stdout


def test_a_hunk_is_found_where_its_lines_have_moved_to(tmp_path):
    """The nearest place counts, below and above."""
    patch = "--- a/mm/a.c\n+++ b/mm/a.c\n@@ -4,3 +4,3 @@\n line 3\n-line 4\n+new\n line 5\n"
    for before in ("", "more\n" * 7):
        tree = kernel(tmp_path / (before[:1] or "x"), {"mm/a.c": before + TEN})
        assert laid(tree, patch) == {"mm/a.c": (before + TEN).replace("line 4\n", "new\n").encode()}


def test_a_series_is_applied_one_patch_after_the_other(tmp_path):
    """The second stands on what the first made."""
    tree = kernel(tmp_path / "t", {"mm/a.c": "1\n"})
    patch = b"".join(
        b"From x Thu Jan  1 00:00:00 1970\nSubject: [PATCH %d/2] p\n\n---\n--- a/mm/a.c\n"
        b"+++ b/mm/a.c\n@@ -1 +1 @@\n-%d\n+%d\n" % (n, n, n + 1)
        for n in (2, 1)
    )
    assert laid(tree, patch) == {"mm/a.c": b"3\n"}


HEAD = "diff --git a/mm/a.c b/{new}\n"


@pytest.mark.parametrize(
    ("patch", "changes"),
    [
        (
            HEAD.format(new="mm/b.c") + "similarity index 100%\n"
            "rename from mm/a.c\nrename to mm/b.c\n",
            {"mm/a.c": None, "mm/b.c": TEN.encode()},
        ),
        (
            HEAD.format(new="mm/b.c")
            + "similarity index 90%\nrename from mm/a.c\nrename to mm/b.c\n"
            "--- a/mm/a.c\n+++ b/mm/b.c\n@@ -1,2 +1,2 @@\n-line 0\n+first\n line 1\n",
            {"mm/a.c": None, "mm/b.c": TEN.replace("line 0", "first").encode()},
        ),
        (
            HEAD.format(new="mm/b.c") + "similarity index 100%\ncopy from mm/a.c\ncopy to mm/b.c\n",
            {"mm/b.c": TEN.encode()},
        ),
        (HEAD.format(new="mm/a.c") + "old mode 100644\nnew mode 100755\n", {}),
        ("--- /dev/null\n+++ b/mm/n.c\n@@ -0,0 +1,2 @@\n+1\n+2\n", {"mm/n.c": b"1\n2\n"}),
        (
            "--- a/mm/n.c\t1970-01-01 00:00:00 +0000\n+++ b/mm/n.c\t2026-01-01 10:00:00 +0100\n"
            "@@ -0,0 +1 @@\n+1\n",
            {"mm/n.c": b"1\n"},
        ),
        ("--- a/mm/o.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\n", {"mm/o.c": None}),
        ("--- a/mm/o.c\n+++ b/mm/o.c\n@@ -1 +0,0 @@\n-one\n", {"mm/o.c": None}),
        ("diff --git a/mm/e.c b/mm/e.c\nnew file mode 100644\nindex 000..e69\n", {"mm/e.c": b""}),
        ("--- a/mm/o.c.orig\n+++ b/mm/o.c\n@@ -1 +1 @@\n-one\n+two\n", {"mm/o.c": b"two\n"}),
        (
            "--- linux.orig/mm/o.c\n+++ linux/mm/o.c\n@@ -1 +1 @@\n-one\n+two\n"
            "\\ No newline at end of file\n",
            {"mm/o.c": b"two"},
        ),
        ("--- a/mm/o.c\n+++ b/mm/o.c\n@@ -1 +1,2 @@\n one\n+two\n", {"mm/o.c": b"one\ntwo\n"}),
        (
            "--- a/mm/a.c\n+++ b/mm/a.c\n@@ -5,0 +6 @@ x\n+new\n",
            {"mm/a.c": TEN.replace("line 5\n", "new\nline 5\n").encode()},
        ),
    ],
)
def test_what_a_patch_says_of_a_file_is_done(tmp_path, patch, changes):
    """Renames, copies, modes, new and deleted files, in git's form and in that of diff."""
    tree = kernel(tmp_path / "t", {"mm/a.c": TEN, "mm/o.c": "one\n"})
    before = content(tree)
    assert laid(tree, patch) == changes
    assert content(tree) == before


@pytest.mark.parametrize(
    ("patch", "said"),
    [
        (
            "--- a/mm/a.c\n+++ b/mm/a.c\n@@ -1,3 +1,3 @@\n line 0\n-line 1\n+x\n line 2\n"
            "@@ -5,3 +5,3 @@\n"
            " line 4\n-other\n+x\n line 6\n",
            r"hunk 2 of mm/a\.c does not apply: line 6 is `line 5`, and `other`",
        ),
        (
            "--- a/mm/a.c\n+++ b/mm/a.c\n@@ -10,2 +10,2 @@\n line 9\n-line 10\n+x\n",
            "the file ends at line 10, and `line 10` is looked for",
        ),
        ("--- a/mm/none.c\n+++ b/mm/none.c\n@@ -1 +1 @@\n-a\n+b\n", r"mm/none\.c is not there"),
        ("--- /dev/null\n+++ b/mm/a.c\n@@ -0,0 +1 @@\n+a\n", r"mm/a\.c is there already"),
        ("--- a/mm/a.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-line 0\n", "more in it than|does not apply"),
        (
            HEAD.format(new="mm/o.c")
            + "similarity index 100%\nrename from mm/a.c\nrename to mm/o.c\n",
            r"mm/o\.c is there already",
        ),
        (
            "From: x\nSubject: [PATCH 2/3] mm: this\n\n--- a/mm/none.c\n+++ b/mm/none.c\n"
            "@@ -1 +1 @@\n"
            "-a\n+b\n",
            r"^patch 2/3 mm: this: mm/none\.c",
        ),
    ],
)
def test_a_refusal_says_which_hunk_and_what_stands_there(tmp_path, patch, said):
    """So that one knows where to look, and which of a series it was."""
    tree = kernel(tmp_path / "t", {"mm/a.c": TEN, "mm/o.c": "one\n"})
    with pytest.raises(PatchRefusedError, match=said):
        laid(tree, patch)


@pytest.mark.parametrize(
    ("patch", "said"),
    [
        ("--- a/mm/a.c\n+++ b/mm/a.c\n@@ -1,3 +1,3 @@\n line 0\n-line 1\n", "hunk 1 .* is cut off"),
        (
            "--- a/mm/a.c\n+++ b/mm/a.c\n@@ -1 +1 @@\n-a\n-b\n+c\n",
            "hunk 1 .* (cut off|other lines)",
        ),
        ("--- a/mm/a.c\n+++ b/mm/a.c\n@@ -1 +1 @@\n-a\n+b\n\n@@ -9 +9 @@\n", "hunk of no file"),
        ("diff --git a/mm/a.c b/mm/a.c\nhello\n", "all that there is of a diff"),
        ("--- a/../../x\n+++ b/../../x\n@@ -1 +1 @@\n-a\n+b\n", "leads out of the tree"),
        ("--- a//etc/x\n+++ b//etc/x\n@@ -1 +1 @@\n-a\n+b\n", "leads out of the tree"),
        ("--- a/.git/config\n+++ b/.git/config\n@@ -1 +1 @@\n-a\n+b\n", "file of git's own"),
        ("hello\n", "there is no diff in it"),
    ],
)
def test_what_is_damaged_or_leads_out_is_no_patch(tmp_path, patch, said):
    """It is refused before any file is looked at."""
    with pytest.raises(Problem, match=said):
        read_series(patch.encode())


def test_a_link_of_the_tree_is_not_written_through(tmp_path):
    """What it leads to outside stays as it is, and unread."""
    (tmp_path / "out.c").write_text("one\n")
    tree = kernel(tmp_path / "t", {})
    (tree / "mm" / "l.c").symlink_to(tmp_path / "out.c")
    (tree / "mm" / "d").symlink_to(tmp_path)
    for path in ("mm/l.c", "mm/d/out.c"):
        with pytest.raises(Problem):
            laid(tree, f"--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-one\n+two\n")
    assert (tmp_path / "out.c").read_text() == "one\n"


TEXTS = st.lists(st.sampled_from(["a", "b", "c", "}", "", "long line"]), max_size=14).map(
    lambda lines: "".join(f"{line}\n" for line in lines)
)
FILES = st.dictionaries(st.sampled_from(["mm/a.c", "mm/b.c", "fs/c.c"]), TEXTS, max_size=3)


@settings(max_examples=60)
@given(FILES, FILES, st.sampled_from([(), ("-M",), ("-U1",), ("-C", "--find-copies-harder")]))
def test_a_diff_of_any_two_trees_makes_one_of_the_other_and_back(
    old: dict[str, str], new: dict[str, str], options: tuple[str, ...]
) -> None:
    """What git wrote is understood as git meant it, forwards and backwards."""
    patch = made(old, new, *options)
    if not patch:
        return
    series = read_series(patch)
    with tempfile.TemporaryDirectory() as top:
        before, after = kernel(Path(top) / "o", old), kernel(Path(top) / "n", new)
        there = Tree.open(before).over(apply(Tree.open(before), series).changes)
        back = tuple(one.reversed() for one in series[::-1])
        again = Tree.open(after).over(apply(Tree.open(after), back).changes)
        for rel in old.keys() | new.keys():
            assert (there.read(rel) if there.has(rel) else None) == _bytes(new.get(rel))
            assert (again.read(rel) if again.has(rel) else None) == _bytes(old.get(rel))


@settings(max_examples=40)
@given(st.lists(TEXTS, min_size=2, max_size=5), st.integers(0, 4))
def test_patches_that_come_one_by_one_make_what_all_of_them_make(
    texts: list[str], refused: int
) -> None:
    """Also where one that does not fit came in between: it leaves nothing behind."""
    patches = [
        read_series(made({"mm/a.c": old}, {"mm/a.c": new}))
        for old, new in itertools.pairwise(texts)
        if old != new
    ]
    wrong = read_series(b"--- a/mm/a.c\n+++ b/mm/a.c\n@@ -1,1 +1,1 @@\n-no such line\n+one\n")
    with tempfile.TemporaryDirectory() as top:
        tree = Tree.open(kernel(Path(top) / "t", {"mm/a.c": texts[0]}))
        stack = Stack(tree)
        laid_on: list[Patch] = []
        for number, patch in enumerate(patches):
            if number == refused:
                with pytest.raises(PatchRefusedError):
                    stack.lay(wrong[0])
            stack.lay(patch[0])
            laid_on.append(patch[0])
            assert stack.applied() == apply(tree, laid_on)


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


@settings(max_examples=80)
@given(TEXTS, TEXTS, TEXTS, st.sampled_from(["-U3", "-U1"]))
def test_on_another_tree_it_does_what_git_does(
    old: str, new: str, other: str, context: str
) -> None:
    """It applies where git applies it, with the same offsets, and is refused where git refuses."""
    patch = made({"mm/a.c": old}, {"mm/a.c": new}, context)
    if not patch:
        return
    with tempfile.TemporaryDirectory() as top:
        tree = kernel(Path(top) / "t", {"mm/a.c": other})
        try:
            ours = laid(tree, patch)
        except PatchRefusedError:
            ours = None
        git = by_git(tree, patch)
        if git is None or ours is None:
            assert (git is None) == (ours is None)
            return
        assert ours.get("mm/a.c", other.encode()) == git.get("mm/a.c")
