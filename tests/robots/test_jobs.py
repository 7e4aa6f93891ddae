# SPDX-License-Identifier: GPL-2.0-or-later
"""Questions have their limits, answers their size, and a child no secret."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.cli import main
from lazymmu.problem import Problem
from lazymmu.robots.jobs import BusyError, JobLimits, Jobs
from lazymmu.robots.questions import ServedTrees
from lazymmu.robots.said import MAX_BYTES, SaidItem, ToolAnswer


def outcome(limits, *command, given=b""):
    """How a question ends."""
    jobs = Jobs(limits)
    try:
        return jobs.wait(jobs.begin(command, given), 120)
    finally:
        jobs.end()


def test_a_question_is_answered_by_a_process_of_its_own():
    """Its output and its exit code come back."""
    done = outcome(JobLimits(), "--version")
    assert (done.code, done.stopped) == (0, "")
    assert done.out.startswith(b"lazymmu ")


def test_a_question_gets_no_more_memory_than_its_limit():
    """It ends with a sentence, and takes nothing else with it."""
    done = outcome(JobLimits(mebibytes=16), "--version")
    assert done.code != 0


def test_a_question_is_ended_when_its_time_is_over():
    """A search without an end has one."""
    words = ("verify", "--all", "--jobs=1", "--quiet", "--format=json")
    done = outcome(JobLimits(seconds=1), *words)
    assert done.stopped
    assert done.out == b""


def test_a_child_gets_no_secret_of_the_environment(monkeypatch):
    """The token is the server's alone."""
    monkeypatch.setenv("LAZYMMU_MCP_TOKEN", "what no child may see")
    from lazymmu.robots import jobs

    assert "LAZYMMU_MCP_TOKEN" not in jobs._PASSED


def test_too_many_questions_are_refused():
    """Who asks more than can wait is told so, and the others go on."""
    jobs = Jobs(JobLimits(at_once=1, waiting=1))
    try:
        jobs.begin(["verify", "--all", "--jobs=1", "--quiet"])
        jobs.begin(["--help"])
        with pytest.raises(BusyError, match="at work already"):
            jobs.begin(["explain"])
        assert jobs.begin(["--help"])  # the same one is found
    finally:
        jobs.end()


@given(
    st.text(max_size=300),
    st.lists(st.text(max_size=3000), max_size=60),
    st.integers(min_value=1024, max_value=MAX_BYTES),
)
def test_an_answer_keeps_to_its_size_whatever_is_in_it(verdict, texts, most):
    """Both forms do, and say how many items were cut off."""
    answer = ToolAnswer(verdict, items=[SaidItem((text,), {"text": text}) for text in texts])
    said, facts = answer.text(most), answer.facts(most)
    assert len(said.encode()) <= most
    assert len(facts["items"]) + facts["truncated"] == len(texts)
    if len(verdict) < 50:
        assert len(json.dumps(facts)) <= most


@given(st.text(max_size=60))
def test_no_revision_is_taken_for_an_option_or_a_path(text):
    """What is not refused is one word that begins with a letter or digit."""
    trees = ServedTrees({}, None)
    trees.trees["linux"] = "/nowhere"
    try:
        asked = trees.check("linux", "", text, ())
    except Problem:
        return
    assert not text or f"--since={text}" in asked.command
    assert not text.startswith(("-", "/", "."))
    assert asked.command[-2] == "--"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "name a tree"),
        (["--tree", "x=/nowhere/at/all"], "/nowhere/at/all"),
        (["--tree", "A B=."], "is no name of a tree"),
        (["--tree", "TREE", "--http", "0.0.0.0:8000"], "no loopback address"),
        (["--tree", "TREE", "--http", "example.com:80"], "no loopback address"),
        (["--tree", "TREE", "--http", "127.0.0.1:x"], "no [HOST:]PORT"),
        (["--tree", "TREE", "--http", "8000"], "LAZYMMU_MCP_TOKEN must hold"),
        (["--tree", "TREE", "--tree", "TREE"], "two trees"),
    ],
)
def test_what_cannot_be_served_is_one_sentence(words, said, capsys, small, monkeypatch):
    """Exit code 2, before anything is listened on."""
    pytest.importorskip("mcp", reason="the SDK of the protocol is not installed (lazymmu[mcp])")
    monkeypatch.delenv("LAZYMMU_MCP_TOKEN", raising=False)
    tree, _ = small
    assert main(["mcp", *(word.replace("TREE", str(tree)) for word in words)]) == 2
    _, err = capsys.readouterr()
    assert said in err
    assert len(err.splitlines()) == 1


def test_without_the_sdk_it_is_said_what_to_install(capsys, monkeypatch):
    """One sentence that names the extra."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert main(["mcp", "--tree", "x=."]) == 2
    assert "pip install mcp, or the extra `mcp` of lazymmu" in capsys.readouterr().err
