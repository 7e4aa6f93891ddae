# SPDX-License-Identifier: GPL-2.0-or-later
"""What a change brings, mends and moves, in a small kernel and its history."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import lazymmu
from lazymmu.snapshot.revisions import Base
from lazymmu.snapshot.tree import Tree
from lazymmu.verbs.change import Change, brought_by, change

EXAMPLE = Path(__file__).parents[2] / "examples" / "linux-new"


@pytest.fixture
def kernel(tmp_path: Path, git: Callable[..., str]) -> Path:
    """A kernel with mistakes in it, committed."""
    tree = tmp_path / "linux"
    shutil.copytree(EXAMPLE, tree)
    git(tree, "init", "-q", "-b", "main")
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "-m", "first")
    return tree


def edit(tree: Path, rel: str, *pairs: tuple[str, str]) -> None:
    """Replace text of a file that must have it, everywhere in it."""
    file = tree / rel
    text = file.read_text()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text)


def told(tree: Path, since: str = "HEAD", **more: object) -> tuple[list[str], Change]:
    """The functions of what is new, and the rest of the change."""
    request = lazymmu.CheckRequest(trees=tree, arches="x86", since=since, **more)
    (outcome,) = lazymmu.check(request).outcomes
    assert outcome.change is not None
    return [one.function for one in outcome.verdicts], outcome.change


def moved(change: Change) -> list[tuple[str, str]]:
    """Where each moved problem was, and where it is."""
    return [(one.origin.function, one.finding.function) for one in change.moved]


def renamed(tree: Path) -> None:
    """Give a function with a mistake another name."""
    edit(tree, "mm/wrong_sleep.c", ("log_table", "note_table"))


def sleeping(tree: Path) -> None:
    """Make the first section of mm/right_order.c sleep."""
    file = tree / "mm" / "right_order.c"
    before, section, after = file.read_text().partition("\tlazy_mmu_mode_enable();\n")
    include = "#include <linux/mm.h>\n"
    before = before.replace(include, include + "static struct mutex some_mutex;\n")
    file.write_text(before + section + "\tmutex_lock(&some_mutex);\n" + after)


def test_a_renamed_function_is_moved_and_the_same_mistake_in_another_is_new(kernel):
    """One is the same problem under another name, the other was made by the change."""
    renamed(kernel)
    sleeping(kernel)
    new, change = told(kernel)
    assert len(new) == 1
    assert moved(change) == [("log_table", "note_table")]
    assert change.fixed == ()


def test_a_mistake_in_a_new_function_is_new_beside_a_renamed_one(kernel):
    """Both functions were not there before; the one with the text of the old one is the same."""
    renamed(kernel)
    file = kernel / "mm" / "wrong_sleep.c"
    file.write_text(
        file.read_text() + "\nvoid another(struct mm_struct *m, pmd_t *dir, unsigned long at)\n{\n"
        "\tspinlock_t *lock;\n\tpte_t *entry = pte_offset_map_lock(m, dir, at, &lock);\n\n"
        "\tlazy_mmu_mode_enable();\n\tmutex_lock(&note_mutex);\n\tset_pte_at(m, at, entry, 0);\n"
        "\tmutex_unlock(&note_mutex);\n\tlazy_mmu_mode_disable();\n"
        "\tpte_unmap_unlock(entry, lock);\n}\n"
    )
    new, change = told(kernel)
    assert new == ["another"]
    assert moved(change) == [("log_table", "note_table")]


@pytest.mark.parametrize("how", ["file", "function", "file-and-function"])
def test_code_that_moves_to_another_file_takes_its_problem_along(kernel, git, how):
    """A file under another name, a function in another file, and both at once."""
    if how == "function":
        text = (kernel / "mm" / "wrong_free.c").read_text()
        begin = text.index("void release_entry(")
        end = text.index("\n}\n", begin) + 3
        (kernel / "mm" / "wrong_free.c").write_text(text[:begin] + text[end:])
        with (kernel / "mm" / "right_order.c").open("a") as file:
            file.write("\n" + text[begin:end])
    else:
        git(kernel, "mv", "mm/wrong_free.c", "mm/free.c")
        edit(kernel, "mm/Makefile", ("wrong_free.o", "free.o"))
    if how == "file-and-function":
        edit(kernel, "mm/free.c", ("release_entry(", "drop_entry("))
    new, change = told(kernel)
    assert new == []
    assert change.fixed == ()
    (one,) = change.moved
    assert one.origin.file == "mm/wrong_free.c"
    assert one.finding.file == ("mm/right_order.c" if how == "function" else "mm/free.c")


HELPER = """\
static void drop(struct mm_struct *m, unsigned long at, pte_t *entry)
{
	struct page *one = pte_page(ptep_get(entry));

	pte_clear(m, at, entry);
	__free_page(one);
}

