# SPDX-License-Identifier: GPL-2.0-or-later
"""Problems that a series tells within another for a while: they neither go nor come by that."""

from __future__ import annotations

from dataclasses import replace

from lazymmu.snapshot.tree import Tree
from lazymmu.verbs.review.looks import Look
from lazymmu.verbs.review.steps import reviewed as steps_of
from lazymmu.witness.finding import Severity

FATES = ("new", "fixed", "moved", "postponed", "unseen")
FIXED = [("fixed", 1), ("postponed", 1)]
FREE = "mm/wrong_free.c"
FREES = "\t__free_page(page);\t/* expect: free-before-flush */\n"
END = "\tlazy_mmu_mode_disable();\n"


def test_a_problem_that_a_leak_covers_for_two_patches_is_unchanged(new_branch, reviewed):
    """The leak is postponed; what was there before it is neither fixed nor new."""
    new_branch.edit(FREE, FREES + END, FREES)
    new_branch.commit("mm: one line less")
    new_branch.edit("mm/right_loops.c", "/*", "/* A word more:")
    new_branch.commit("mm: a comment")
    new_branch.edit(FREE, FREES, FREES + END)
    new_branch.commit("mm: that line again")
    series = new_branch.mails()
    new_branch.back()
    answer = reviewed(series, new_branch.tree)
    first, second, third = answer.patches
    assert [one.finding.rule for one in first.postponed] == ["unbalanced-section"]
    assert first.fixed == first.unseen == ()
    assert second.told == ()
    assert third.told == ()
    assert answer.series.new == answer.series.fixed == answer.series.unseen == ()
    information = Severity.INFORMATION
    before = [one for one in answer.results[0].findings if one.severity is not information]
    assert answer.series.unchanged == len(before)


def test_what_came_with_a_leak_is_told_of_the_patch_that_brought_it(new_branch, reviewed):
    """It was told within the leak, which a later patch mends; it is what the series leaves."""
    new_branch.edit("mm/right_order.c", END, "\tcond_resched();\n", 1)
    new_branch.commit("mm: a leak and a sleep")
    new_branch.edit("mm/right_order.c", "\tcond_resched();\n", "\tcond_resched();\n" + END, 1)
    new_branch.commit("mm: the section ends again")
    series = new_branch.mails()
    new_branch.back()
    answer = reviewed(series, new_branch.tree)
    first, second = answer.patches
    assert [one.finding.rule for one in first.postponed] == ["unbalanced-section"]
    assert [one.finding.rule for one in first.new] == ["sleep-in-section"]
    assert second.new == second.fixed == ()
    assert [one.finding.rule for one in answer.series.new] == ["sleep-in-section"]


def test_a_rule_that_a_patch_breaks_besides_is_postponed_where_another_mends_it(
    new_branch, make_finding, make_result
):
    """The place was wrong before and is at the end: only what came in between is told."""
    tree = Tree.open(new_branch.tree)
    one = make_finding(rule="unlock-before-flush", fingerprint="a")
    more = replace(one, also=("section-outside-lock",))

    def fates(*findings):
        looks = [Look(tree, make_result(findings=tuple(found))) for found in findings]
        reviews, series = steps_of(looks, [None] * (len(looks) - 1), lambda _: True)
        return [
            [(fate, len(getattr(one, fate))) for fate in FATES if getattr(one, fate)]
            for one in (*reviews, series)
        ]

    assert fates([one], [more], [more]) == [[("new", 1)], [], [("new", 1)]]
    assert fates([one], [more], [one]) == [[("postponed", 1)], [], [("postponed", 1)]]
    assert fates([one], [more], []) == [[("postponed", 1)], [("fixed", 1)], FIXED]
    assert fates([one], [more], [more], [one], [more])[-1] == [("new", 1), ("postponed", 1)]
    assert fates([one], [], [more])[-1] == [("new", 1)]
