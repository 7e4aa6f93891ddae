# SPDX-License-Identifier: GPL-2.0-or-later
"""`--since` and `--diff`: the tree as it was, and only what is new since."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from lazymmu.cli import before
from lazymmu.cli.outcome import Problem
from lazymmu.kernelc.tree import Tree


def test_the_former_tree_has_the_old_contents_and_only_the_old_files(repository, git):
    """Changed, added, deleted, staged and untracked files are all as they were."""
    inner = repository / "mm" / "inner.c"
    inner.write_text("int other;\n")
    (repository / "mm" / "kept.c").unlink()
    (repository / "mm" / "staged.c").write_text("int staged;\n")
    git(repository, "add", "mm/staged.c")
    (repository / "mm" / "untracked.c").write_text("int untracked;\n")
    former = before.at_revision(str(repository), "HEAD")
    old = Tree.open(repository).over(former)
    assert old.release == "6.12.8"
    assert old.read("mm/inner.c") == b"int one;\nint two;\nint three;\n"
    assert set(old.manifest()) >= {"mm/inner.c", "mm/kept.c"}
    assert not {"mm/staged.c", "mm/untracked.c"} & set(old.manifest())
    assert inner.read_text() == "int other;\n"


def test_an_unchanged_file_keeps_the_identity_that_the_cache_knows(repository):
    """The second check reads only what differs."""
    (repository / "mm" / "inner.c").write_text("changed\n")
    former = before.at_revision(str(repository), "HEAD")
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
    former = before.at_revision(str(tree), "HEAD")
    assert former == {"mm/inner.c": b"int one;\nint two;\nint three;\n"}


def test_reading_leaves_the_repository_as_it_was(repository):
    """Not even the index is refreshed: others may be at work in the same tree."""
    os.utime(repository / "mm" / "inner.c", (1, 1))  # another second than the index has
    index = (repository / ".git" / "index").read_bytes()
    before.at_revision(str(repository), "HEAD")
    assert (repository / ".git" / "index").read_bytes() == index


@pytest.mark.parametrize("revision", ["no-such", "--help", "HEAD:mm", "", "HEAD..HEAD"])
def test_what_is_no_revision_is_refused(repository, revision):
    """Options of git are not revisions either."""
    with pytest.raises(Problem, match=r"^--since: the git repository of .* has no revision "):
        before.at_revision(str(repository), revision)


def test_a_tree_without_git_is_refused(tree):
    """A tarball has no history."""
    with pytest.raises(Problem, match=r"^--since: .* is not in a git repository: "):
        before.at_revision(str(tree), "HEAD")


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
    former = before.without_patch(str(tree), PATCH, "p")
    assert former == {"mm/inner.c": b"int one;\nint was;\nint three;\n", "mm/new.c": None}
    assert (tree / "mm" / "new.c").exists()
    assert (tree / "mm" / "inner.c").read_text() == "int one;\nint two;\nint three;\n"


def test_a_renamed_file_was_under_its_old_name(tree):
    """A patch that only moves code brings nothing new."""
    patch = (
        b"diff --git a/mm/outer.c b/mm/inner.c\nsimilarity index 100%\n"
        b"rename from mm/outer.c\nrename to mm/inner.c\n"
    )
    former = before.without_patch(str(tree), patch, "p")
    assert former == {"mm/inner.c": None, "mm/outer.c": b"int one;\nint two;\nint three;\n"}


def test_a_patch_that_is_not_applied_is_refused(tree):
    """Asking what a patch brings to a tree that does not have it is a mistake worth a sentence."""
    with pytest.raises(Problem, match=r"^p: this patch is not applied to .*mm/new.c"):
        before.without_patch(str(tree), PATCH, "p")


@pytest.mark.parametrize(
    "patch", [b"", b"hello\n", b"\0\xff", PATCH[:200], b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n"]
)
def test_what_is_no_patch_is_refused(tree, patch):
    """git says where it is broken."""
    with pytest.raises(Problem, match=r"^p: not a patch: "):
        before.without_patch(str(tree), patch, "p")


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd"])
def test_a_patch_cannot_lead_out_of_the_tree(tree, path):
    """A patch comes from a mail; it names files of the tree or it is refused."""
    patch = f"--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-a\n+b\n".encode()
    with pytest.raises(Problem):
        before.without_patch(str(tree), patch, "p")


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
    assert before.without_patch(str(tree), change(quoted), "p") == {name: b"was\n"}


def test_a_patch_may_change_modes(tree):
    """Which a check does not look at."""
    (tree / "run").write_text("is\n")
    (tree / "run").chmod(0o755)
    patch = change("{}/run", "old mode 100644\nnew mode 100755\n")
    assert before.without_patch(str(tree), patch, "p") == {"run": b"was\n"}
    only = b"diff --git a/run b/run\nold mode 100644\nnew mode 100755\n"
    assert before.without_patch(str(tree), only, "p") == {"run": b"is\n"}


def test_a_series_that_touches_a_file_twice_is_undone_whole(tree):
    """Mails, one after the other."""
    (tree / "mm" / "a.c").write_text("third\n")
    patches = [
        f"From: x\nSubject: {new}\n\n---\ndiff --git a/mm/a.c b/mm/a.c\n--- a/mm/a.c\n"
        f"+++ b/mm/a.c\n@@ -1 +1 @@\n-{old}\n+{new}\n"
        for old, new in (("first", "second"), ("second", "third"))
    ]
    former = before.without_patch(str(tree), "".join(patches).encode(), "p")
    assert former == {"mm/a.c": b"first\n"}


def test_a_binary_patch_is_undone_if_it_holds_both_sides(repository, git):
    """As `git diff --binary` makes it; without contents nothing can be undone."""
    logo = repository / "logo"
    logo.write_bytes(b"\0old")
    git(repository, "add", "logo")
    logo.write_bytes(b"\0new")
    patch = git(repository, "diff", "--binary").encode() + b"\n\n"
    assert before.without_patch(str(repository), patch, "p") == {"logo": b"\0old"}
    with pytest.raises(Problem, match=r"^p: this patch is not applied .*binary"):
        before.without_patch(str(repository), git(repository, "diff").encode() + b"\n", "p")


def test_a_patch_of_a_submodule_is_one_sentence(tree):
    """Its contents are elsewhere."""
    patch = (
        b"diff --git a/sub b/sub\nindex 1111111..2222222 160000\n--- a/sub\n+++ b/sub\n"
        b"@@ -1 +1 @@\n"
        b"-Subproject commit " + b"1" * 40 + b"\n+Subproject commit " + b"2" * 40 + b"\n"
    )
    (tree / "sub").mkdir()
    with pytest.raises(Problem, match=r"^p: this patch is not applied to "):
        before.without_patch(str(tree), patch, "p")


@pytest.mark.parametrize("name", ["x" * 256, "d/" * 2048 + "x", "ä" * 128])
def test_a_name_that_no_tree_can_have_is_refused(tree, name):
    """Also of a file that the patch deletes, which the tree need not have."""
    for patch in (change("{}/" + name), link(name, "inner.c", deleted=True)):
        with pytest.raises(Problem, match=r"^p: .*(too long|not a patch)"):
            before.without_patch(str(tree), patch, "p")


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
    former = before.without_patch(str(tree), patch, "p")
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
    former = before.without_patch(str(tree), link("mm/lnk.c", target, deleted=deleted), "p")
    assert former == {"mm/lnk.c": None}


def test_a_patch_of_a_file_behind_a_link_that_leads_out_is_not_undone(tree, tmp_path):
    """The file is not the tree's."""
    out = tmp_path / "out.c"
    out.write_text("is\n")
    (tree / "mm" / "lnk.c").symlink_to(out)
    with pytest.raises(Problem, match=r"^p: this patch is not applied to "):
        before.without_patch(str(tree), change("{}/mm/lnk.c"), "p")


