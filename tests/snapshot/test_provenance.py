# SPDX-License-Identifier: GPL-2.0-or-later
"""Which commit of which repository a tree is, with nothing secret and nothing run."""

from __future__ import annotations

import subprocess

import pytest

from lazymmu.snapshot.provenance import origin_of, provenance


def git(folder, *arguments):
    """Run git as anybody would."""
    command = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(tmp_path):
    """A repository with a tree in a folder of it, and one commit."""
    git(tmp_path, "init", "-q")
    (tmp_path / "linux").mkdir()
    (tmp_path / "linux" / "a.c").write_text("int a;\n")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "one")
    return tmp_path


def test_a_tree_in_a_repository_has_its_top_revision_and_origin(repository):
    """The token that a CI server puts into the address stays where it is."""
    git(repository, "remote", "add", "origin", "https://ci:t0ken@example.org/a/linux.git")
    found = provenance(str(repository / "linux"))
    assert (found.top, found.inside) == (str(repository.resolve()), "linux")
    assert found.revision == git(repository, "rev-parse", "HEAD").strip()
    assert found.origin == "https://example.org/a/linux.git"
    assert provenance(str(repository)).inside == ""


def test_a_tree_in_no_repository_has_none(tmp_path):
    """No tree has to be in one."""
    assert provenance(str(tmp_path)) is None


def test_a_repository_without_a_commit_or_a_remote_has_neither(tmp_path):
    """What the repository does not say is not invented."""
    git(tmp_path, "init", "-q")
    found = provenance(str(tmp_path))
    assert (found.revision, found.origin) == ("", "")


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://example.org/linux.git", "https://example.org/linux.git"),
        ("https://user:secret@example.org:8443/l?token=x#y", "https://example.org:8443/l"),
        ("git@example.org:a/linux.git", "ssh://example.org/a/linux.git"),
        ("ssh://me@example.org/a", "ssh://example.org/a"),
        ("git://example.org/a", "git://example.org/a"),
        ("/srv/linux.git", ""),
        ("file:///srv/linux.git", ""),
        ("../linux", ""),
        ("ext::sh -c evil", ""),
        ("https://example.org/\x1b[31m", ""),
        ("https://[::1", ""),
        ("https://example.org:port/a", ""),
        ("", ""),
    ],
)
def test_an_origin_is_an_address_without_what_is_secret(url, origin):
    """A folder of this machine, a program or a broken one is none."""
    assert origin_of(url) == origin
