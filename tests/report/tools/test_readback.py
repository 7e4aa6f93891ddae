# SPDX-License-Identifier: GPL-2.0-or-later
"""Each format with hostile names in it is read back by a reader of its kind, and says the same."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from urllib.parse import unquote

import jsonschema
import pytest
from junitparser import Error, Failure, JUnitXml, Skipped
from markdown_it import MarkdownIt
from sarif import loader

from lazymmu.report.common.formats import VERBS
from lazymmu.report.tools.csv import defused
from lazymmu.terminal import clean

SARIF = Path(__file__).parents[1] / "check" / "data" / "sarif-schema-2.1.0.json"


@pytest.mark.parametrize("name", VERBS["check"])
def test_nothing_acts_in_any_format(rendered, name):
    """What is not printable is spelt out, whoever looks at the file."""
    text = rendered(name)
    acts = {letter for letter in text if not letter.isprintable() and letter not in "\n\t"}
    assert not acts
    text.encode()
    # No robot reads a page line by line, and none of its text is markup (tests/report/page).
    begins = re.compile(r"(?m)^(?:::error file=x|not ok 1 forged)")
    assert name == "html" or not begins.search(text)


def test_sarif_is_valid_by_the_schema_and_read_by_sarif_tools(rendered, outcomes, tmp_path):
    """Two findings count, one is suppressed, and every place of a path is there in order."""
    text = rendered("sarif")
    log = json.loads(text)
    jsonschema.Draft7Validator(json.loads(SARIF.read_text())).validate(log)
    file = tmp_path / "a.sarif"
    file.write_text(text)
    read = loader.load_sarif_file(str(file))
    assert read.get_result_count() == 3
    counts = read.get_report().get_issue_count_for_severity
    assert [counts(level) for level in ("error", "warning", "note")] == [2, 1, 0]
    (run,) = log["runs"]
    hurts, _, aside = run["results"]
    (flow,) = hurts["codeFlows"][0]["threadFlows"]
    assert [one["executionOrder"] for one in flow["locations"]] == [1, 2]
    assert [one["id"] for one in hurts["relatedLocations"]] == [1]
    (suppression,) = aside["suppressions"]
    assert suppression["justification"] == outcomes[0].aside[0].reason
    assert (suppression["kind"], suppression["status"]) == ("external", "accepted")
    uri = hurts["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    file = outcomes[0].result.findings[0].file
    assert unquote(uri, errors="surrogateescape") == file


def test_junit_is_read_by_junitparser(rendered, outcomes):
    """Failures are what counts, an error what was lost, skipped what was set aside."""
    (suite,) = JUnitXml.fromstring(rendered("junit").encode())
    cases = list(suite)
    assert suite.name == clean(outcomes[0].result.tree.path)
    kinds = [type(result) for case in cases for result in case.result]
    assert (kinds.count(Failure), kinds.count(Error), kinds.count(Skipped)) == (2, 1, 1)
    assert (suite.failures, suite.errors, suite.skipped) == (2, 1, 1)
    assert suite.tests == len(cases)
    failed = next(case for case in cases if case.result and isinstance(case.result[0], Failure))
    finding = outcomes[0].result.findings[0]
    assert failed.name == clean(
        f"{finding.function}() in {finding.file}" if finding.function else finding.file
    )
    assert clean(finding.message) in failed.result[0].message
    skipped = next(case for case in cases if case.result and isinstance(case.result[0], Skipped))
    assert skipped.result[0].message.startswith("suppressed: because ")


def test_gitlab_has_its_documented_fields_and_unique_fingerprints(rendered):
    """A field that is missing, or a fingerprint that stands twice, makes GitLab lose findings."""
    found = json.loads(rendered("gitlab"))
    assert len(found) == 2
    for one in found:
        assert set(one) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert all(isinstance(one[key], str) for key in one if key != "location")
        assert one["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert set(one["location"]) == {"path", "lines"}
        assert not one["location"]["path"].startswith(("/", "./", "../"))
        assert one["location"]["lines"]["begin"] >= 1
    assert len({one["fingerprint"] for one in found}) == 2


def command(line: str) -> tuple[str, dict[str, str], str]:
    """A workflow command as GitHub's runner takes it apart (ActionCommand.TryParseV2)."""
    whole = re.fullmatch(r"::(\w+) (.*?)::(.*)", line)
    assert whole, line
    name, given, data = whole.groups()
    properties = {}
    for pair in given.split(","):
        key, _, value = pair.partition("=")
        for written, read in (("%2C", ","), ("%3A", ":"), ("%0A", "\n"), ("%25", "%")):
            value = value.replace(written, read)
        properties[key] = value
    return name, properties, data.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def test_github_commands_are_read_as_the_runner_does(rendered, outcomes):
    """A name with a comma or a colon stays one property, and a message one annotation."""
    lines = rendered("github").splitlines()
    error, warning, lost = map(command, lines)
    finding = outcomes[0].result.findings[0]
    assert (error[0], warning[0], lost[0]) == ("error", "warning", "warning")
    assert set(error[1]) == {"file", "line", "col", "title"}
    assert set(warning[1]) == {"file", "title"}
    assert error[1]["file"].endswith(clean(finding.file))
    assert clean(finding.message) in error[2].splitlines()[0]
    assert lost[1] == {"title": "lazymmu did not see all of it"}


