# SPDX-License-Identifier: GPL-2.0-or-later
"""`lazymmu check`: options, streams and exit codes."""

from __future__ import annotations

import json

import pytest

from lazymmu.witness.finding import Confidence, Coverage, Severity

FOUND, CLEAN, FAILED, INCONCLUSIVE = 1, 0, 2, 3


def test_findings_go_to_standard_output_and_the_summary_to_standard_error(
    run, checked, make_finding, make_result
):
    """`lazymmu check linux > findings` leaves nothing but findings in the file."""
    checked(make_result(make_finding()))
    ran = run("check", "linux")
    assert ran.code == FOUND
    assert ran.out.startswith("mm/inner.c:41:2: hurts: inner_pte_range(): ")
    assert all(": hurts: " in line or line.startswith("  ") for line in ran.out.splitlines())
    assert "1 finding (1 hurts an architecture)" in ran.err


def test_a_clean_tree_ends_with_0(run, checked, make_result):
    """Something was checked and nothing was found."""
    checked(make_result())
    ran = run("check", "linux")
    assert (ran.code, ran.out) == (CLEAN, "")


def test_information_alone_is_clean_and_the_summary_says_how_to_see_it(
    run, checked, make_finding, make_result
):
    """What only informs never fails a build."""
    note = make_finding(rule="preempted-in-section", severity=Severity.INFORMATION)
    checked(make_result(note))
    ran = run("check", "linux")
    assert (ran.code, ran.out) == (CLEAN, "")
    assert "--rule preempted-in-section shows it" in ran.err
    assert run("check", "linux", "--rule", "preempted-in-section").out.count(" information: ") == 1
    assert json.loads(run("check", "linux", "--format", "json").out)["findings"]


def test_exit_zero_changes_only_the_1(run, checked, make_finding, make_result):
    """A robot that only collects can tell findings from failures."""
    checked(make_result(make_finding()))
    assert run("check", "linux", "--exit-zero").code == CLEAN
    assert run("check", "linux", "--exit-zero", "--rule", "nest").code == FAILED
    checked(make_result(coverage=Coverage(0, 0)))
    assert run("check", "linux", "--exit-zero").code == INCONCLUSIVE


def test_the_options_reach_the_check(run, checked, make_result, tmp_path):
    """Architectures come in one order and once, whatever way they are given."""
    calls = checked(make_result())
    run(
        "check", "linux", "--arch", "sparc,x86", "--arch", "x86", "--rule", "stale-read",
        "--dialect", "counted", "--jobs", "2", "--cache-dir", tmp_path,
    )  # fmt: skip
    (call,) = calls
    assert call["arches"] == ("x86", "sparc")
    assert call["rules"] == ("stale-read",)
    assert (call["dialect"], call["jobs"], call["cache_dir"]) == ("counted", 2, tmp_path)


def test_the_cache_is_the_users_and_can_be_refused(
    run, checked, make_result, monkeypatch, tmp_path
):
    """XDG says where; a relative XDG_CACHE_HOME is invalid by its specification and ignored."""
    calls = checked(make_result())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    run("check", "linux")
    run("check", "linux", "--no-cache")
    monkeypatch.setenv("XDG_CACHE_HOME", "somewhere")
    home = tmp_path / "someone"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    run("check", "linux")
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    run("check", "linux")
    dirs = [call["cache_dir"] and str(call["cache_dir"]) for call in calls]
    assert dirs == [f"{tmp_path}/lazymmu", None, f"{home}/.cache/lazymmu", None]


def test_an_architecture_without_the_mode_is_said_and_ends_with_3(run, checked, make_result):
    """Silence about arm64 in an old tree must not read as "arm64 is clean"."""
    checked(make_result())
    ran = run("check", "linux", "--arch", "x86,arm64")
    assert ran.code == INCONCLUSIVE
    assert "linux: this tree does not implement the lazy MMU mode on arm64" in ran.err
    assert "on x86" not in ran.err


def test_a_tree_without_the_mode_is_an_answer_in_every_format(run, tree):
    """A program that reads JSON reads it here, too."""
    ran = run("check", tree, "--format", "json", "--arch", "sparc")
    assert ran.code == INCONCLUSIVE
    value = json.loads(ran.out)
    assert (value["tree"]["release"], value["arches"], value["findings"]) == ("6.12.8", [], [])
    assert "does not implement the lazy MMU mode on sparc" in ran.err


