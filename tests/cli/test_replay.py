# SPDX-License-Identifier: GPL-2.0-or-later
"""`lazymmu replay`: the monitors over a list of events."""

from __future__ import annotations

import json

import pytest

NESTED = """\
dialect no-nesting
T0: enable in_interrupt=no
T0: enable at=mm/demo.c:12:2 in=demo
T0: disable
T0: disable
"""


@pytest.fixture
def events(tmp_path):
    """Writes a list of events and returns its path."""

    def write(text: str):
        path = tmp_path / "demo.events"
        path.write_text(text)
        return path

    return write


def test_a_violation_is_a_line_that_points_into_the_list(run, events):
    """And a note that points to the C that the event names."""
    path = events(NESTED)
    ran = run("replay", path)
    assert ran.code == 1
    first, note = ran.out.splitlines()
    assert first.startswith(f"{path}:3:1: hurts: T0: ")
    assert first.endswith("[nested-section]")
    assert note == "mm/demo.c:12:2: note: demo(): here"
    assert f"lazymmu: {path}: 1 violation in 4 events, by dialect no-nesting\n" in ran.err
    assert "--rule preempted-in-section shows it" in ran.err


def test_the_option_decides_before_the_list(run, events):
    """The same events are right where nesting is allowed."""
    assert run("replay", events(NESTED), "--dialect", "counted").code == 0


def test_without_a_dialect_the_newest_judges_and_says_so(run, events):
    """What holds today is what a newcomer expects."""
    ran = run("replay", events("T0: enable\nT0: disable\n"))
    assert ran.code == 0
    assert "by dialect counted-task" in ran.err


def test_json_has_each_violation_with_its_line(run, events):
    """JSON holds each violation with its line, for programs to read."""
    value = json.loads(run("replay", events(NESTED), "--format", "json").out)
    assert value["dialect"] == "no-nesting"
    assert [(v["rule"], v["line"]) for v in value["violations"] if not v["information"]] == [
        ("nested-section", 3)
    ]


def test_only_the_rules_asked_for_run(run, events):
    """One rule at a time, to see what each makes of the events."""
    assert run("replay", events(NESTED), "--rule", "stale-read").code == 0


def test_a_list_comes_from_standard_input_too(run, monkeypatch):
    """`lazymmu explain ... | lazymmu replay -`, and editors that pipe."""
    import io
    import sys

    stdin = io.TextIOWrapper(io.BytesIO(NESTED.encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    ran = run("replay", "-")
    assert ran.code == 1
    assert ran.out.startswith("<stdin>:3:1: hurts: ")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("T0: frobnicate\n", "demo.events:1:5: no event is called `frobnicate`"),
        ("dialect klingon\nT0: enable\n", "there is no dialect 'klingon'"),
        ("T0: enable\n\udcff", "not text in UTF-8"),
    ],
)
def test_what_is_no_list_is_one_sentence(run, tmp_path, text, sentence):
    """With line and column where there is one."""
    path = tmp_path / "demo.events"
    path.write_bytes(text.encode(errors="surrogateescape"))
    ran = run("replay", path)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert sentence in ran.err


def test_an_empty_list_ends_with_3(run, events):
    """An empty list of events ends with 3, because nothing was judged."""
    assert run("replay", events("# nothing\n")).code == 3
