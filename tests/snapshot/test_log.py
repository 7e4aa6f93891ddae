# SPDX-License-Identifier: GPL-2.0-or-later
"""The commits of a repository, its tags, and what differs between two commits."""

from __future__ import annotations

import pytest

from lazymmu.snapshot.repository import view


@pytest.fixture(autouse=True, params=["library", "git"])
def reader(request, monkeypatch):
    """Both readers of a history are tried: the library, and git for what that does not know."""
    if request.param == "git":
        monkeypatch.setattr("lazymmu.snapshot.repository.open_library", lambda *_: None)
    return request.param


@pytest.fixture
def merged(repository, git):
    """The small repository with a branch of one commit that is merged, and one commit after."""
    git(repository, "tag", "v1")
    git(repository, "checkout", "-q", "-b", "side")
    (repository / "mm" / "side.c").write_text("int side;\n")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "a file on the side")
    git(repository, "checkout", "-q", "-")
    (repository / "mm" / "inner.c").write_text("int trunk;\n")
    git(repository, "commit", "-q", "-am", "a change of the trunk")
    git(repository, "merge", "-q", "--no-ff", "-m", "Merge the side", "side")
    (repository / "mm" / "side.c").unlink()
    git(repository, "commit", "-q", "-am", "a file that goes\n\nwith more to say")
    git(repository, "tag", "-a", "v2", "-m", "two")
    return repository


def test_a_commit_comes_after_all_of_its_parents_with_its_first_line(merged):
    """What the old end has is not listed, and a merge has both parents."""
    with view(str(merged)) as seen:
        found = seen.store.log(seen.commit("v1"), seen.commit("v2"))
    subjects = [entry.subject for entry in found]
    assert sorted(subjects[:2]) == ["a change of the trunk", "a file on the side"]
    assert subjects[2:] == ["Merge the side", "a file that goes"]
    assert len(found[2].parents) == 2
    names = [entry.commit for entry in found]
    assert set(found[2].parents) == set(names[:2])


def test_a_range_without_commits_is_empty(merged):
    """The old end may have all that the new one has."""
    with view(str(merged)) as seen:
        assert seen.store.log(seen.commit("v2"), seen.commit("v1")) == []


def test_a_tag_is_told_by_its_commit_whether_it_says_something_or_not(merged):
    """A tag with a message of its own leads to the same commit."""
    with view(str(merged)) as seen:
        assert seen.store.tags() == {"v1": seen.commit("v1"), "v2": seen.commit("v2")}


def test_two_commits_differ_in_files_that_came_went_or_changed(merged):
    """Each has what it was and what it is, and nothing else is read."""
    with view(str(merged)) as seen:
        log = {
            entry.subject: entry for entry in seen.store.log(seen.commit("v1"), seen.commit("v2"))
        }
        merge, last = log["Merge the side"], log["a file that goes"]
        ((path, (before, after)),) = seen.store.changed(merge.commit, last.commit).items()
        assert (path, after) == ("mm/side.c", None)
        assert before is not None
        assert seen.store.blob(before.blob, 100) == b"int side;\n"
        assert list(seen.store.changed(seen.commit("v1"), seen.commit("v2"))) == ["mm/inner.c"]
        assert list(seen.store.changed(merge.commit, last.commit, "mm")) == ["side.c"]
        assert seen.store.changed(merge.commit, last.commit, "fs") == {}


def test_a_directory_has_one_name_for_one_content(merged):
    """Commits that do not change it share its name, and one that is not there has none."""
    with view(str(merged)) as seen:
        directory = seen.store.directory
        old, new = seen.commit("v1"), seen.commit("v2")
        assert directory(old, "include") == directory(new, "include") != ""
        assert directory(old) != directory(new)
        assert directory(new, "nowhere") == ""
