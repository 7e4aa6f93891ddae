# SPDX-License-Identifier: GPL-2.0-or-later
"""No program that a repository or a patch of a stranger names is run by `--since` and `--diff`.

Each vector is shown to work first: plain git runs the program, which leaves a mark.
docs/security.rst lists them.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazymmu.problem import Problem
from lazymmu.snapshot import former_tree, git_config
from lazymmu.snapshot.git import private_git

ONE = b"int one;\nint two;\nint three;\n"


@dataclass(frozen=True)
class Trap:
    """A program that leaves a mark, for a stranger's configuration to name."""

    mark: Path
    program: Path

    def sprung_by(self, directory: Path, *arguments: str | Path) -> None:
        """Run plain git, which must run the program."""
        home = self.program.parent
        environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
        environment |= {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "LC_ALL": "C"}
        nothing = subprocess.DEVNULL
        running = subprocess.Popen(
            ["git", "-C", directory, *arguments],
            stdin=nothing, stdout=nothing, stderr=nothing, env=environment, start_new_session=True,
        )  # fmt: skip
        try:
            running.wait(60)
        finally:
            # A transport may wait for a remote side that is none.
            with suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
            running.wait()
        if not self.mark.exists():
            pytest.skip("not possible with this git")
        self.mark.unlink()

    @contextmanager
    def stays(self) -> Iterator[None]:
        """The program must not run meanwhile."""
        yield
        assert not self.mark.exists()


@pytest.fixture(autouse=True, params=["library", "git"])
def reader(request, monkeypatch):
    """Both readers of a history are tried: the library, and git for what that does not know."""
    if request.param == "git":
        monkeypatch.setattr("lazymmu.snapshot.repository.open_library", lambda *_: None)
    return request.param


@pytest.fixture
def trap(tmp_path):
    """A trap outside of the tree; without arguments, as a filter, it gives what it is given."""
    folder = tmp_path / "trap"
    folder.mkdir()
    trap = Trap(folder / "mark", folder / "program")
    trap.program.write_text(f"#!/bin/sh\n: >{trap.mark}\n[ $# -gt 0 ] || exec cat\n")
    trap.program.chmod(0o755)
    return trap


def changed(repository: Path, trap: Trap) -> None:
    """Hold `--since` to what was changed, where git must look at each file of mm/ again."""
    for path in repository.glob("mm/*.c"):
        os.utime(path, (2, 2))  # plain git has just brought the index up to date
    with trap.stays():
        former = former_tree.at_revision(str(repository), "HEAD").changes
    assert former == {"mm/inner.c": ONE}


@pytest.fixture
def touched(repository):
    """The small repository; one file was changed, another only touched, so git looks at both."""
    (repository / "mm" / "inner.c").write_text("int changed;\n")
    os.utime(repository / "mm" / "kept.c", (1, 1))
    return repository


FILTERS = ["clean", "process"]


@pytest.mark.parametrize("what", FILTERS)
@pytest.mark.parametrize("attributes", ["info/attributes", "tree"])
@pytest.mark.parametrize("place", ["config", "include", "includeIf", "worktree"])
def test_a_filter_is_not_run(touched, trap, git, what, attributes, place):
    """git puts a changed file through the filter that attributes name and a configuration has."""
    if attributes == "tree":
        (touched / ".gitattributes").write_text("*.c filter=e\n")
        (touched / ".git" / "info" / "exclude").write_text(".gitattributes\n")
    else:
        (touched / ".git" / "info" / "attributes").write_text("*.c filter=e\n")
    target = touched / ".git" / "config"
    if place == "worktree":
        git(touched, "config", "extensions.worktreeConfig", "true")
        target = touched / ".git" / "config.worktree"
    elif place != "config":
        target = trap.program.parent / "included"
        key = "include.path" if place == "include" else f"includeIf.gitdir:{touched}/.path"
        git(touched, "config", key, target)
    git(touched, "config", "--file", target, f"filter.e.{what}", trap.program)
    trap.sprung_by(touched, "diff", "HEAD")
    changed(touched, trap)