@pytest.mark.parametrize("target", ["pipe", "/dev/zero", "/dev/full"])
def test_a_patched_file_that_is_none_is_not_waited_for(tree, target):
    """A tree from an archive may hold pipes, and links to devices."""
    os.mkfifo(tree / "pipe")
    (tree / "mm" / "x.c").symlink_to(tree / target)
    for path in ("{}/pipe", "{}/mm/x.c"):
        with pytest.raises(Problem, match=r"^p: "):
            before.without_patch(str(tree), change(path), "p")


def test_since_reports_the_findings_that_were_not_there(
    run, checked, make_finding, make_result, repository
):
    """What the code had before the change is counted, not reported, even where lines moved."""
    old = make_finding(fingerprint="old", line=7)
    moved = make_finding(fingerprint="old", line=9)
    new = make_finding(fingerprint="new", line=50)
    calls = checked(make_result(moved, new), make_result(old))
    ran = run("check", repository, "--since", "HEAD")
    assert ran.code == 1
    assert ran.out.startswith("mm/inner.c:50:")
    assert "not counted: 1 not new" in ran.err
    assert [call["tree"] == str(repository) for call in calls] == [True, False]


def test_diff_reports_the_findings_that_the_patch_brings(
    run, checked, make_finding, make_result, tree, tmp_path
):
    """The same for a tree without git and a patch from a file."""
    (tree / "mm" / "new.c").write_text("int new;\n")
    file = tmp_path / "p.patch"
    file.write_bytes(PATCH)
    checked(make_result(make_finding()), make_result())
    assert run("check", tree, "--diff", file).code == 1
    checked(make_result(make_finding()), make_result(make_finding()))
    assert run("check", tree, "--diff", file).code == 0


def test_a_revision_that_does_not_exist_is_said_before_the_tree_is_checked(
    run, checked, make_result, repository
):
    """Nobody waits for a check to learn of a typing error."""
    calls = checked(make_result())
    assert run("check", repository, "--since", "nowhere").code == 2
    assert calls == []


def test_deleting_the_end_of_a_section_is_new_and_moved_lines_are_not(run, tmp_path, git):
    """Nothing is wrong on the changed line, but the return is now reached inside the section."""
    tree = tmp_path / "linux"
    shutil.copytree(Path(__file__).parents[2] / "examples" / "linux-new", tree)
    git(tree, "init", "-q")
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "-m", "first")
    file = tree / "mm" / "wrong_sleep.c"
    file.write_text("\n\n\n" + file.read_text())
    file = tree / "mm" / "right_order.c"
    before_it, _, after = file.read_text().partition("\tlazy_mmu_mode_disable();\n")
    file.write_text(before_it + after)
    ran = run("check", tree, "--since", "HEAD", "--arch", "x86", "--format", "json")
    assert ran.code == 1
    value = json.loads(ran.out)
    assert {finding["file"] for finding in value["findings"]} == {"mm/right_order.c"}
    assert "unbalanced-section" in {finding["rule"] for finding in value["findings"]}
    assert value["withheld"][0]["reason"] == "not new"