def test_findings_count_for_more_than_an_architecture_that_is_missing(
    run, checked, make_finding, make_result
):
    """1 says that something is wrong, whatever else is."""
    checked(make_result(make_finding()))
    assert run("check", "linux", "--arch", "x86,arm64").code == FOUND


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"arches": ()}, "linux: no architecture of this tree implements the lazy MMU mode"),
        (
            {"coverage": Coverage(0, 0)},
            "linux: no lazy MMU section found, so nothing was checked",
        ),
    ],
)
def test_nothing_to_check_ends_with_3_and_says_so(run, checked, make_result, given, sentence):
    """The word "clean" is a statement about something that was looked at."""
    checked(make_result(**given))
    ran = run("check", "linux")
    assert ran.code == INCONCLUSIVE
    assert sentence in ran.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--rule", "nested-sections"], "no rule 'nested-sections'; did you mean nested-section?"),
        (["--arch", "sparc64"], "there is no architecture 'sparc64'; did you mean sparc?"),
        (["--arch", "mips"], "no architecture 'mips'; there are arm64, powerpc, sparc, x86"),
        (["--dialect", "6.1"], "there is no dialect '6.1'; there are "),
        (["--compare"], "--compare needs at least two trees"),
        (["b", "--compare", "--format", "sarif"], "--compare has no format sarif"),
        (["b", "--since", "HEAD"], "--since needs exactly one tree"),
        (["b", "--write-baseline", "x"], "--write-baseline needs exactly one tree"),
        (["--baseline", "/nonexistent/base"], "cannot read /nonexistent/base: No such file"),
        (["--suppress", "/"], "cannot read /: Is a directory"),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_one_sentence_before_any_tree_is_read(
    run, checked, make_result, arguments, sentence
):
    """Nobody waits for a check to learn of a typing error."""
    calls = checked(make_result())
    ran = run("check", "linux", *arguments)
    assert ran.code == FAILED
    assert sentence in ran.err
    assert ran.err.count("\n") == 1
    assert ran.out == ""
    assert calls == []


def test_a_directory_that_is_no_kernel_is_one_sentence(run, tmp_path):
    """The commonest mistake gets the plainest answer."""
    ran = run("check", tmp_path)
    assert (ran.code, ran.out) == (FAILED, "")
    assert ran.err.startswith(f"lazymmu: {tmp_path}: not a kernel source tree")
    assert ran.err.count("\n") == 1


def test_low_confidence_is_not_counted_unless_asked_for(run, checked, make_finding, make_result):
    """By default a finding is worth reading; who wants more can have it."""
    checked(make_result(make_finding(confidence=Confidence.LOW)))
    ran = run("check", "linux")
    assert (ran.code, ran.out) == (CLEAN, "")
    assert "not counted: 1 below medium confidence" in ran.err
    assert run("check", "linux", "--min-confidence", "low").code == FOUND


def test_path_limits_what_is_reported_and_not_what_is_read(run, checked, make_finding, make_result):
    """A section may begin far from the code that one maintains."""
    calls = checked(make_result(make_finding()))
    ran = run("check", "linux", "--path", "fs", "--path", "drivers/")
    assert (ran.code, ran.out) == (CLEAN, "")
    assert "not counted: 1 outside --path" in ran.err
    assert "path" not in calls[0]
    assert run("check", "linux", "--path", "mm/outer.c").code == FOUND


def test_a_suppressed_finding_is_counted_and_a_stale_entry_is_named(
    run, checked, make_finding, make_result, tmp_path
):
    """A suppression file shrinks when the code is mended."""
    checked(make_result(make_finding()))
    file = tmp_path / "s.toml"
    file.write_text(
        '[[suppress]]\nrule = "nested-section"\nfunction = "inner_pte_range"\nreason = "judged"\n'
        '[[suppress]]\nrule = "stale-read"\nfile = "mm/gone.c"\nreason = "judged"\n'
    )
    ran = run("check", "linux", "--suppress", file)
    assert (ran.code, ran.out) == (CLEAN, "")
    assert "not counted: 1 suppressed" in ran.err
    assert f"{file}: suppression 2 (stale-read, mm/gone.c) is stale" in ran.err


