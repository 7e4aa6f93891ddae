# SPDX-License-Identifier: GPL-2.0-or-later
"""`--since` and `--diff`: the tree as it was, and only what is new since."""

from __future__ import annotations

import os

import pytest

from lazymmu.problem import Problem
from lazymmu.snapshot import former_tree
from lazymmu.snapshot.tree import Tree


def test_the_former_tree_has_the_old_contents_and_only_the_old_files(repository, git):
    """Changed, added, deleted, staged and untracked files are all as they were."""
    inner = repository / "mm" / "inner.c"
    inner.write_text("int other;\n")
    (repository / "mm" / "kept.c").unlink()
    (repository / "mm" / "staged.c").write_text("int staged;\n")
    git(repository, "add", "mm/staged.c")
    (repository / "mm" / "untracked.c").write_text("int untracked;\n")
    former = former_tree.at_revision(str(repository), "HEAD").changes
    old = Tree.open(repository).over(former)
    assert old.release == "6.12.8"
    assert old.read("mm/inner.c") == b"int one;\nint two;\nint three;\n"
    assert set(old.manifest()) >= {"mm/inner.c", "mm/kept.c"}
    assert not {"mm/staged.c", "mm/untracked.c"} & set(old.manifest())
    assert inner.read_text() == "int other;\n"


def test_an_unchanged_file_keeps_the_identity_that_the_cache_knows(repository):
    """The second check reads only what differs."""
    (repository / "mm" / "inner.c").write_text("changed\n")
    former = former_tree.at_revision(str(repository), "HEAD").changes
    present = Tree.open(repository)
    then, now = present.over(former).manifest(), present.manifest()
    assert [rel for rel in now if then[rel] != now[rel]] == ["mm/inner.c"]


def test_a_tree_below_the_top_of_its_repository_is_compared_by_its_own_paths(tree, git):
    """A kernel may be a directory of a larger repository."""
    git(tree.parent, "init", "-q")
    git(tree.parent, "add", "-A")
    git(tree.parent, "commit", "-q", "-m", "first")
    (tree / "mm" / "inner.c").write_text("changed\n")
    (tree.parent / "beside").write_text("not ours\n")
    former = former_tree.at_revision(str(tree), "HEAD").changes
    assert former == {"mm/inner.c": b"int one;\nint two;\nint three;\n"}


def test_reading_leaves_the_repository_as_it_was(repository):
    """Not even the index is refreshed: others may be at work in the same tree."""
    os.utime(repository / "mm" / "inner.c", (1, 1))  # another second than the index has
    index = (repository / ".git" / "index").read_bytes()
    former_tree.at_revision(str(repository), "HEAD")
    assert (repository / ".git" / "index").read_bytes() == index


@pytest.mark.parametrize("revision", ["no-such", "--help", "HEAD:mm", "", "HEAD..HEAD"])
def test_what_is_no_revision_is_refused(repository, revision):
    """Options of git are not revisions either."""
    with pytest.raises(Problem, match=r"^--since: the git repository of .* has no revision "):
        former_tree.at_revision(str(repository), revision)


def test_a_tree_without_git_is_refused(tree):
    """A tree without git, as from a tarball, has no history and is refused."""
    with pytest.raises(Problem, match=r"^--since: .* is not in a git repository: "):
        former_tree.at_revision(str(tree), "HEAD")


PATCH = b"""\
From: Somebody
Subject: [PATCH] mm: change one line and add a file

---
diff --git a/mm/inner.c b/mm/inner.c
--- a/mm/inner.c
+++ b/mm/inner.c
@@ -1,3 +1,3 @@
 int one;
-int was;
+int two;
 int three;
diff --git a/mm/new.c b/mm/new.c
new file mode 100644
--- /dev/null
+++ b/mm/new.c
@@ -0,0 +1 @@
+int new;
--\x20
2.0
"""


def test_an_applied_patch_is_undone_in_a_copy(tree):
    """The tree of the user is only read; a mail around the patch does not matter."""
    (tree / "mm" / "new.c").write_text("int new;\n")
    former = former_tree.with_patch(str(tree), PATCH, "p").changes
    assert former == {"mm/inner.c": b"int one;\nint was;\nint three;\n", "mm/new.c": None}
    assert (tree / "mm" / "new.c").exists()
    assert (tree / "mm" / "inner.c").read_text() == "int one;\nint two;\nint three;\n"


def test_a_renamed_file_was_under_its_old_name(tree):
    """A patch that only moves code brings nothing new."""
    patch = (
        b"diff --git a/mm/outer.c b/mm/inner.c\nsimilarity index 100%\n"
        b"rename from mm/outer.c\nrename to mm/inner.c\n"
    )
    former = former_tree.with_patch(str(tree), patch, "p").changes
    assert former == {"mm/inner.c": None, "mm/outer.c": b"int one;\nint two;\nint three;\n"}


