# SPDX-License-Identifier: GPL-2.0-or-later
"""`lazymmu trace`: what it prints, where, and how it ends."""

from __future__ import annotations

import gzip
import io
import json
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples" / "trace"
XEN = EXAMPLES / "xen-6.12.107.trace.gz"
SPARC = EXAMPLES / "sparc64-7.1.13.trace.gz"
ARM64 = EXAMPLES / "arm64-7.3.4.trace.gz"


def test_violations_end_with_1_and_are_told_like_a_compiler(run):
    """File, line, severity, task, CPU, time, what, rule; then where the section began."""
    ran = run("trace", XEN, "--release", "6.12.107")
    assert ran.code == 1
    lines = ran.out.splitlines()
    assert lines[0] == (
        f"{XEN}:756:1: hurts: insmod-499 [000] 9.119120: begins a lazy MMU section inside a section"
        " [nested-section]"
    )
    assert lines[1] == (
        f"{XEN}:755:1: note: the section began here: [000] 9.119116: "
        "xen_enter_lazy_mmu <-0xffffffffc020f015"
    )
    assert any(line.startswith(">     756 | ") for line in lines)
    assert "BUG_ON() in enter_lazy() when the task is preempted at depth two" in ran.out
    assert "6.12.107 (option, read as 6.12.38: xen-nesting-count)" in ran.err
    assert "judged: unbalanced-section, nested-section" in ran.err
    assert "18 violations" in ran.err


def test_exit_zero_is_for_those_who_only_look(run):
    """The findings are there all the same."""
    ran = run("trace", XEN, "--exit-zero")
    assert ran.code == 0
    assert "[nested-section]" in ran.out


def test_a_kernel_that_behaves_ends_with_0(run):
    """Nothing on standard output, and what was seen on standard error."""
    ran = run("trace", SPARC)
    assert (ran.code, ran.out) == (0, "")
    assert "0 violations in 1441 lines, 298 sections" in ran.err
    assert "guessed from arch_enter_lazy_mmu_mode" in ran.err


def test_what_is_allowed_is_told_briefly_and_in_full_when_asked_for(run):
    """Preempted in a section on arm64, with the stack."""
    ran = run("trace", ARM64)
    assert ran.code == 0
    assert ran.out.count(": information: ") == 4
    assert "allowed on arm64" in ran.out
    assert "called from" not in ran.out
    ran = run("trace", ARM64, "--rule", "preempted-in-section")
    assert ran.code == 0
    assert ran.out.count("called from") == 4
    assert "walk_pgd_range <- " in ran.out


def test_what_a_kernel_never_shows_is_said(run):
    """No violation is not the same on a kernel whose sections are inline."""
    assert "not visible on this kernel: where sections begin" in run("trace", ARM64).err
    assert "not visible" not in run("trace", SPARC).err


def test_several_traces_are_one_run(run):
    """One of them with a violation is enough."""
    assert run("trace", SPARC, XEN, ARM64).code == 1
    assert run("trace", SPARC, ARM64).code == 0


def test_a_trace_without_the_mode_ends_with_3(run, tmp_path):
    """A trace without the mode ends with 3, because there is nothing to judge."""
    path = tmp_path / "trace"
    path.write_text(
        "            init-1       [001] .....     1.000001: sched_waking: comm=a pid=2\n"
    )
    ran = run("trace", path)
    assert ran.code == 3
    assert "nothing in it shows the lazy MMU mode" in ran.err


@pytest.mark.parametrize("text", ["", "\n\n", "hello\nworld\n", "\x00\x01\x02\n"])
def test_what_is_no_trace_ends_with_2_and_one_sentence(run, tmp_path, text):
    """An empty file, prose and bytes are no trace: one sentence and exit code 2."""
    path = tmp_path / "trace"
    path.write_text(text)
    ran = run("trace", path)
    assert (ran.code, ran.out) == (2, "")
    assert len(ran.err.splitlines()) == 1


def test_wrong_arguments_are_one_sentence(run):
    """With the nearest that is right."""
    ran = run("trace", XEN, "--rule", "nested-sections")
    assert (ran.code, ran.out) == (2, "")
    assert "did you mean nested-section?" in ran.err
    assert run("trace", XEN, "--release", "newest").code == 2
    assert run("trace", XEN, "--arch", "riscv").code == 2
    assert run("trace", "-", "-").code == 2


def test_a_rule_that_no_trace_shows_is_refused(run):
    """A rule about locks is refused, because no trace shows them."""
    ran = run("trace", XEN, "--rule", "section-outside-lock")
    assert ran.code == 2
    assert "rule of traces" in ran.err


def test_standard_input_is_a_trace(run, monkeypatch):
    """Packed or not; its name in messages is <stdin>."""
    for data in (XEN.read_bytes(), gzip.decompress(XEN.read_bytes())):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        ran = run("trace", "-", "--rule", "nested-section")
        assert ran.code == 1
        assert ran.out.startswith("<stdin>:756:1: hurts: ")
        assert ran.out.count("[nested-section]") == 4


def test_findings_of_one_task_or_cpu(run):
    """Everything is followed; the others are not shown, and do not count."""
    ran = run("trace", XEN, "--task", "27")
    assert ran.code == 1
    assert ran.out.count("hurts:") == 2
    assert "ksoftirqd/1-27" in ran.out
    assert run("trace", XEN, "--task", "1").code == 0
    assert run("trace", XEN, "--cpu", "0").out.count("hurts: swapper/0-0") == 4


