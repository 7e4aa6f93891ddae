# SPDX-License-Identifier: GPL-2.0-or-later
"""`--since` in repositories of every kind: an answer that is right, or one sentence."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
from pathlib import Path

import pytest

from lazymmu.problem import Problem
from lazymmu.snapshot import former_tree, git

ONE = b"int one;\nint two;\nint three;\n"


@pytest.fixture(autouse=True, params=["library", "git"])
def reader(request, monkeypatch):
    """Both readers of a history are tried: the library, and git for what that does not know."""
    if request.param == "git":
        monkeypatch.setattr("lazymmu.snapshot.repository.open_library", lambda *_: None)
    return request.param


@pytest.fixture
def second(repository, git):
    """The small repository with two commits; a tag names the first, and a branch is checked out."""
    git(repository, "tag", "v1")
    (repository / "mm" / "inner.c").write_text("int second;\n")
    git(repository, "commit", "-q", "-am", "the second commit")
    return repository


def since(tree: Path, revision: str = "v1") -> dict[str, bytes | None]:
    """What differs, and that the repository is as it was, to the last byte and time."""
    mark = tree / ".git"
    stood = state(mark)
    former = former_tree.at_revision(str(tree), revision).changes
    assert state(mark) == stood
    return former


def state(top: Path) -> dict[str, tuple[int, ...]]:
    """Every file below a directory, or the file itself, and when it changed."""
    paths = [top, *top.rglob("*")]
    return {str(path): (path.lstat().st_mtime_ns, path.lstat().st_size) for path in paths}


@pytest.mark.parametrize(
    "revision",
    [
        "v1",
        "HEAD~",
        "HEAD^1",
        "main~1",
        "main@{1}",
        "HEAD@{1}",
        "@{-1}~0",
        "@{u}",
        ":/first",
        "o/x",
    ],
)
def test_a_revision_is_whatever_git_says(second, git, revision):
    """By tag, ancestor, reflog, upstream, or words of the message."""
    git(second, "branch", "other", "v1")
    git(second, "switch", "-q", "other")
    git(second, "switch", "-q", "main")
    git(second, "branch", "before", "v1")
    git(second, "config", "branch.main.remote", "origin")
    git(second, "config", "branch.main.merge", "refs/heads/up")
    git(second, "config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/o/*")
    git(second, "update-ref", "refs/remotes/o/up", "v1")
    git(second, "update-ref", "refs/remotes/o/x", "v1")
    assert since(second, revision) == {"mm/inner.c": ONE}


def test_packed_references_and_objects_are_found(second, git):
    """As after `git gc`, or a clone."""
    git(second, "gc", "-q")
    git(second, "pack-refs", "--all")
    assert since(second) == {"mm/inner.c": ONE}


def test_objects_may_be_borrowed_from_another_repository(second, git, tmp_path):
    """`git clone --shared` and `--reference` do so."""
    git(tmp_path, "clone", "-q", "--shared", second, tmp_path / "shared")
    assert since(tmp_path / "shared") == {"mm/inner.c": ONE}


def test_a_work_tree_of_its_own_has_its_own_head(second, git, tmp_path):
    """Its `.git` is a file that leads to the repository."""
    git(second, "worktree", "add", "-q", tmp_path / "wt", "v1")
    (tmp_path / "wt" / "mm" / "kept.c").write_text("int here;\n")
    assert since(tmp_path / "wt", "HEAD") == {"mm/kept.c": b"int kept;\n"}
    former = former_tree.at_revision(str(tmp_path / "wt"), "main", exact=True)
    assert set(former.changes) == {"mm/kept.c", "mm/inner.c"}


def test_a_work_tree_of_a_bare_repository_is_read(second, git, tmp_path):
    """Nothing but the work tree's `.git` says where its repository is."""
    git(tmp_path, "clone", "-q", "--bare", second, tmp_path / "bare.git")
    git(tmp_path / "bare.git", "worktree", "add", "-q", tmp_path / "bare.git" / "wt", "main")
    assert since(tmp_path / "bare.git" / "wt") == {"mm/inner.c": ONE}


