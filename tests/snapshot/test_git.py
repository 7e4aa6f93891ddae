# SPDX-License-Identifier: GPL-2.0-or-later
"""How git is called: with limits, and nothing of it is left when the call ends, however it does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lazymmu.problem import Problem
from lazymmu.snapshot import former_tree, git, git_store
from lazymmu.snapshot.git_store import GitStore
from lazymmu.snapshot.object_store import StoreError


@pytest.fixture
def repository(tree, git):
    """A repository that libgit2 does not read: its names have 256 bits."""
    (tree / "mm" / "kept.c").write_text("int kept;\n")
    git(tree, "init", "-q", "-b", "main", "--object-format=sha256")
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "-m", "first")
    return tree


@pytest.fixture
def hanging(tmp_path, monkeypatch):
    """A git that starts a program and never ends; returns the file that gets both numbers."""
    pids = tmp_path / "pids"
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(
        f"#!/bin/sh\nsleep 600 &\necho $$ $! >{pids}.new\nmv {pids}.new {pids}\nwait\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return pids


def gone(pids: Path) -> bool:
    """Whether processes have ended, or do so at once: a killed one may need a moment."""
    for pid in pids.read_text().split():
        status = Path("/proc", pid, "stat")
        for _ in range(200):
            # A killed orphan remains as a zombie where nobody waits for orphans.
            if not status.exists() or status.read_text().rpartition(")")[2].split()[0] in "ZX":
                break
            time.sleep(0.01)
        else:
            return False
    return True


def test_a_git_that_hangs_is_killed_with_all_that_it_started(repository, hanging, monkeypatch):
    """A git that hangs is killed with all that it started, and one sentence says so."""
    monkeypatch.setattr(git, "TIME_LIMIT", 0.5)
    with pytest.raises(Problem, match=r"^--since: git rev-parse did not end within 0\.5 seconds$"):
        former_tree.at_revision(str(repository), "HEAD")
    assert gone(hanging)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_git_and_leaves_nothing(repository, hanging, tmp_path, number):
    """Neither a process nor a temporary directory."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    running = subprocess.Popen(
        [sys.executable, "-m", "lazymmu", "check", repository, "--since", "HEAD"],
        stderr=subprocess.PIPE,
        env=os.environ | {"TMPDIR": str(temporary)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )
    while not hanging.exists():
        assert running.poll() is None
        time.sleep(0.01)
    running.send_signal(number)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 128 + number
    assert b"Traceback" not in said
    assert gone(hanging)
    assert list(temporary.iterdir()) == []


def test_signals_mean_what_they_meant_once_git_has_ended(repository):
    """Also those that somebody else handles, or ignores."""
    former_tree.at_revision(str(repository), "HEAD")
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        former_tree.at_revision(str(repository), "HEAD")
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


def test_what_git_gives_is_bounded(monkeypatch):
    """So that no repository fills a disk."""
    monkeypatch.setattr(git, "OUTPUT_LIMIT", 1 << 20)
    with git.private_git() as private:
        blob = private.must("hash-object", "-w", "--stdin", stdin=b"x" * (2 << 20)).decode().strip()
        with pytest.raises(Problem, match=r"^git cat-file gives more than 1 MB$"):
            private.ask("cat-file", "blob", blob)


def test_contents_are_bounded_together_and_alone(monkeypatch):
    """One that no check reads is not given; too many are refused."""
    monkeypatch.setattr(git_store, "CONTENT_CAP", 10)
    with git.private_git() as private:
        small, large = (
            private.must("hash-object", "-w", "--stdin", stdin=content).decode().strip()
            for content in (b"small", b"larger than that")
        )
        absent = "1" * 40
        assert GitStore(private).blobs([small, large, absent, small]) == {
            small: b"small",
            large: None,
        }
        monkeypatch.setattr(git_store, "CONTENT_LIMIT", 4)
        with pytest.raises(StoreError, match="of files differ"):
            GitStore(private).blobs([small])


def test_contents_are_the_same_in_one_call_or_several(monkeypatch):
    """They are asked for in batches."""
    monkeypatch.setattr(git_store, "_BATCH", 100)
    contents = [b"%d\n" % number * number for number in range(40)] + [b"", b"\n", b"blob 3\nabc"]
    with git.private_git() as private:
        names = {
            private.must("hash-object", "-w", "--stdin", stdin=content).decode().strip(): content
            for content in contents
        }
        assert GitStore(private).blobs(names) == names


def test_nothing_is_left_of_a_private_repository():
    """It is gone with its context."""
    with git.private_git() as private:
        assert private.must("rev-parse", "--git-dir").strip() == os.fsencode(private.directory)
    assert not private.directory.exists()


@pytest.mark.parametrize("content", [None, "#!/no/such/interpreter\n", "not a program"])
def test_a_git_that_cannot_be_run_is_one_sentence(repository, tmp_path, monkeypatch, content):
    """A git that cannot be run, or is not there, is one sentence."""
    if content is not None:
        (tmp_path / "git").write_text(content)
        (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        Problem, match=r"^--since: (git is not installed|cannot run git rev-parse: )"
    ):
        former_tree.at_revision(str(repository), "HEAD")


def test_a_full_disk_is_one_sentence(repository, monkeypatch):
    """A full disk where temporary files go is one sentence."""
    if not Path("/dev/full").exists():
        pytest.skip("only Linux has a device that is full")
    monkeypatch.setattr("tempfile.tempdir", "/dev/full")
    with pytest.raises(Problem, match=r"^--since: cannot make a temporary directory"):
        former_tree.at_revision(str(repository), "HEAD")


def test_a_revision_longer_than_a_command_may_be_is_one_sentence(repository):
    """A revision longer than a command may be is one sentence, because the system refuses it."""
    with pytest.raises(Problem, match=r"^--since: "):
        former_tree.at_revision(str(repository), "x" * 140_000)


def test_a_null_character_in_a_revision_is_one_sentence(repository):
    """No command line can hold one, a caller's string can."""
    with pytest.raises(Problem, match=r"^--since: "):
        former_tree.at_revision(str(repository), "a\0b")
