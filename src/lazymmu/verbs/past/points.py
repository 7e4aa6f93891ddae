# SPDX-License-Identifier: GPL-2.0-or-later
"""Points of a history: trees in the order of their releases, each with what was found in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lazymmu.witness.finding import CheckResult

__all__ = ["Point", "heads", "series_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One tree of a history.

    :param name: what it is called: its release, and its path where two have one release.
    :param release: of its Makefile, or what a tag says.
    :param path: of the tree, or of the repository that the commit is in.
    :param commit: the whole name of the commit, "" for files of a directory.
    :param subject: the first line of what the commit says.
    :param result: all that was found, None where it could not be looked at.
    :param trouble: why not.
    """

    name: str
    release: str
    path: str
    commit: str = ""
    subject: str = ""
    result: CheckResult | None = None
    trouble: str = ""

    @property
    def series(self) -> tuple[int, int]:
        """The mainline release that a release comes from: (6, 12) of 6.12.8."""
        return series_of(self.release)


def series_of(release: str) -> tuple[int, int]:
    """The first two numbers of a release, zeros where there are none."""
    numbers = [int(number) for number in re.findall(r"\d+", release)[:2]]
    return (numbers[0], numbers[1]) if len(numbers) == 2 else (0, 0)


def heads(paths: Sequence[str], releases: Sequence[str]) -> list[str]:
    """What trees are called: by their releases, and where these are equal by their paths."""
    return [
        path if releases.count(release) > 1 else release
        for path, release in zip(paths, releases, strict=True)
    ]