def test_a_patch_that_is_not_applied_is_laid_on_in_memory(tree):
    """Which of the two it was is told; the tree stays as it is."""
    (tree / "mm" / "inner.c").write_text("int one;\nint was;\nint three;\n")
    found = former_tree.with_patch(str(tree), PATCH, "p")
    assert not found.applied
    inner = b"int one;\nint two;\nint three;\n"
    assert found.changes == {"mm/inner.c": inner, "mm/new.c": b"int new;\n"}
    assert not (tree / "mm" / "new.c").exists()


def test_a_patch_that_is_neither_applied_nor_applies_is_refused(tree):
    """The sentence says which hunk of which patch, and what stands there."""
    (tree / "mm" / "inner.c").write_text("int one;\nint other;\nint three;\n")
    said = (
        r"^p: this patch is neither applied to .*, nor does it apply: patch mm: change one line.*"
    )
    with pytest.raises(Problem, match=said + r"hunk 1 of mm/inner.c .*line 2 is `int other;`"):
        former_tree.with_patch(str(tree), PATCH, "p")


@pytest.mark.parametrize(
    "patch", [b"", b"hello\n", b"\0\xff", PATCH[:150], b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n"]
)
def test_what_is_no_patch_is_refused(tree, patch):
    """One sentence says where it is broken."""
    with pytest.raises(Problem, match=r"^p: (mm: .*)?not a patch: "):
        former_tree.with_patch(str(tree), patch, "p")


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd"])
def test_a_patch_cannot_lead_out_of_the_tree(tree, path):
    """A patch comes from a mail; it names files of the tree or it is refused."""
    patch = f"--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-a\n+b\n".encode()
    with pytest.raises(Problem):
        former_tree.with_patch(str(tree), patch, "p")


def change(path: str, mode: str = "") -> bytes:
    """A patch that turns `was` into `is` in a file of one line; path: with {} for a and b."""
    old, new = path.format("a"), path.format("b")
    return (
        f"diff --git {old} {new}\n{mode}--- {old}\n+++ {new}\n@@ -1 +1 @@\n-was\n+is\n"
    ).encode()


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("a b.c", "{}/a b.c\t"),
        ("tab\tbed.c", '"{}/tab\\tbed.c"'),
        ("new\nline.c", '"{}/new\\nline.c"'),
        ('quo"ted\\.c', '"{}/quo\\"ted\\\\.c"'),
        ("\udcff.c", '"{}/\\377.c"'),
        (".gitattributes", "{}/.gitattributes"),
        ("HEAD", "{}/HEAD"),
    ],
)
def test_a_patched_file_may_have_any_name(tree, name, quoted):
    """git quotes some; all are undone."""
    (tree / name).write_text("is\n")
    assert former_tree.with_patch(str(tree), change(quoted), "p").changes == {name: b"was\n"}


def test_a_patch_may_change_modes(tree):
    """Which a check does not look at."""
    (tree / "run").write_text("is\n")
    (tree / "run").chmod(0o755)
    patch = change("{}/run", "old mode 100644\nnew mode 100755\n")
    assert former_tree.with_patch(str(tree), patch, "p").changes == {"run": b"was\n"}
    only = b"diff --git a/run b/run\nold mode 100644\nnew mode 100755\n"
    assert former_tree.with_patch(str(tree), only, "p").changes == {}


def test_a_series_that_touches_a_file_twice_is_undone_whole(tree):
    """A series of mails that touches a file twice is undone as a whole, one after the other."""
    (tree / "mm" / "a.c").write_text("third\n")
    patches = [
        f"From: x\nSubject: {new}\n\n---\ndiff --git a/mm/a.c b/mm/a.c\n--- a/mm/a.c\n"
        f"+++ b/mm/a.c\n@@ -1 +1 @@\n-{old}\n+{new}\n"
        for old, new in (("first", "second"), ("second", "third"))
    ]
    former = former_tree.with_patch(str(tree), "".join(patches).encode(), "p").changes
    assert former == {"mm/a.c": b"first\n"}


def test_binary_files_of_a_patch_are_passed_over_where_no_check_reads_them(repository, git):
    """A picture changes no answer; a file of C that is told in this form is refused."""
    for name, said in (("logo", {}), ("mm/kept.c", "binary")):
        (repository / name).write_bytes(b"\0old")
        git(repository, "add", name)
        (repository / name).write_bytes(b"\0new")
        patch = git(repository, "diff", "--binary", name).encode() + b"\n\n"
        if isinstance(said, dict):
            assert former_tree.with_patch(str(repository), patch, "p").changes == said
            continue
        with pytest.raises(Problem, match=r"^p: .*mm/kept.c .*binary"):
            former_tree.with_patch(str(repository), patch, "p")


