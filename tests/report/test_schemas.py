# SPDX-License-Identifier: GPL-2.0-or-later
"""Every JSON document has a schema that ships, that it keeps to, and that allows additions."""

from __future__ import annotations

import copy
import json
import re
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lazymmu.cli import main
from lazymmu.contract import events as e
from lazymmu.report.check import json as check_json
from lazymmu.report.trace import json as trace_json
from lazymmu.report.trace import stats
from lazymmu.report.verify import json as verify_json
from lazymmu.verbs.selection import CheckOutcome
from lazymmu.version import version
from lazymmu.witness.finding import CheckResult, Coverage, Lost, SectionRow, Sections
from lazymmu.witness.machine.verdict import (
    Counterexample,
    SearchOutcome,
    StateChange,
    TraceStep,
    Verdict,
)
from lazymmu.witness.trace.basis import RuleBasis
from lazymmu.witness.trace.section_stats import SectionStats
from lazymmu.witness.trace.values import Caveat, Seen, TraceFinding, TraceLocation, TraceResult
from tests.report.page.series import mailbox

EXAMPLES = Path(__file__).parents[2] / "examples"
TRACES = sorted(map(str, (EXAMPLES / "trace").glob("*.gz")))
OOPSES = sorted(map(str, (EXAMPLES / "oops").glob("*.txt")))
OLD, NEW = str(EXAMPLES / "linux-old"), str(EXAMPLES / "linux-new")
PACKAGE = files("lazymmu.report")
SCHEMAS = {
    schema.name.removesuffix(".schema.json"): json.loads(schema.read_text("utf-8"))
    for room in PACKAGE.iterdir()
    if room.is_dir()
    for schema in room.iterdir()
    if schema.name.endswith(".schema.json")
}
SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")

COMMANDS = {
    "check": [
        ["check", OLD, "--no-cache"],
        ["check", OLD, NEW, "--no-cache", "--arch", "x86"],
        ["check", OLD, NEW, "--no-cache", "--arch", "x86", "--compare"],
        ["check", OLD, "--no-cache", "--arch", "sparc", "--path", "mm/memory.c"],
    ],
    "history": [["history", OLD, NEW, "--no-cache", "--arch", "x86"]],
    "sections": [["sections", OLD, "--no-cache"], ["sections", OLD, NEW, "--no-cache"]],
    "verify": [["verify", "--rule", "nested-section", "--arch", "x86,powerpc", "--jobs", "1"]],
    "catalogue": [["verify", "--list"]],
    "trace": [["trace", *TRACES], ["trace", TRACES[0]]],
    "summary": [["trace", *TRACES, "--summary"]],
    "compare": [["trace", *TRACES[:2], "--compare"]],
    "cost": [
        ["cost", "change_pte_range"],
        ["cost", "set_pte", "--release", "6.12", "--scope", "table", "--against", "7.1.13"],
        ["cost", *TRACES, "--arch", "x86,arm64"],
        ["cost", TRACES[-1], TRACES[-2]],
        ["cost", "--scenario", "flush-then-use"],
    ],
    "replay": [["replay"]],
    "review": [["review", "--tree", NEW, "--arch", "x86", "--no-cache"]],
    "oops": [["explain", "--oops", one] for one in OOPSES],
}
"""For each kind of document the commands that print one, less the format and, here and there, a
file that the test makes."""


def valid(kind: str, text: str) -> object:
    """A document of this kind, parsed; fails for one that is not as its schema says."""
    value = json.loads(text)
    jsonschema.Draft202012Validator(SCHEMAS[kind]).validate(value)
    return value


def named(schema: object) -> set[str]:
    """The keys that a schema names, at every depth."""
    if isinstance(schema, list):
        return {key for item in schema for key in named(item)}
    if not isinstance(schema, dict):
        return set()
    own = {*schema.get("properties", {}), *schema.get("required", [])}
    return own | {key for value in schema.values() for key in named(value)}


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_schema_is_one_names_its_document_and_forbids_no_addition(kind):
    """New keys come without a new format; a program that holds to the schema must not break."""
    schema = SCHEMAS[kind]
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["title"].startswith("Output of lazymmu ")
    assert '"additionalProperties": false' not in json.dumps(schema)
    assert '"unevaluatedProperties"' not in json.dumps(schema)


@pytest.mark.parametrize("kind", SCHEMAS)
def test_every_key_is_in_snake_case(kind):
    """Programs need not guess how a key is spelt."""
    assert [key for key in named(SCHEMAS[kind]) if not SNAKE.fullmatch(key)] == []


def test_every_kind_of_document_has_a_schema_and_an_example():
    """One that is added is tested, too."""
    assert set(COMMANDS) == set(SCHEMAS)


@pytest.mark.parametrize(
    ("kind", "command"),
    [(kind, command) for kind, commands in COMMANDS.items() for command in commands],
)
def test_what_the_examples_give_is_as_the_schema_says(kind, command, capsys, tmp_path):
    """A document of each kind, with a head that says what it is and who wrote it."""
    events = tmp_path / "events"
    events.write_text("T0: enable\nT0: enable\nT0: disable\n")
    series = tmp_path / "series.mbox"
    series.write_text(mailbox(Path(NEW)))
    made = {"replay": events, "review": series}
    more = [str(made[kind])] if kind in made else []
    assert main([*command, *more, "--format", "json"]) in {0, 1}
    value = valid(kind, capsys.readouterr().out)
    assert isinstance(value, dict)
    assert (value["tool"], value["version"]) == ("lazymmu", version())
    assert isinstance(value["format"], int)


