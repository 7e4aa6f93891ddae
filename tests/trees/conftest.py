# SPDX-License-Identifier: GPL-2.0-or-later
"""Real kernel trees, each checked once for all tests that ask for it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

import lazymmu
from lazymmu.witness.finding import CheckResult, SectionRow

_RESULTS: dict[Path, CheckResult] = {}
_ROWS: dict[Path, list[SectionRow]] = {}


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of this session: the two looks at a tree share what they read."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def tree_of(kernel_tree: Callable[[str], Path]) -> Callable[[str], Path]:
    """The tree of a release; skips unless LAZYMMU_KERNELS names a directory with it."""

    def find(release: str) -> Path:
        if not os.environ.get("LAZYMMU_KERNELS"):
            pytest.skip("needs real trees: set LAZYMMU_KERNELS")
        return kernel_tree(release)

    return find


@pytest.fixture
def result_of(tree_of: Callable[[str], Path], kept: Path) -> Callable[[str], CheckResult]:
    """All that a check says of a release, of every confidence."""

    def look(release: str) -> CheckResult:
        tree = tree_of(release)
        if tree not in _RESULTS:
            _RESULTS[tree] = lazymmu.check(tree, cache_dir=kept / release)
        return _RESULTS[tree]

    return look


@pytest.fixture
def rows_of(tree_of: Callable[[str], Path], kept: Path) -> Callable[[str], list[SectionRow]]:
    """The table of sections of a release."""

    def look(release: str) -> list[SectionRow]:
        tree = tree_of(release)
        if tree not in _ROWS:
            _ROWS[tree] = lazymmu.sections(tree, cache_dir=kept / release)
        return _ROWS[tree]

    return look
