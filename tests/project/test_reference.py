# SPDX-License-Identifier: GPL-2.0-or-later
"""The reference: what lazymmu says is kept, and a difference is told by rule, place and count."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tools import reference_compare, reference_facts

TOP = Path(__file__).parents[2]

FINDING = {
    "rule": "nested-section",
    "severity": "hurts",
    "file": "mm/a.c",
    "line": 3,
    "function": "f",
    "message": "begins a section inside a section",
    "path": [{"file": "mm/a.c", "line": 2, "note": "calls g()"}],
}


def output(*findings: dict, **more: object) -> str:
    """The JSON of a check with these findings."""
    return json.dumps(
        {"format": 1, "findings": findings, "coverage": {"lines": {"walked": 3}} | more}
    )


@pytest.fixture
def told():
    """Compare two outputs of one run: the lines of difference, and the notes."""

    def run(before: str, after: str, *, codes: tuple[int, int] = (1, 1)):
        runs = [
            {"run": reference_compare.Run("check json", code, tuple(reference_facts.records(text)))}
            for code, text in zip(codes, (before, after), strict=True)
        ]
        found = reference_compare.compare(*runs)
        return found.differences, found.notes

    return run


def test_the_same_findings_in_another_order_and_layout_are_no_difference(told):
    """The order of findings, the number of the format and the prose are free to change."""
    other = FINDING | {"line": 9}
    reworded = FINDING | {
        "message": "begins one inside another",
        "path": [FINDING["path"][0] | {"note": "x"}],
    }
    after = json.dumps(json.loads(output(other, reworded)) | {"format": 2})
    assert told(output(FINDING, other), after) == ([], [])


@pytest.mark.parametrize(
    ("changed", "wants"),
    [
        ({"severity": "breaks-text"}, "severity hurts -> breaks-text"),
        ({"line": 4}, "line 3 -> 4"),
        ({"rule": "sleep-in-section"}, "rule nested-section -> sleep-in-section"),
        ({"path": []}, "path ["),
    ],
)
def test_a_change_of_a_finding_is_told_by_field_and_both_values(told, changed, wants):
    """Whoever reads the difference sees at once which fact of which finding changed."""
    differences, _ = told(output(FINDING), output(FINDING | changed))
    (line,) = differences
    assert "mm/a.c" in line
    assert wants in line


def test_a_finding_that_is_gone_or_twice_is_a_difference(told):
    """Findings are compared as often as they occur, so two equal ones are not one."""
    gone = told(output(FINDING), output())[0]
    assert any("number_of_findings 1 -> 0" in line for line in gone)
    assert any("gone: rule nested-section, file mm/a.c" in line for line in gone)
    twice = told(output(FINDING), output(FINDING, FINDING))[0]
    assert any("new: rule nested-section" in line for line in twice)


def test_a_count_is_compared_wherever_it_stands(told):
    """A line that was walked before and is lost now differs, though `lost` is a key nobody knew."""
    before = json.dumps({"findings": [], "coverage": {"lines": {"walked": 3}}})
    after = json.dumps({"findings": [], "coverage": {"lines": {"walked": 3, "lost": 1}}})
    (line,) = told(before, after)[0]
    assert "lines.lost null -> 1" in line


def test_the_exit_code_is_compared(told):
    """The same findings with another exit code break a gate."""
    assert told(output(), output(), codes=(1, 0))[0] == ["run: exit code 1 -> 0"]


def test_a_renamed_key_and_a_new_one_are_allowed_and_a_lost_one_is_not(told):
    """Schemas allow additions; camelCase became snake_case; but no fact may go away."""
    one = {"trace": "a/b.trace", "findings": [], "notListed": {"nested-section": 2}}
    renamed = {"trace": "a/b.trace", "findings": [], "not_listed": {"nested-section": 2}}
    before, after = (json.dumps({"traces": [trace]}) for trace in (one, renamed))
    assert told(before, after) == ([], [])
    added = json.dumps({"traces": [renamed | {"fingerprint": "1f"}]})
    assert told(before, added) == ([], ["check json: new key traces/fingerprint"])
    assert told(added, after)[0] == ["check json: key traces/fingerprint is gone"]


def test_a_counterexample_with_other_steps_differs(told):
    """The steps are kept as their number and a digest, in which each action counts."""
    steps = [{"action": "cpu0 goes on", "events": ["T0: enable cpu=0"], "note": "x"}]
    result = {"scenario": "s", "arch": "x86", "verdict": "violated", "seconds": 1.5, "trace": steps}
    other = result | {"seconds": 9, "trace": [steps[0] | {"note": "y"}]}
    moved = result | {"trace": [steps[0] | {"action": "cpu1 goes on"}]}
    texts = [json.dumps({"results": [one]}) for one in (result, other, moved)]
    assert told(texts[0], texts[1]) == ([], [])
    (line,) = told(texts[0], texts[2])[0]
    assert "scenario s, arch x86: trace 1 steps" in line


def test_sarif_is_compared_by_rule_level_and_place(told):
    """What a reviewer's tool shows of a result is compared, and its message is not."""

    def sarif(level: str, message: str) -> str:
        region = {"startLine": 3}
        place = {"physicalLocation": {"artifactLocation": {"uri": "mm/a.c"}, "region": region}}
        result = {"ruleId": "r", "level": level, "message": {"text": message}, "locations": [place]}
        driver = {"name": "lazymmu", "rules": [{"id": "r"}]}
        return json.dumps({"runs": [{"tool": {"driver": driver}, "results": [result]}]})

    assert told(sarif("error", "one"), sarif("error", "other")) == ([], [])
    (line,) = told(sarif("error", "one"), sarif("warning", "one"))[0]
    assert "level error -> warning" in line


def test_the_tool_keeps_runs_and_compares_them(tmp_path):
    """From the command line: two references of one commit are equal, and an edited one is not."""

    def tool(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tools.reference", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=TOP)

    before, after = tmp_path / "before", tmp_path / "after"
    for folder in (before, after):
        done = tool(folder, "--only", "^replay-nested-section-(bad|good)$", "--trees", tmp_path)
        assert (done.returncode, done.stdout) == (0, f"2 runs in {folder}\n"), done.stderr
    assert "left out: no tree" in done.stderr
    done = tool("--compare", before, after, "--sentences")
    assert (done.returncode, done.stdout) == (0, "nothing differs\n")
    file = after / "replay-nested-section-bad.run.json"
    file.write_text(file.read_text().replace('"exit": 1', '"exit": 0'))
    (after / "replay-nested-section-good.run.json").unlink()
    done = tool("--compare", before, after)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "replay-nested-section-good: this run is not there any more",
        "replay-nested-section-bad: exit code 1 -> 0",
        "2 differences",
    ]
    done = tool("--compare", before, after, "--only", "nothing-of-the-kind|section-sleeps")
    assert (done.returncode, done.stdout) == (0, "nothing differs\n")
    done = tool("--compare", before, tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "holds no reference" in done.stderr
