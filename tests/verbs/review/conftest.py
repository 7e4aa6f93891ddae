# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of a review share: branches on the examples, and a way to review one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import lazymmu
from lazymmu.verbs.review.review import ReviewAnswer
from tests.verbs.review.planted import Branch


@pytest.fixture
def old_branch(tmp_path: Path, git: Callable[..., str]) -> Branch:
    """A repository of examples/linux-old, to be committed to."""
    return Branch.of("linux-old", tmp_path, git)


@pytest.fixture
def new_branch(tmp_path: Path, git: Callable[..., str]) -> Branch:
    """A repository of examples/linux-new, to be committed to."""
    return Branch.of("linux-new", tmp_path, git)


@pytest.fixture
def reviewed() -> Callable[..., ReviewAnswer]:
    """Reviews a series on a tree, on x86 alone unless told otherwise."""

    def review(series, tree, **more) -> ReviewAnswer:
        more.setdefault("arches", ["x86"])
        given = lazymmu.Input(series, "series.mbox") if isinstance(series, bytes) else series
        return lazymmu.review(lazymmu.ReviewRequest(series=given, trees=[str(tree)], **more))

    return review
