# SPDX-License-Identifier: GPL-2.0-or-later
"""Outputs that are closed, full, or taken away: a sentence or silence, and never a false 0."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lazymmu.cli.command import VERBS

TOP = Path(__file__).parents[2]
TREE = str(TOP / "examples" / "linux-old")
EVENTS = "dialect no-nesting\nT0: enable\nT0: enable\n"
PATCH = """\
Subject: [PATCH] mm: say what this is

--- /dev/null
+++ b/mm/said.c
@@ -0,0 +1 @@
+/* nothing */
"""

COMMANDS = {
    "check": (["check", TREE, "--arch", "x86", "--path", "mm/wrong_free.c"], 1),
    "history": (["history", TREE, "--arch", "x86"], 1),
    "review": (["review", "{patch}", "--tree", TREE, "--arch", "x86"], 0),
    "cost": (["cost", "zap_pte_range", "--arch", "x86", "--entries", "8"], 0),
    "sections": (["sections", TREE, "--arch", "x86"], 0),
    "verify": (["verify", "--scenario", "leave-before-unlock", "--jobs", "1"], 0),
    "litmus": (["litmus", "{litmus}", "--jobs", "1"], 0),
    "trace": (["trace", str(TOP / "examples/trace/xen-6.12.107.trace.gz")], 1),
    "probes": (["probes", "--arch", "x86", "--release", "6.12"], 0),
    "explain": (["explain"], 0),
    "replay": (["replay", "{events}"], 1),
    "demo": (["demo"], 0),
    "cache": (["cache", "show", "--cache-dir", "/nonexistent/none"], 0),
    "port": (["port", "questions"], 0),
    "completion": (["completion", "bash"], 0),
    "--version": (["--version"], 0),
    "--help": (["check", "--help"], 0),
}


@pytest.fixture
def started(tmp_path):
    """Runs a verb by a shell, with a redirection; gives its code, output and errors."""
    litmus = TOP / "src/lazymmu/litmus/scenarios/leave-before-unlock.litmus"
    (tmp_path / "events").write_text(EVENTS)
    (tmp_path / "patch").write_text(PATCH)
    given = {"litmus": litmus, "events": tmp_path / "events", "patch": tmp_path / "patch"}

    def start(name, redirection, *more):
        arguments, code = COMMANDS[name]
        arguments = [a.format(**given) for a in arguments]
        done = subprocess.run(
            ["bash", "-c", f'"$@" {redirection}', "bash", sys.executable, "-m", "lazymmu",
             *arguments, *more],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        for mark in ("Traceback", "Exception ignored", "internal error"):
            assert mark not in done.stderr
        return done, code

    return start


@pytest.mark.parametrize("name", COMMANDS)
def test_an_output_that_is_closed_or_full_is_one_sentence(started, name):
    """Whoever waits for the answer must not take silence for it."""
    for redirection, why in ((">&-", "it is closed"), (">/dev/full", "No space left on device")):
        done, _ = started(name, redirection)
        assert done.returncode == 2
        assert done.stderr == f"lazymmu: cannot write to standard output: {why}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_reader_who_goes_away_is_no_error_but_a_clean_answer_is_none(started, name):
    """`| true`: nothing was read; 1 stays, and 0 would be believed."""
    done, code = started(name, "| true; exit ${PIPESTATUS[0]}")
    # A short answer may be in the pipe before its reader has gone.
    assert done.returncode in {code, code or 2}
    assert "lazymmu: cannot write" not in done.stderr
    read, write = os.pipe()
    os.close(read)
    try:
        arguments, code = COMMANDS[name]
        if not any("{" in one for one in arguments):
            done = subprocess.run(
                [sys.executable, "-m", "lazymmu", *arguments],
                stdout=write, stderr=subprocess.PIPE, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == (code or 2)
            assert "Exception ignored" not in done.stderr
    finally:
        os.close(write)


@pytest.mark.parametrize("name", COMMANDS)
def test_errors_that_nobody_can_hear_change_nothing(started, name):
    """Neither the code nor the result, which never holds what was meant for standard error."""
    plain, code = started(name, "")
    for redirection in ("2>&-", "2>/dev/full", "<&-"):
        done, _ = started(name, redirection)
        assert done.returncode == code
        assert done.stdout == plain.stdout
    done, _ = started(name, ">&- 2>&- <&-")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "")


def test_a_wrong_argument_is_2_however_little_can_be_said(started):
    """argparse would say it on standard output when there is no standard error."""
    for redirection in ("2>&-", "2>/dev/full", ">&- 2>&-"):
        done, _ = started("explain", redirection, "--nonsense")
        assert (done.returncode, done.stdout, done.stderr) == (2, "", "")


WRITES = [
    name for name in COMMANDS if not name.startswith("--") and name not in {"completion", "port"}
]


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize(
    ("output", "why"),
    [
        ("/dev/full", "No space left on device"),
        ("{tmp}", "Is a directory"),
        ("{tmp}/" + "n" * 256, "File name too long"),
        ("d/" * 2500, "File name too long"),
        ("{tmp}/none/x", "No such file or directory"),
        ("/proc/x", "No such file or directory"),
    ],
    ids=["full", "directory", "name", "path", "nowhere", "forbidden"],
)
def test_a_file_that_cannot_be_written_is_one_sentence(run, tmp_path, name, output, why):
    """In place of a traceback after minutes of work; nothing is left beside it."""
    (tmp_path / "events").write_text(EVENTS)
    (tmp_path / "patch").write_text(PATCH)
    litmus = TOP / "src/lazymmu/litmus/scenarios/leave-before-unlock.litmus"
    given = {"litmus": litmus, "events": tmp_path / "events", "patch": tmp_path / "patch"}
    arguments = [a.format(**given) for a in COMMANDS[name][0]]
    ran = run(*arguments, "--output", output.format(tmp=tmp_path))
    assert (ran.code, ran.out) == (2, "")
    last = ran.err.splitlines()[-1]
    assert last.startswith("lazymmu: cannot write ")
    assert last.endswith(f": {why}")
    assert len(last) < 1100
    assert sorted(file.name for file in tmp_path.iterdir()) == ["events", "patch"]


def test_a_baseline_that_cannot_be_written_is_one_sentence(run, tmp_path):
    """A baseline that cannot be written is said in one sentence, as results are."""
    ran = run("check", TREE, "--arch", "x86", "--write-baseline", tmp_path / ("n" * 256))
    assert ran.code == 2
    assert ran.err.endswith(": File name too long\n")


def test_a_file_with_the_longest_name_can_be_written(run, tmp_path):
    """What is written first beside it has a name of its own."""
    file = tmp_path / ("n" * 255)
    assert run("explain", "--output", file).code == 0
    assert file.read_text() == run("explain").out


def test_a_pipe_is_an_output_like_any_other(tmp_path):
    """`--output /dev/stdout`, and `>(...)` of a shell."""
    done = subprocess.run(
        [sys.executable, "-m", "lazymmu", "explain", "--output", "/dev/stdout"],
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert b"nested-section" in done.stdout


def test_every_verb_is_tried():
    """A new one comes to this file."""
    # What record does takes a kernel that can be traced, and lab one that boots: test_record.py and
    # test_lab.py make one up. What mcp says goes to a client (tests/robots).
    assert {verb.NAME for verb in VERBS} - set(COMMANDS) == {"lab", "mcp", "record"}
