# SPDX-License-Identifier: GPL-2.0-or-later
"""The example trees say in comments what is to be found in them, and that is what is found.

The comment stands at the end of the culprit's line, as ``/* expect: RULE [ARCH...][; ...] */``.
``a+b`` is one finding of two rules: whichever leads, the other is in its ``also``. No architecture
means all that have the mode in the tree.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import lazymmu
from lazymmu.contract.rules import RULES
from lazymmu.witness.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from lazymmu.witness.finding import CheckResult, Finding

EXAMPLES = Path(__file__).parents[2] / "examples"
HAVE_THE_MODE = {
    "linux-old": ("x86", "powerpc", "sparc"),
    "linux-new": ("x86", "powerpc", "sparc", "arm64"),
}

# What a compiler of the architecture defines, and what Kconfig would, to show that it is valid C.
MACROS = {
    "x86": ["CONFIG_PARAVIRT_XXL"],
    "powerpc": ["CONFIG_PPC_BOOK3S", "CONFIG_PPC_BOOK3S_64"],
    "sparc": ["__sparc__", "__arch64__"],
    "arm64": [],
}
ARCHES = ("x86", "powerpc", "sparc", "arm64")

_COMMENT = re.compile(r"/\*\s*expect:(.*?)\*/")


@dataclass(frozen=True, slots=True, order=True)
class Expected:
    """One finding: where, which rules it breaks and for which architectures."""

    file: str
    line: int
    rules: tuple[str, ...]
    arches: tuple[str, ...]


def _one(file: str, line: int, words: list[str], everywhere: Collection[str]) -> Expected:
    if not words:
        raise ValueError(f"{file}:{line}: an expectation without a rule")
    rules = words[0].split("+")
    for rule in rules:
        if rule not in RULES:
            raise ValueError(f"{file}:{line}: there is no rule {rule!r}")
    for arch in words[1:]:
        if arch not in ARCHES:
            raise ValueError(f"{file}:{line}: there is no architecture {arch!r}")
    return Expected(file, line, tuple(sorted(rules)), tuple(sorted(words[1:] or everywhere)))


def parse(file: str, text: str, everywhere: Collection[str]) -> Iterator[Expected]:
    """The expectations in one file's text; `everywhere` is what no architecture stands for.

    Raises ValueError, with the place, for a rule or an architecture that does not exist.
    """
    for number, line in enumerate(text.splitlines(), start=1):
        for comment in _COMMENT.finditer(line):
            for part in comment[1].split(";"):
                yield _one(file, number, part.split(), everywhere)


def of_tree(tree: Path, everywhere: Collection[str]) -> Counter[Expected]:
    """Every expectation in the C files and headers of an example tree."""
    paths = sorted(path for path in tree.rglob("*") if path.suffix in {".c", ".h"})
    return Counter(
        expected
        for path in paths
        for expected in parse(str(path.relative_to(tree)), path.read_text(), everywhere)
    )


def of_findings(findings: Iterable[Finding]) -> Counter[Expected]:
    """The findings of a check, in the same form."""
    return Counter(
        Expected(f.file, f.line, tuple(sorted({f.rule, *f.also})), tuple(sorted(f.arches)))
        for f in findings
    )


@cache
def result(tree: str) -> CheckResult:
    """One check of an example tree, shared by the tests."""
    return lazymmu.check(EXAMPLES / tree)


def lines(some: Counter[Expected]) -> list[str]:
    """Expectations as a compiler would print them, for a failing test's message."""
    return [f"{e.file}:{e.line}: {'+'.join(e.rules)} {' '.join(e.arches)}" for e in sorted(some)]


@pytest.mark.parametrize("tree", HAVE_THE_MODE)
def test_every_announced_finding_is_found(tree: str) -> None:
    """Each comment of an example tree has its finding: file, line, rules and architectures."""
    expected = of_tree(EXAMPLES / tree, HAVE_THE_MODE[tree])
    assert expected
    missing = lines(expected - of_findings(result(tree).findings))
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("tree", HAVE_THE_MODE)
def test_nothing_else_is_found(tree: str) -> None:
    """An example tree has no fault that no comment announces; information speaks for itself."""
    expected = of_tree(EXAMPLES / tree, HAVE_THE_MODE[tree])
    faults = [f for f in result(tree).findings if f.severity is not Severity.INFORMATION]
    extra = lines(of_findings(faults) - expected)
    assert not extra, "\n".join(extra)