def test_a_submodule_is_a_repository(second, git, tmp_path):
    """Its `.git` leads into the repository around it, whose configuration names the work tree."""
    top = tmp_path / "top"
    top.mkdir()
    git(top, "init", "-q")
    git(top, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", second, "sub")
    assert since(top / "sub") == {"mm/inner.c": ONE}


@pytest.mark.parametrize("name", ["a:b", 'a"b', '"a"', "a\\b", "a b", "#a", "a\nb", "\udcff"])
def test_a_repository_may_be_anywhere(second, tmp_path, name):
    """A repository may be anywhere, whatever its directory is called."""
    second.rename(tmp_path / name)
    assert since(tmp_path / name) == {"mm/inner.c": ONE}


def test_a_git_directory_behind_a_link_is_followed(second, tmp_path):
    """Tools that manage many repositories lay them out so."""
    (second / ".git").rename(tmp_path / "store")
    (second / ".git").symlink_to(tmp_path / "store")
    assert former_tree.at_revision(str(second), "v1").changes == {"mm/inner.c": ONE}


def test_sha256_repositories_are_read(tree, git):
    """The names of their objects are longer."""
    git(tree, "init", "-q", "--object-format=sha256")
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "-m", "first")
    (tree / "mm" / "inner.c").write_text("int second;\n")
    assert since(tree, "HEAD") == {"mm/inner.c": ONE}


def test_a_shallow_clone_has_what_it_has_and_says_so(second, git, tmp_path):
    """A robot's clone has one commit."""
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{second}", tmp_path / "shallow")
    assert since(tmp_path / "shallow", "HEAD") == {}
    with pytest.raises(Problem, match=r"no revision 'HEAD~' \(it is a shallow clone"):
        former_tree.at_revision(str(tmp_path / "shallow"), "HEAD~")


def test_a_partial_clone_has_what_it_has_and_says_so(second, git, tmp_path):
    """One without former contents still knows which files differ."""
    git(second, "config", "uploadpack.allowFilter", "true")
    partial = tmp_path / "partial"
    git(tmp_path, "clone", "-q", "--filter=blob:none", f"file://{second}", partial)
    (partial / "mm" / "kept.c").write_text("int here;\n")
    assert since(partial, "HEAD") == {"mm/kept.c": b"int kept;\n"}
    with pytest.raises(Problem, match=r"^--since: .* lacks .* of mm/inner.c .*: it is a partial"):
        former_tree.at_revision(str(partial), "HEAD~")
    git(partial, "cat-file", "-p", "HEAD~:mm/inner.c")  # fetches it
    assert since(partial, "HEAD~") == {"mm/kept.c": b"int kept;\n", "mm/inner.c": ONE}


def test_a_sparse_checkout_lacks_on_both_sides_what_it_lacks(second, git):
    """What is not checked out is not what a change deleted, nor what it brought."""
    git(second, "sparse-checkout", "set", "--no-cone", "/*", "!/mm/inner.c")
    assert not (second / "mm" / "inner.c").exists()
    assert since(second) == {}
    (second / "mm" / "kept.c").write_text("int here;\n")
    assert since(second) == {"mm/kept.c": b"int kept;\n"}


def test_an_index_that_has_directories_for_files_is_read(second, git):
    """A sparse index, of what is not checked out."""
    (second / "drivers").mkdir()
    (second / "drivers" / "a.c").write_text("int a;\n")
    git(second, "add", "drivers")
    git(second, "commit", "-q", "-m", "drivers")
    git(second, "sparse-checkout", "set", "--cone", "--sparse-index", "arch", "include", "mm")
    assert "drivers/" in git(second, "ls-files", "--sparse").splitlines()
    # git looks for the objects of what it spells out, and renews the times of those; no more.
    stood = {path: value[1] for path, value in state(second / ".git").items()}
    assert former_tree.at_revision(str(second), "v1").changes == {"mm/inner.c": ONE}
    assert {path: value[1] for path, value in state(second / ".git").items()} == stood


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_an_index_that_says_a_changed_file_is_not_is_not_believed(repository, git, flag):
    """It comes with the repository, and would hide what is new."""
    git(repository, "update-index", flag, "mm/inner.c")
    (repository / "mm" / "inner.c").write_text("int second;\n")
    assert git(repository, "status", "--porcelain") == ""
    assert since(repository, "HEAD") == {"mm/inner.c": ONE}


