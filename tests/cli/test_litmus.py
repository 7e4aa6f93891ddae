# SPDX-License-Identifier: GPL-2.0-or-later
"""`lazymmu litmus`: files of one's own, and what comes of what they expect."""

from __future__ import annotations

import io
import json

import pytest

TWO = """\
litmus two
"A section inside a section."

machine: cpus 1, bound 0
entries: p pte kernel = none

task T0 on cpu0:
    lazy_mmu_mode_enable
    lazy_mmu_mode_enable
    set_pte p A
    lazy_mmu_mode_disable
    lazy_mmu_mode_disable

watch kernel-bug
occurs: enable depth=1
finally: p = A

expect:
    xen-exclusive: violated kernel-bug, 0 preemptions
    x86: holds
"""


@pytest.fixture
def litmus(run, tmp_path):
    """Runs `lazymmu litmus` with the plain engine on a file with the given text."""
    file = tmp_path / "two.litmus"

    def ran(text, *arguments):
        file.write_text(text)
        return run("litmus", file, "--engine", "python", "--jobs", 1, *arguments)

    return ran


def test_a_file_whose_expectations_are_met_ends_with_0(litmus):
    """Also when what it expects is a violation."""
    ran = litmus(TWO)
    assert ran.code == 0
    assert "violated: kernel-bug (0 preemptions, " in ran.out
    assert "CPU0" not in ran.out
    assert ran.err.startswith("lazymmu: all as expected; ")


def test_every_counterexample_is_shown_on_request(litmus):
    """With --verbose every counterexample is printed, expected or not."""
    assert "two: violated on x86 (xen-exclusive" in litmus(TWO, "--verbose").out


def test_what_differs_is_named_with_the_line_that_expects_it(litmus):
    """An editor jumps to it, and the counterexample says how it happens."""
    ran = litmus(TWO.replace("violated kernel-bug, 0 preemptions", "holds"))
    assert ran.code == 1
    assert (
        "two.litmus:19:5: error: x86 xen-exclusive 6.1.176: expected holds, found violated "
        "(kernel-bug)\n"
    ) in ran.out
    assert "two: violated on x86 (xen-exclusive" in ran.out


def test_a_situation_that_never_occurs_fails(litmus):
    """A scenario that shows nothing must not pass."""
    ran = litmus(TWO.replace("enable depth=1", "switch_out why=preempted"))
    assert ran.code == 1
    assert "never occurs: switch_out why=preempted" in ran.out


def test_a_bound_that_is_hit_leaves_it_open(litmus):
    """It is neither as expected nor not."""
    ran = litmus(TWO, "--max-states", 2, "--release", "6.12.8")
    assert ran.code == 3
    assert "two.litmus:20:5: warning: x86 xen-nesting-count 6.12.8: expected holds" in ran.out
    assert ran.err.startswith("lazymmu: 1 open; ")


def test_a_file_without_expectations_runs_everywhere_and_is_to_hold(litmus):
    """The shortest file that does something."""
    text = TWO.partition("occurs")[0]
    ran = litmus(text, "--arch", "x86")
    assert ran.code == 1
    assert ran.out.count("holds (") >= 2
    assert ":1:1: error: x86 xen-exclusive 6.1.176: expected holds, found violated" in ran.out


def test_what_a_file_is_silent_about_is_not_run_and_that_is_said(litmus):
    """What a file says nothing about is not run and is named.

    Silence would look like success.
    """
    ran = litmus(TWO, "--arch", "sparc")
    assert (ran.code, ran.out) == (3, "")
    assert "two.litmus: expects nothing of such an implementation; --all runs it on all" in ran.err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", ":1:1: expected `litmus`, found the end of the file"),
        (TWO.replace("set_pte p", "set_pet p"), ":10:5: there is no operation `set_pet`; did you"),
        (TWO.replace("xen-exclusive", "xen-exclusiv"), ":19:5: there is no architecture or feat"),
    ],
)
def test_a_broken_file_is_one_sentence_with_its_place(litmus, text, says):
    """And nothing of the others is run."""
    ran = litmus(text)
    assert (ran.code, ran.out) == (2, "")
    assert f"two.litmus{says}" in ran.err
    assert ran.err.count("\n") == 1


def test_bytes_that_are_no_text_and_files_that_are_not_there_are_said(run, tmp_path):
    """Bytes that are no text, and files that are not there, are told.

    Whatever a shell's wildcard finds.
    """
    file = tmp_path / "a.litmus"
    file.write_bytes(b"litmus \xff")
    ran = run("litmus", file)
    assert (ran.code, ran.err) == (2, f"lazymmu: {file}: not text in UTF-8\n")
    assert run("litmus", tmp_path / "b.litmus").code == 2


def test_standard_input_is_a_file_too(run, monkeypatch):
    """A scenario can be made by a program and piped."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"litmus ?\n")))
    assert run("litmus", "-").err.startswith("lazymmu: <stdin>:1:8: ")


def test_two_files_of_one_name_are_refused(run, tmp_path):
    """Their results could not be told apart."""
    first, second = tmp_path / "a.litmus", tmp_path / "b.litmus"
    first.write_text(TWO)
    second.write_text(TWO)
    ran = run("litmus", first, second)
    assert ran.code == 2
    assert f"{second}: a scenario 'two' is in {first}, too" in ran.err


def test_json_says_which_expectations_are_met(litmus):
    """For programs; the scenario's text comes along, so that it can be replayed."""
    ran = litmus(TWO.replace("x86: holds", "x86: never-occurs"), "--format", "json")
    value = json.loads(ran.out)
    assert {(one["feature"], one["expected"]) for one in value["results"]} >= {
        ("xen-exclusive", "met"),
        ("xen-nesting-count", "differs"),
    }
    assert value["scenarios"]["two"].startswith("litmus two\n")


def test_ktap_has_a_result_for_each_run(litmus):
    """The kernel's test harnesses read it."""
    ran = litmus(TWO, "--format", "ktap", "--release", "6.12.8")
    assert ran.out.startswith("KTAP version 1\n1..1\n  KTAP version 1\n  # Subtest: two\n  1..1\n")
    assert ran.out.endswith(
        "  ok 1 x86 xen-nesting-count 6.12.8\nok 1 two\n# Totals: pass:1 fail:0 skip:0 total:1\n"
    )


def test_list_has_the_operations_and_the_events(run):
    """With what they take, and where the kernel has them."""
    done = run("litmus", "--list")
    assert done.code == 0
    assert "  copy_pte_range entry entry  [mm/memory.c]\n" in done.out
    assert "  observed\n" in done.out
    assert "xen-cpu-strict" in done.out


def test_a_port_is_tried_with_a_file_on_the_release_that_is_named(run, tmp_path):
    """Its generic code is that release's."""
    import inspect

    from lazymmu.machine.arch import template

    port, file = tmp_path / "mine.py", tmp_path / "two.litmus"
    port.write_text(inspect.getsource(template))
    file.write_text(TWO.partition("expect:")[0])
    done = run("litmus", "--port", port, "--release", "6.12.8,7.3.4", file)
    assert [line.split()[:3] for line in done.out.splitlines() if line.startswith("  port")] == [
        ["port", "mine-batch", "6.12.8"],
        ["port", "mine-batch", "7.3.4"],
    ]
