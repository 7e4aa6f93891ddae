# SPDX-License-Identifier: GPL-2.0-or-later
"""What cannot be seen after a change is not told as fixed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import lazymmu
from lazymmu.report.check import compare
from lazymmu.snapshot.revisions import Base
from lazymmu.snapshot.tree import Tree
from lazymmu.verbs.change import change
from lazymmu.verbs.selection import CheckOutcome
from lazymmu.verbs.unseen import losses_since, lost_arches, unseen
from lazymmu.witness.finding import Lost, Step

EXAMPLE = Path(__file__).parents[2] / "examples" / "linux-old"
FILE = "mm/wrong_sleep.c"
BEGIN = (
    "void clear_slowly(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, unsigned long end)\n"
)


def edited(old: str, new: str) -> Tree:
    """The example with some text of a file replaced."""
    text = (EXAMPLE / FILE).read_text()
    assert text.count(old) == 1
    return Tree.open(EXAMPLE).over({FILE: text.replace(old, new).encode()})


@pytest.fixture(scope="module")
def before() -> lazymmu.CheckResult:
    """What a check says of the example."""
    return lazymmu.check(EXAMPLE, arches=["x86"])


def became(before, tree: Tree):
    """What became of the findings of the example in another tree."""
    after = lazymmu.check(tree, arches=["x86"])
    return change(
        Base("", ""),
        (Tree.open(EXAMPLE), before.findings),
        (tree, after.findings),
        losses_since(before, after),
    )


@pytest.mark.parametrize(
    "tree",
    [
        edited(BEGIN + "{\n", BEGIN + "{\n\tif (end) {{{ (((;\n"),
        edited(BEGIN, "#ifdef CONFIG_NOBODY_HAS\n" + BEGIN),
        edited(BEGIN, "#if 0\n" + BEGIN),
    ],
    ids=["unreadable", "needs what nobody has", "left out"],
)
def test_code_that_is_not_seen_any_more_is_not_fixed(before, tree) -> None:
    """The parser gave it up, or no configuration compiles it."""
    new, told = became(before, tree)
    assert new == ()
    assert [one.function for one in told.unseen] == ["clear_slowly"]
    assert "clear_slowly" not in [one.function for one in told.fixed]


def test_a_mode_whose_names_are_not_known_any_more_mends_nothing(before) -> None:
    """Whoever gives all of its functions other names leaves no architecture with the mode."""
    known = Tree.open(EXAMPLE)
    files = {
        rel: text.replace(b"lazy_mmu", b"batched_pte").replace(b"LAZY_MMU", b"BATCHED_PTE")
        for rel in known.manifest()
        if b"lazy_mmu" in (text := known.read(rel)).lower()
    }
    _, told = became(before, known.over(files))
    assert told.fixed == ()
    assert len(told.unseen) == len([f for f in before.findings if f.severity != "information"])


def test_a_file_that_nobody_builds_any_more_hides_what_was_in_it(before) -> None:
    """It was renamed, and no Makefile knows."""
    text = (EXAMPLE / FILE).read_bytes()
    tree = Tree.open(EXAMPLE).over({FILE: None, "mm/wrong_sleep2.c": text})
    _, told = became(before, tree)
    assert told.fixed == ()
    assert {one.function for one in told.unseen} == {
        one.function for one in before.findings if one.file == FILE
    }


def test_code_that_is_gone_or_right_is_fixed_whatever_else_is_lost(before) -> None:
    """Another function that cannot be read says nothing of it."""
    text = (EXAMPLE / FILE).read_text()
    mended = text.replace("relax(addr);", "").replace(
        "void log_table(", "int unread(int x)\n{\n\tif (x) {{{ (((;\n}\n\nvoid log_table("
    )
    tree = Tree.open(EXAMPLE).over({FILE: mended.encode()})
    _, told = became(before, tree)
    assert "clear_slowly" in [one.function for one in told.fixed]
    assert "clear_slowly" not in [one.function for one in told.unseen]


def test_a_loss_on_the_way_to_a_culprit_hides_it(make_finding) -> None:
    """In the function that begins the section, in the whole file, on the whole architecture."""
    way = (Step("mm/begin.c", 3, 1, "begins", ""), Step("mm/memory.c", 9, 1, "culprit", ""))
    finding = make_finding(file="mm/memory.c", function="culprit", path=way, arches=("x86",))
    tree = Tree.open(EXAMPLE).over({"mm/memory.c": b"void culprit(void)\n{\n}\n"})
    for lost in (
        Lost("mm/begin.c", 3, "begins", "why"),
        Lost("mm/memory.c", 0, "", "holds NUL bytes"),
        *lost_arches(["x86"]),
    ):
        assert unseen([finding], tree, [lost]) == [finding]
    for lost in (
        Lost("mm/begin.c", 3, "another", "why"),
        Lost("mm/other.c", 0, "", "why"),
        *lost_arches(["sparc"]),
        Lost("mm/memory.c", 4, "another", "why"),
    ):
        assert unseen([finding], tree, [lost]) == []


def test_a_loss_that_was_there_before_says_nothing_of_the_change(before) -> None:
    """Losses that both trees have are counted off against each other."""
    assert losses_since(before, before) == ()


def test_a_release_in_which_it_was_not_seen_has_it_not_mended(tmp_path, before) -> None:
    """The cell of `--compare` says so."""
    other = tmp_path / "linux"
    shutil.copytree(EXAMPLE, other)
    text = (other / FILE).read_text()
    (other / FILE).write_text(text.replace(BEGIN + "{\n", BEGIN + "{\n\tif (end) {{{ (((;\n"))
    after = lazymmu.check(other, arches=["x86"])
    made = compare.compare([CheckOutcome(before), CheckOutcome(after)])
    (row,) = (row for row in made.rows if row.function == "clear_slowly")
    assert row.absences == (None, "not seen")
