# SPDX-License-Identifier: GPL-2.0-or-later
"""Known commits beside what trees show."""

from __future__ import annotations

from dataclasses import replace

from lazymmu.verbs.past.known import cited, mended_before
from lazymmu.verbs.past.problems import problems_of, with_spans
from lazymmu.verbs.past.spans import Backported, Span
from lazymmu.witness.finding import Confidence
from tests.verbs.past.made import found, point

NESTED = found("nested-section", "set_ptes", "include/linux/pgtable.h")
SPARC = found(
    "unpinned-batch", "arch_enter_lazy_mmu_mode", "arch/sparc/mm/tlb.c", arches=("sparc",)
)


def only(*points):
    """The one problem of some points, with where it came and went."""
    (problem,) = problems_of(points, {}, Confidence.MEDIUM)
    return with_spans(mended_before(problem, points), points)


def said(*points, problem=None, has=lambda _: False):
    """Whether each of the two known commits agrees, and why not."""
    both = cited(problem or only(*points), points, has)
    return [None if one is None else (one.agrees, one.why) for one in both]


def test_a_commit_between_the_two_releases_agrees():
    """Both set_ptes() commits lie where the trees say it came and went."""
    points = point("6.1"), point("6.12.8", NESTED), point("6.18")
    assert said(*points) == [(True, ""), (True, "")]


def test_a_commit_outside_of_the_two_releases_does_not_agree_and_says_which_is_wrong():
    """A release that is newer than the fix, and has the problem, is named."""
    assert said(point("6.12.8", NESTED), point("6.18", NESTED)) == [
        (True, ""), (False, "6.18 has the problem"),
    ]  # fmt: skip
    assert said(point("6.1", NESTED), point("6.5"))[0] == (False, "6.1 is older")


def test_a_commit_that_a_stable_series_has_may_be_younger_than_its_release():
    """The fix of powerpc came in 6.2, and 6.1.192 has it by its stable series."""
    file = "arch/powerpc/include/asm/book3s/64/tlbflush-hash.h"
    hash_batch = found("unpinned-batch", "arch_enter_lazy_mmu_mode", file)
    assert said(point("5.10.262", hash_batch), point("6.1.192"))[1] == (True, "")


def test_trees_that_are_older_than_a_commit_say_nothing_of_it():
    """None of them could have the fix."""
    assert said(point("6.12.8", NESTED))[1] == (None, "no release at hand is as new as v6.15")


def test_a_commit_that_was_found_is_the_known_one_or_another():
    """Where the repository has the known commit, its name decides."""
    points = point("6.1"), point("6.12", NESTED), point("6.18")
    problem = only(*points)
    assert problem.introduced is not None
    same = replace(
        problem, introduced=replace(problem.introduced, commit="bcc6cc832573" + 28 * "0")
    )
    other = replace(problem, introduced=replace(problem.introduced, commit=40 * "a"))
    assert said(*points, problem=same, has=lambda _: True)[0] == (True, "")
    assert said(*points, problem=other, has=lambda _: True)[0] == (False, "aaaaaaaaaaaa was found")


def test_an_old_release_without_a_problem_that_is_older_has_it_mended():
    """It is no release before the problem came, and its series has the fix."""
    both = ("x86", "sparc")
    points = (
        point("6.1.192", arches=both),
        point("6.12.8", SPARC, arches=both),
        point("6.18", arches=both),
    )
    problem = only(*points)
    assert [str(cell.state) for cell in problem.cells] == ["fixed", "there", "fixed"]
    assert "38e0edb15bd0" in problem.cells[0].why
    assert problem.introduced == Span("", "6.12.8")
    assert problem.backported == (Backported("6.1.y", Span("", "6.1.192")),)
