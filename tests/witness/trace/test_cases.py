# SPDX-License-Identifier: GPL-2.0-or-later
"""The labelled violations of a real kernel: what their lines show is what is found, no more."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from lazymmu.witness.trace.check import check_trace
from lazymmu.witness.trace.values import TraceResult, TraceVerdict

TABLE = tomllib.loads((Path(__file__).parent / "data" / "v612.toml").read_text("utf-8"))["case"]
ROOT = Path(__file__).parents[3]
NAMES = [case["name"] for case in TABLE]
HOME = "v612-6.12.107-preempt-full-violations"
_BEGIN = re.compile(rb"lv: BEGIN (\w+) expect=(.*)")


def found(watched: TraceResult, labels: list[tuple[int, str, str]]) -> list[tuple[str, list[str]]]:
    """For each label its findings: those on lines from it to the next label."""
    cases: list[tuple[str, list[str]]] = [(name, []) for _, name, _ in labels]
    for finding in watched.findings:
        at = [i for i, (line, _, _) in enumerate(labels) if line <= finding.location.line]
        assert at, f"a finding before the first case: {finding}"
        violation = finding.verdict is TraceVerdict.VIOLATION
        cases[at[-1]][1].append(finding.rule if violation else f"({finding.rule})")
    return cases


def labels_of(text: bytes) -> list[tuple[int, str, str]]:
    """Line, name and expectation of each BEGIN."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        begin = _BEGIN.search(line)
        if begin is not None:
            found.append((number, begin[1].decode(), begin[2].decode()))
    return found


@pytest.fixture(scope="module", params=["plain", "stack", "trace-cmd"])
def recording(request):
    """One form of the recording: its name, what was judged, and the labels in its text."""
    match request.param:
        case "plain":  # ships with the project
            path = ROOT / "examples" / "trace" / "xen-6.12.107.trace.gz"
            text = gzip.decompress(path.read_bytes())
        case "stack":
            path = request.getfixturevalue("recordings") / f"{HOME}/viol-stack.trace.gz"
            text = gzip.decompress(path.read_bytes())
        case _:
            program = shutil.which("trace-cmd")
            if program is None:
                pytest.skip("trace-cmd is not installed")
            path = request.getfixturevalue("recordings") / f"{HOME}/rec.dat"
            command = [program, "report", "-l", "-N", "-O", "parent", "-i", str(path)]
            text = subprocess.run(command, capture_output=True, check=True).stdout
    watched = check_trace(str(path), release="6.12.107")
    return request.param, watched, labels_of(text)


def test_each_case_is_found_as_its_lines_show_it(recording):
    """The table was made by reading the lines; where the label says else, the table says why."""
    form, watched, labels = recording
    cases = found(watched, labels)
    assert [name for name, _ in cases] == NAMES * 2
    wanted = []
    for run in (1, 2):
        for case in TABLE:
            wanted.append((case["name"], case.get("runs", {}).get(f"{form}/{run}", case["finds"])))
    assert cases == wanted


def test_the_labels_are_the_recorded_ones(recording):
    """The table quotes the module's expectations, so that nobody mistakes them for verdicts."""
    _, _, labels = recording
    assert {(name, label) for _, name, label in labels} == {
        (case["name"], case["label"]) for case in TABLE
    }


@pytest.mark.parametrize("case", TABLE, ids=NAMES)
def test_a_case_without_the_labelled_finding_says_why(case):
    """A label that is not held to, in some run or all, has its reason in the table."""
    wants = not case["label"].startswith("ok")
    outcomes = [case["finds"], *case.get("runs", {}).values()]
    if case.get("runs") or (wants and not case["finds"]):
        assert len(case["why"]) > 20
    assert all(isinstance(rule, str) for outcome in outcomes for rule in outcome)


def test_every_section_of_a_finding_began_where_it_says(recording):
    """The line where a section began holds an enter of the same task."""
    _, watched, _ = recording
    for finding in watched.findings:
        if finding.rule in ("nested-section", "sleep-in-section", "unbalanced-section"):
            assert finding.began
        for spot in finding.began:
            assert "xen_enter_lazy_mmu <-" in spot.text
            assert spot.line < finding.location.line


def test_stacks_are_told_where_they_were_recorded(recording):
    """The stack is that of the line itself: it holds the function, or the scheduler."""
    form, watched, _ = recording
    told = [finding.location for finding in watched.findings if finding.location.frames]
    if form != "stack":
        assert told == []
        return
    assert len(told) >= len(watched.findings) - 2
    for spot in told:
        wanted = "__schedule" if "sched_switch" in spot.text else spot.text.split(" ")[0]
        assert wanted in spot.frames
