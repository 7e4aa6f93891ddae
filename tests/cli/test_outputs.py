# SPDX-License-Identifier: GPL-2.0-or-later
"""Several outputs of one run: where each goes, and what cannot be written is one sentence."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest

from lazymmu.report.common import formats

EXAMPLES = Path(__file__).parents[2] / "examples"
OLD = EXAMPLES / "linux-old"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty directory in which one stands."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def one(checked, make_result, make_finding):
    """A check that finds one thing that hurts."""
    return checked(make_result(make_finding()))


def test_one_run_writes_as_many_outputs_as_are_asked_for(run, one, here):
    """The bare one goes to standard output, the others to their files; the tree is read once."""
    ran = run("check", "t", "--format", "gcc", "--format", "json=a.json", "--format", "csv=b.csv")
    assert ran.code == 1
    assert ran.out.startswith("t/mm/inner.c:41:2: error: ")
    assert json.loads((here / "a.json").read_text())["findings"]
    with (here / "b.csv").open(newline="") as file:
        assert [row["rule"] for row in csv.DictReader(file)] == ["nested-section"]
    assert len(one) == 1


def test_with_files_alone_nothing_is_printed(run, one, here):
    """What is not asked for is not written; the summary is none of the results."""
    ran = run("check", "t", "--format", "ktap=a.ktap")
    assert (ran.code, ran.out) == (1, "")
    assert "1 finding" in ran.err
    assert (here / "a.ktap").read_text().startswith("KTAP version 1\n")


def test_output_is_for_the_format_without_a_file(run, one, here):
    """`--output` goes on meaning what it meant before formats could name their files."""
    assert run("check", "t", "--format", "json", "--output", "a", "--format", "gcc=b").out == ""
    assert json.loads((here / "a").read_text())
    assert (here / "b").read_text().startswith("t/mm/inner.c")
    ran = run("check", "t", "--output", "a", "--format", "gcc=b")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "--output is for a --format without =FILE" in ran.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--format", "text", "--format", "json"], "both go to standard output"),
        (["--format", "text=a", "--format", "json=./a"], "both go to ./a"),
        (["--format", "gcc=-", "--format", "json"], "both go to standard output"),
        (["--format", "json="], "names no file"),
        (["--format", "jsn"], "did you mean json?"),
        (["--format", "sarfi=a"], "did you mean sarif?"),
        (["--format", "json=no/such/a"], "cannot write no/such/a: No such file or directory"),
        (["--format", "json=."], "cannot write .: Is a directory"),
        (["--format", "json=a\0b"], "cannot write a\\x00b"),
    ],
)
def test_what_cannot_be_written_is_said_before_anything_is_read(run, one, here, options, said):
    """One sentence and 2, and no hour of work that ends at a folder that is not there."""
    ran = run("check", "t", *options)
    assert ran.code == 2
    assert said in ran.err
    assert ran.err.count("\n") == 1
    assert one == []
    assert list(here.iterdir()) == []


def test_an_output_that_fails_at_the_end_is_one_sentence_and_the_others_are_there(
    run, one, here, monkeypatch
):
    """A full disk: exit code 2, no half file, and the results that could be written."""
    real = os.replace

    def replace(source, target, **more):
        if Path(target).name == "bad":
            raise OSError(28, "No space left on device")
        real(source, target, **more)

    monkeypatch.setattr(os, "replace", replace)
    ran = run("check", "t", "--format", "json=bad", "--format", "csv=good", "--format", "gcc")
    assert ran.code == 2
    assert ran.err == "lazymmu: cannot write bad: No space left on device\n"
    assert ran.out
    assert sorted(path.name for path in here.iterdir()) == ["good"]


def test_what_cannot_be_rendered_leaves_no_file(run, one, here, monkeypatch):
    """All are made before one is written."""
    from lazymmu.report.tools import csv as broken

    def render(report):
        raise ValueError("not today")

    monkeypatch.setattr(broken, "render", render)
    assert run("check", "t", "--format", "json=a", "--format", "csv=b").code == 2
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("verb", ["sections", "verify", "trace"])
def test_every_verb_takes_several(run, here, verb):
    """With the formats that its help names."""
    given = {
        "sections": [OLD, "--no-cache", "--arch", "x86"],
        "verify": ["--scenario", "xen-preempted-at-depth-two", "--release", "6.12.8"],
        "trace": [EXAMPLES / "trace" / "xen-6.12.107.trace.gz"],
    }[verb]
    options = [f"--format={name}=out.{name}" for name in formats.VERBS[verb]]
    assert run(verb, *given, *options).code in {0, 1}
    written = {path.name for path in here.iterdir()}
    assert written == {f"out.{name}" for name in formats.VERBS[verb]}


@pytest.mark.parametrize("verb", formats.VERBS)
def test_the_help_of_a_verb_names_its_formats_and_what_each_is_for(run, verb):
    """Nobody has to read the manual to find out what there is."""
    said = " ".join(run(verb, "--help").out.split())
    for name in formats.VERBS[verb]:
        assert f"{name}: {formats.FORMATS[name]}" in said


@pytest.mark.parametrize(
    ("least", "code"), [("hurts", 0), ("costs", 1), ("breaks-text", 1), ("information", 1)]
)
def test_fail_on_says_what_the_least_is(run, checked, make_result, make_finding, least, code):
    """A finding that hurts nobody and costs somebody time: a gate on what hurts lets it pass."""
    from lazymmu.witness.finding import Harm, Severity

    slow = make_finding(
        severity=Severity.BREAKS_TEXT, harms=(), costs=(Harm("sparc", "is not batched"),)
    )
    checked(make_result(slow))
    ran = run("check", "t", "--fail-on", least, "--format", "ktap", "--allow-loss")
    assert ran.code == code
    assert ("not ok" in ran.out) == bool(code)
    assert "warning: t/mm/inner.c:41:2:" in ran.out


def test_fail_on_information_shows_what_it_fails_on(run, checked, make_result, make_finding):
    """What makes the exit code 1 is among the results."""
    from lazymmu.witness.finding import Severity

    inform = make_finding(severity=Severity.INFORMATION, rule="preempted-in-section")
    checked(make_result(inform))
    assert run("check", "t", "--format", "gcc").out == ""
    ran = run("check", "t", "--format", "gcc", "--fail-on", "information")
    assert (ran.code, ran.out.count("info: ")) == (1, 1)
