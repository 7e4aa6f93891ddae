# SPDX-License-Identifier: GPL-2.0-or-later
"""The SARIF format: valid by the published schema, and saying what text says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import jsonschema
import pytest

from lazymmu.report.check import sarif
from lazymmu.snapshot.provenance import Provenance
from lazymmu.snapshot.revisions import Base
from lazymmu.verbs.change import Change, Moved
from lazymmu.verbs.selection import CheckOutcome, SetAside, SetAsideBy
from lazymmu.witness.finding import Confidence, Severity, Step, StepAside, TreeInfo


@dataclass(frozen=True)
class Rule:
    sentence: str = "a section begins inside a section"
    why: str = "the inner end ends the outer section"
    citation: str = "include/linux/pgtable.h"
    kind: str = "obligation"
    party: str = "caller"


RULES = {"nested-section": Rule(), "stale-read": Rule("reads an entry whose write is pending")}
SCHEMA = Path(__file__).with_name("data") / "sarif-schema-2.1.0.json"


@pytest.fixture
def render():
    """Renders, validates against SARIF 2.1.0, and returns the object."""
    validator = jsonschema.Draft7Validator(json.loads(SCHEMA.read_text()))

    def made(*outcomes, asked=()):
        log = json.loads(sarif.render(outcomes, rules=RULES, asked=asked))
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
    outcome = CheckOutcome(make_result(make_finding(severity=severity)))
    (run,) = render(outcome, asked=["nested-section"])["runs"]
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
    assert place == {"artifactLocation": {"uri": "mm/a%20b%FF.c", "uriBaseId": "%SRCROOT%"}}
    assert first["originalUriBaseIds"]["%SRCROOT%"]["uri"] == "file:///src/linux%20tree/"
    assert second["results"] == []


def test_other_places_of_a_mistake_are_related_and_no_steps(render, make_finding, make_result):
    """A viewer that walks the code flow ends at the culprit."""
    path = make_finding().path
    other = Step("mm/else.c", 3, 1, "other_range", "also in the section", aside=StepAside.SECTION)
    (run,) = render(CheckOutcome(make_result(make_finding(path=(*path, other)))))["runs"]
    (result,) = run["results"]
    (flow,) = result["codeFlows"][0]["threadFlows"]
    lines = [
        one["location"]["physicalLocation"]["region"]["startLine"] for one in flow["locations"]
    ]
    assert lines == [12, 15, 41]
    (related,) = result["relatedLocations"]
    assert related["message"]["text"] == "also in the section"


def test_a_step_has_the_code_of_its_line(render, make_finding, make_result):
    """A viewer shows it where the source is not at hand."""
    step = Step("mm/a.c", 3, 1, "f", "calls g()", code="g(pte);")
    (run,) = render(CheckOutcome(make_result(make_finding(path=(step,)))))["runs"]
    (flow,) = run["results"][0]["codeFlows"][0]["threadFlows"]
    (location,) = flow["locations"]
    region = location["location"]["physicalLocation"]["region"]
    assert region["snippet"] == {"text": "g(pte);"}


def test_information_is_no_result_unless_it_is_asked_for(render, make_finding, make_result):
    """An alert that nothing has to be done about is noise."""
    outcome = CheckOutcome(make_result(make_finding(severity=Severity.INFORMATION)))
    assert render(outcome)["runs"][0]["results"] == []
    (result,) = render(outcome, asked=["nested-section"])["runs"][0]["results"]
    assert result["level"] == "note"


def test_what_was_there_before_is_unchanged_and_the_rest_new(render, make_finding, make_result):
    """Where nobody asked what was before, nothing is said of it."""
    old, new = make_finding(line=3), make_finding()
    (plain,) = render(CheckOutcome(make_result(new)))["runs"][0]["results"]
    assert "baselineState" not in plain
    outcome = CheckOutcome(
        make_result(new), aside=(SetAside(old, SetAsideBy.BASELINE),), compared=True
    )
    first, second = render(outcome)["runs"][0]["results"]
    assert (first["baselineState"], second["baselineState"]) == ("new", "unchanged")
    assert "suppressions" not in second


def test_what_a_change_mends_is_absent_and_what_it_moves_is_updated(
    render, make_finding, make_result
):
    """Each result says what became of it, in the words of the format."""
    new, old, moved, fixed = (make_finding(fingerprint=name) for name in "nomf")
    change = Change(Base("1" * 40, "main"), (fixed,), (Moved(moved, old),), (old,))
    outcome = CheckOutcome(make_result(new), change=change, compared=True)
    results = render(outcome)["runs"][0]["results"]
    assert [one["baselineState"] for one in results] == ["new", "absent", "updated", "unchanged"]


def test_a_rule_has_help_a_link_a_level_a_precision_and_tags(render, make_result):
    """What GitHub shows beside an alert; the link leads to the kernel's own file."""
    rules = render(CheckOutcome(make_result()))["runs"][0]["tool"]["driver"]["rules"]
    for rule in rules:
        assert rule["helpUri"].startswith("https://")
        assert rule["helpUri"].endswith("/include/linux/pgtable.h")
        assert rule["help"]["text"]
        assert rule["help"]["markdown"]
        assert rule["defaultConfiguration"] == {"level": "error"}
        assert rule["properties"]["precision"] == "high"
        assert "lazy-mmu" in rule["properties"]["tags"]


def test_runs_of_several_trees_are_told_apart(render, make_result):
    """A server keeps one category for each, also when one tree is given twice."""
    trees = ["linux/", "other", "linux/"]
    outcomes = [CheckOutcome(make_result(tree=TreeInfo(one, "6.1", "plain"))) for one in trees]
    ids = [run["automationDetails"]["id"] for run in render(*outcomes)["runs"]]
    assert ids == ["lazymmu/check/1/linux/", "lazymmu/check/other/", "lazymmu/check/3/linux/"]


def test_a_tree_below_the_top_of_its_repository_is_named_from_there(
    render, make_finding, make_result
):
    """Servers look a file up in the repository, wherever the tree is in it."""
    source = Provenance("/src/all of it", "linux", "0592b049ef15", "https://example.org/all.git")
    outcome = CheckOutcome(make_result(make_finding()), provenance=source)
    (run,) = render(outcome)["runs"]
    (result,) = run["results"]
    place = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place == {"uri": "linux/mm/inner.c", "uriBaseId": "%SRCROOT%"}
    assert run["originalUriBaseIds"] == {"%SRCROOT%": {"uri": "file:///src/all%20of%20it/"}}
    assert run["versionControlProvenance"] == [
        {
            "repositoryUri": "https://example.org/all.git",
            "revisionId": "0592b049ef15",
            "mappedTo": {"uriBaseId": "%SRCROOT%"},
        }
    ]
