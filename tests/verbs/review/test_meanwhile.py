# SPDX-License-Identifier: GPL-2.0-or-later
"""A tree that somebody goes on working on while a series for it is reviewed."""

from __future__ import annotations

import pytest

from lazymmu.witness.source import check as source

LOOPS = "mm/right_loops.c"


@pytest.fixture
def comment(old_branch) -> bytes:
    """A series that does nothing, with the base checked out."""
    old_branch.edit(LOOPS, "/* Leaves before it waits", "/* It leaves before it waits")
    old_branch.commit("mm: a comment")
    series = old_branch.mails()
    old_branch.back()
    return series


def test_a_file_that_is_written_meanwhile_is_named_and_the_answer_is_open(
    old_branch, reviewed, comment, monkeypatch
):
    """Nobody knows whether it was read before or after: nothing is called clean."""
    check = source.check
    answer = reviewed(comment, old_branch.tree)
    assert answer.losses == ()
    assert answer.exit_code() == 0

    def writing(tree, *args, **more):
        found = check(tree, *args, **more)
        old_branch.edit("mm/shadow.c", "/*", "/* A word more:")
        return found

    monkeypatch.setattr(source, "check", writing)
    answer = reviewed(comment, old_branch.tree)
    assert answer.losses == (
        "mm/shadow.c changed while the tree was read: what is said may be of before or of after,"
        " so review it again",
    )
    assert answer.exit_code() == 3


def test_a_range_of_commits_is_read_from_the_repository_whatever_is_written(
    old_branch, reviewed, comment, monkeypatch
):
    """Commits stand still, and so does what is said of them."""
    check = source.check

    def writing(tree, *args, **more):
        old_branch.edit("mm/shadow.c", "/*", "/* A word more:")
        return check(tree, *args, **more)

    monkeypatch.setattr(source, "check", writing)
    answer = reviewed("base..main", old_branch.tree)
    assert answer.losses == ()
    assert answer.exit_code() == 0