"""


def test_code_that_is_split_into_a_helper_takes_its_problem_along(kernel, git):
    """And brings it back when it is put in its place again."""
    text = (kernel / "mm" / "wrong_free.c").read_text()
    begin = text.index("void release_entry(")
    inner = text[text.index("\tpage = pte_page(", begin) : text.index("\tlazy_mmu_mode_dis", begin)]
    split = text.replace(inner, "\tdrop(mm, addr, pte);\n", 1)
    (kernel / "mm" / "wrong_free.c").write_text(split[:begin] + HELPER + split[begin:])
    new, change = told(kernel)
    assert (new, change.fixed) == ([], ())
    assert moved(change) == [("release_entry", "drop")]
    git(kernel, "commit", "-q", "-am", "split")
    (kernel / "mm" / "wrong_free.c").write_text(text)
    new, change = told(kernel)
    assert (new, change.fixed) == ([], ())
    assert moved(change) == [("drop", "release_entry")]


def test_a_change_that_mends_two_mistakes_says_so(kernel):
    """It brings nothing, and ends with 0."""
    edit(kernel, "mm/wrong_free.c", ("\t__free_page(page);\t/* expect: free-before-flush */\n", ""))
    edit(
        kernel,
        "mm/wrong_sleep.c",
        ("\tmutex_lock(&note_mutex);\t/* expect: sleep-in-section */\n", ""),
    )
    new, change = told(kernel)
    assert new == []
    assert {one.function for one in change.fixed} >= {"release_entry", "log_table"}
    assert change.moved == ()


def diverged(kernel: Path, git: Callable[..., str]) -> None:
    """Let main mend a mistake, and a branch that has not got that add a comment."""
    git(kernel, "checkout", "-q", "-b", "topic")
    edit(kernel, "mm/right_pause.c", ("lazy_mmu_mode_enable();", "lazy_mmu_mode_enable(); /* */"))
    git(kernel, "commit", "-q", "-am", "topic")
    git(kernel, "checkout", "-q", "main")
    edit(kernel, "mm/wrong_free.c", ("\t__free_page(page);\t/* expect: free-before-flush */\n", ""))
    git(kernel, "commit", "-q", "-am", "mended")
    git(kernel, "checkout", "-q", "topic")


def test_a_branch_is_not_blamed_for_what_upstream_has_mended_meanwhile(kernel, git):
    """It is compared with the merge base, which is said; --exact compares with the revision."""
    diverged(kernel, git)
    new, change = told(kernel, "main")
    assert (new, change.fixed) == ([], ())
    common = git(kernel, "merge-base", "main", "topic")
    assert str(change.base) == f"since {common[:12]}, the merge base with main"
    new, change = told(kernel, "main", exact=True)
    assert new == ["release_entry"]
    assert not change.base.merge_base


@pytest.mark.parametrize(
    ("since", "exact", "new", "fixed"),
    [
        ("main..topic", False, [], []),
        ("main...topic", False, [], []),
        ("main..", False, [], []),
        ("topic..main", False, [], ["release_entry"]),
        ("topic...main", False, [], ["release_entry"]),
        ("main..topic", True, ["release_entry"], []),
        ("topic..main", True, [], ["release_entry"]),
    ],
)
def test_a_range_is_read_from_the_history_alone(kernel, git, since, exact, new, fixed):
    """Whatever the work tree has: nothing is checked out, and nothing of it is looked at."""
    diverged(kernel, git)
    shutil.rmtree(kernel / "fs")
    renamed(kernel)
    found, change = told(kernel, since, exact=exact)
    assert found == new
    assert [one.function for one in change.fixed] == fixed


@pytest.mark.parametrize(
    ("since", "exact", "said"),
    [
        ("none..HEAD", False, "no revision 'none'"),
        ("HEAD..none", False, "no revision 'none'"),
        ("HEAD...HEAD", True, "means the merge base"),
        ("other", False, "no common ancestor"),
    ],
)
def test_a_range_that_is_none_is_refused_in_one_sentence(kernel, git, since, exact, said):
    """Each end must be there, and both must have something in common."""
    git(kernel, "checkout", "-q", "--orphan", "other")
    git(kernel, "commit", "-q", "-m", "another first")
    git(kernel, "checkout", "-q", "main")
    with pytest.raises(lazymmu.Problem, match=said):
        told(kernel, since, exact=exact)


@pytest.mark.parametrize("applied", [True, False])
def test_each_new_finding_of_a_series_has_the_patch_that_brings_it(kernel, git, applied):
    """Also where a later patch gives its function another name; applied, or not."""
    renamed(kernel)
    git(kernel, "commit", "-q", "-am", "mm: rename only")
    sleeping(kernel)
    git(kernel, "commit", "-q", "-am", "mm: sleep")
    edit(kernel, "mm/right_order.c", ("relocate_table", "move_table"))
    git(kernel, "commit", "-q", "-am", "mm: rename what sleeps")
    edit(kernel, "mm/right_pause.c", ("lazy_mmu_mode_enable();", "lazy_mmu_mode_enable(); /* */"))
    git(kernel, "commit", "-q", "-am", "mm: comment")
    series = git(kernel, "format-patch", "--stdout", "HEAD~4").encode() + b"\n"
    if not applied:
        git(kernel, "reset", "-q", "--hard", "HEAD~4")
    request = lazymmu.CheckRequest(
        trees=kernel, arches="x86", diff=lazymmu.Input(series, "series.mbox")
    )
    (outcome,) = lazymmu.check(request).outcomes
    change = outcome.change
    assert change is not None
    assert change.base.applied is applied
    assert [one.function for one in outcome.verdicts] == ["move_table"]
    assert [change.patch_of(one) for one in outcome.verdicts] == ["2/4 mm: sleep"]
    assert moved(change) == [("log_table", "note_table")]
    assert git(kernel, "status", "--porcelain") == ""


def test_a_single_patch_needs_no_name_beside_its_findings(kernel, git):
    """There is no other that could have brought them."""
    sleeping(kernel)
    patch = git(kernel, "diff").encode() + b"\n"
    request = lazymmu.CheckRequest(trees=kernel, arches="x86", diff=lazymmu.Input(patch, "p"))
    (outcome,) = lazymmu.check(request).outcomes
    assert outcome.verdicts
    assert outcome.change is not None
    assert outcome.change.brought == ()


def test_a_baseline_knows_a_problem_whose_function_or_file_has_another_name(kernel, git):
    """The same mistake made elsewhere is new beside it, and one made again after it is, too."""
    request = lazymmu.CheckRequest(trees=kernel, arches="x86")
    text, number = lazymmu.check(request).new_baseline()
    renamed(kernel)
    git(kernel, "mv", "mm/wrong_free.c", "mm/free.c")
    edit(kernel, "mm/Makefile", ("wrong_free.o", "free.o"))
    later = replace(request, baseline=lazymmu.Input(text.encode(), "before.json"))
    answer = lazymmu.check(later)
    assert answer.verdicts == ()
    assert answer.outcomes[0].withheld == (("in the baseline", number),)
    sleeping(kernel)
    edit(kernel, "mm/right_order.c", ("some_mutex", "note_mutex"))
    assert [one.function for one in lazymmu.check(later).verdicts] == ["relocate_table"]


FREE = "mm/wrong_free.c"
END = "page(page);\t/* expect: free-before-flush */\n\tlazy_mmu_mode_disable();"


def test_a_leak_mends_nothing_of_what_it_comes_to_cover(kernel):
    """Another mistake of the section is told within that of the leak, and is there as before."""
    edit(kernel, FREE, (END, END.replace("\tlazy_mmu_mode_disable();", "")))
    new, change = told(kernel)
    assert new == ["release_entry"]
    assert change.fixed == ()
    assert [one.rule for one in change.covered] == ["free-before-flush"]
    assert set(change.covered) < set(change.unchanged)


def test_a_leak_that_is_mended_brings_nothing_of_what_it_covered(kernel, git):
    """What was told within it is told itself then: it is not new."""
    edit(kernel, FREE, (END, END.replace("\tlazy_mmu_mode_disable();", "")))
    git(kernel, "commit", "-q", "-a", "-m", "leak")
    edit(kernel, FREE, (END.replace("\tlazy_mmu_mode_disable();", ""), END))
    new, change = told(kernel)
    assert new == []
    assert [one.rule for one in change.fixed] == ["unbalanced-section"]
    assert [one.rule for one, _ in change.uncovered] == ["free-before-flush"]


def test_what_was_never_told_within_a_leak_is_new_when_that_is_mended(kernel, git):
    """Only the same line of the same function, and a rule that the leak was told to break."""
    edit(kernel, FREE, (END, END.replace("\tlazy_mmu_mode_disable();", "")))
    git(kernel, "commit", "-q", "-a", "-m", "leak")
    mended = END.replace("\tlazy", "\tcond_resched();\n\tlazy")
    edit(kernel, FREE, (END.replace("\tlazy_mmu_mode_disable();", ""), mended))
    new, change = told(kernel)
    assert new == ["release_entry"]
    assert [one.rule for one in change.fixed] == ["unbalanced-section"]


LOCK = "mm/wrong_lock.c"
EARLY = """\tpte_unmap_unlock(start, ptl);\t/* expect: unlock-before-flush+section-outside-lock */
\tlazy_mmu_mode_disable();
"""
FLUSHED = "\tlazy_mmu_mode_disable();\n\tlazy_mmu_mode_enable();\n" + EARLY


def test_what_is_left_of_a_place_that_broke_two_rules_is_not_new(kernel):
    """The graver of both spoke for it; with that mended the other speaks, and was there before."""
    edit(kernel, LOCK, (EARLY, FLUSHED))
    new, change = told(kernel)
    assert new == []
    assert [one.rule for one in change.fixed] == ["unlock-before-flush"]
    assert [one.rule for one, _ in change.uncovered] == ["section-outside-lock"]


def test_a_graver_mistake_at_a_place_that_was_wrong_is_new_and_covers_what_was(kernel, git):
    """What was there before is told within it: it is not mended."""
    edit(kernel, LOCK, (EARLY, FLUSHED))
    git(kernel, "commit", "-q", "-a", "-m", "flush")
    edit(kernel, LOCK, (FLUSHED, EARLY))
    new, change = told(kernel)
    assert new == ["harden_table"]
    assert [one.rule for one in change.covered] == ["section-outside-lock"]
    assert change.fixed == ()


def test_a_rule_that_is_broken_besides_at_a_place_that_was_wrong_is_new(kernel, make_finding):
    """Were only its name known, it would be there as before, and nobody would hear of it."""
    tree = Tree.open(kernel)
    one = make_finding(rule="unlock-before-flush", message="drops a lock", fingerprint="a")
    more = replace(one, also=("section-outside-lock",))
    base = Base("", "")
    (new,), became = change(base, (tree, [one]), (tree, [more]))
    assert new.message == ("drops a lock, as before, and now breaks section-outside-lock as well")
    assert became.unchanged == (one,)
    assert became.fixed == ()
    # Which patch of a series breaks it besides.
    looks = [[one], [one], [more], [more]]
    assert brought_by((tree, [new]), 3, lambda number: (tree, looks[number])) == {"a": 2}
    new, became = change(base, (tree, [more]), (tree, [one]))
    assert new == became.fixed == ()
    assert became.unchanged == (one,)
    # Of two with one name each is held against the one that is most like it.
    new, became = change(base, (tree, [one, more]), (tree, [more, one]))
    assert new == became.fixed == ()