@pytest.mark.parametrize("tree", HAVE_THE_MODE)
def test_the_architectures_are_those_that_have_the_mode(tree: str) -> None:
    """An architecture that only has the empty macros is not checked."""
    assert sorted(result(tree).arches) == sorted(HAVE_THE_MODE[tree])


@pytest.mark.parametrize("tree", HAVE_THE_MODE)
def test_nothing_is_left_unparsed(tree: str) -> None:
    """Every function that a section of an example reaches can be read."""
    assert result(tree).coverage.unparsed == ()


def test_each_rule_of_the_check_has_a_wrong_example() -> None:
    """Every rule that source can show is broken somewhere in one of the trees."""
    shown = {
        rule
        for tree, arches in HAVE_THE_MODE.items()
        for expected in of_tree(EXAMPLES / tree, arches)
        for rule in expected.rules
    }
    of_source = {name for name, rule in RULES.items() if "source" in rule.witnesses}
    assert of_source - shown == set()


def test_a_finding_survives_moved_lines(tmp_path: Path) -> None:
    """Ten lines more at the top of each file move findings and keep their fingerprints."""
    moved = tmp_path / "linux"
    shutil.copytree(EXAMPLES / "linux-old", moved)
    for path in moved.rglob("*.[ch]"):
        first, rest = path.read_text().split("\n", 1)
        path.write_text(first + "\n" * 11 + rest)
    before = sorted(f.fingerprint for f in result("linux-old").findings)
    after = sorted(f.fingerprint for f in lazymmu.check(moved).findings)
    assert after == before
    assert len(set(before)) == len(before)


def test_the_examples_contain_no_marks_of_kernel_code() -> None:
    """Each file is under this project's licence line and says nothing of another author."""
    for path in EXAMPLES.rglob("*"):
        if path.is_file() and path.suffix not in {".gz", ".zst"}:
            text = path.read_text()
            # What a kernel printed is read as it came, and holds nothing but that.
            if path.parent.name != "oops":
                assert "SPDX-License-Identifier: GPL-2.0-or-later" in text.splitlines()[0], path
            assert not re.search(r"(?i)copyright|\(c\) *\d{4}|author", text), path


@pytest.mark.skipif(not shutil.which("gcc"), reason="needs gcc")
@pytest.mark.parametrize("tree", HAVE_THE_MODE)
@pytest.mark.parametrize("arch", MACROS)
def test_the_examples_are_valid_c(tree: str, arch: str) -> None:
    """A compiler accepts each file of a tree, for each architecture that it has."""
    top = EXAMPLES / tree
    macros = [*MACROS[arch], "CONFIG_TRANSPARENT_HUGEPAGE", "CONFIG_MMU_NOTIFIER"]
    if tree == "linux-new":
        macros.append("CONFIG_ARCH_HAS_LAZY_MMU_MODE")
    files = [
        str(path)
        for path in sorted(top.rglob("*.c"))
        if path.relative_to(top).parts[0] != "arch" or path.relative_to(top).parts[1] == arch
    ]
    run = subprocess.run(
        ["gcc", "-std=gnu11", "-fsyntax-only", "-nostdinc", "-Wall", "-Werror"]
        + ["-Wno-unused-function", "-Wno-unused-variable"]
        + [f"-I{top}/arch/{arch}/include", f"-I{top}/include"]
        + [f"-D{macro}" for macro in macros]
        + files,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


def test_an_unknown_rule_in_a_comment_is_refused() -> None:
    """A misspelt expectation fails the tests instead of being forgotten."""
    with pytest.raises(ValueError, match=r"a\.c:2: there is no rule 'nestd-section'"):
        list(parse("a.c", "x();\ny();\t/* expect: nestd-section x86 */\n", ("x86",)))


@pytest.mark.parametrize("tree", HAVE_THE_MODE)
def test_the_table_of_sections_and_the_findings_agree_on_what_pins(tree: str) -> None:
    """A section that some path begins with nothing pinning the task is reported, and no other."""
    pinning = {"powerpc", "sparc"}
    told = {
        (found.file, found.function)
        for found in result(tree).findings
        if found.rule == "preempted-in-section"
    }
    for row in lazymmu.sections(EXAMPLES / tree):
        begins = any(action == "enable" for _, action in row.actions)
        if begins and not pinning.issuperset(row.arches):
            assert ("nothing" in row.pinned) == ((row.file, row.function) in told), row