def test_ktap_lines_and_plan_agree(rendered):
    """As kunit.py reads them: a plan, as many results, and no directive but ours."""
    lines = rendered("ktap").splitlines()
    assert lines[:2] == ["KTAP version 1", "1..1"]
    inner = [line.removeprefix("  ") for line in lines if line.startswith("  ")]
    (plan,) = (re.fullmatch(r"1\.\.(\d+)", line) for line in inner if line.startswith("1.."))
    results = [line for line in inner if re.match(r"(not )?ok ", line)]
    assert [int(re.findall(r"ok (\d+) ", line)[0]) for line in results] == list(
        range(1, int(plan[1]) + 1)
    )
    bad = [line for line in results if line.startswith("not ok")]
    assert len(bad) == 2
    assert bad[-1].endswith(" coverage # ERROR")
    assert sum("# Subtest:" in line for line in inner) == 1
    assert [line.partition("#")[2] for line in results if "#" in line] == [" ERROR"]
    (last,) = [line for line in lines if line.startswith(("ok", "not ok"))]
    assert last.startswith("not ok 1 ")
    assert "#" not in last


def test_csv_is_read_by_the_csv_module_and_holds_no_formula(rendered, outcomes):
    """Whoever opens it in a spreadsheet runs nothing of a stranger's."""
    rows = list(csv.DictReader(io.StringIO(rendered("csv"), newline="")))
    assert len(rows) == 3
    finding = outcomes[0].result.findings[0]
    for row in rows:
        assert None not in row
        assert None not in row.values()
        assert not any(value.lstrip().startswith(("=", "+", "-", "@")) for value in row.values())
    assert rows[0]["file"] == defused(finding.file)
    assert {row["line"] for row in rows} == {"41", "0"}
    assert [row["fails"] for row in rows].count("no") == 1
    assert any(row["set_aside"].startswith("suppressed: because") for row in rows)


def test_markdown_has_no_markup_of_a_stranger(rendered, outcomes):
    """Read as GitHub reads it: a table of two findings, and names in code or as plain text."""
    text = rendered("markdown")
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    kinds = [token.type for token in tokens]
    assert kinds.count("table_open") == 1
    assert kinds.count("tr_open") == 3
    assert kinds.count("td_open") == 8
    assert kinds.count("heading_open") == 1
    inline = [child for token in tokens for child in token.children or []]
    assert {child.type for child in inline} <= {"text", "code_inline", "html_inline", "softbreak"}
    assert {child.content for child in inline if child.type == "html_inline"} <= {"<!-- -->"}
    blocks = {token.content for token in tokens if token.type == "html_block"}
    assert all(block.startswith(("<details><summary>", "</details>")) for block in blocks)
    assert not any("<script" in block or "<b>" in block for block in blocks)
    plain = [child.content for child in inline if child.type == "text"]
    assert not any(re.search(r"[@#!]\w|https?:|www\.", part) for part in plain)
    code = [child.content for child in inline if child.type == "code_inline"]
    finding = outcomes[0].result.findings[0]
    assert any(clean(finding.message).strip() in part for part in code)


GCC = re.compile(r"^.+?:([1-9]\d*):([1-9]\d*): (error|warning|info|note): .+$")


def test_gcc_lines_are_places_that_begin_at_one(rendered):
    """Line 0 and column 0, for what is not known, would lead an editor nowhere."""
    lines = rendered("gcc").splitlines()
    assert [GCC.match(line) is not None for line in lines] == [True] * 4
    kinds = [GCC.match(line)[3] for line in lines]
    assert sorted(kinds) == ["error", "note", "note", "warning"]
