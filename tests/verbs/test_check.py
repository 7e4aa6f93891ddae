# SPDX-License-Identifier: GPL-2.0-or-later
"""`lazymmu.check(CheckRequest(...))`: what the command line can, a program can."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from pathlib import Path

import pytest

import lazymmu
from lazymmu.snapshot.tree import Tree
from lazymmu.verbs.exit_code import ExitCode
from lazymmu.witness.finding import Confidence

EXAMPLES = Path(__file__).parents[2] / "examples"
OLD, NEW = EXAMPLES / "linux-old", EXAMPLES / "linux-new"


def ask(*trees, **given):
    """The answer for x86, made in this process."""
    asked = lazymmu.CheckRequest(trees=trees or [OLD], **({"arches": ["x86"], "jobs": 1} | given))
    return lazymmu.check(asked)


@pytest.fixture(scope="module")
def whole():
    """Everything that is found in the old tree on x86."""
    return lazymmu.check(OLD, arches=["x86"], jobs=1)


@pytest.fixture
def repository(tmp_path):
    """The old tree in git, and a function that makes a change to it."""
    tree = tmp_path / "linux"
    shutil.copytree(OLD, tree)

    def git(*words):
        names = ("-c", "user.name=T", "-c", "user.email=t@example.org")
        subprocess.run(["git", *names, *words], cwd=tree, check=True, capture_output=True)

    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "before")
    file = tree / "mm" / "right_loops.c"
    before = file.read_bytes()
    line = b"arch_leave_lazy_mmu_mode();"
    file.write_bytes(before.replace(line, b"/* gone */", 1))
    assert file.read_bytes() != before
    return tree


def test_one_tree_alone_is_told_whole_as_ever(whole):
    """The short way, with options by name, is everything that a check found."""
    answer = ask()
    assert set(answer.findings) <= set(whole.findings)
    assert set(answer.results[0].findings) == set(whole.findings)
    assert answer.results[0].arches == whole.arches == ("x86",)


def test_a_request_is_a_frozen_value_that_takes_any_collection():
    """It can be kept, compared and sent; a list in it that changes later changes nothing."""
    trees = ["linux"]
    request = lazymmu.CheckRequest(trees=trees, arches="x86", rules={"stale-read"})
    trees.append("other")
    assert request == lazymmu.CheckRequest(trees="linux", arches=["x86"], rules=("stale-read",))
    assert hash(request) == hash(dataclasses.replace(request))
    with pytest.raises(dataclasses.FrozenInstanceError):
        request.since = "HEAD"
    with pytest.raises(ValueError, match="needs a tree"):
        lazymmu.CheckRequest(trees=[])


def test_the_answer_says_how_the_command_would_end():
    """Findings; nothing wrong; or something lost that could hide a finding."""
    kept = {"rules": ["unpinned-batch"]}
    assert ask().exit_code() is ExitCode.FOUND
    assert ask(NEW, **kept).exit_code() is ExitCode.CLEAN
    torn = b"int f(void) { arch_enter_lazy_mmu_mode( }}} (((\n"
    blind = ask(Tree.open(NEW).over({"mm/right_loops.c": torn}), **kept)
    assert blind.exit_code() is ExitCode.INCONCLUSIVE
    assert blind.exit_code(allow_loss=True) is ExitCode.CLEAN


def test_a_tree_without_the_mode_is_an_answer_and_no_exception(tmp_path):
    """Nothing to check is said like anything else, beside trees that have something."""
    bare = tmp_path / "bare"
    shutil.copytree(OLD, bare)
    for header in bare.rglob("*.h"):
        header.write_bytes(header.read_bytes().replace(b"lazy_mmu", b"busy_mmu"))
    for source in bare.rglob("*.[chS]"):
        source.write_bytes(source.read_bytes().replace(b"lazy_mmu", b"busy_mmu"))
    answer = ask(bare, OLD, arches=[])
    empty, old = answer.results
    assert (empty.arches, empty.findings) == ((), ())
    assert old.findings
    assert answer.missing == (f"{bare}: no architecture of this tree implements the lazy MMU mode",)
    alone = lazymmu.check(bare, jobs=1)
    assert alone.arches == ()
    assert ask(bare).exit_code() is ExitCode.INCONCLUSIVE
    rows = lazymmu.sections(lazymmu.SectionsRequest(trees=bare, jobs=1))
    assert rows.missing == (f"{bare} does not implement the lazy MMU mode on any architecture",)


def test_an_architecture_that_only_one_of_the_trees_has_is_missing_in_the_other(tmp_path):
    """Its name exists, so it is no mistake of the user."""
    other = tmp_path / "other"
    shutil.copytree(NEW, other)
    (other / "arch" / "riscv" / "include" / "asm").mkdir(parents=True)
    answer = ask(NEW, other, arches=["x86", "riscv"])
    assert [result.arches for result in answer.results] == [("x86",), ("x86",)]
    assert [sentence.rpartition(" ")[2] for sentence in answer.missing] == ["riscv", "riscv"]
    alone = ask(NEW, other, arches=["riscv"])
    assert [result.arches for result in alone.results] == [(), ()]


def test_only_what_is_new_since_a_revision(repository):
    """The finding that the change made, and not those of before."""
    answer = ask(str(repository), since="HEAD")
    assert answer.findings
    assert {one.file for one in answer.findings} == {"mm/right_loops.c"}
    assert dict(answer.outcomes[0].withheld)["not new"] > 0


def test_only_what_a_patch_brings(repository):
    """The same by a patch, as bytes with a name, and as a path."""
    patch = subprocess.run(["git", "diff"], cwd=repository, check=True, capture_output=True).stdout
    file = repository.parent / "a.patch"
    file.write_bytes(patch)
    since = ask(str(repository), since="HEAD").findings
    assert ask(str(repository), diff=lazymmu.Input(patch, "a.patch")).findings == since
    assert ask(repository, diff=file).findings == since


def test_what_a_baseline_holds_is_left_out_and_one_can_be_made():
    """A second check is clean, whatever the first one found."""
    first = ask()
    text, number = first.new_baseline()
    assert number == len(first.verdicts)
    second = ask(baseline=lazymmu.Input(text.encode(), "before.json"))
    assert second.verdicts == ()
    assert second.outcomes[0].withheld == (("in the baseline", number),)
    with pytest.raises(lazymmu.Problem, match="exactly one tree"):
        ask(OLD, NEW).new_baseline()


def test_what_was_judged_is_suppressed_and_what_is_stale_is_known(tmp_path):
    """Entries that match nothing are only known where all was looked at."""
    file = tmp_path / "judged.toml"
    file.write_text(
        '[[suppress]]\nrule = "sleep-in-section"\nfile = "*"\nreason = "judged"\n'
        '[[suppress]]\nrule = "stale-read"\nfile = "no/such.c"\nreason = "old"\n'
    )
    answer = ask(suppressions=file, arches=[])
    assert not any(one.rule == "sleep-in-section" for one in answer.findings)
    assert [entry.file for entry in answer.stale] == ["no/such.c"]
    assert ask(suppressions=str(file)).stale == ()


def test_paths_and_confidence_narrow_what_is_told():
    """A request narrows what is told as --path and --min-confidence do."""
    answer = ask(paths=["mm/memory.c"])
    assert answer.findings
    for one in answer.findings:
        assert "mm/memory.c" in {one.file, *(step.file for step in one.path)}
    assert len(ask(min_confidence="low").findings) >= len(ask().findings)
    assert {one.confidence for one in ask(min_confidence="high").findings} == {Confidence.HIGH}


def test_an_open_tree_can_be_asked_about(whole):
    """Also one that was changed in memory alone."""
    answer = ask(Tree.open(OLD).over({"mm/memory.c": None}))
    assert len(answer.results[0].findings) < len(whole.findings)
    with pytest.raises(lazymmu.Problem, match="the path of a tree"):
        ask(Tree.open(OLD), since="HEAD")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"rules": ["stale-raed"]}, "there is no rule 'stale-raed'; did you mean stale-read?"),
        ({"arches": ["x68"]}, "there is no architecture 'x68'"),
        ({"dialect": "klingon"}, "there is no dialect 'klingon'"),
        ({"trees": ["/nonexistent"]}, "/nonexistent"),
        ({"trees": [OLD, NEW], "since": "HEAD"}, "--since needs exactly one tree"),
        ({"kernel": OLD, "since": "HEAD"}, "need a kernel tree, not a module"),
        ({"since": "HEAD", "diff": "x"}, "cannot be combined"),
        ({"diff": "/nonexistent"}, "cannot read /nonexistent: No such file or directory"),
        ({"baseline": lazymmu.Input(b"{", "b")}, "b: not a baseline"),
        ({"suppressions": lazymmu.Input(b"[", "s")}, "s: not TOML"),
        ({"paths": ["no/such"]}, "--path no/such: there is no such thing"),
    ],
)
def test_what_cannot_be_is_one_sentence(given, sentence):
    """No traceback of ours, and nothing is checked."""
    with pytest.raises(lazymmu.Problem) as raised:
        lazymmu.check(lazymmu.CheckRequest(**({"trees": [OLD]} | given)))
    assert sentence in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_option_beside_a_request_is_a_mistake():
    """It would be left out without a word."""
    with pytest.raises(TypeError, match="arches"):
        lazymmu.check(lazymmu.CheckRequest(trees=OLD), arches=["x86"])
    with pytest.raises(TypeError, match="arch"):
        lazymmu.check(OLD, arch="x86")


def test_nothing_is_printed(capfd):
    """Where the words go is the caller's matter."""
    ask()
    assert capfd.readouterr() == ("", "")
