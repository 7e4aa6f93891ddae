# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables: findings by release, and the sections of a tree."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lazymmu.report.check import compare, sections
from lazymmu.report.common.table import plain
from lazymmu.verbs.selection import CheckOutcome
from lazymmu.witness.finding import Confidence, Harm, SectionRow, Severity, TreeInfo


def test_a_finding_is_one_row_over_the_releases_that_have_it(make_finding, make_result):
    """Who is hurt in which release can be read off one line, though the text around it changed."""
    old = make_result(make_finding(fingerprint="1"), tree=TreeInfo("a", "6.1", "plain"))
    new = make_result(
        make_finding(fingerprint="2", severity=Severity.BREAKS_TEXT, harms=()),
        make_finding(fingerprint="3", severity=Severity.BREAKS_TEXT, harms=()),
        tree=TreeInfo("b", "6.12", "plain"),
    )
    fixed = make_result(tree=TreeInfo("c", "7.3", "plain"))
    made = compare.table(
        compare.compare([CheckOutcome(old), CheckOutcome(new), CheckOutcome(fixed)])
    )
    assert plain(made) == (
        "file        function           rule            6.1  6.12     7.3\n"
        "mm/inner.c  inner_pte_range()  nested-section  x86  text x2  mended\n"
    )


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 1, 0, 2)])
def test_a_cell_says_why_a_release_does_not_have_a_finding(make_finding, make_result, order):
    """By the releases' numbers, in whatever order the trees were named."""
    names = ("6.1", "6.12.8", "6.18", "7.3")
    has = (False, True, False, False)
    results = [
        make_result(*[make_finding()] * there, tree=TreeInfo(name, name, "plain"))
        for name, there in zip(names, has, strict=True)
    ]
    allowed = TreeInfo("7.3", "7.3", "counted")
    results[3] = make_result(tree=allowed)
    unsure = make_finding(confidence=Confidence.LOW)
    whole = [*results[:2], replace(results[2], findings=(unsure,)), results[3]]
    made = compare.compare(
        [CheckOutcome(results[number]) for number in order],
        whole=[whole[number] for number in order],
    )
    (row,) = made.rows
    said = ["not there yet", None, "below the confidence", "cannot happen here"]
    assert list(row.absences) == [said[number] for number in order]


def test_what_goes_and_comes_back_was_not_mended_in_between(make_finding, make_result):
    """Another mistake may hide it there; what nobody knows is not told."""
    results = [
        make_result(*[make_finding()] * there, tree=TreeInfo(name, name, "plain"))
        for name, there in (("6.1", True), ("6.12", False), ("7.3", True))
    ]
    (row,) = compare.compare([CheckOutcome(one) for one in results]).rows
    assert row.absences == (None, "not found", None)


def test_a_problem_that_moves_over_the_releases_is_one_row(make_finding, make_result):
    """Under the name that it has last, with those that it had."""
    places = [("mm/old.c", "first"), ("mm/old.c", "second"), ("mm/new.c", "third")]
    found = [make_finding(file=file, function=function) for file, function in places]
    results = [
        make_result(one, tree=TreeInfo(name, name, "plain"))
        for one, name in zip(found, ("6.1", "6.12", "7.3"), strict=True)
    ]
    keys = [("nested-section", *place) for place in places]
    former = {keys[2]: keys[1], keys[1]: keys[0]}
    made = compare.compare([CheckOutcome(one) for one in results], former=former)
    assert "third() (was second(), first())" in plain(compare.table(made))
    (row,) = made.rows
    assert (row.file, row.function) == places[2]
    assert row.former == tuple(places[1::-1])
    assert row.absences == (None, None, None)


def test_trees_of_one_release_are_told_apart_by_their_paths(make_finding, make_result):
    """A patched tree and its base have the same version."""
    outcomes = [
        CheckOutcome(make_result(make_finding(), tree=TreeInfo(path, "7.3", "plain")))
        for path in ("base", "patched")
    ]
    first_line = plain(compare.table(compare.compare(outcomes))).splitlines()[0]
    assert first_line.split()[-2:] == ["base", "patched"]


def test_information_is_compared_only_if_asked_for(make_finding, make_result):
    """The table has the same findings as the text."""
    outcome = CheckOutcome(make_result(make_finding(severity=Severity.INFORMATION)))
    assert compare.compare([outcome, outcome]).rows == ()
    assert len(compare.compare([outcome, outcome], asked={"nested-section"}).rows) == 1


def test_what_only_informs_hides_no_finding_behind_it(make_finding, make_result):
    """A finding is in the table whatever was found before or after it."""
    info = make_finding(severity=Severity.INFORMATION, rule="preempted-in-section")
    for findings in ((info, make_finding()), (make_finding(), info)):
        (row,) = compare.compare([CheckOutcome(make_result(*findings))]).rows
        assert row.rule == "nested-section"


def test_a_table_in_a_pipe_is_never_cut(make_finding, make_result):
    """grep must find every word, however wide the table."""
    harms = tuple(Harm(arch, "") for arch in ("x86", "sparc"))
    finding = make_finding(file="mm/" + "long" * 60 + ".c", harms=harms)
    outcomes = [CheckOutcome(make_result(finding)), CheckOutcome(make_result())]
    text = plain(compare.table(compare.compare(outcomes)))
    assert finding.file in text
    assert "sparc,x86" in text


def test_a_section_says_its_mappings_locks_pins_and_calls_and_below_what_it_reaches():
    """The table stays narrow, and each chain is a line with its section's place."""
    row = SectionRow(
        file="mm/outer.c",
        line=12,
        function="outer_pte_range",
        arches=("x86", "sparc"),
        space="kernel",
        locks_begin=(),
        locks_end=("ptl",),
        pinned=(),
        actions=((12, "enable"), (30, "disable")),
        sleeps=("sparc: inner() -> alloc()", "x86: inner() -> alloc()"),
        flushes=("x86: flush_tlb_range()",),
    )
    assert sections.render([row]) == (
        "section        function           maps    locks           pinned by  on          calls\n"
        "mm/outer.c:12  outer_pte_range()  kernel  nothing -> ptl  nothing    x86, sparc"
        "  enable:12 disable:30\n"
        "\n"
        "mm/outer.c:12: outer_pte_range() sleeps on sparc, x86: inner() -> alloc()\n"
        "mm/outer.c:12: outer_pte_range() flushes on x86: flush_tlb_range()\n"
    )


@pytest.mark.parametrize("width", [60, 80, 100])
def test_a_table_is_as_narrow_as_the_terminal_and_breaks_no_word(width):
    """Cells fold between words, and where words do not fit each row is a list."""
    row = SectionRow(
        file="arch/powerpc/mm/book3s64/radix_hugetlbpage.c",
        line=12,
        function="kasan_depopulate_vmalloc_pte",
        arches=("x86", "powerpc", "sparc", "arm64"),
        space="kernel/user",
        locks_begin=("page-table lock ptl",),
        locks_end=("page-table lock ptl",),
        pinned=("spinlock", "preempt"),
        actions=((12, "enable"), (30, "disable")),
        sleeps=("x86: kasan_depopulate_vmalloc_pte() calls free_page_of_the_shadow()",),
    )
    text = sections.render([row], width)
    assert max(map(len, text.splitlines())) <= width
    whole = {word for line in sections.render([row]).splitlines()[1:] for word in line.split()}
    assert whole <= {word for line in text.splitlines() for word in line.split()}
