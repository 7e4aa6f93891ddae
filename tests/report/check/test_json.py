# SPDX-License-Identifier: GPL-2.0-or-later
"""The JSON format: complete, stable, and as its own schema says."""

from __future__ import annotations

import json as stdlib_json
from importlib.resources import files

import jsonschema
import pytest

from lazymmu.report.check import compare, json
from lazymmu.verbs.selection import CheckOutcome
from lazymmu.witness.finding import (
    Coverage,
    Lost,
    Place,
    SectionRow,
    Sections,
    Severity,
    Standing,
    TreeInfo,
)


@pytest.fixture
def validate():
    """Fails for a value that is not as the schema beside the renderer says."""
    text = files("lazymmu.report.check").joinpath("check.schema.json").read_text()
    schema = stdlib_json.loads(text)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema).validate


def test_one_tree_is_one_object_with_tree_arches_findings_and_coverage(
    make_finding, make_result, validate
):
    """Programs find every field of a finding under its own name, and what was lost beside it."""
    outcome = CheckOutcome(make_result(make_finding()), (("in the baseline", 2),))
    value = stdlib_json.loads(json.render([outcome]))
    validate(value)
    assert value["tree"] == {"path": "linux", "release": "6.12.8", "dialect": "locked"}
    assert value["arches"] == ["x86", "powerpc", "sparc"]
    (finding,) = value["findings"]
    assert finding["rule"] == "nested-section"
    assert finding["severity"] == "hurts"
    assert finding["path"][0] == {
        "file": "mm/outer.c",
        "line": 12,
        "column": 2,
        "function": "outer_pte_range",
        "note": "the section begins",
        "aside": "",
        "code": "",
    }
    assert value["withheld"] == [{"reason": "in the baseline", "count": 2}]
    assert value["coverage"]["unresolved"] == [
        {"file": "mm/ops.c", "line": 9, "name": "ops->walk", "reason": "no table sets it"}
    ]


def test_information_is_always_there(make_finding, make_result, validate):
    """A program filters for itself; what text leaves out, JSON has."""
    result = make_result(make_finding(severity=Severity.INFORMATION, harms=()))
    value = stdlib_json.loads(json.render([CheckOutcome(result)]))
    validate(value)
    assert [finding["severity"] for finding in value["findings"]] == ["information"]


def test_several_trees_are_a_list_of_the_same_objects(make_result, validate):
    """A program reads each of several trees as it reads one."""
    value = stdlib_json.loads(
        json.render([CheckOutcome(make_result()), CheckOutcome(make_result())])
    )
    validate(value)
    assert len(value["checks"]) == 2


def test_a_comparison_holds_its_rows_and_every_check(make_finding, make_result, validate):
    """The table's cells lead to the findings by fingerprint."""
    outcomes = [
        CheckOutcome(make_result(make_finding(fingerprint="f1"))),
        CheckOutcome(make_result()),
    ]
    value = stdlib_json.loads(json.render_comparison(compare.compare(outcomes)))
    validate(value)
    (row,) = value["rows"]
    assert row["cells"] == [
        {"count": 1, "fingerprints": ["f1"]},
        {"count": 0, "fingerprints": []},
    ]


def test_a_name_that_is_no_text_is_still_json(make_finding, make_result):
    """File names are bytes; those that no encoding explains come through as escapes."""
    finding = make_finding(file="mm/\udcff.c")
    result = make_result(finding, tree=TreeInfo("/src/\udcfe", "6.1", "plain"))
    text = json.render([CheckOutcome(result)])
    text.encode("ascii")
    assert stdlib_json.loads(text)["findings"][0]["file"] == "mm/\udcff.c"


def test_sections_are_objects_with_their_actions_named():
    """A pair of line and call is easier to read by name than by position."""
    row = SectionRow(
        file="mm/a.c",
        line=3,
        function="a",
        arches=("x86",),
        space="user",
        locks_begin=("ptl",),
        locks_end=("ptl",),
        pinned=(),
        actions=((3, "enable"), (9, "disable")),
    )
    places = (Place("mm/a.c", 3, "arch_enter_lazy_mmu_mode", Standing.WALKED, "a"),)
    blind = (Lost("mm/b.c", 7, "b", "not built"),)
    coverage = Coverage(1, 1, places=places, blind=blind)
    value = stdlib_json.loads(json.render_sections([("linux", Sections((row,), coverage))]))
    assert value["tree"] == "linux"
    assert value["sections"][0]["actions"][1] == {"line": 9, "action": "disable"}
    assert value["lines"] == {"walked": 1}
    assert value["blind"] == [{"file": "mm/b.c", "line": 7, "name": "b", "reason": "not built"}]