def test_a_patch_of_a_submodule_is_one_sentence(tree):
    """A patch of a submodule, whose contents are elsewhere, is one sentence."""
    patch = (
        b"diff --git a/sub b/sub\nindex 1111111..2222222 160000\n--- a/sub\n+++ b/sub\n"
        b"@@ -1 +1 @@\n"
        b"-Subproject commit " + b"1" * 40 + b"\n+Subproject commit " + b"2" * 40 + b"\n"
    )
    (tree / "sub").mkdir()
    with pytest.raises(Problem, match=r"^p: this patch is neither applied to "):
        former_tree.with_patch(str(tree), patch, "p")


@pytest.mark.parametrize("name", ["x" * 256, "d/" * 2048 + "x", "ä" * 128])
def test_a_name_that_no_tree_can_have_is_refused(tree, name):
    """Also of a file that the patch deletes, which the tree need not have."""
    for patch in (change("{}/" + name), link(name, "inner.c", deleted=True)):
        with pytest.raises(Problem, match=r"^p: .*(too long|not a patch)"):
            former_tree.with_patch(str(tree), patch, "p")


def link(path: str, target: str, *, deleted: bool) -> bytes:
    """A patch that adds or deletes a symbolic link."""
    return (
        f"diff --git a/{path} b/{path}\n{'deleted' if deleted else 'new'} file mode 120000\n"
        + (f"--- a/{path}\n+++ /dev/null\n" if deleted else f"--- /dev/null\n+++ b/{path}\n")
        + ("@@ -1 +0,0 @@\n-" if deleted else "@@ -0,0 +1 @@\n+")
        + f"{target}\n\\ No newline at end of file\n"
    ).encode()


def test_a_deleted_link_was_what_it_led_to_in_the_tree(tree):
    """As it was before the patch, which may change that as well."""
    (tree / "mm" / "new.c").write_text("int new;\n")
    patch = PATCH.removesuffix(b"--\x20\n2.0\n")
    patch += link("mm/one.c", "inner.c", deleted=True)
    patch += link("one.c", "mm/../Makefile", deleted=True)
    former = former_tree.with_patch(str(tree), patch, "p").changes
    assert former["mm/one.c"] == former["mm/inner.c"] == b"int one;\nint was;\nint three;\n"
    assert former["one.c"] == (tree / "Makefile").read_bytes()


@pytest.mark.parametrize(
    "target", ["{out}/leak.c", "../../out/leak.c", "{out}/pipe", "/dev/zero", ""]
)
@pytest.mark.parametrize("deleted", [True, False])
def test_what_a_link_of_a_patch_leads_to_outside_is_not_read(tree, tmp_path, target, deleted):
    """Nor waited for, if it is a pipe; a former link that leads out was nothing."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "leak.c").write_text("int secret;\n")
    os.mkfifo(out / "pipe")
    target = target.format(out=out)
    if not target and not deleted:
        return  # no system has such a link
    if not deleted:
        (tree / "mm" / "lnk.c").symlink_to(target)
    former = former_tree.with_patch(
        str(tree), link("mm/lnk.c", target, deleted=deleted), "p"
    ).changes
    assert former == {"mm/lnk.c": None}


def test_a_patch_of_a_file_behind_a_link_that_leads_out_is_not_undone(tree, tmp_path):
    """The file is not the tree's."""
    out = tmp_path / "out.c"
    out.write_text("is\n")
    (tree / "mm" / "lnk.c").symlink_to(out)
    with pytest.raises(Problem, match=r"^p: this patch is neither applied to "):
        former_tree.with_patch(str(tree), change("{}/mm/lnk.c"), "p")


@pytest.mark.parametrize("target", ["pipe", "/dev/zero", "/dev/full"])
def test_a_patched_file_that_is_none_is_not_waited_for(tree, target):
    """A tree from an archive may hold pipes, and links to devices."""
    os.mkfifo(tree / "pipe")
    (tree / "mm" / "x.c").symlink_to(tree / target)
    for path in ("{}/pipe", "{}/mm/x.c"):
        with pytest.raises(Problem, match=r"^p: "):
            former_tree.with_patch(str(tree), change(path), "p")


@pytest.mark.parametrize("head", ["", "diff --git mm/inner.c mm/inner.c\n"])
def test_a_patch_may_have_paths_without_a_first_part(tree, head):
    """As `git diff --no-prefix` writes them."""
    lines = " int one;\n-int two;\n+int 2;\n int three;\n"
    patch = f"{head}--- mm/inner.c\n+++ mm/inner.c\n@@ -1,3 +1,3 @@\n{lines}".encode()
    found = former_tree.with_patch(str(tree), patch, "p")
    assert not found.applied
    assert found.changes == {"mm/inner.c": b"int one;\nint 2;\nint three;\n"}