def test_a_split_index_is_read(second, git):
    """An index that is split in two files is read as one."""
    git(second, "update-index", "--split-index")
    assert list((second / ".git").glob("sharedindex.*"))
    assert since(second) == {"mm/inner.c": ONE}


def test_without_an_index_contents_are_compared(second, git):
    """A repository that somebody packed up without it."""
    (second / ".git" / "index").unlink()
    assert since(second) == {"mm/inner.c": ONE}


def test_a_merge_that_is_not_finished_is_compared_with_the_revision(second, git):
    """The index has three versions of a file then, or two, and the tree none."""
    git(second, "switch", "-q", "-c", "theirs", "v1")
    (second / "mm" / "inner.c").write_text("int theirs;\n")
    git(second, "commit", "-q", "-am", "theirs")
    with pytest.raises(Exception, match="merge"):
        git(second, "merge", "main")
    assert since(second) == {"mm/inner.c": ONE}
    (second / "mm" / "inner.c").unlink()
    assert since(second) == {"mm/inner.c": ONE}


@pytest.mark.parametrize("lie", ["replace", "graft", "commit-graph"])
def test_a_commit_is_what_its_name_says(second, git, lie):
    """Repositories may hold other answers to what a commit is, or what came before it."""
    (second / "mm" / "inner.c").write_text("int third;\n")
    git(second, "commit", "-q", "-am", "third")
    if lie == "replace":
        git(second, "replace", "HEAD~", "HEAD")
    elif lie == "graft":
        names = git(second, "rev-parse", "HEAD", "v1").split()
        (second / ".git" / "info" / "grafts").write_text(" ".join(names) + "\n")
    else:
        git(second, "replace", "--graft", "HEAD", "v1")
        git(second, "-c", "core.commitGraph=true", "commit-graph", "write", "--reachable")
    assert since(second, "HEAD~") == {"mm/inner.c": b"int second;\n"}


def test_what_git_lfs_fetched_is_what_its_pointer_names(repository, git):
    """The filter that makes one from the other is required, and neither here nor run."""
    data = b"int large;\n"
    oid = hashlib.sha256(data).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 11\n"
    for name in ("same.c", "other.c"):
        (repository / "mm" / name).write_text(pointer)
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "pointers")
    (repository / ".gitattributes").write_text("*.c filter=lfs diff=lfs merge=lfs -text\n")
    git(repository, "config", "filter.lfs.clean", "no-such-program clean -- %f")
    git(repository, "config", "filter.lfs.required", "true")
    (repository / "mm" / "same.c").write_bytes(data)
    (repository / "mm" / "other.c").write_text("int other;\n")
    former = since(repository, "HEAD")
    assert former == {"mm/other.c": pointer.encode()}


@pytest.mark.parametrize("how", ["core.autocrlf", "attribute"])
def test_ends_of_lines_that_git_converts_are_no_change(second, git, how):
    """A checkout with CRLF is the same source."""
    if how == "attribute":
        (second / ".gitattributes").write_text("*.c text eol=crlf\n")
        git(second, "add", "-A")
        git(second, "commit", "-q", "-m", "attributes")
    else:
        git(second, "config", how, "true")
    kept = second / "mm" / "kept.c"
    kept.unlink()
    git(second, "checkout", "mm/kept.c")
    assert kept.read_bytes() == b"int kept;\r\n"
    os.utime(kept, (1, 1))
    assert since(second, "HEAD") == {}


@pytest.mark.parametrize(
    "name",
    ["a b.c", "tab\tbed.c", "new\nline.c", 'quo"ted\\.c', "ä.c", "-x.c", ":(top)x.c", "\udcff.c"],
)
def test_a_file_may_have_any_name(second, git, name):
    """Changed, and not known to git."""
    (second / name).write_text("int was;\n")
    git(second, "add", "-A")
    git(second, "commit", "-q", "-m", "a name")
    (second / name).write_text("int is;\n")
    (second / f"new {name}").write_text("int new;\n")
    assert since(second, "HEAD") == {name: b"int was;\n", f"new {name}": None}


