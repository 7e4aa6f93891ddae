# SPDX-License-Identifier: GPL-2.0-or-later
"""The SARIF format: valid by the published schema, and saying what text says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import jsonschema
import pytest

from lazymmu.report.check import sarif
from lazymmu.verbs.selection import CheckOutcome
from lazymmu.witness.finding import Confidence, Severity, TreeInfo


@dataclass(frozen=True)
class Rule:
    sentence: str = "a section begins inside a section"
    why: str = "the inner end ends the outer section"
    citation: str = "include/linux/pgtable.h"


RULES = {"nested-section": Rule(), "stale-read": Rule("reads an entry whose write is pending")}
SCHEMA = Path(__file__).with_name("data") / "sarif-schema-2.1.0.json"


@pytest.fixture
def render():
    """Renders, validates against SARIF 2.1.0, and returns the object."""
    validator = jsonschema.Draft7Validator(json.loads(SCHEMA.read_text()))

    def made(*outcomes):
        log = json.loads(sarif.render(outcomes, version="1.2.3", rules=RULES))
        validator.validate(log)
        return log

    return made


def test_the_path_of_a_finding_is_a_code_flow(render, make_finding, make_result):
    """A viewer can walk from where the section began to the culprit."""
    (run,) = render(CheckOutcome(make_result(make_finding())))["runs"]
    (result,) = run["results"]
    steps = result["codeFlows"][0]["threadFlows"][0]["locations"]
    assert [step["location"]["message"]["text"] for step in steps] == [
        "the section begins",
        "calls inner_pte_range()",
        "a second section begins",
    ]
    region = result["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 41, "startColumn": 2}


def test_a_result_names_its_rule_fingerprint_and_confidence(render, make_finding, make_result):
    """Review tools match results over time by fingerprint and explain them by rule."""
    finding = make_finding(fingerprint="abc", confidence=Confidence.MEDIUM)
    (run,) = render(CheckOutcome(make_result(finding)))["runs"]
    (result,) = run["results"]
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    assert result["partialFingerprints"] == {"lazymmu/v1": "abc"}
    assert result["properties"]["confidence"] == "medium"


@pytest.mark.parametrize(
    ("severity", "level"),
    [
        (Severity.HURTS, "error"),
        (Severity.BREAKS_TEXT, "warning"),
        (Severity.INFORMATION, "note"),
    ],
)
def test_severities_are_levels(render, make_finding, make_result, severity, level):
    """Who gates a merge on errors gates it on what hurts."""
    (run,) = render(CheckOutcome(make_result(make_finding(severity=severity))))["runs"]
    assert run["results"][0]["level"] == level


def test_what_was_lost_is_a_notification(render, make_result):
    """Even a clean run says what it could not see."""
    (run,) = render(CheckOutcome(make_result()))["runs"]
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert [note["message"]["text"] for note in notes] == [
        "odd could not be read or parsed: a macro that is half a statement",
        "ops->walk could not be resolved: no table sets it",
    ]


def test_each_tree_is_a_run_and_odd_names_are_valid_uris(render, make_finding, make_result):
    """Spaces and bytes that are no text are escaped; a line that is unknown has no region."""
    finding = make_finding(file="mm/a b\udcff.c", line=0, column=0, function="", path=())
    tree = TreeInfo("/src/linux tree", "6.1", "plain")
    first, second = render(
        CheckOutcome(make_result(finding, tree=tree)), CheckOutcome(make_result())
    )["runs"]
    place = first["results"][0]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "mm/a%20b%FF.c", "uriBaseId": "TREE"}}
    assert first["originalUriBaseIds"]["TREE"]["uri"] == "file:///src/linux%20tree/"
    assert second["results"] == []
