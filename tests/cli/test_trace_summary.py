# SPDX-License-Identifier: GPL-2.0-or-later
"""`lazymmu trace --summary` and `--plot`: what sections were like, for who wants to tune."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lazymmu.report.trace import plot

TRACE = """\
# tracer: function
#
# entries-in-buffer/entries-written: 2/2   #P:1
#
              cp-7       [000] ...1.     1.000100: xen_enter_lazy_mmu <-copy_page_range
              cp-7       [000] ...1.     1.000350: xen_leave_lazy_mmu <-copy_page_range
"""


@pytest.fixture
def trace(tmp_path):
    """A trace of one section of 250 us."""
    file = tmp_path / "a.trace"
    file.write_text(TRACE)
    return file


def test_the_summary_takes_the_place_of_the_findings(run, trace):
    """And the verdict is still the exit code's."""
    ran = run("trace", trace, "--summary")
    assert ran.code == 0
    assert f"{trace}: 1 section, 250 us in all in 250 us of trace" in ran.out
    assert "copy_page_range" in ran.out
    assert "0 violations" in ran.err


def test_it_is_json_when_asked(run, trace):
    """The summary is printed as JSON for programs when that is asked for."""
    ran = run("trace", trace, trace, "--summary", "--format", "json")
    assert [one["everything"]["sections"] for one in json.loads(ran.out)["traces"]] == [1, 1]


def test_two_traces_are_compared_in_the_place_of_the_findings(run, trace):
    """What differs first, then everything; and the verdict is still the exit code's."""
    ran = run("trace", trace, trace, "--compare")
    assert (ran.code, "the two are alike in all that they show" in ran.out) == (0, True)
    assert f"A = {trace}" in ran.out
    assert "copy_page_range" in ran.out
    made = json.loads(run("trace", trace, trace, "--compare", "--format", "json").out)
    assert made["told"] == []


def test_a_plot_is_written_beside_the_findings(run, trace, tmp_path):
    """A plot is written beside the findings, and needs no summary."""
    pytest.importorskip("matplotlib")
    file = tmp_path / "plot.svg"
    ran = run("trace", trace, "--plot", file)
    assert ran.code == 0
    assert "copy_page_range" in file.read_text()


def test_a_timeline_is_written_beside_the_findings(run, trace, tmp_path):
    """Sections as slices that ui.perfetto.dev shows."""
    file = tmp_path / "t.json"
    ran = run("trace", trace, "--timeline", file)
    assert (ran.code, ran.out) == (0, "")
    slices = [one for one in json.loads(file.read_text())["traceEvents"] if one["ph"] == "X"]
    assert [(one["name"], one["dur"]) for one in slices] == [("copy_page_range", 250.0)]


def test_a_trace_that_cannot_be_read_leaves_no_half_timeline(run, tmp_path):
    """One sentence and exit code 2."""
    file = tmp_path / "t.json"
    ran = run("trace", tmp_path / "there-is-none.trace", "--timeline", file)
    assert (ran.code, ran.err.count("\n"), file.exists()) == (2, 1, False)


def test_a_timeline_never_takes_the_place_of_its_trace(run, trace):
    """The trace is as it was."""
    ran = run("trace", trace, "--timeline", trace)
    assert (ran.code, "would overwrite the trace" in ran.err) == (2, True)
    assert trace.read_text() == TRACE


NESTED = TRACE.replace("xen_leave", "xen_enter") + 2 * (TRACE.splitlines()[-1] + "\n")


@pytest.mark.parametrize("option", ["--plot", "--timeline"])
def test_what_cannot_be_drawn_costs_no_finding(run, trace, tmp_path, option):
    """The findings are printed, then one sentence says what failed, with exit code 2."""
    if option == "--plot":
        pytest.importorskip("matplotlib")
        file = tmp_path / "no-such-folder" / "plot.svg"
    else:
        file = Path("/dev/full")
        if not file.exists():
            pytest.skip("this system has no /dev/full")
    trace.write_text(NESTED)
    ran = run("trace", trace, option, file, "-q")
    assert ran.code == 2
    assert "[nested-section]" in ran.out
    assert (ran.err.count("\n"), "cannot write" in ran.err) == (1, True)


def test_without_matplotlib_a_plot_is_refused_before_anything_is_read(run, monkeypatch):
    """One sentence, and exit code 2."""
    monkeypatch.setattr(plot, "find_spec", lambda _name: None)
    ran = run("trace", "there-is-none.trace", "--plot", "plot.svg")
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert "needs matplotlib" in ran.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--plot", "plot.pdf"], "a plot is a file named *.svg or *.png"),
        (["--summary", "--format", "sarif"], "a summary is text or JSON"),
        (["other.trace", "--plot", "plot.svg"], "a plot is of one trace"),
        (["other.trace", "--timeline", "t.json"], "a timeline is of one trace"),
        (["--timeline", "missing/t.json"], "cannot write missing/t.json"),
        (["--compare"], "--compare takes two traces, not 1"),
        (["b.trace", "--compare", "--summary"], "--compare and --summary are two outputs"),
        (["b.trace", "--compare", "--format", "csv"], "a comparison is text or JSON"),
    ],
)
def test_what_cannot_be_is_one_sentence(run, trace, arguments, sentence):
    """A plot or a format that cannot be is one sentence and exit code 2."""
    ran = run("trace", trace, *arguments)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert sentence in ran.err
