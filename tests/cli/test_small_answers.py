# SPDX-License-Identifier: GPL-2.0-or-later
"""Short answers to what goes wrong first: a tree that is not there, a home that is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from lazymmu.contract.rules import RULES
from lazymmu.snapshot.cache import default_directory
from lazymmu.verbs import check as verb

EXAMPLES = Path(__file__).parents[2] / "examples"
OLD, NEW = EXAMPLES / "linux-old", EXAMPLES / "linux-new"


def test_what_one_tree_gave_is_told_although_another_is_not_there(run):
    """The other is a sentence, and the exit code is 2: nobody may take it for a whole answer."""
    done = run("check", OLD, "/nonexistent", "--no-cache")
    assert done.code == 2
    assert "[nested-section]" in done.out
    assert "/nonexistent: does not exist" in done.err


def test_one_tree_that_is_not_there_is_one_sentence(run):
    """Nothing is on standard output then, as ever."""
    done = run("check", "/nonexistent", "--no-cache")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)


def test_what_was_checked_before_ctrl_c_is_told(run, monkeypatch):
    """Of two trees the first is told, with exit code 130."""
    one = verb._one

    def interrupted(tree, *rest):
        if str(tree) == str(NEW):
            raise KeyboardInterrupt
        return one(tree, *rest)

    monkeypatch.setattr(verb, "_one", interrupted)
    done = run("check", OLD, NEW, "--no-cache")
    assert done.code == 130
    assert "[nested-section]" in done.out
    assert "interrupted: 1 of 2 trees were checked" in done.err


def test_a_home_that_is_not_there_means_no_cache_and_is_not_made(tmp_path, monkeypatch):
    """System users have such a home; it must not appear because somebody ran a check."""
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "none"))
    assert default_directory() is None
    assert list(tmp_path.iterdir()) == []


def test_verify_says_first_whether_it_is_as_expected(run):
    """Before the counts; and not at all where the question was changed."""
    asked = ("verify", "--scenario", "sleep-inside-section", "--engine", "python", "--jobs", "1")
    assert "lazymmu: all as expected; " in run(*asked).err
    assert "expected" not in run(*asked, "--rule", "kernel-bug").err


def test_litmus_lists_the_implementations_without_a_file(run):
    """What --arch and --release take; without file and --list it is one sentence."""
    assert "xen-nesting-count" in run("litmus", "--list").out
    done = run("litmus")
    assert (done.code, done.err) == (
        2,
        "lazymmu: which litmus file? (--list names the implementations)\n",
    )


def test_a_rule_that_source_cannot_show_names_the_verb_that_can(run):
    """The nearest rule of source would be another one."""
    done = run("check", OLD, "--rule", "kernel-bug")
    assert (done.code, done.out) == (2, "")
    assert "lazymmu verify --rule kernel-bug" in done.err


def test_an_architecture_of_machines_is_named_where_source_has_none(run):
    """The sentence names the verb that knows it."""
    done = run("check", OLD, "--arch", "x86-native")
    assert "machines have it: lazymmu verify --arch x86-native" in done.err


@pytest.mark.parametrize("arch", ["s390", "worst-case"])
def test_explain_knows_what_no_kernel_has(run, arch):
    """Those that only machines have are rows of the deferral table, too."""
    assert run("explain", "--arch", arch).out.startswith(f"{arch}: ")


def test_explain_alone_has_the_rules_in_groups(run):
    """By whom they bind, each rule once."""
    said = run("explain").out
    assert said.count("\n\n") == 3
    for name in RULES:
        assert said.count(f"\n  {name}: ") == 1


def test_a_build_directory_names_its_source(run, tmp_path):
    """The link that kbuild makes leads to it."""
    (tmp_path / "source").symlink_to(NEW)
    done = run("check", tmp_path, "--no-cache")
    assert done.code == 2
    assert f"it is a build directory: check its source, {NEW}" in done.err


def test_a_sparse_checkout_says_how_to_have_all_of_it(run, tmp_path):
    """Something that every tree has is not there."""
    (tmp_path / ".git" / "info").mkdir(parents=True)
    (tmp_path / ".git" / "info" / "sparse-checkout").write_text("/mm/\n")
    assert "git sparse-checkout disable" in run("check", tmp_path, "--no-cache").err
