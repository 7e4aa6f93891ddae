# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines of a tree's C before and after a change: a patch, a revision, a snapshot."""

from __future__ import annotations

import difflib
import shutil

import pytest

import lazymmu
from lazymmu.cli.command import main
from lazymmu.litmus import shipped
from lazymmu.problem import Problem
from lazymmu.snapshot.snapshots import Commit, Patched, WorkTree
from lazymmu.verbs.given import Input
from tests.lift.conftest import EXAMPLES
from tests.lift.test_xen import ENLIGHTEN, MMU, without

NAMES = ("vmap-pfn-preempted", "flush-then-use", "section-inside-section")
TREE = EXAMPLES / "linux-new"


def patch(rel: str, change) -> bytes:
    """The change of a file of the example, as a diff."""
    old = (TREE / rel).read_text()
    lines = (old.splitlines(keepends=True), change(old).splitlines(keepends=True))
    return "".join(difflib.unified_diff(*lines, f"a/{rel}", f"b/{rel}")).encode()


def ask(**wanted) -> lazymmu.VerifyAnswer:
    """The answer for three scenarios on Xen."""
    return lazymmu.verify(lazymmu.VerifyRequest(scenarios=NAMES, arches=["x86"], jobs=1, **wanted))


def told(answer: lazymmu.VerifyAnswer) -> set[tuple[str, str, str]]:
    """What differs: scenario, tree, verdict."""
    return {(v.scenario, v.release, v.verdict) for v in answer.verdicts}


DIFFERS = {
    ("vmap-pfn-preempted", "linux-new", "violated"),
    ("vmap-pfn-preempted", "linux-new (before)", "holds"),
}
SWITCH = patch(ENLIGHTEN, without("leave_lazy(XEN_LAZY_CPU);"))


def test_a_patch_that_is_not_applied_is_held_against_the_tree():
    """Only what the patch changes is told, the tree with it first."""
    answer = ask(tree=TREE, diff=Input(SWITCH, "x.diff"))
    assert told(answer) >= DIFFERS
    assert answer.wanted == len(NAMES)
    assert answer.exit_code() == 1


def test_a_patch_that_is_applied_is_taken_away_for_what_was_before(tmp_path):
    """The answer is the same, whichever of both is on the disk."""
    top = tmp_path / "linux-new"
    shutil.copytree(TREE, top)
    text = (top / ENLIGHTEN).read_text()
    (top / ENLIGHTEN).write_text(without("leave_lazy(XEN_LAZY_CPU);")(text))
    assert told(ask(tree=top, diff=Input(SWITCH, "x.diff"))) >= DIFFERS


def test_a_patch_of_no_hook_changes_nothing():
    """What does not touch the lifted code is nothing to compare: 3, in a sentence."""
    change = patch(MMU, lambda text: f"/* nothing */\n{text}")
    answer = ask(tree=TREE, diff=Input(change, "x.diff"))
    assert (answer.done, answer.exit_code()) == ((), 3)
    assert answer.same_machines


@pytest.fixture
def history(tmp_path, git):
    """A repository of the example whose last commit breaks the switch hook."""
    top = tmp_path / "linux-new"
    shutil.copytree(TREE, top)
    git(top, "init", "-q", "-b", "main")
    git(top, "add", "-A")
    git(top, "commit", "-q", "-m", "right")
    text = (top / ENLIGHTEN).read_text()
    (top / ENLIGHTEN).write_text(without("leave_lazy(XEN_LAZY_CPU);")(text))
    git(top, "commit", "-q", "-a", "-m", "wrong")
    return top


@pytest.mark.parametrize("revision", ["HEAD~1", "HEAD~1..HEAD"])
def test_a_revision_is_what_the_tree_is_compared_with(history, revision):
    """The tree as it is, or a commit of it, beside what it was before."""
    assert told(ask(tree=str(history), since=revision)) >= DIFFERS


def test_any_snapshot_is_a_tree(history):
    """A commit, and a patch laid over a work tree, are lifted without being checked out."""
    right = {v.scenario: v.verdict for v in ask(tree=Commit(str(history), "HEAD~1")).verdicts}
    wrong = {v.scenario: v.verdict for v in ask(tree=Commit(str(history), "HEAD")).verdicts}
    laid = ask(tree=Patched(WorkTree(str(TREE)), SWITCH))
    assert right["vmap-pfn-preempted"] == "holds"
    assert wrong["vmap-pfn-preempted"] == "violated"
    assert {v.scenario: v.verdict for v in laid.verdicts} == wrong


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"since": "HEAD"}, "need --tree"),
        ({"tree": TREE, "since": "HEAD", "compare": TREE}, "one at a time"),
        ({"tree": TREE, "diff": Input(b"", "x.diff")}, "x.diff"),
    ],
)
def test_a_question_about_no_change_is_refused_in_one_sentence(wanted, sentence):
    """A change without a tree, two changes at a time, and a patch that is none."""
    with pytest.raises(Problem, match=sentence):
        ask(**wanted)


def test_the_command_line_tells_how_much_a_patch_changes(tmp_path, capsys):
    """`verify --tree --diff` prints both sides with their ways, and ends with 1."""
    file = tmp_path / "x.diff"
    file.write_bytes(SWITCH)
    asked = ["verify", "--tree", str(TREE), "--diff", str(file), "--arch", "x86", "--no-cache"]
    assert main([*asked, "--scenario", ",".join(NAMES), "--jobs", "1"]) == 1
    out, err = capsys.readouterr()
    assert "linux-new (before)" in out
    assert f"of 3 runs differ by {file}" in err


def test_a_litmus_file_runs_on_a_trees_own_c(tmp_path, capsys):
    """`litmus --tree` holds the file's expectation to what the tree's hooks do."""
    file = tmp_path / "mine.litmus"
    file.write_text(
        shipped.text("vmap-pfn-preempted").partition("expect:")[0] + "expect:\n    x86: holds\n"
    )
    asked = ["litmus", str(file), "--arch", "x86", "--no-cache", "--jobs", "1", "--tree"]
    assert main([*asked, str(TREE)]) == 0
    out, err = capsys.readouterr()
    assert "Lifted from linux-new on x86" in out
    assert "all as expected" in err
