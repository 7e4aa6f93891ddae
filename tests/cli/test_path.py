# SPDX-License-Identifier: GPL-2.0-or-later
"""`--path`: whatever one types for a file of the tree, and nothing that is none."""

from __future__ import annotations

import os

import pytest

from lazymmu.problem import Problem
from lazymmu.verbs import paths


def named(path, *trees):
    """What one --path names in each tree."""
    return paths.inside([str(path)], [str(tree) for tree in trees])


@pytest.mark.parametrize(
    "typed",
    [
        "mm/inner.c",
        "./mm//inner.c",
        "mm/inner.c/",
        "mm/../mm/./inner.c",
        "{tree}/mm/inner.c",
        "{tree}/mm/../mm/inner.c",
        "{tree}//mm/inner.c",
        "linux/mm/inner.c",
        "../linux/mm/inner.c",
        "../{above}/linux/mm/inner.c",
    ],
)
def test_a_file_is_named_as_one_likes(tree, monkeypatch, typed):
    """From the directory above the tree, where the shell completes what is there."""
    monkeypatch.chdir(tree.parent)
    path = typed.format(tree=tree, above=tree.parent.name)
    for top in (tree, "linux", "./linux/", f"../{tree.parent.name}/linux"):
        assert named(path, top) == [("mm/inner.c",)]


@pytest.mark.parametrize("typed", ["inner.c", "./inner.c", "../mm/inner.c", "mm/inner.c"])
def test_a_file_is_named_from_inside_the_tree(tree, monkeypatch, typed):
    """`cd mm && lazymmu check .. --path memory.c`."""
    monkeypatch.chdir(tree / "mm")
    assert named(typed, "..") == [("mm/inner.c",)]
    assert named(typed, tree) == [("mm/inner.c",)]


@pytest.mark.parametrize("typed", [".", "./", "mm/..", "{tree}", "{tree}/"])
def test_the_tree_itself_is_all_of_it(tree, typed):
    """A path that names the tree itself leaves nothing out."""
    assert named(typed.format(tree=tree), tree) == [("",)]


def test_the_tree_comes_before_where_one_stands(tree, monkeypatch):
    """`--path mm` means the same wherever a script runs."""
    (tree / "mm" / "mm").mkdir()
    monkeypatch.chdir(tree / "mm")
    assert named("mm", "..") == [("mm",)]
    assert named("./mm/inner.c", "..") == [("mm/inner.c",)]


def test_a_tree_reached_through_a_link_is_the_same_tree(tree, tmp_path):
    """A tree that is reached through a link, on either side, is the same tree."""
    alias = tmp_path / "alias"
    alias.symlink_to(tree)
    assert named(alias / "mm", tree) == [("mm",)]
    assert named(tree / "mm", alias) == [("mm",)]
    assert named("mm", alias) == [("mm",)]


def test_a_link_inside_the_tree_keeps_its_name(tree):
    """Findings are named by what is in the tree."""
    (tree / "more").symlink_to("mm")
    assert named("more/inner.c", tree) == [("more/inner.c",)]


@pytest.mark.parametrize(
    "typed", ["mm/nope", "nope.c", "mm/*.c", "{tree}/nope", "n" * 300, "d/" * 2500]
)
def test_what_names_nothing_is_a_mistake(tree, typed):
    """A mistyped path in a script would be green for ever."""
    with pytest.raises(Problem, match=r"there is no such thing in .*linux$"):
        named(typed.format(tree=tree), tree)


@pytest.mark.parametrize(
    "typed", ["..", "/", "/etc", "../other", "{tree}/..", "{tree}-2/x", "mm/../.."]
)
def test_what_is_outside_is_a_mistake(tree, typed):
    """Also what is there, and begins with the same letters."""
    for other in (tree.parent / "other", tree.with_name("linux-2") / "x"):
        other.mkdir(parents=True)
    with pytest.raises(Problem, match=r"is not inside .*linux$"):
        named(typed.format(tree=tree), tree)


def test_an_empty_path_is_a_mistake(tree):
    """A variable that a script never set."""
    with pytest.raises(Problem, match="--path is empty"):
        named("", tree)


def test_with_several_trees_one_must_have_it(tree, tmp_path):
    """A file that only newer kernels have; the older tree has nothing of it."""
    other = tmp_path / "older"
    (other / "mm").mkdir(parents=True)
    assert named("mm/inner.c", other, tree) == [(), ("mm/inner.c",)]
    assert named(tree / "mm", other, tree) == [(), ("mm",)]
    with pytest.raises(Problem, match=r"there is no such thing in any of the trees$"):
        named("nope", other, tree)


@pytest.mark.parametrize("verb", ["check", "sections"])
def test_both_verbs_say_so_before_they_read_a_tree(run, tree, verb):
    """Both verbs refuse a wrong path before they read a tree, with one sentence and 2."""
    for path in ("nope", "/etc", "", "n" * 5000):
        ran = run(verb, tree, "--path", "mm", "--path", path)
        assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
        assert len(ran.err) < 1100


def test_findings_of_another_tree_are_not_those_of_the_path(
    run, tree, tmp_path, checked, make_result, make_finding
):
    """A tree without the path shows nothing, not everything."""
    other = tmp_path / "older"
    (other / "mm").mkdir(parents=True)
    (other / "mm" / "outer.c").write_text("")
    checked(make_result(make_finding()), make_result(make_finding()))
    ran = run("check", tree, other, "--path", "mm/inner.c")
    assert ran.code == 1
    assert f"{tree}/mm/inner.c:41" in ran.out
    assert f"{other}/mm" not in ran.out


def test_where_one_stands_may_be_gone(tree, monkeypatch):
    """A directory that somebody removed while one stands in it is no failure of its own."""
    gone = tree / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    os.rmdir(gone)
    assert named("mm/inner.c", tree) == [("mm/inner.c",)]
    with pytest.raises(Problem, match="no such thing"):
        named("nope", tree)
