# SPDX-License-Identifier: GPL-2.0-or-later
"""The pages on real releases and the tool say the same: which findings, where, and who is hurt."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lazymmu.snapshot.tree import Tree
from lazymmu.witness.finding import CheckResult, Confidence, Finding, Severity

from .conftest import Found

HOME = Path(__file__).parents[2] / "docs" / "findings"
PAGES = sorted(HOME.glob("*.md"))

_PLACE = re.compile(r"(?P<file>[\w./+-]+), `(?P<function>\w+)\(\)`")
_ARCH = "(?:x86|powerpc|sparc|arm64)"
_ARCHES = f"(?P<arches>{_ARCH}(?:, {_ARCH})*)"
_HURTS = re.compile(rf"hurts \({_ARCHES}: ")
_MORE = re.compile(rf"; by the tool {_ARCHES} too, see below$")
_COUNT = re.compile(r"(?:\A|: )(\d+)")
_VERDICT = re.compile(rf"\*\*hurts \({_ARCHES}[^*]*\)\*\*")
_FUNCTION = re.compile(r"`(\w+)\(\)`|^#+ (\w+)\(\)", re.MULTILINE)
_ARCH_WORDS = re.compile(r"\b(x86|powerpc|sparc64|arm64)\b")

MACHINE = "New tasks on Xen PV"
"""What only `verify` finds has no line in the table of what `check` finds."""


def arches_of(text: str) -> frozenset[str]:
    """Names of architectures with commas between them."""
    return frozenset(text.split(", "))


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a page's table of findings.

    hurt: by the verdict; told: whom the tool calls hurt beside them.
    """

    rules: frozenset[str]
    file: str
    function: str
    named: frozenset[str]
    hurt: frozenset[str]
    told: frozenset[str]

    @property
    def cause(self) -> tuple[object, ...]:
        """What is compared with a finding: all that is said of it here."""
        return self.rules, self.file, self.function, self.named, self.hurt | self.told


def cells(page: Path) -> list[list[str]]:
    """The cells of all lines of tables on a page."""
    lines = page.read_text(encoding="utf-8").splitlines()
    return [[one.strip() for one in line.split("|")[1:-1]] for line in lines if line[:1] == "|"]


def placed(page: Path) -> Iterator[tuple[re.Match[str], list[str]]]:
    """Lines of tables with a rule, a place and two cells more."""
    for line in cells(page):
        place = _PLACE.match(line[1]) if len(line) == 4 else None
        if place is not None:
            yield place, line


def rows(page: Path) -> list[Row]:
    """The lines of the table of findings: rule, place, architectures, verdict."""
    found = []
    for place, line in placed(page):
        if line[2].isdigit():
            continue
        hurts, more = _HURTS.match(line[3]), _MORE.search(line[3])
        assert hurts or line[3].startswith("breaks the text"), line
        found.append(
            Row(
                arches_of(line[0]),
                place["file"],
                place["function"],
                arches_of(line[2]),
                arches_of(hurts["arches"]) if hurts else frozenset(),
                arches_of(more["arches"]) if more else frozenset(),
            )
        )
    return found


def doubtful(page: Path) -> tuple[Counter[tuple[str, str, str]], int]:
    """The table of low confidence: how often each is told, and how many are judged false."""
    told: Counter[tuple[str, str, str]] = Counter()
    false = 0
    for place, line in placed(page):
        if line[2].isdigit():
            assert line[3] in {"false", "true"}, line
            told[line[0], place["file"], place["function"]] += int(line[2])
            false += int(line[2]) if line[3] == "false" else 0
    return told, false


def said(page: Path, what: str) -> str:
    """What stands beside a word at a page's head."""
    (text,) = [line[1] for line in cells(page) if len(line) == 2 and line[0] == what]
    return text


def figures(page: Path, what: str) -> list[int]:
    """The figures that stand beside a word at a page's head."""
    return [int(number) for number in _COUNT.findall(said(page, what))]


