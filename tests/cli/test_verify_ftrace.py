# SPDX-License-Identifier: GPL-2.0-or-later
"""`lazymmu verify --format ftrace`: traces on standard output, reasons on standard error."""

from __future__ import annotations

SLEEP = "sleep-inside-section"


def test_a_violated_run_is_a_trace_that_the_other_verb_reads(run, tmp_path):
    """The same rule, of the scenario's task."""
    file = tmp_path / "trace"
    ran = run(
        *("verify", "--jobs", 1, "--scenario", SLEEP, "--arch", "x86", "--release", "6.12.8"),
        *("--format", "ftrace", "--output", file),
    )
    assert (ran.code, ran.out) == (1, "")
    read = run("trace", "--arch", "x86", "--release", "6.12.8", file)
    assert read.code == 1
    assert "T0-1000" in read.out
    assert "[sleep-in-section]" in read.out


def test_there_is_one_trace_for_each_run(run):
    """Each begins with what it is of."""
    ran = run(
        *("verify", "--jobs", 1, "--scenario", SLEEP, "--arch", "x86"),
        *("--release", "6.1.176,6.12.8,7.1.13", "--format", "ftrace"),
    )
    heads = [line for line in ran.out.splitlines() if line.startswith("# lazymmu verify: ")]
    assert [head.partition("Linux ")[2].partition(")")[0] for head in heads] == [
        "6.1.176",
        "6.12.8",
        "7.1.13",
    ]
    assert ran.out.count("# tracer: function") == 3


def test_what_no_trace_tells_is_said(run):
    """On standard error, with the reason; the counterexample is one all the same."""
    ran = run(
        *("verify", "--jobs", 1, "--scenario", SLEEP, "--arch", "arm64", "--release", "6.18.5"),
        *("--format", "ftrace"),
    )
    assert (ran.code, ran.out.strip()) == (1, "")
    assert "a trace of that kernel shows nothing of the lazy MMU mode" in ran.err


def test_a_stored_counterexample_can_be_written_as_a_trace(run, tmp_path):
    """A stored counterexample is written as a trace again, without a search."""
    file = tmp_path / "result.json"
    chosen = ("--scenario", SLEEP, "--arch", "x86", "--release", "6.12.8")
    run("verify", "--jobs", 1, *chosen, "--format", "json", "--output", file)
    again = run("verify", "--replay", file, "--format", "ftrace")
    assert again.code == 1
    assert "breaks sleep-in-section" in again.out


def test_runs_without_a_violation_print_nothing(run):
    """Runs without a violation print no trace, because there is nothing to record."""
    ran = run(
        *("verify", "--jobs", 1, "--scenario", "read-after-flush", "--arch", "x86"),
        *("--release", "6.12.8", "--format", "ftrace"),
    )
    assert (ran.code, ran.out.strip()) == (0, "")