def test_json_has_it_all(run, tmp_path):
    """Kernel, counts, findings with their spots, and what cannot be told."""
    path = tmp_path / "out.json"
    assert run("trace", XEN, SPARC, "--format", "json", "--output", path).code == 1
    value = json.loads(path.read_text())
    xen, sparc = value["traces"]
    assert (xen["arch"], xen["release"]) == ("x86", "")
    assert (xen["seen"]["sections"], sparc["seen"]["sections"]) == (53, 298)
    assert sparc["findings"] == []
    first = xen["findings"][0]
    assert (first["rule"], first["verdict"], first["pid"]) == ("nested-section", "violation", 499)
    assert (first["at"]["line"], first["began"][0]["line"]) == (756, 755)


def test_sarif_is_valid_and_points_into_the_trace(run):
    """One run for each trace, a code flow from where the section began; information if asked."""
    ran = run("trace", XEN, "--format", "sarif")
    assert ran.code == 1
    log = json.loads(ran.out)
    results = log["runs"][0]["results"]
    assert len(results) == 18
    assert {one["level"] for one in results} == {"error", "warning"}
    asked = run("trace", XEN, "--format", "sarif", "--rule", "preempted-in-section").out
    assert {one["level"] for one in json.loads(asked)["runs"][0]["results"]} == {"note"}
    assert results[0]["locations"][0]["physicalLocation"]["region"]["startLine"] == 756
    rules = log["runs"][0]["tool"]["driver"]["rules"]
    assert all(rules[one["ruleIndex"]]["id"] == one["ruleId"] for one in results)


def test_quiet_is_quiet(run):
    """With --quiet only the findings are printed."""
    ran = run("trace", XEN, "-q")
    assert ran.err == ""
    assert "[nested-section]" in ran.out


PAIR = "".join(
    f"            init-1       [001] .....     1.{number:06}: xen_{act}_lazy_mmu <-f\n"
    for number, act in enumerate(["enter", "leave"] * 5000)
)
NESTED = PAIR + PAIR.splitlines(keepends=True)[0] * 2 + PAIR
XEN_612 = ("--arch", "x86", "--release", "6.12.8")


@pytest.mark.parametrize("form", ["gcc", "csv", "markdown", "junit", "sarif"])
def test_findings_beyond_those_listed_are_counted_whatever_the_format(run, tmp_path, form):
    """A thousand of a rule are listed; the others are said, where the format itself cannot."""
    trace = tmp_path / "many"
    trace.write_text(
        "".join(
            f"            init-1       [001] .....     1.{number:06}: xen_{act}_lazy_mmu <-f\n"
            for number, act in enumerate(["enter", "enter", "leave", "leave"] * 1500)
        )
    )
    ran = run("trace", trace, *XEN_612, "--format", form, "--output", tmp_path / "out")
    assert ran.code == 1
    assert f"{trace}: 500 more of nested-section are not listed" in ran.err


@pytest.mark.parametrize("quiet", [(), ("--quiet",)])
@pytest.mark.parametrize("cut", ["packed", "line"])
def test_a_trace_that_ends_early_is_never_clean(run, tmp_path, cut, quiet):
    """3 and the reason, also for who wants no summary; whole it is clean."""
    path = tmp_path / "t"
    whole = gzip.compress(PAIR.encode()) if cut == "packed" else PAIR.encode()
    path.write_bytes(whole)
    assert run("trace", path, *XEN_612, *quiet).code == 0
    path.write_bytes(whole[: len(whole) // 2 + 7])
    ran = run("trace", path, *XEN_612, *quiet)
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.count("not read to its end") == 1
    value = json.loads(run("trace", path, *XEN_612, "--format", "json").out)
    assert value["traces"][0]["complete"] is False
    (log,) = json.loads(run("trace", path, *XEN_612, "--format", "sarif").out)["runs"]
    assert log["invocations"][0]["executionSuccessful"] is False
    # Beside one that is whole, too.
    (tmp_path / "whole").write_text(PAIR)
    assert run("trace", tmp_path / "whole", path, *XEN_612).code == 3


def test_a_violation_in_the_part_that_was_read_is_1_and_the_loss_is_named(run, tmp_path):
    """A violation in the part that was read is 1, and what was lost after it is named."""
    path = tmp_path / "t"
    path.write_text(NESTED[:-9])
    ran = run("trace", path, *XEN_612, "--quiet")
    assert ran.code == 1
    assert "not read to its end: the last line is cut" in ran.err


@pytest.mark.parametrize("end", ["kill -9 $$", "exit 1"])
def test_a_trace_cmd_that_dies_is_never_clean(run, tmp_path, monkeypatch, end):
    """A trace-cmd that dies has told a part only, so that the answer is never clean."""
    (tmp_path / "text").write_text(PAIR)
    program = tmp_path / "trace-cmd"
    program.write_text(
        f'#!/bin/sh\ncase "$*" in *--uname*) exit;; esac\ncat {tmp_path}/text\n{end}\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    path = tmp_path / "trace.dat"
    path.write_bytes(b"\x17\x08\x44tracing7\x00")
    ran = run("trace", path, *XEN_612)
    assert ran.code == 3
    assert "not read to its end: trace-cmd failed: " in ran.err
    program.write_text(program.read_text().replace(end, "exit 0"))
    assert run("trace", path, *XEN_612).code == 0
