# SPDX-License-Identifier: GPL-2.0-or-later
"""Each rule's examples, as C and as events: both witnesses must say the same of them.

The C is put into a copy of an example tree, in the directory that it names; the events go through
the monitors alone.  Examples of one tree share a copy, and so get names of their own there, unless
the file that they stand for exists: that one they replace, in a copy of their own.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import lazymmu
from lazymmu.contract.dialects import DIALECTS
from lazymmu.contract.eventlist import judge, parse
from lazymmu.contract.monitor import Runtime
from lazymmu.contract.rules import RULES, RuleKind, Witness

if TYPE_CHECKING:
    from lazymmu.contract.examples import Example
    from lazymmu.witness.finding import CheckResult, Finding

EXAMPLES = Path(__file__).parents[3] / "examples"
TREES = {
    "ptl-held": "linux-old",
    "no-nesting": "linux-old",
    "counted": "linux-new",
    "counted-task": "linux-new",
}
"""Which example tree has the calls of a dialect; the check is told the dialect itself."""

SHOWN = [name for name, rule in RULES.items() if Witness.SOURCE in rule.witnesses]
KINDS = ("good", "bad")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an example's C stands: the tree, the dialect, the architecture, the file."""

    tree: str
    dialect: str
    arch: str
    file: str
    replaces: bool


def example(rule: str, kind: str) -> Example:
    """A rule's good or bad example."""
    examples = RULES[rule].examples
    return examples.good if kind == "good" else examples.bad


def place(rule: str, kind: str) -> Place:
    """Where to put it."""
    given = example(rule, kind)
    tree, top = TREES[given.dialect], given.file.split("/")
    arch = top[1] if top[0] == "arch" else "x86"
    replaces = (EXAMPLES / tree / given.file).exists()
    file = given.file
    if not replaces:
        path = Path(given.file)
        file = str(path.with_name(f"{path.stem}_{rule.replace('-', '_')}_{kind}{path.suffix}"))
    return Place(tree, given.dialect, arch, file, replaces)


def together(rule: str, kind: str) -> tuple[tuple[str, str], ...]:
    """The examples that share a copy of a tree: all that replace nothing, or one that does."""
    mine = place(rule, kind)
    if mine.replaces:
        return ((rule, kind),)
    every = [(name, which) for name in SHOWN for which in KINDS]
    return tuple(item for item in every if not place(*item).replaces and alike(place(*item), mine))


def alike(one: Place, other: Place) -> bool:
    """Whether two examples can be checked at once."""
    return (one.tree, one.dialect, one.arch) == (other.tree, other.dialect, other.arch)


@cache
def _checked(top: Path, shared: tuple[tuple[str, str], ...]) -> CheckResult:
    """One check of a copy with these examples in it."""
    first = place(*shared[0])
    copy = top / f"{first.tree}-{len(list(top.iterdir()))}"
    shutil.copytree(EXAMPLES / first.tree, copy)
    for rule, kind in shared:
        at = place(rule, kind)
        target = copy / at.file
        target.write_text(example(rule, kind).c)
        if not at.replaces:
            with (target.parent / "Makefile").open("a") as makefile:
                makefile.write(f"obj-y += {target.stem}.o\n")
    return lazymmu.check(copy, arches=[first.arch], dialect=first.dialect, jobs=1)


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory for copies of trees."""
    return tmp_path_factory.mktemp("trees")


def of_source(copies: Path, rule: str, kind: str) -> list[Finding]:
    """What the source witness finds in an example's file."""
    result = _checked(copies, together(rule, kind))
    return [found for found in result.findings if found.file == place(rule, kind).file]


def broken(rule: str, findings: list[Finding]) -> list[tuple[int, str]]:
    """(line, rule) of findings; of information only what the example is about.

    An event list has one beginning; in source each function is one, and so has information of
    its own.
    """
    return sorted(
        (found.line, name)
        for found in findings
        for name in (found.rule, *found.also)
        if name == rule or RULES[name].kind is not RuleKind.INFORMATION
    )


def of_monitors(rule: str, kind: str) -> set[str]:
    """The rules that the monitors find broken in an example's events."""
    given = example(rule, kind)
    runtime = Runtime(list(RULES.values()), DIALECTS[given.dialect])
    return {violation.rule for _, violation in judge(parse(given.events), runtime)}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rule", SHOWN)
def test_both_witnesses_find_the_same_rules_broken(rule: str, kind: str, copies: Path) -> None:
    """The source witness breaks the same rules over the C as the monitors over the events."""
    found = broken(rule, of_source(copies, rule, kind))
    assert {name for _, name in found} == of_monitors(rule, kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rule", SHOWN)
def test_findings_stand_where_the_c_expects_them(rule: str, kind: str, copies: Path) -> None:
    """Each comment of the C has its finding on its line, and no other line has one."""
    found = broken(rule, of_source(copies, rule, kind))
    assert found == sorted(example(rule, kind).expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rule", SHOWN)
def test_the_c_of_an_example_is_understood_whole(rule: str, kind: str, copies: Path) -> None:
    """No function of an example is lost to the parser, so silence means agreement."""
    result = _checked(copies, together(rule, kind))
    file = place(rule, kind).file
    assert [lost for lost in result.coverage.unparsed if lost.file == file] == []


@pytest.mark.parametrize("rule", SHOWN)
def test_the_bad_example_shows_its_own_rule(rule: str, copies: Path) -> None:
    """What a rule's bad example breaks is that rule, whatever else may be broken with it."""
    assert rule in {name for _, name in broken(rule, of_source(copies, rule, "bad"))}


@pytest.mark.parametrize("rule", SHOWN)
def test_the_good_example_breaks_nothing(rule: str) -> None:
    """What is right is right by every rule, in both forms."""
    assert not of_monitors(rule, "good")
    assert not example(rule, "good").expected


def test_a_rule_is_left_out_only_when_it_says_so() -> None:
    """Every rule is compared here, except those that source is no witness of."""
    for name, rule in RULES.items():
        assert (name in SHOWN) == (Witness.SOURCE in rule.witnesses)
        assert rule.witnesses, name
    assert SHOWN
