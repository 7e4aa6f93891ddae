# SPDX-License-Identifier: GPL-2.0-or-later
"""The pages on real releases and the tool say the same: which findings, and who is hurt."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from lazymmu.snapshot.tree import Tree
from lazymmu.witness.finding import Finding, Severity

from .conftest import Found

HOME = Path(__file__).parents[2] / "docs" / "findings"
PAGES = sorted(HOME.glob("*.md"))

_PLACE = re.compile(r"(?P<file>[\w./+-]+), `(?P<function>\w+)\(\)`")
_HURTS = re.compile(r"hurts \((?P<arches>\w+(?:, \w+)*)")
_COUNT = re.compile(r"\A\d+")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a page's table of findings."""

    rules: frozenset[str]
    file: str
    function: str
    hurt: frozenset[str]

    @property
    def cause(self) -> tuple[frozenset[str], str, str, bool]:
        """What is compared with a finding: the rules, the place, and whether anybody is hurt."""
        return self.rules, self.file, self.function, bool(self.hurt)


def cells(page: Path) -> list[list[str]]:
    """The cells of all lines of tables on a page."""
    lines = page.read_text(encoding="utf-8").splitlines()
    return [[one.strip() for one in line.split("|")[1:-1]] for line in lines if line[:1] == "|"]


def rows(page: Path) -> list[Row]:
    """The lines of the table of findings: rule, place, verdict."""
    found = []
    for line in cells(page):
        place = _PLACE.match(line[1]) if len(line) == 3 else None
        if place is None:
            continue
        hurt = _HURTS.match(line[2])
        assert hurt or line[2].startswith("breaks the text"), line
        arches = hurt["arches"].split(", ") if hurt else []
        rules = frozenset(line[0].split(", "))
        found.append(Row(rules, place["file"], place["function"], frozenset(arches)))
    return found


def numbers(page: Path) -> dict[str, int]:
    """The figures at a page's head, by what they are of."""
    return {
        line[0]: int(number[0])
        for line in cells(page)
        if len(line) == 2 and (number := _COUNT.match(line[1]))
    }


def tree_of(release: str) -> Path:
    """The tree of exactly that release; skips where it is not at hand."""
    top = Path(os.environ.get("LAZYMMU_KERNELS") or Path("~/.cache/lazymmu-kernels").expanduser())
    for tree in sorted(top.glob("linux-*")):
        if (tree / "Makefile").is_file() and Tree.open(tree).release == release:
            return tree
    pytest.skip(f"there is no tree of {release} in {top} (set LAZYMMU_KERNELS)")


def cause(found: Finding) -> tuple[frozenset[str], str, str, bool]:
    """A finding as a line of a page has it."""
    hurts = found.severity is Severity.HURTS
    return frozenset({found.rule, *found.also}), found.file, found.function, hurts


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_adds_up(page: Path) -> None:
    """Its figures are those of its own table."""
    told, said = rows(page), numbers(page)
    hurting = sum(bool(row.hurt) for row in told)
    assert said["findings at default confidence"] == len(told)
    assert said["of these: hurt an architecture"] == hurting
    assert said["of these: break the text only"] == len(told) - hurting


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_what_the_tool_finds_and_no_more(
    page: Path, found: Callable[[str], Found]
) -> None:
    """By rule, place, and whether anybody is hurt; who is, is among those that the tool names."""
    tree = found(tree_of(page.stem).name.removeprefix("linux-"))
    shown = [one for one in tree.findings if one.severity is not Severity.INFORMATION]
    assert Counter(row.cause for row in rows(page)) == Counter(map(cause, shown))
    named = {cause(one): {harm.arch for harm in one.harms} for one in shown}
    for row in rows(page):
        assert row.hurt <= named[row.cause], row