@pytest.mark.parametrize("kind", ["check", "trace"])
def test_a_schema_notices_what_is_missing_or_of_another_type(kind, capsys):
    """A schema that took anything would be no promise."""
    command = COMMANDS[kind][0]
    main([*command, "--format", "json"])
    value = json.loads(capsys.readouterr().out)
    whole = value if kind == "check" else next(one for one in value["traces"] if one["findings"])
    finding = whole["findings"][0]
    for key in SCHEMAS[kind]["$defs"]["finding"]["required"]:
        kept = copy.copy(finding[key])
        for wrong in (None, {"no": "thing"}):
            finding[key] = wrong
            with pytest.raises(jsonschema.ValidationError):
                valid(kind, json.dumps(value))
        del finding[key]
        with pytest.raises(jsonschema.ValidationError):
            valid(kind, json.dumps(value))
        finding[key] = kept
    finding["an_addition"] = 1
    valid(kind, json.dumps(value))


# ---- results that nobody has seen yet ------------------------------------------------------------

NAMES = st.text(max_size=8)
SMALL = st.integers(0, 1 << 40)
LOST = st.builds(Lost, NAMES, SMALL, NAMES, NAMES)


def many(one, most=3):
    """A tuple of some of these."""
    return st.lists(one, max_size=most).map(tuple)


@given(
    st.lists(
        st.builds(
            CheckOutcome,
            st.from_type(CheckResult),
            many(st.tuples(NAMES, st.integers(1, 9))),
        ),
        min_size=1,
        max_size=2,
    )
)
def test_any_check_is_as_the_schema_says(outcomes):
    """Whatever a tree holds: names that are empty, lines that are not known, several harms."""
    for outcome in outcomes:
        _as_found(outcome.result)
    valid("check", check_json.render(outcomes))


def _as_found(result):
    """Numbers count something; those of a drawn result may not."""
    assume(result.coverage.sections >= 0 and result.coverage.functions_parsed >= 0)
    assume(result.module is None or result.module.sources > 0)
    numbers = [
        *(n for f in result.findings for n in (f.line, f.column)),
        *(n for f in result.findings for s in f.path for n in (s.line, s.column)),
    ]
    coverage = result.coverage
    numbers += [x.line for x in (*coverage.unparsed, *coverage.unresolved, *coverage.blind)]
    assume(all(number >= 0 for number in numbers))
    assume(all(place.line > 0 for place in coverage.places))


@given(many(st.from_type(SectionRow)), many(LOST))
def test_any_sections_are_as_the_schema_says(rows, blind):
    """A section with all of it, or nothing at all."""
    rows = tuple(row for row in rows if row.line >= 0 and all(at >= 0 for at, _ in row.actions))
    valid("sections", check_json.render_sections([("t", Sections(rows, Coverage(0, 0)))]))
    found = Sections((), Coverage(0, 0, blind=blind))
    valid("sections", check_json.render_sections([("t", found), ("u", found)]))


SPOT = st.builds(TraceLocation, st.integers(1, 99), NAMES, st.integers(0, 8), NAMES, many(NAMES))
SEEN = {"line": SMALL, "column": SMALL, "path": st.just(()), "pid": SMALL}


@given(
    st.builds(
        TraceResult,
        name=NAMES,
        arch=NAMES,
        release=NAMES,
        kernel=many(NAMES),
        dialect=NAMES,
        findings=many(
            st.builds(
                TraceFinding,
                location=SPOT,
                began=many(SPOT),
                context=many(st.tuples(st.integers(1, 9), NAMES)),
                **SEEN,
            )
        ),
        caveats=many(st.builds(Caveat, NAMES, SMALL, st.integers(1, 9))),
        seen=st.builds(Seen, SMALL, SMALL, tasks=st.just(set())),
        cut=many(st.tuples(NAMES, st.integers(1, 9))),
        ended=NAMES,
        basis=many(st.builds(RuleBasis, NAMES, SMALL)),
    )
)
def test_any_trace_is_as_the_schema_says(watched):
    """Tasks without a name, stacks, findings that were cut off."""
    valid("trace", trace_json.render([watched, watched]))


@given(many(st.tuples(NAMES, SMALL)))
def test_any_summary_is_as_the_schema_says(pairs):
    """Also of a trace in which nothing happened."""
    tally = SectionStats()
    for name, length in pairs:
        tally.everything.lengths.add(length)
        tally.everything.switches[name] += 1
        tally.outside[name] += 1
    valid("summary", stats.render_json([("a", tally), ("b", SectionStats())]))


STEP = st.builds(
    TraceStep,
    st.integers(-1, 3),
    NAMES,
    many(NAMES),
    NAMES,
    NAMES,
    pending=many(NAMES),
    stored=many(st.tuples(NAMES, NAMES)),
    effective=many(st.tuples(NAMES, NAMES)),
    tlb=many(NAMES),
    state=many(st.builds(StateChange, NAMES, NAMES, st.booleans())),
    events=st.sampled_from([(), (e.Enable(task="T0", cpu=0),)]),
    calls=many(st.tuples(many(NAMES), NAMES)),
)


@given(
    many(
        st.builds(
            Verdict,
            NAMES,
            NAMES,
            NAMES,
            NAMES,
            st.sampled_from(SearchOutcome),
            many(
                st.builds(
                    Counterexample,
                    preemptions=SMALL,
                    steps=SMALL,
                    trace=many(STEP),
                    **{name: SEEN[name] for name in ("line", "column", "path")},
                )
            ),
            states=SMALL,
        )
    )
)
def test_any_verdict_is_as_the_schema_says(verdicts):
    """Violated in several ways, or not at all."""
    texts = {verdict.scenario: "" for verdict in verdicts}
    valid("verify", verify_json.render(verdicts, texts, ["met"] * len(verdicts)))
