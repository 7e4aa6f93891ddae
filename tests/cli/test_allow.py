# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings that a comment in the source allows: counted, told, and in every format."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
OPTIONS = ("--no-cache", "--path", "mm/wrong_nesting.c")


@pytest.fixture
def tree(tmp_path):
    """A copy of an example tree with a comment above a mistake, written by one call."""
    top = tmp_path / "linux"
    shutil.copytree(EXAMPLES / "linux-old", top)
    file = top / "mm" / "wrong_nesting.c"
    lines = file.read_text().splitlines(keepends=True)

    def comment(text, above=18):
        file.write_text("".join([*lines[: above - 1], f"{text}\n", *lines[above - 1 :]]))
        return top

    return comment


def test_an_allowed_finding_does_not_count_and_is_said_even_to_who_wants_quiet(run, tree):
    """A stranger's tree may have such comments, so nobody may miss them."""
    top = tree("\t/* lazymmu: allow(nested-section) nobody comes here twice */")
    ran = run("check", top, *OPTIONS, "--quiet")
    assert ran.err == (
        f"lazymmu: {top}: 1 finding is allowed by comments in the source, the first at "
        "mm/wrong_nesting.c:18: nobody comes here twice (--no-allow counts them)\n"
    )
    assert ran.out.count("[nested-section]") == 3
    ran = run("check", top, *OPTIONS)
    assert "not counted: 1 allowed by a comment in the source" in ran.err


def test_no_allow_counts_what_a_comment_allows(run, tree):
    """Who gates what strangers send decides for himself."""
    top = tree("\t/* lazymmu: allow(nested-section) nobody comes here twice */")
    ran = run("check", top, *OPTIONS, "--no-allow", "--quiet")
    assert ran.err == ""
    assert ran.out.count("[nested-section]") == 4


def test_it_is_set_aside_with_its_reason_in_every_format_that_has_a_word_for_it(run, tree):
    """In SARIF it is a suppression in the source; the others say why it does not count."""
    top = tree("\t/* lazymmu: allow(nested-section) nobody comes here twice */")
    why = "allowed by a comment in the source: mm/wrong_nesting.c:18: nobody comes here twice"
    forms = ("json", "sarif", "junit", "ktap", "csv", "markdown")
    outputs = [f"--format={form}={top}/out.{form}" for form in forms]
    assert run("check", top, *OPTIONS, *outputs).code == 1
    text = {form: (top / f"out.{form}").read_text() for form in forms}
    (aside,) = json.loads(text["json"])["set_aside"]
    assert aside["by"] == "allowed by a comment in the source"
    results = json.loads(text["sarif"])["runs"][0]["results"]
    (suppressed,) = [one for one in results if "suppressions" in one]
    assert suppressed["suppressions"][0]["kind"] == "inSource"
    assert f'<skipped message="{why}"/>' in text["junit"]
    assert f"# note: {why}" in text["ktap"]
    assert any(row["set_aside"] == why for row in csv.DictReader(io.StringIO(text["csv"])))
    assert f"`{why}`" in text["markdown"]


@pytest.mark.parametrize(
    ("comment", "said"),
    [
        ("/* lazymmu: allow(nested-section) */", "allows nothing: it gives no reason"),
        ("/* lazymmu: allow(nested-sectoin) x */", "did you mean nested-section?"),
        ("/* lazymmu: allow(stale-read) x */", "this comment allows stale-read, and there is no"),
    ],
)
def test_a_comment_that_allows_nothing_is_told(run, tree, comment, said):
    """Without a reason, with a typo, or for a finding that is gone."""
    ran = run("check", tree(comment), "--no-cache", "--quiet")
    assert f"lazymmu: mm/wrong_nesting.c:18: {'this' if 'this' in said else ''}" in ran.err
    assert said in ran.err
    assert ran.code == 1


def test_what_is_not_asked_for_is_not_called_unused(run, tree):
    """A check of one architecture or one rule cannot know."""
    top = tree("/* lazymmu: allow(stale-read) x */")
    assert "there is no such finding" not in run("check", top, *OPTIONS, "--arch", "x86").err
    ran = run("check", top, *OPTIONS, "--rule", "nested-section")
    assert "there is no such finding" not in ran.err


def test_a_baseline_leaves_out_what_a_comment_allows(run, tree, tmp_path):
    """Once the comment goes, the finding is new."""
    top = tree("\t/* lazymmu: allow(nested-section) nobody comes here twice */")
    base = tmp_path / "b.json"
    assert run("check", top, "--no-cache", "--write-baseline", base).code in {0, 3}
    ran = run("check", top, *OPTIONS, "--no-allow", "--baseline", base, "--quiet")
    assert ran.code == 1
    assert ran.out.count("[nested-section]") == 1