def test_a_filter_is_not_run_on_what_an_index_is_not_sure_of(repository, trap, git):
    """A file as young as the index is read again though its size and time are right."""
    inner = repository / "mm" / "inner.c"
    inner.write_text("int six;\nint two;\nint three;\n")  # as long as it was
    for path in (inner, repository / ".git" / "index"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    git(repository, "config", "filter.e.clean", trap.program)
    (repository / ".git" / "info" / "attributes").write_text("*.c filter=e\n")
    trap.sprung_by(repository, "diff", "HEAD")
    changed(repository, trap)


@pytest.mark.parametrize(
    ("key", "attribute", "naive"),
    [
        ("diff.external", "", ["diff", "HEAD"]),
        ("diff.e.command", "*.c diff=e", ["diff", "HEAD"]),
        ("diff.e.textconv", "*.c diff=e", ["diff", "HEAD"]),
        ("core.fsmonitor", "", ["diff", "HEAD"]),
        ("core.fsmonitor", "", ["ls-files", "--others"]),
        ("alias.since", "", ["since"]),
    ],
)
def test_a_program_of_a_configuration_is_not_run(touched, trap, git, key, attribute, naive):
    """A program that git's configuration names is not run, whatever git would do with it."""
    (touched / ".git" / "info" / "attributes").write_text(attribute + "\n")
    git(touched, "config", key, f"!{trap.program}" if key.startswith("alias") else trap.program)
    trap.sprung_by(touched, *naive)
    changed(touched, trap)


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_hook_is_not_run(touched, trap, git, elsewhere):
    """git calls post-index-change when it refreshes an index, and we refresh a copy."""
    hooks = trap.program.parent / "hooks" if elsewhere else touched / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    shutil.copy(trap.program, hooks / "post-index-change")
    if elsewhere:
        git(touched, "config", "core.hooksPath", hooks)
    trap.sprung_by(touched, "update-index", "--refresh")
    changed(touched, trap)


def test_a_repository_in_the_tree_is_not_asked(touched, trap, git):
    """git asks a submodule whether it is changed, by its own configuration."""
    sub = touched / "sub"
    sub.mkdir()
    git(sub, "init", "-q")
    (sub / "a.c").write_text("int a;\n")
    git(sub, "add", "-A")
    git(sub, "commit", "-q", "-m", "sub")
    git(touched, "add", "sub")
    git(touched, "commit", "-q", "-m", "with sub", "sub")
    git(sub, "config", "core.fsmonitor", trap.program)
    trap.sprung_by(touched, "diff", "HEAD")
    changed(touched, trap)


def test_a_git_file_may_lead_elsewhere_and_that_is_isolated_too(touched, trap, git):
    """As in a work tree or a submodule: another place, the same rules."""
    away = trap.program.parent / "away"
    (touched / ".git").rename(away)
    (touched / ".git").write_text(f"gitdir: {away}\n")
    git(touched, "config", "core.fsmonitor", trap.program)
    trap.sprung_by(touched, "diff", "HEAD")
    changed(touched, trap)


def test_a_tree_that_looks_like_a_git_directory_is_none(touched, trap, git):
    """An archive may bring HEAD, objects/ and refs/ at its top; only `.git` is a repository."""
    for path in (touched / ".git").iterdir():
        path.rename(touched / path.name)
    (touched / ".git").rmdir()
    git(touched, "config", "--file", touched / "config", "core.bare", "false")
    git(touched, "config", "--file", touched / "config", "core.worktree", touched)
    git(touched, "config", "--file", touched / "config", "core.fsmonitor", trap.program)
    trap.sprung_by(touched, "diff", "HEAD", "--")
    with trap.stays(), pytest.raises(Problem, match="is not in a git repository"):
        former_tree.at_revision(str(touched), "HEAD")


FETCHES = {
    "uploadpack": {"url": "{other}", "uploadpack": "{program}"},
    "ext": {"url": "ext::{program} x", "protocol.ext.allow": "always"},
    "ssh": {"url": "ssh://localhost/x", "core.sshCommand": "{program}"},
    "proxy": {"url": "git://localhost/x", "core.gitProxy": "{program}"},
}


def without_object(repository: Path, git: Callable[..., str], trap: Trap, how: str) -> str:
    """Let the repository lack a former content, and promise that a fetch would bring it."""
    git(repository, "commit", "-q", "-am", "second")
    blob = git(repository, "rev-parse", "HEAD~:mm/inner.c")
    (repository / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    git(repository, "config", "core.repositoryFormatVersion", "1")
    git(repository, "config", "extensions.partialClone", "origin")
    git(repository, "config", "remote.origin.promisor", "true")
    for key, value in FETCHES[how].items():
        name = key if "." in key else f"remote.origin.{key}"
        git(repository, "config", name, value.format(other=repository, program=trap.program))
    return blob


@pytest.mark.parametrize("how", FETCHES)
def test_what_a_partial_clone_lacks_is_not_fetched(touched, trap, git, how):
    """git would ask the remote side, by a program that the configuration names."""
    blob = without_object(touched, git, trap, how)
    trap.sprung_by(touched, "cat-file", "-p", blob)
    lacks = r"^--since: .* lacks the former content of mm/inner\.c .* partial clone"
    with trap.stays(), pytest.raises(Problem, match=lacks):
        former_tree.at_revision(str(touched), "HEAD~")


def test_a_commit_that_a_partial_clone_lacks_is_not_fetched(touched, trap, git):
    """Nor is it for the name of a revision."""
    git(touched, "commit", "-q", "-am", "second")
    tree = git(touched, "rev-parse", "HEAD~^{tree}")
    (touched / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    (touched / "mm" / "inner.c").write_text("int third;\n")
    without_object(touched, git, trap, "uploadpack")
    trap.sprung_by(touched, "diff", "HEAD~2")
    with trap.stays(), pytest.raises(Problem, match=r"^--since: .* cannot be read: .* partial"):
        former_tree.at_revision(str(touched), "HEAD~2")


@pytest.mark.parametrize("path", [".", "", "bin:."])
def test_a_program_named_git_in_the_tree_is_not_git(touched, trap, monkeypatch, path, reader):
    """A search path may lead to where one stands."""
    shutil.copy(trap.program, touched / "git")
    (touched / ".git" / "info" / "exclude").write_text("git\n")
    monkeypatch.chdir(touched)
    monkeypatch.setenv("PATH", path + os.pathsep + os.environ["PATH"])
    changed(touched, trap)
    if reader == "library":
        return
    monkeypatch.setenv("PATH", path)
    with trap.stays(), pytest.raises(Problem, match="git is not installed"):
        former_tree.at_revision(str(touched), "HEAD")


@pytest.mark.parametrize("variable", ["GIT_EXTERNAL_DIFF", "GIT_SSH_COMMAND", "GIT_EXEC_PATH"])
def test_the_environment_of_a_hook_is_not_used(touched, trap, monkeypatch, variable):
    """lazymmu may be called by a hook, whose environment is about another repository."""
    monkeypatch.setenv(variable, str(trap.program))
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nonexistent")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.fsmonitor")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(trap.program))
    changed(touched, trap)


KEYS = (
    st.sampled_from(
        ["core.autocrlf", "core.fsmonitor", "core.eol", "remote.o.fetch", "remote.o.url"]
    )
    | st.sampled_from(["extensions.objectformat", "extensions.refstorage", "extensions.x"])
    | st.builds("branch.{}.{}".format, st.text(), st.sampled_from(["merge", "remote", "x"]))
    | st.text()
)
INJECTED = "\n[core]\n\tfsmonitor = x"
VALUES = st.sampled_from(
    ["true", "lf", "refs/heads/main", "sha256", "reftable", "\\", '"', "#", ""]
)


@settings(deadline=None)
@given(st.lists(st.tuples(KEYS, st.text() | VALUES | VALUES.map(lambda value: value + INJECTED))))
def test_what_is_taken_from_a_configuration_names_no_program(found):
    """Whatever stands in it, git then reads only what is on the list."""
    with private_git() as git:
        listed = ["config", "--file", f"{git.directory}/config", "--list", "--name-only", "-z"]
        ours = set(git.must(*listed).split(b"\0"))
        git.configure(git_config.taken(found))
        keys = set(git.must(*listed).split(b"\0"))
    assert {key.rpartition(b".")[2] for key in keys - ours} <= {
        b"fetch", b"merge", b"remote", b"refstorage", b"objectformat",
    }  # fmt: skip


@pytest.mark.parametrize("key", ["extensions.objectFormat", "core.eol", "branch.main.merge"])
def test_no_value_that_is_taken_over_can_hold_another(touched, trap, git, key):
    """A value that is taken over from a configuration may have lines.

    None of them is a setting of its own.
    """
    git(touched, "config", key, f"sha256\n[core]\n\tfsmonitor = {trap.program}")
    changed(touched, trap)


PATCH = (
    b"diff --git a/mm/inner.c b/mm/inner.c\n--- a/mm/inner.c\n+++ b/mm/inner.c\n"
    b"@@ -1,3 +1,3 @@\n int one;\n-int was;\n+int two;\n int three;\n"
)


def added(path: str, *lines: str, mode: str = "100644") -> bytes:
    """A patch that adds a file."""
    return (
        f"diff --git a/{path} b/{path}\nnew file mode {mode}\n--- /dev/null\n+++ b/{path}\n"
        f"@@ -0,0 +1,{len(lines)} @@\n" + "".join(f"+{line}\n" for line in lines)
    ).encode()


def bringing(tree: Path, *patches: bytes) -> bytes:
    """A patch that is applied to the tree."""
    patch = b"".join((PATCH, *patches))
    subprocess.run(["git", "apply", "-p1"], input=b"".join(patches), cwd=tree, check=True)
    return patch


@pytest.mark.parametrize("top", ["", "mm/", "a/b/"])
def test_a_patch_that_makes_a_directory_look_like_gits_own_runs_nothing(tree, trap, top):
    """It brings a configuration, and attributes that name what that configures."""
    patch = bringing(
        tree,
        added(f"{top}HEAD", "ref: refs/heads/x"),
        added(f"{top}objects/x", ""),
        added(f"{top}refs/x", ""),
        added(f"{top}info/attributes", "*.c filter=e"),
        added(
            f"{top}config", "[core]", "bare = false", f'worktree = "{tree}"',
            '[filter "e"]', f'clean = "{trap.program}"',
        ),
    )  # fmt: skip
    trap.sprung_by(tree / top, "hash-object", "--path=a.c", tree / "mm" / "inner.c")
    with trap.stays():
        former = former_tree.with_patch(str(tree), patch, "p").changes
    assert former["mm/inner.c"] == ONE.replace(b"two", b"was")
    assert former[f"{top}config"] is None


@pytest.mark.parametrize("path", [".git/config", "mm/.git/config", ".GIT/config", ".git"])
def test_a_patch_of_a_repositorys_own_files_is_refused(tree, path):
    """No patch of source names them."""
    with pytest.raises(Problem, match=r"^p: names a file of git's own: "):
        former_tree.with_patch(str(tree), added(path, "[core]"), "p")


@pytest.mark.parametrize("what", ["clean", "smudge", "process"])
def test_a_patch_is_undone_without_the_filters_of_the_trees_repository(repository, trap, git, what):
    """A patch may bring the attributes that put files through them."""
    git(repository, "config", f"filter.e.{what}", trap.program)
    patch = bringing(repository, added(".gitattributes", "*.c filter=e eol=crlf"))
    (trap.program.parent / "p").write_bytes(PATCH)
    trap.sprung_by(repository, "apply", "-R", trap.program.parent / "p")
    (repository / "mm" / "inner.c").write_bytes(ONE)
    with trap.stays():
        former = former_tree.with_patch(str(repository), patch, "p").changes
    assert former == {".gitattributes": None, "mm/inner.c": ONE.replace(b"two", b"was")}


def test_a_patch_is_undone_outside_of_a_repository_that_holds_the_temporary_directory(
    repository, tree, trap, git, monkeypatch
):
    """Somebody may have made /tmp a repository."""
    temporary = repository / "tmp"
    temporary.mkdir()
    git(repository, "config", "filter.e.clean", trap.program)
    (repository / ".git" / "info" / "attributes").write_text("*.c filter=e\n")
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    (trap.program.parent / "p").write_bytes(PATCH)
    trap.sprung_by(repository, "apply", "-R", trap.program.parent / "p")
    (repository / "mm" / "inner.c").write_bytes(ONE)
    with trap.stays():
        former = former_tree.with_patch(str(tree), PATCH, "p").changes
    assert former == {"mm/inner.c": ONE.replace(b"two", b"was")}
    assert list(temporary.iterdir()) == []