def test_the_users_own_configuration_changes_no_answer(second, tmp_path, monkeypatch):
    """What somebody likes to see is not what we read."""
    (tmp_path / ".gitconfig").write_text(
        "[diff]\nnoprefix = true\nexternal = false\nrelative = false\n[color]\nui = always\n"
        "[core]\nquotePath = true\nautocrlf = true\nexcludesFile = /dev/null\npager = false\n"
        "[safe]\ndirectory =\n[status]\nshowUntrackedFiles = no\n[extensions]\nx = y\n"
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    assert since(second) == {"mm/inner.c": ONE}


def test_what_another_repository_in_the_tree_holds_was_not_there(repository, git):
    """Cloned into the tree, it is neither tracked nor ignored."""
    nested = repository / "mm" / "nested"
    nested.mkdir()
    git(nested, "init", "-q")
    (nested / "new.c").write_text("int new;\n")
    git(nested, "add", "-A")
    git(nested, "commit", "-q", "-m", "nested")
    assert since(repository, "HEAD") == {"mm/nested/new.c": None}


def test_a_former_link_is_what_it_led_to(repository, git):
    """Inside of the tree; outside of it there is nothing."""
    (repository / "mm" / "linked.c").symlink_to("inner.c")
    (repository / "mm" / "out.c").symlink_to("/etc/passwd")
    (repository / "mm" / "up.c").symlink_to("../../linux/mm/inner.c")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "links")
    for name in ("linked.c", "out.c", "up.c"):
        (repository / "mm" / name).unlink()
    assert since(repository, "HEAD") == {
        "mm/linked.c": ONE, "mm/out.c": None, "mm/up.c": None,
    }  # fmt: skip


def test_a_repository_of_somebody_else_is_read_with_his_tree_and_not_around_another(second):
    """As in a container that runs as another user; but not one that lies in a shared directory."""
    if os.geteuid():
        pytest.skip("only root can give files away")
    for path in [second, *second.rglob("*")]:
        os.chown(path, 4711, 4711)
    assert since(second) == {"mm/inner.c": ONE}
    os.chown(second, 0, 0)
    with pytest.raises(Problem, match=r"^--since: the git repository .* belongs to somebody else"):
        former_tree.at_revision(str(second), "v1")


@pytest.mark.parametrize("value", ["{tree}", "{tree}/", "{above}/*", "*"])
@pytest.mark.parametrize("where", [".gitconfig", ".config/git/config"])
def test_a_repository_that_the_user_trusts_is_read(second, tmp_path, monkeypatch, value, where):
    """The sentence that refuses it says how; another directory than that is none of these."""
    if os.geteuid():
        pytest.skip("only root can give files away")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    os.chown(second / ".git", 4711, 4711)
    file = tmp_path / where
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"[safe]\n\tdirectory = {second}x\n\tdirectory = {second.parent}x/*\n")
    with pytest.raises(Problem, match=f"safe.directory {re.escape(str(second))}, or chown"):
        former_tree.at_revision(str(second), "v1")
    trusted = value.format(tree=second, above=second.parent)
    with file.open("a") as stream:
        stream.write(f"\tdirectory = {trusted}\n")
    assert former_tree.at_revision(str(second), "v1").changes == {"mm/inner.c": ONE}


@pytest.mark.parametrize(
    "path",
    [
        "HEAD",
        "index",
        "config",
        "info/exclude",
        "refs/heads/main",
        "ORIG_HEAD",
        "packed-refs",
        "../.gitignore",
        "../.gitattributes",
    ],
)
@pytest.mark.parametrize("what", ["pipe", "endless"])
def test_a_pipe_or_device_in_a_repository_keeps_nobody_waiting(second, monkeypatch, path, what):
    """A tar archive may hold such."""
    monkeypatch.setattr(git, "TIME_LIMIT", 1.0)
    file = second / ".git" / path
    file.unlink(missing_ok=True)
    if what == "pipe":
        os.mkfifo(file)
    else:
        file.symlink_to("/dev/zero")
    try:
        assert former_tree.at_revision(str(second), "v1").changes["mm/inner.c"] == ONE
    except Problem as problem:
        assert re.match("--since: .", str(problem))


