# SPDX-License-Identifier: GPL-2.0-or-later
"""`lazymmu history`: a matrix of problems and releases."""

from __future__ import annotations

import json
import string
from dataclasses import replace
from pathlib import Path

import pytest

import lazymmu
from lazymmu import HistoryRequest
from lazymmu.report.history.matrix import render

EXAMPLES = Path(__file__).parents[2] / "examples"
OLD, NEW = EXAMPLES / "linux-old", EXAMPLES / "linux-new"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store that the tests of this file share."""
    return tmp_path_factory.mktemp("store")


def test_trees_are_columns_in_the_order_of_their_releases(run, store):
    """However they are given; each mark that is used is explained, and the exit code is 1."""
    ran = run("history", NEW, OLD, "--arch", "x86", "--cache-dir", store)
    assert ran.code == 1
    lines = ran.out.splitlines()
    assert lines[1] == "# there, + not yet born, - fixed, ~ cannot happen here"
    assert lines[3].split() == ["problem", "6.12.0-example", "7.1.0-example", "hurts"]
    (row,) = [line for line in lines if "scan_table(): unlock-before-flush" in line]
    assert row.split()[3:] == ["#", "-", "x86"]


@pytest.mark.parametrize("trees", [9, 19, 52, 53])
def test_of_many_trees_each_is_a_column_of_one_letter(store, trees):
    """In which each problem is one word; what does not fit is said."""
    request = HistoryRequest(trees=[OLD, NEW], arches=["x86"], cache_dir=store)
    answer = lazymmu.history(request)
    places = [0, *[1] * (trees - 1)]
    points = [replace(answer.points[place], name=f"7.1.{n}") for n, place in enumerate(places)]
    problems = [replace(one, cells=[one.cells[n] for n in places]) for one in answer.problems]
    text = render(replace(answer, points=points, problems=problems), 100)
    (row,) = [line for line in text.splitlines() if "scan_table(): unlock-before-flush" in line]
    if trees > 52:
        assert "51 more points at which something changed are in JSON and CSV." in text
        assert row.split()[3:] == ["#", "-", "x86"]
    else:
        assert row.split()[3:] == ["#" + "-" * (trees - 1), "x86"]
        assert f"{string.ascii_letters[trees - 1]}=7.1.{trees - 1}\n" in text
        assert f" in 7.1.1 to 7.1.{trees - 1}: the dialect counted allows it\n" in text
    assert max(map(len, text.splitlines())) <= 100


def test_a_reason_that_several_problems_have_is_said_once(run, store):
    """As of a dialect that allows what many of them are; it names all of them."""
    lines = run("history", OLD, NEW, "--arch", "x86", "--cache-dir", store).out.splitlines()
    (line,) = [line for line in lines if "the dialect counted allows it" in line]
    assert line.startswith("~ H2, H3, ")
    assert " in 7.1.0-example: " in line


def test_json_has_a_state_for_each_release_and_where_it_came_and_went(run, store):
    """Of two releases it says between which of them a problem came and went."""
    asked = ("history", OLD, NEW, "--arch", "x86", "--cache-dir", store, "--format", "json")
    value = json.loads(run(*asked).out)
    assert [one["name"] for one in value["releases"]] == ["6.12.0-example", "7.1.0-example"]
    one = next(one for one in value["problems"] if one["function"] == "scan_table")
    assert [state["state"] for state in one["states"]] == ["there", "fixed"]
    assert one["introduced"]["after"] is None
    assert (one["fixed"]["after"], one["fixed"]["by"]) == ("6.12.0-example", "7.1.0-example")


def test_csv_has_a_word_for_each_state(run, store):
    """A spreadsheet gets the words, and not the marks of the table."""
    ran = run("history", OLD, NEW, "--arch", "x86", "--cache-dir", store, "--format", "csv")
    head, first, *_ = ran.out.splitlines()
    assert head.startswith("id,rule,file,function,6.12.0-example,7.1.0-example,hurts,introduced")
    assert "there,fixed" in first


def test_a_tree_that_is_none_is_a_column_that_says_nothing(run, store, tmp_path):
    """The others are told, and why this one is not."""
    ran = run("history", OLD, tmp_path, "--arch", "x86", "--cache-dir", store)
    assert ran.code == 1
    assert "! inconclusive" in ran.out
    assert "not a kernel source tree" in ran.err


def test_nothing_but_trees_that_are_none_is_one_sentence(run, tmp_path):
    """Where there is no tree at all nothing is told but why."""
    ran = run("history", tmp_path)
    assert (ran.code, ran.out) == (2, "")
    assert "not a kernel source tree" in ran.err


def test_show_tells_one_problem_whole_by_its_id_or_its_key(run, store):
    """Where it came and went, what is known of that, and what each tree has of it."""
    asked = ("history", OLD, NEW, "--arch", "x86", "--cache-dir", store)
    problems = json.loads(run(*asked, "--format", "json").out)["problems"]
    one = next(one for one in problems if one["function"] == "set_ptes")
    ran = run(*asked, "--show", one["id"])
    assert ran.out == run(*asked, "--show", one["key"]).out
    lines = ran.out.splitlines()
    assert lines[0].startswith(f"{one['id']}  nested-section in set_ptes(), include/linux/")
    assert "  introduced  before the oldest of these (6.12.0-example has it)" in lines
    assert any("known: bcc6cc832573" in line for line in lines)
    assert any(line.startswith("  6.12.0-example  there ") for line in lines)
    assert max(map(len, lines)) <= 100


def test_show_of_a_problem_that_is_not_there_says_which_there_are(run, store):
    """The ids of this answer are named, and the code is 2."""
    ran = run("history", OLD, "--arch", "x86", "--cache-dir", store, "--show", "H999")
    assert ran.code == 2
    assert "there is no problem 'H999' here; there are H1 to H" in ran.err