def sections(page: Path) -> list[str]:
    """The parts of a page, each from its heading on, without the first and the tables of runs."""
    parts = re.split(r"^(?=## )", page.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return [part for part in parts if not part.startswith("## Seen on")]


def functions(text: str) -> frozenset[str]:
    """The functions that a text names."""
    return frozenset(one or other for one, other in _FUNCTION.findall(text))


def tree_of(release: str) -> Path:
    """The tree of exactly that release; skips where it is not at hand."""
    top = Path(os.environ.get("LAZYMMU_KERNELS") or Path("~/.cache/lazymmu-kernels").expanduser())
    for tree in sorted(top.glob("linux-*")):
        if (tree / "Makefile").is_file() and Tree.open(tree).release == release:
            return tree
    pytest.skip(f"there is no tree of {release} in {top} (set LAZYMMU_KERNELS)")


def cause(found: Finding) -> tuple[object, ...]:
    """A finding as a line of a page has it."""
    hurt = frozenset(harm.arch for harm in found.harms)
    assert bool(hurt) == (found.severity is Severity.HURTS)
    rules = frozenset({found.rule, *found.also})
    return rules, found.file, found.function, frozenset(found.arches), hurt


Check = Callable[[Path], CheckResult]


@pytest.fixture
def checked(found: Callable[[str], Found]) -> Check:
    """What the tool says of the tree of a page."""
    return lambda page: found(tree_of(page.stem).name.removeprefix("linux-")).result


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_adds_up(page: Path) -> None:
    """Its figures are those of its own tables."""
    told = rows(page)
    hurting = sum(bool(row.hurt) for row in told)
    assert figures(page, "findings at default confidence") == [len(told)]
    assert figures(page, "of these: hurt an architecture") == [hurting]
    assert figures(page, "of these: break the text only") == [len(told) - hurting]
    assert figures(page, "false") == [0]
    low, false = doubtful(page)
    every = figures(page, "not shown: low confidence")
    assert every[0] == low.total()
    assert every[-1] == false


def argued(page: Path) -> frozenset[tuple[str, str]]:
    """Which function of a page's table hurts which architecture, by the prose.

    A section may name none as hurt that the table does not.
    """
    met: set[tuple[str, str]] = set()
    for part in sections(page):
        heading = part.partition("\n")[0]
        about = [
            row
            for row in rows(page)
            if f"{row.function}()" in heading
            or f"`{row.function}()`" in part
            or row.file in heading
        ]
        found = (arches_of(verdict["arches"]) for verdict in _VERDICT.finditer(part))
        verdicts = frozenset[str]().union(*found)
        if MACHINE not in heading:
            assert verdicts <= {arch for row in about for arch in row.hurt}, part
            met |= {(row.function, arch) for row in about for arch in row.hurt & verdicts}
    return frozenset(met)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_prose_of_a_page_says_what_its_table_says(page: Path) -> None:
    """Who is hurt is argued, there or on a page that it leads to, and nobody else is."""
    links = re.findall(r"\]\(([\d.]+)\.md\)", page.read_text(encoding="utf-8"))
    hurt = {(row.function, arch) for row in rows(page) for arch in row.hurt}
    there = frozenset[tuple[str, str]]().union(*(argued(HOME / f"{link}.md") for link in links))
    assert hurt <= argued(page) | there, hurt - argued(page) - there


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_what_the_tool_finds_and_no_more(page: Path, checked: Check) -> None:
    """By rule, place, the architectures that are named, and those that are hurt."""
    shown = [
        one
        for one in checked(page).findings
        if one.severity is not Severity.INFORMATION and one.confidence is not Confidence.LOW
    ]
    assert Counter(row.cause for row in rows(page)) == Counter(map(cause, shown))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_what_the_tool_does_not_show(page: Path, checked: Check) -> None:
    """What is of low confidence, how often, and where a section begins unpinned."""
    findings = checked(page).findings
    low = [
        (one.rule, one.file, one.function)
        for one in findings
        if one.confidence is Confidence.LOW and one.severity is not Severity.INFORMATION
    ]
    assert doubtful(page)[0] == Counter(low)
    unpinned = {one.function for one in findings if one.severity is Severity.INFORMATION}
    assert functions(said(page, "information")) == unpinned
    assert figures(page, "information") == [len(unpinned)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_names_the_dialect_and_the_architectures(page: Path, checked: Check) -> None:
    """As the tool reads them out of the tree."""
    result = checked(page)
    found = re.search(
        r"^Dialect `([\w-]+)`.*?read for (.*?)\.(?:\s|$)", page.read_text(), re.M | re.S
    )
    assert found is not None
    read = {arch.replace("sparc64", "sparc") for arch in _ARCH_WORDS.findall(found[2])}
    assert (found[1], read) == (result.tree.dialect, set(result.arches))