@pytest.mark.parametrize("content", [b"", b"\xff\0", b"gitdir: ", b"gitdir: /nowhere", b"x" * 9999])
def test_a_git_file_that_is_none_is_refused(tree, content):
    """A .git file that names no repository is refused in one sentence."""
    (tree / ".git").write_bytes(content)
    with pytest.raises(Problem, match=r"^--since: .*(no file of git|repository)"):
        former_tree.at_revision(str(tree), "HEAD")


@pytest.mark.parametrize("path", ["HEAD", "index", "config"])
@pytest.mark.parametrize("content", [b"", b"\xff\0junk", b"[core\n", b"[x]\ny=" + b"z" * 100_000])
def test_a_broken_repository_is_one_sentence_at_most(second, path, content):
    """A broken repository is one sentence at most, whatever its files hold."""
    (second / ".git" / path).write_bytes(content)
    try:
        former_tree.at_revision(str(second), "v1")
    except Problem as problem:
        assert re.match("--since: .", str(problem))


def test_an_unreadable_repository_is_refused(second):
    """Also where nobody may look into it."""
    if not os.geteuid():
        pytest.skip("root may look everywhere")
    (second / ".git").chmod(0)
    with pytest.raises(Problem, match=r"^--since: "):
        former_tree.at_revision(str(second), "v1")
    (second / ".git").chmod(stat.S_IRWXU)


def test_an_empty_git_directory_is_passed_over(tree, git):
    """git looks further up then, and so do we."""
    (tree / ".git").mkdir()
    git(tree.parent, "init", "-q")
    git(tree.parent, "add", "linux")
    git(tree.parent, "commit", "-q", "-m", "first")
    assert former_tree.at_revision(str(tree), "HEAD").changes == {}
    shutil.rmtree(tree.parent / ".git")
    with pytest.raises(Problem, match="is not in a git repository"):
        former_tree.at_revision(str(tree), "HEAD")


@pytest.mark.parametrize(
    "place",
    ["objects/00/" + "1" * 38, "objects/pack/pack-1.idx", "objects/info/alternates", "refs/tags/v9",
     "refs/heads/deep/x", "logs/refs/heads/pipe"],
)  # fmt: skip
@pytest.mark.parametrize("what", ["pipe", "endless"])
def test_what_the_library_would_wait_for_is_looked_at_before(second, reader, place, what):
    """It runs within the program, where nobody would end it: one sentence, or an answer."""
    if reader == "git":
        return  # has a time limit of its own
    path = second / ".git" / place
    path.parent.mkdir(parents=True, exist_ok=True)
    if what == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    try:
        assert former_tree.at_revision(str(second), "v1").changes == {"mm/inner.c": ONE}
    except Problem as problem:
        assert "not a regular file" in str(problem)


def test_what_borrowed_objects_borrow_in_turn_is_looked_at_too(second, reader, git, tmp_path):
    """Alternates may lead anywhere: objects are read there, and nothing that is none."""
    if reader == "git":
        return
    git(tmp_path, "clone", "-q", "--shared", second, tmp_path / "one")
    git(tmp_path, "clone", "-q", "--shared", tmp_path / "one", tmp_path / "two")
    assert former_tree.at_revision(str(tmp_path / "two"), "v1").changes == {"mm/inner.c": ONE}
    other = tmp_path / "other" / "objects" / "aa"
    other.mkdir(parents=True)
    alternates = second / ".git" / "objects" / "info" / "alternates"
    alternates.parent.mkdir(exist_ok=True)
    alternates.write_text(f"{other.parent}\n/\n../../../nowhere\n")
    assert former_tree.at_revision(str(tmp_path / "two"), "v1").changes == {"mm/inner.c": ONE}
    os.mkfifo(other / ("b" * 38))
    with pytest.raises(Problem, match="is not a regular file"):
        former_tree.at_revision(str(tmp_path / "two"), "v1")


def test_what_a_configuration_includes_is_not_read(second):
    """Not even looked at: it may be a pipe, or anything of the user's."""
    os.mkfifo(second / ".git" / "pipe")
    with (second / ".git" / "config").open("a") as file:
        file.write("[include]\n\tpath = pipe\n\tpath = /dev/zero\n")
        file.write('[includeIf "gitdir:**"]\n\tpath = pipe\n[core]\n\tworktree = /etc\n')
    assert former_tree.at_revision(str(second), "v1").changes == {"mm/inner.c": ONE}