def test_no_entry_is_called_stale_by_a_run_that_could_not_match_it(
    run, checked, make_result, tmp_path
):
    """A run over one architecture knows nothing of the others."""
    checked(make_result())
    file = tmp_path / "s.toml"
    file.write_text('[[suppress]]\nfingerprint = "f"\nreason = "judged"\n')
    for narrow in (["--arch", "x86"], ["--rule", "stale-read"]):
        assert "stale:" not in run("check", "linux", "--suppress", file, *narrow).err
    assert "is stale" in run("check", "linux", "--suppress", file, "--path", "fs").err


def test_a_baseline_hides_what_it_holds_and_nothing_else(
    run, checked, make_finding, make_result, tmp_path
):
    """Adopting the tool on an old tree takes one command."""
    old, new = make_finding(fingerprint="old"), make_finding(fingerprint="new", line=99)
    file = tmp_path / "base.json"
    checked(make_result(old))
    ran = run("check", "linux", "--write-baseline", file)
    assert (ran.code, ran.out) == (CLEAN, "")
    checked(make_result(old, new))
    ran = run("check", "linux", "--baseline", file)
    assert ran.code == FOUND
    assert ran.out.startswith("mm/inner.c:99:")
    assert "not counted: 1 in the baseline" in ran.err


def test_a_baseline_can_be_brought_up_to_date_in_place(
    run, checked, make_finding, make_result, tmp_path
):
    """What the old one held, and what this run does not show, is in the new one, too."""
    old, low = (
        make_finding(fingerprint="old"),
        make_finding(fingerprint="low", confidence=Confidence.LOW),
    )
    file = tmp_path / "base.json"
    checked(make_result(old, low))
    run("check", "linux", "--write-baseline", file)
    run("check", "linux", "--baseline", file, "--write-baseline", file, "--path", "fs")
    entries = json.loads(file.read_text())["findings"]
    assert {entry["fingerprint"] for entry in entries} == {"old", "low"}


def test_a_broken_baseline_is_one_sentence(run, checked, make_result, tmp_path):
    """A baseline that is no whole JSON document is refused with one sentence."""
    checked(make_result())
    file = tmp_path / "base.json"
    file.write_text('{"kind": "lazymmu-b')
    ran = run("check", "linux", "--baseline", file)
    assert ran.code == FAILED
    assert ran.err == f"lazymmu: {file}: not a baseline: it is not JSON\n"


def test_compare_is_a_table_of_findings_by_release(run, checked, make_finding, make_result):
    """Which of these kernels has the bug is one row."""
    checked(make_result(make_finding()), make_result())
    ran = run("check", "old", "new", "--compare")
    assert ran.code == FOUND
    header, row = ran.out.splitlines()
    assert header.split() == ["file", "function", "rule", "old", "new"]
    assert row.split() == ["mm/inner.c", "inner_pte_range()", "nested-section", "x86", "mended"]


def test_results_go_to_a_file_whole(run, checked, make_finding, make_result, tmp_path):
    """--output replaces a file, keeps its permissions, and leaves nothing beside it."""
    checked(make_result(make_finding()))
    file = tmp_path / "report.json"
    file.write_text("old")
    file.chmod(0o640)
    ran = run("check", "linux", "--format", "json", "--output", file)
    assert (ran.code, ran.out) == (FOUND, "")
    assert json.loads(file.read_text())["tree"]["path"] == "linux"
    assert file.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_cannot_be_written_is_one_sentence(run, checked, make_result, tmp_path):
    """The check is done, but its result is not delivered: that is a failure."""
    checked(make_result())
    ran = run("check", "linux", "--output", tmp_path / "no" / "where")
    assert ran.code == FAILED
    assert ran.err.startswith(f"lazymmu: cannot write {tmp_path}/no/where: No such file")


def test_quiet_says_only_what_is_wrong(run, checked, make_finding, make_result):
    """For scripts that read the exit code and the findings."""
    checked(make_result(make_finding()))
    assert run("check", "linux", "-q").err == ""
    assert "does not implement" in run("check", "linux", "-q", "--arch", "arm64").err


@pytest.mark.parametrize("form", ["text", "json", "sarif", "mail"])
def test_every_format_ends_with_the_same_code(run, checked, make_finding, make_result, form):
    """One table of exit codes, no exceptions."""
    checked(make_result(make_finding()))
    ran = run("check", "linux", "--format", form)
    assert ran.code == FOUND
    assert "inner_pte_range" in ran.out
