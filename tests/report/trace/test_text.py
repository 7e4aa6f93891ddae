# SPDX-License-Identifier: GPL-2.0-or-later
"""What a recorded trace shows: as text, as JSON, as SARIF."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import pytest

from lazymmu.contract.rules.implied import implied_words
from lazymmu.report.trace import json as trace_json
from lazymmu.report.trace import sarif as trace_sarif
from lazymmu.report.trace import text as report
from lazymmu.witness.finding import Harm, Severity, Step
from lazymmu.witness.trace.values import (
    Caveat,
    Seen,
    TraceFinding,
    TraceLocation,
    TraceResult,
    TraceVerdict,
)

SARIF = Path(__file__).parents[1] / "check" / "data" / "sarif-schema-2.1.0.json"
RULES = {
    name: SimpleNamespace(
        sentence=f"{name}.",
        why="because",
        citation="include/linux/pgtable.h",
        kind="obligation",
        party="caller",
    )
    for name in ("sleep-in-section", "nested-section", "section-in-interrupt")
}
BEGAN = TraceLocation(7, "1.000001", 2, "enter <-f", ("enter", "outer"))


def finding(**given: Any) -> TraceFinding:
    """A violation that is whole, with what a test cares about replaced."""
    fields: dict[str, Any] = {
        "rule": "sleep-in-section",
        "verdict": TraceVerdict.VIOLATION,
        "severity": Severity.HURTS,
        "message": "sleeps inside a section",
        "comm": "insmod",
        "pid": 499,
        "location": TraceLocation(9, "1.000002", 2, "sched_switch: a"),
        "began": (BEGAN,),
    }
    fields |= given
    notes = [*("the section began here" for _ in fields["began"]), fields["message"]]
    spots = (*fields["began"], fields["location"])
    place = {
        "file": "a.trace",
        "line": fields["location"].line,
        "column": 1,
        "path": tuple(
            Step("a.trace", spot.line, 1, "", note) for spot, note in zip(spots, notes, strict=True)
        ),
    }
    return TraceFinding(**(place | fields))


def watched(*findings: TraceFinding, **given: Any) -> TraceResult:
    """A trace with these findings."""
    fields: dict[str, Any] = {
        "name": "a.trace",
        "arch": "x86",
        "release": "6.12.8",
        "kernel": ("x86", "6.12.8 (option)"),
        "dialect": "ptl-held",
        "caveats": (Caveat("a stack is missing", 3, 2),),
        "seen": Seen(lines=20, sections=4, ends=3, flushes=2, updates=1, switches=5, counters=6),
    }
    return TraceResult(findings=findings, **(fields | given))


ALLOWED = {"verdict": TraceVerdict.ALLOWED, "severity": Severity.INFORMATION}


def test_every_violation_is_told_with_where_its_section_began():
    """Each violation has its line and its notes, however many there are."""
    text = report.render(
        [watched(finding(), finding(location=TraceLocation(12, "1.1", 3, "again")))]
    )
    assert text.splitlines() == [
        "a.trace:9:1: hurts: insmod-499 [002] 1.000002: sleeps inside a section [sleep-in-section]",
        "a.trace:7:1: note: the section began here: [002] 1.000001: enter <-f",
        "a.trace:7:1: note: called from enter <- outer",
        "a.trace:12:1: hurts: insmod-499 [003] 1.1: sleeps inside a section [sleep-in-section]",
        "a.trace:7:1: note: the section began here: [002] 1.000001: enter <-f",
        "a.trace:7:1: note: called from enter <- outer",
    ]


@pytest.mark.parametrize(
    ("given", "note"),
    [
        ({"began": ()}, "where the section began is not in the trace"),
        ({"harms": (Harm("x86", "the update is lost"),)}, "comes to harm: the update is lost"),
        (
            {"severity": Severity.BREAKS_TEXT},
            "breaks the contract's text; this architecture is not hurt by it",
        ),
        ({"implied": True}, implied_words("sleep-in-section")),
        ({"notes": ("it was preempted before",)}, "it was preempted before"),
        (
            {"location": TraceLocation(9, "1.0", 0, "x", ("[tracer]", "inner", "outer"))},
            "called from inner <- outer",
        ),
    ],
)
def test_a_note_says_what_else_is_known(given, note):
    """What is known besides is a note, and without it there is no such note."""
    assert f"a.trace:9:1: note: {note}\n" in report.render([watched(finding(**given))])
    assert f"note: {note}\n" not in report.render([watched(finding())])


def test_a_section_in_an_interrupt_has_no_beginning_to_miss():
    """Where the violation is that a section begins, no other beginning is missed."""
    text = report.render([watched(finding(rule="section-in-interrupt", began=()))])
    assert "where the section began" not in text


def test_the_lines_around_are_shown_with_a_mark_at_the_one():
    """The lines around are shown as the trace has them, with a mark at the one."""
    text = report.render([watched(finding(context=((8, "before"), (9, "it"))))])
    assert text.endswith("        8 | before\n>       9 | it\n")


def test_the_frames_of_a_deep_stack_are_counted():
    """Sixteen frames of a stack are shown, and the others counted."""
    deep = TraceLocation(9, "1.0", 0, "x", tuple(f"f{number}" for number in range(20)))
    text = report.render([watched(finding(location=deep))])
    assert "called from f0 <- f1 <- " in text
    assert text.endswith(" <- f15 <- 4 more\n")


def test_what_is_allowed_is_told_in_a_line_each_the_first_ten_of_a_rule():
    """Ten things of a rule that are allowed are told in a line each, and how to see the rest."""
    many = [finding(**ALLOWED, notes=("a note",)) for _ in range(12)]
    text = report.render([watched(*many, cut=(("sleep-in-section", 30), ("stale-read", 2)))])
    assert text.count("information: insmod-499") == text.count("note: a note") == 10
    assert text.splitlines()[-2:] == [
        "a.trace: 32 more of sleep-in-section; --rule sleep-in-section shows them",
        "a.trace: 2 more of stale-read",
    ]
    whole = report.render([watched(*many)], asked={"sleep-in-section"})
    assert whole.count("information: insmod-499") == 12
    assert "more of" not in whole


def test_what_was_seen_is_one_sentence():
    """One sentence counts the violations, other things, and how much there was to judge."""
    said = report.seen(watched(finding(), finding(**ALLOWED), finding(**ALLOWED)))
    assert said == (
        "a.trace: 1 violation, 2 other things worth knowing in 20 lines, 4 sections, "
        "6 readings of the counters, 2 flushes, 1 update, 5 context switches"
    )
    assert report.seen(watched(finding(**ALLOWED), seen=Seen(lines=1))) == (
        "a.trace: 0 violations, 1 other thing worth knowing in 1 line, 0 context switches"
    )


def test_programs_get_everything_that_is_known_of_a_trace():
    """The JSON has the kernel, what was seen, each finding with its places, and each doubt."""
    one = finding(harms=(Harm("x86", "lost"),), context=((8, "before"),))
    (made,) = json.loads(trace_json.render([watched(one)]))["traces"]
    assert {name: made[name] for name in ("trace", "arch", "release", "kernel", "dialect")} == {
        "trace": "a.trace",
        "arch": "x86",
        "release": "6.12.8",
        "kernel": ["x86", "6.12.8 (option)"],
        "dialect": "ptl-held",
    }
    assert made["complete"] is True
    assert made["seen"]["sections"] == 4
    assert made["doubts"] == [{"reason": "a stack is missing", "line": 3, "times": 2}]
    (found,) = made["findings"]
    assert (found["rule"], found["verdict"], found["severity"]) == (
        "sleep-in-section",
        "violation",
        "hurts",
    )
    assert (found["task"], found["pid"], found["harm"]) == ("insmod", 499, "lost")
    assert found["began"] == [
        {
            "line": 7,
            "cpu": 2,
            "time": "1.000001",
            "text": "enter <-f",
            "stack": ["enter", "outer"],
        }
    ]
    assert found["context"] == [{"line": 8, "text": "before"}]


def sarif(*traces: TraceResult) -> dict[str, Any]:
    """The log, which is valid SARIF 2.1.0."""
    log = json.loads(trace_sarif.render(traces, rules=RULES, asked=["nested-section"]))
    jsonschema.Draft7Validator(json.loads(SARIF.read_text())).validate(log)
    made: dict[str, Any] = log
    return made


def test_a_trace_is_a_run_and_a_finding_a_result_of_it():
    """A SARIF result has its rule, its level, and the way from where the section began."""
    one, other = finding(harms=(Harm("x86", "lost"),)), finding(rule="nested-section", **ALLOWED)
    first, second = sarif(watched(one, other), watched(name="b.trace", ended="it is cut"))["runs"]
    assert [run["invocations"][0]["executionSuccessful"] for run in (first, second)] == [
        True,
        False,
    ]
    assert second["results"] == []
    assert first["properties"]["sections"] == 4
    rules = [rule["id"] for rule in first["tool"]["driver"]["rules"]]
    hurts, allowed = first["results"]
    for result in (hurts, allowed):
        assert rules[result["ruleIndex"]] == result["ruleId"]
    assert (hurts["level"], hurts["kind"]) == ("error", "fail")
    assert (allowed["level"], allowed["kind"]) == ("note", "informational")
    assert hurts["message"]["text"] == (
        "insmod-499 on CPU 2 at 1.000002: sleeps inside a section. Lost."
    )
    place = hurts["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a.trace"
    assert place["region"] == {"startLine": 9, "snippet": {"text": "sched_switch: a"}}
    steps = hurts["codeFlows"][0]["threadFlows"][0]["locations"]
    assert [step["location"]["physicalLocation"]["region"]["startLine"] for step in steps] == [7, 9]
    assert steps[0]["location"]["message"]["text"] == "the section began here"
