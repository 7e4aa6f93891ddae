# SPDX-License-Identifier: GPL-2.0-or-later
"""Problems that a series tells within another for a while: they neither go nor come by that."""

from __future__ import annotations

from lazymmu.witness.finding import Severity

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
