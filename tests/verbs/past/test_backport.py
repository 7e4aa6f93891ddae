# SPDX-License-Identifier: GPL-2.0-or-later
"""The fix of a problem, tried on another commit."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import lazymmu

EXAMPLES = Path(__file__).parents[3] / "examples"

WRONG = """
void put_and_free(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, struct page *page)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return;
	arch_enter_lazy_mmu_mode();
	pte_clear(mm, addr, pte);
	pte_unmap_unlock(pte, ptl);
	arch_leave_lazy_mmu_mode();
}
"""
RIGHT = WRONG.replace(
    "\tpte_unmap_unlock(pte, ptl);\n\tarch_leave_lazy_mmu_mode();\n",
    "\tarch_leave_lazy_mmu_mode();\n\tpte_unmap_unlock(pte, ptl);\n\tentries_are_settled();\n",
)


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A mistake, a commit that mends it, and two branches without it, one of them rewritten."""
    import subprocess

    place = tmp_path_factory.mktemp("backport") / "linux"
    shutil.copytree(EXAMPLES / "linux-old", place)
    file = place / "mm" / "wrong_order.c"
    before = file.read_text()

    def git(*arguments):
        names = ["-c", "user.name=n", "-c", "user.email=e", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", place, *names, *arguments], check=True, capture_output=True)

    def commit(text, subject):
        file.write_text(text)
        git("add", "-A")
        git("commit", "-q", "-m", subject)

    git("init", "-q", "-b", "main")
    commit(before + WRONG, "with a mistake")
    git("tag", "v6.12")
    git("checkout", "-q", "-b", "stable")
    commit("/* Another branch. */\n" + before + WRONG, "a comment")
    git("checkout", "-q", "-b", "rewritten")
    commit(before + WRONG.replace("pte_unmap_unlock(pte, ptl)", "spin_unlock(ptl)"), "otherwise")
    git("checkout", "-q", "main")
    commit(before + RIGHT, "mm: leave before the unlock")
    return place


def tried(repository, store, to):
    """What the fix of the planted problem does on a branch."""
    request = {"repository": repository, "range": "v6.12..main", "arches": "x86", "jobs": 1}
    answer = lazymmu.history(lazymmu.HistoryRequest(**request, cache_dir=store))
    key = next(one.key for one in answer.problems if one.function == "put_and_free")
    asked = lazymmu.HistoryRequest(**request, cache_dir=store, backport=(key, to))
    done = lazymmu.history(asked).backport
    assert done is not None
    return done


def test_a_fix_that_fits_says_what_is_gone_with_it_and_what_it_needs(repository, store):
    """It is laid on in memory, at other lines, and the tree is looked at with it."""
    done = tried(repository, store, "stable")
    assert (done.subject, done.refused) == ("mm: leave before the unlock", "")
    assert done.hunks == (1, 1)
    assert "put_and_free" in {one.function for one in done.fixed}
    assert done.new == ()
    assert done.needs == ("entries_are_settled",)


def test_a_fix_that_does_not_fit_says_how_much_of_it_does_and_why_not(repository, store):
    """Nothing is said of what a check would say then."""
    done = tried(repository, store, "rewritten")
    assert done.hunks == (0, 1)
    assert "mm/wrong_order.c" in done.refused
    assert (done.fixed, done.new) == ((), ())


def test_a_problem_that_nobody_mended_has_no_fix_to_try(repository, store):
    """It is one sentence, and so is half a question."""
    request = {"repository": repository, "range": "v6.12..main", "arches": "x86", "jobs": 1}
    answer = lazymmu.history(lazymmu.HistoryRequest(**request, cache_dir=store))
    open_one = next(one for one in answer.problems if one.fixed is None)
    asked = lazymmu.HistoryRequest(**request, cache_dir=store, backport=(open_one.id, "stable"))
    with pytest.raises(lazymmu.Problem, match="no commit of the repository is known"):
        lazymmu.history(asked)
    with pytest.raises(lazymmu.Problem, match="goes with --git"):
        lazymmu.history(lazymmu.HistoryRequest(trees=[repository], backport=("H1", "stable")))
