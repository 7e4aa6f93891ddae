# SPDX-License-Identifier: GPL-2.0-or-later
"""A series, reviewed: what each patch brings, mends and moves."""

from __future__ import annotations

import pytest

from tests.verbs.review.planted import planted


def named(told):
    """Ids with the rule and the function of each problem."""
    return [(one.name, one.finding.rule, one.finding.function) for one in told]


def test_each_patch_of_the_planted_series_does_what_it_does(old_branch, reviewed):
    """A helper is nothing, its nested use is N1 by both, a fix is F1 F2, a rename and a move M."""
    planted(old_branch)
    series = old_branch.mails()
    old_branch.back()
    answer = reviewed(series, old_branch.tree)
    first, second, third, fourth, fifth = answer.patches
    assert first.told == ()
    assert named(second.told) == [("N1", "nested-section", "age_quickly")]
    assert second.new[0].together == (1, 2)
    assert second.new[0].allowed_from == "7.0"
    assert named(third.told) == [
        ("F1", "sleep-in-section", "fill_shadow"),
        ("F2", "unlock-before-flush", "fill_shadow"),
    ]
    assert named(fourth.told) == [("M1", "free-before-flush", "drop_entry")]
    assert fourth.moved[0].origin.function == "release_entry"
    assert fifth.moved
    assert fifth.told == fifth.moved
    assert {one.finding.file for one in fifth.moved} == {"mm/odd_nesting.c"}
    whole = answer.series
    assert [one.name for one in whole.new] == ["N1"]
    assert [one.name for one in whole.fixed] == ["F1", "F2"]
    assert [one.name for one in whole.moved] == [f"M{n}" for n in range(1, len(whole.moved) + 1)]
    assert whole.postponed == ()
    assert answer.exit_code() == 1


def test_what_a_later_patch_mends_is_postponed(old_branch, reviewed):
    """It is not new in the series, but a bisection may come to it: P, and which patch mends it."""
    old_branch.edit("mm/right_loops.c", "\t\tif (pte_young(ptent))\n",
                    "\t\tarch_enter_lazy_mmu_mode();\n\t\tif (pte_young(ptent))\n")  # fmt: skip
    old_branch.commit("mm: begin")
    old_branch.edit(
        "mm/right_loops.c",
        "\t\tarch_enter_lazy_mmu_mode();\n\t\tif (pte_young",
        "\t\tif (pte_young",
    )
    old_branch.commit("mm: and do not")
    series = old_branch.mails()
    old_branch.back()
    answer = reviewed(series, old_branch.tree)
    first, second = answer.patches
    assert first.new == ()
    assert {one.name[0] for one in first.postponed} == {"P"}
    assert {one.mended_by for one in first.postponed} == {2}
    assert second.mends == tuple(one.name for one in first.postponed)
    assert second.told == ()
    assert answer.series.new == answer.series.fixed == ()
    assert answer.series.postponed
    assert answer.exit_code() == 1


def test_what_is_not_seen_any_more_is_not_fixed_and_not_new_when_it_is_seen_again(
    old_branch, reviewed
):
    """A patch makes a function unreadable, and a later one readable again."""
    begin = "void clear_slowly(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, "
    begin += "unsigned long end)\n{\n"
    old_branch.edit("mm/wrong_sleep.c", begin, begin + "\tif (end) {{{ (((;\n")
    old_branch.commit("mm: break it")
    old_branch.edit("mm/wrong_sleep.c", begin + "\tif (end) {{{ (((;\n", begin)
    old_branch.commit("mm: mend it")
    series = old_branch.mails()
    old_branch.back()
    answer = reviewed(series, old_branch.tree)
    first, second = answer.patches
    assert [one.name for one in first.told] == ["U1"]
    assert first.unseen[0].finding.function == "clear_slowly"
    assert second.told == ()
    whole = answer.series
    assert (whole.new, whole.fixed, whole.unseen) == ((), (), ())
    assert {lost.name for lost in answer.blind} == {"clear_slowly"}
    assert all("after 1/2" in lost.reason for lost in answer.blind)
    assert answer.exit_code() == 3


@pytest.mark.parametrize("out_first", [True, False])
def test_what_one_patch_takes_out_and_another_puts_elsewhere_has_moved(
    old_branch, reviewed, out_first
):
    """It is neither mended by the one nor brought by the other: M, with the second of them."""
    old, new = "mm/wrong_nesting.c", "mm/right_order.c"
    text = (old_branch.tree / old).read_text()
    function = text[text.index("void drop_access(") :].partition("\n}\n")[0] + "\n}\n"
    end = (old_branch.tree / new).read_text()[-200:]
    edits = [(old, function, ""), (new, end, f"{end}\n{function}")]
    for edit in edits if out_first else edits[::-1]:
        old_branch.edit(*edit)
        old_branch.commit("mm: half of a move")
    series = old_branch.mails()
    old_branch.back()
    answer = reviewed(series, old_branch.tree)
    first, second = answer.patches
    assert first.told == ()
    assert named(second.told) == [("M1", "nested-section", "drop_access")]
    assert (second.moved[0].origin.file, second.moved[0].finding.file) == (old, new)
    assert [one.name for one in answer.series.moved] == ["M1"]
    assert answer.series.new == answer.series.fixed == answer.series.postponed == ()
    assert answer.exit_code() == 0


def test_a_series_that_renames_the_mode_throughout_mends_nothing(old_branch, reviewed):
    """No architecture shows the mode by a name that is known: nothing can be judged, and 3."""
    for file in sorted(old_branch.tree.rglob("*")):
        rel = file.relative_to(old_branch.tree).as_posix()
        if file.is_file() and not rel.startswith(".git/"):
            text = file.read_text()
            if "lazy_mmu" in text.lower():
                renamed = text.replace("lazy_mmu", "batched_pte").replace("LAZY_MMU", "BATCHED_PTE")
                file.write_text(renamed)
    old_branch.commit("mm: another name")
    series = old_branch.mails()
    old_branch.back()
    answer = reviewed(series, old_branch.tree)
    (patch,) = answer.patches
    assert patch.fixed == answer.series.fixed == ()
    assert len(patch.unseen) == len(answer.series.unseen) > 0
    assert {lost.file for lost in answer.blind} >= {f"arch/{answer.results[0].arches[0]}"}
    assert answer.exit_code() == 3


def test_a_range_of_commits_is_a_series(old_branch, reviewed):
    """It stands on its own base, whatever is checked out."""
    planted(old_branch)
    answer = reviewed("base..main", old_branch.tree)
    assert [len(one.told) > 0 for one in answer.patches] == [False, True, True, True, True]
    assert answer.base.commit == old_branch.git(old_branch.tree, "rev-parse", "base")
    assert answer.patches[0].submitted.commit
    assert answer.patches[1].submitted.subject == "mm: age entries at once"


def test_a_folder_of_patches_is_a_series(old_branch, reviewed, tmp_path):
    """In the order of their names, or of quilt's file `series`."""
    planted(old_branch)
    folder = tmp_path / "patches"
    old_branch.git(old_branch.tree, "format-patch", "-q", "-o", folder, "base..HEAD")
    old_branch.back()
    assert len(reviewed(str(folder), old_branch.tree).patches) == 5
    names = sorted(path.name for path in folder.iterdir())
    (folder / "series").write_text(f"# mine\n{names[2]}\n")
    answer = reviewed(str(folder), old_branch.tree)
    assert [len(one.fixed) for one in answer.patches] == [2]
