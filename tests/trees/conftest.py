# SPDX-License-Identifier: GPL-2.0-or-later
"""One check of each real tree, shared by all tests that read its findings."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

import lazymmu
from lazymmu.witness.finding import CheckResult, Confidence, Finding


@cache
def _checked(tree: Path) -> CheckResult:
    return lazymmu.check(tree, jobs=2)


class Found:
    """The findings of one tree at default confidence, asked for as a maintainer would."""

    def __init__(self, result: CheckResult) -> None:
        self.result = result
        self.findings = [f for f in result.findings if f.confidence.rank >= Confidence.MEDIUM.rank]

    def of(self, rule: str, function: str, file: str = "") -> list[Finding]:
        """Findings that break a rule at a function, as culprit or on the way to it."""
        return [
            f
            for f in self.findings
            if rule in (f.rule, *f.also)
            and function in (f.function, *(step.function for step in f.path))
            and f.file.endswith(file)
        ]

    def arches(self, rule: str, function: str, file: str = "") -> set[str]:
        """The architectures of such findings."""
        return {arch for f in self.of(rule, function, file) for arch in f.arches}


@pytest.fixture
def found(kernel_tree: Callable[[str], Path]) -> Callable[[str], Found]:
    """The findings of a Linux version, as in `found("6.12.8")`; skips where there is no tree."""
    return lambda version: Found(_checked(kernel_tree(version)))
