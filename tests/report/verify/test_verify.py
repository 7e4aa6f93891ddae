# SPDX-License-Identifier: GPL-2.0-or-later
"""What machines showed, as table, as counterexamples, as JSON and as KTAP."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files
from types import SimpleNamespace

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.contract import events as e
from lazymmu.report.verify import counterexample, event_phrases, matrix, tools
from lazymmu.report.verify import json as verify_json
from lazymmu.report.verify.told_steps import Told
from lazymmu.verbs import stored
from lazymmu.witness.machine.verdict import SearchOutcome, StateChange, TraceStep, Verdict
from tests import made

PGTABLE = "include/linux/pgtable.h"

TRACE = (
    TraceStep(
        0,
        "T0",
        ("lazy_mmu_mode_enable",),
        "enable",
        PGTABLE,
        stored=(("p", "A"),),
        effective=(("p", "A"),),
        state=(StateChange("cpu0.mode", "1"),),
        events=(e.Enable(task="T0", cpu=0),),
        action="cpu0 goes on",
        calls=(
            (("lazy_mmu_mode_enable",), PGTABLE),
            (("lazy_mmu_mode_enable", "arch_enter_lazy_mmu_mode"), "arch/x86/xen/mmu_pv.c"),
        ),
    ),
    TraceStep(
        0,
        "T0",
        ("set_pte",),
        "store",
        PGTABLE,
        pending=("cpu0: set B p",),
        stored=(("p", "A"),),
        effective=(("p", "A"),),
        events=(e.Write(task="T0", cpu=0, entry="p", operation="set_pte"),),
        action="cpu0 goes on",
    ),
    TraceStep(
        1,
        "T1",
        ("ptep_get_and_clear",),
        "exchange",
        PGTABLE,
        pending=("cpu0: set B p",),
        stored=(("p", "none"),),
        effective=(("p", "none"),),
        tlb=("cpu1: p was A",),
        events=(e.Write(task="T1", cpu=1, entry="p", how="immediate", operation="xchg"),),
        action="cpu1 goes on",
    ),
    TraceStep(
        0,
        "T0",
        (),
        "switches to T1",
        stored=(("p", "B"),),
        effective=(("p", "none"),),
        tlb=("cpu1: p was A",),
        events=(
            e.SwitchOut(task="T0", cpu=0),
            e.Undone(task="T0", cpu=0, entry="p", by="the queue"),
        ),
        action="cpu0 switches to T1",
    ),
)


@pytest.fixture
def violated():
    """A verdict with a way of four steps on two CPUs, and a second rule broken."""
    return Verdict(
        "two-writers",
        "x86",
        "6.12.8",
        "xen-nesting-count",
        SearchOutcome.VIOLATED,
        (
            made.broken("lost-update", "the page is freed", 1, 4, TRACE),
            made.broken("finally", "", 2, 9),
        ),
        states=123,
        transitions=456,
        depth=20,
        seconds=0.25,
        engine="numpy",
    )


@pytest.fixture
def validate():
    """Fails for a value that is not as the schema beside the renderer says."""
    text = files("lazymmu.report.verify").joinpath("verify.schema.json").read_text()
    schema = json.loads(text)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema).validate


# ---- the table -----------------------------------------------------------------------------------


def test_each_scenario_is_a_block_and_each_run_a_line(violated):
    """The eye finds who is hurt, and for each the rule, the preemptions and the steps."""
    holds = replace(violated, arch="sparc", feature="sparc-active", verdict=SearchOutcome.HOLDS)
    other = replace(holds, scenario="other", states=1)
    assert matrix.render([violated, replace(holds, violations=()), other]) == (
        "scenario\n"
        "  on     implementation     release  verdict\n"
        "\n"
        "two-writers\n"
        "  x86    xen-nesting-count  6.12.8   violated: lost-update (1 preemption, 4 steps); "
        "also finally\n"
        "  sparc  sparc-active       6.12.8   holds (123 states)\n"
        "\n"
        "other\n"
        "  sparc  sparc-active       6.12.8   holds (1 state)\n"
    )


@pytest.mark.parametrize(
    ("given", "cell"),
    [
        (
            {"verdict": SearchOutcome.INCONCLUSIVE, "reason": "deadline"},
            "inconclusive: bound on time (123",
        ),
        (
            {"verdict": SearchOutcome.INCONCLUSIVE, "reason": "interrupt"},
            "inconclusive: interrupted (123",
        ),
        ({"verdict": SearchOutcome.NEVER_OCCURS, "never": ("a", "b")}, "never occurs: a; b"),
        ({"verdict": SearchOutcome.NOT_APPLICABLE, "reason": "no kernel"}, "n/a: no kernel"),
    ],
)
def test_a_cell_says_why_there_is_no_answer(violated, given, cell):
    """Which bound was hit, what never occurred, why no kernel is like that."""
    assert cell in matrix.render([replace(violated, violations=(), **given)])


def test_a_long_verdict_is_folded_within_100_columns(violated):
    """The table can be pasted into a mail."""
    never = tuple(f"T{number}: switch_out why=preempted depth=2" for number in range(9))
    verdict = replace(violated, violations=(), verdict=SearchOutcome.NEVER_OCCURS, never=never)
    lines = matrix.render([verdict]).splitlines()
    assert max(map(len, lines)) <= 100
    assert len(lines) > 5


def test_a_table_without_runs_is_empty():
    """A table without runs is empty, so that no heading stands over nothing."""
    assert matrix.render([]) == ""


def test_the_summary_counts_answers_and_states(violated):
    """The summary counts answers and states in one sentence for standard error."""
    other = replace(violated, verdict=SearchOutcome.HOLDS, violations=())
    said = verify_json.summary([violated, other, other], 1.5)
    assert said == "3 runs: 2 hold, 1 violated, 369 states in 1.5 s"


GOLDEN = """\
two-writers: violated on x86 (xen-nesting-count, Linux 6.12.8)

  Two tasks write.

  It breaks the rule lost-update: No update is lost.
  Harm: the page is freed
  Shortest way: 1 preemption, 4 steps; 123 states searched.
  Also broken: finally.

   CPU0                                     CPU1                       what changed
-  ---------------------------------------  -------------------------  ----------------------
                                                                       p = A
1  T0:                                                                 cpu0.mode = 1
    lazy_mmu_mode_enable() [1]
     arch_enter_lazy_mmu_mode() [2]
2   set_pte() [1]                                                      pending: cpu0: set B p
     writes p
3                                           T1:                        p = none
                                             ptep_get_and_clear() [1]  TLB: cpu1: p was A
                                              writes p (xchg)
4   T0 is PREEMPTED                                                    pending: nothing
    UNDOES a later change of p (the queue)                             p = B, in effect none

  [1] include/linux/pgtable.h
  [2] arch/x86/xen/mmu_pv.c
"""

SAYS = {"lost-update": SimpleNamespace(sentence="No update is lost.")}


# ---- counterexamples -----------------------------------------------------------------------------


def test_a_counterexample_has_a_column_for_each_cpu_and_only_differences(violated):
    """It reads from top to bottom, and every line of it says something new."""
    told = Told("Two tasks write.", (("p", "A"),))
    (text,) = counterexample.render([violated], {"two-writers": told}, SAYS)
    assert text == GOLDEN


def test_each_entry_that_changes_is_told_and_no_other(violated):
    """An entry that changes is told also when one that stays as it is comes before it."""
    entries = [(("p", "A"), ("q", "none")), (("p", "A"), ("q", "B")), (("p", "C"), ("q", "B"))]
    trace = tuple(TraceStep(0, "T0", (), "x", stored=one, effective=one) for one in entries)
    verdict = replace(violated, violations=(made.broken("lost-update", "", 0, 3, trace),))
    (text,) = counterexample.render([verdict], {}, {})
    table = text[text.index("what changed") :]
    assert [
        word for word in ("p = A", "q = none", "q = B", "p = C") if table.count(word) != 1
    ] == []


def test_what_changed_has_room_beside_many_cpus_with_long_names(violated):
    """The columns of CPUs give way to the column of what changed."""
    steps = [
        TraceStep(cpu, f"task-{cpu}", (), "steps " * 9, stored=(("p", "a change " * 9),))
        for cpu in range(3)
    ]
    verdict = replace(violated, violations=(made.broken("lost-update", "", 0, 3, tuple(steps)),))
    (text,) = counterexample.render([verdict], {}, {})
    (rule,) = [line for line in text.splitlines() if line.startswith("-  ---")]
    assert [len(part) for part in rule.split()] == [1, 21, 22, 22, 26]


@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_word_is_broken_where_columns_do_not_fit(violated, width):
    """The steps stand one below the other, each under its CPU."""
    name = "f" * 45
    steps = [TraceStep(cpu, f"task-{cpu}", (name,), "x") for cpu in range(3)]
    verdict = replace(violated, violations=(made.broken("lost-update", "", 0, 3, tuple(steps)),))
    (text,) = counterexample.render([verdict], {}, {}, width)
    assert text.count(f"{name}()") == 3
    assert max(map(len, text.splitlines())) <= width


def test_a_function_that_a_task_is_still_in_is_not_named_again(violated):
    """Of functions that a task is still in only the innermost is named; for another task all."""
    steps = [
        TraceStep(0, task, stack, "x", stored=(("p", str(number)),))
        for number, (task, stack) in enumerate(
            [("T0", ("outer", "inner")), ("T0", ("outer", "inner")), ("T1", ("outer", "inner"))]
        )
    ]
    verdict = replace(violated, violations=(made.broken("lost-update", "", 0, 3, tuple(steps)),))
    (text,) = counterexample.render([verdict], {}, {})
    assert (text.count("outer()"), text.count("inner()")) == (2, 3)


def test_equal_ways_on_several_implementations_are_told_once(violated):
    """Whoever reads ten counterexamples wants to know that they are one."""
    other = replace(violated, arch="worst-case", feature="worst-counted", states=7)
    third = replace(
        violated, arch="sparc", violations=(made.broken("lost-update", "", 0, 1, TRACE[:1]),)
    )
    texts = counterexample.render([violated, third, other], {}, SAYS)
    assert len(texts) == 2
    assert texts[0].startswith(
        "two-writers: violated on x86 (xen-nesting-count, Linux 6.12.8), worst-case "
        "(worst-counted, Linux\n6.12.8)\n"
    )
    assert "123 states, 7 states searched" in texts[0]


def test_a_queue_is_told_as_what_is_pending_and_no_other_variable_is_left_out(violated):
    """What a variable is decides, and not how its value is spelt."""
    changes = (StateChange("cpu0.queue", "('p', 'B')", queue=True), StateChange("mode", "(lazy)"))
    trace = (replace(TRACE[0], state=changes),)
    broken = (made.broken("lost-update", "", 0, 1, trace),)
    (text,) = counterexample.render([replace(violated, violations=broken)], {}, SAYS)
    assert "mode = (lazy)" in text
    assert "cpu0.queue" not in text
    value = json.loads(verify_json.render([replace(violated, violations=broken)], {}, ["met"]))
    assert set(value["results"][0]["trace"][0]["state"]) == {"cpu0.queue", "mode"}


def test_a_verdict_without_violation_has_no_counterexample(violated):
    """A verdict without a violation has no counterexample, since there is nothing to tell."""
    assert counterexample.render([replace(violated, violations=())], {}, SAYS) == []


def test_a_way_to_a_wrong_end_leaves_out_how_the_tasks_end(violated):
    """What is wrong happened before; that tasks end and idle comes in is nobody's news."""
    last = replace(TRACE[3], events=(e.Exit(task="T0", cpu=0),), action="")
    trace = (*TRACE, last, last)
    (text,) = counterexample.render(
        [replace(violated, violations=(made.broken("finally", "", 1, 6, trace),))], {}, {}
    )
    assert (
        "It breaks the rule finally: Everything ends in a state that the scenario allows." in text
    )
    assert "   ... and 2 steps more, until all tasks have ended.\n" in text
    assert "T0 ends" not in text


@given(
    st.lists(
        st.builds(
            TraceStep,
            st.integers(0, 2),
            st.sampled_from(["", "T0", "a-task-with-a-long-name"]),
            st.lists(st.sampled_from(["f", "lazy_mmu_mode_enable", "x" * 60])).map(tuple),
            st.text(max_size=80),
            st.text(max_size=40),
            st.lists(st.text(max_size=60), max_size=3).map(tuple),
            st.lists(st.tuples(st.just("p"), st.text(max_size=50)), max_size=1).map(tuple),
            note=st.text(max_size=60),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_no_line_of_a_counterexample_is_wider_than_100_columns(trace):
    """Whatever the names are, and on however many CPUs."""
    verdict = Verdict(
        "s",
        "x86",
        "6.12.8",
        "f",
        SearchOutcome.VIOLATED,
        (made.broken("r", "", 0, 1, tuple(trace)),),
    )
    (text,) = counterexample.render([verdict], {}, {})
    assert max(map(len, text.split("\n"))) <= 100
    assert not any(ord(character) < 32 for character in text.replace("\n", ""))


@pytest.mark.parametrize("kind", e.EVENTS.values(), ids=list(e.EVENTS))
def test_every_event_can_be_put_in_words(kind):
    """A new event must not end a report; it is left out, or said in a few words."""
    needed = {"entry": "p", "lock": "L", "kind": "bh", "variable": "v", "why": "x", "at": "irq"}
    given_ = {name: value for name, value in needed.items() if name in kind.__slots__}
    if kind in (e.Flush, e.SwitchOut):
        del given_["why"]
    if kind in (e.IrqEnter, e.IrqExit):
        del given_["kind"]
    said = event_phrases.phrases([kind(task="T0", cpu=0, **given_)])
    assert len(said) <= 1
    assert all(len(phrase) < 60 for phrase in said)


# ---- JSON ----------------------------------------------------------------------------------------


def test_a_result_has_every_field_and_fits_the_schema(violated, validate):
    """Programs find what a person reads, and the text of the scenario that was run."""
    text = verify_json.render([violated], {"two-writers": "litmus two-writers\n"}, ["met"])
    value = json.loads(text)
    validate(value)
    (result,) = value["results"]
    fields = ("arch", "release", "scenario", "verdict", "rule", "harm", "states", "transitions")
    assert [result[name] for name in fields] == [
        "x86",
        "6.12.8",
        "two-writers",
        "violated",
        "lost-update",
        "the page is freed",
        123,
        456,
    ]
    fields = ("depth", "steps", "preemptions", "seconds", "expected")
    assert [result[name] for name in fields] == [20, 4, 1, 0.25, "met"]
    assert result["trace"][1]["events"] == ["T0: write p cpu=0 operation=set_pte"]
    assert [one["rule"] for one in result["also"]] == ["finally"]


@pytest.mark.parametrize(
    "answer", [one for one in SearchOutcome if one is not SearchOutcome.VIOLATED]
)
def test_a_result_without_violation_fits_the_schema(violated, validate, answer):
    """What was not found is null, not missing."""
    verdict = replace(violated, verdict=answer, violations=(), never=("x",), reason="bound")
    value = json.loads(verify_json.render([verdict], {}, ["open"]))
    validate(value)
    assert value["results"][0]["rule"] is None
    assert value["results"][0]["trace"] == []


def test_what_was_written_can_be_read_for_a_replay(violated):
    """Each violation with its steps, and the scenario's text."""
    holds = replace(violated, verdict=SearchOutcome.HOLDS, violations=())
    text = verify_json.render([holds, violated], {"two-writers": "the text"}, ["met", "met"])
    first, second = stored.read(text)
    assert (first.rule, first.text, first.arch) == ("lost-update", "the text", "x86")
    assert first.actions == tuple(step.action for step in TRACE)
    assert (second.rule, second.actions) == ("finally", ())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "this is no JSON"),
        ("[" * 100_000, "this is no JSON"),
        ("[]", "this is no output of lazymmu verify"),
        ('{"format": 1}', "this is no output of lazymmu verify"),
        ('{"format": 2, "results": []}', "its format is 2, and 1 can be read"),
        ('{"format": 1, "results": [1]}', "a result in it is not whole"),
        ('{"format": 1, "results": [{"rule": null}]}', "a result in it is not whole"),
        ('{"format": 1, "results": [], "scenarios": 1}', "a result in it is not whole"),
    ],
)
def test_what_was_not_written_by_us_is_refused_in_one_sentence(text, says):
    """Files for a replay come from anywhere."""
    with pytest.raises(ValueError, match=says):
        stored.read(text)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda x: (
            st.lists(x)
            | st.dictionaries(
                st.sampled_from(["rule", "trace", "also", "scenario", "arch", "action"]), x
            )
        ),
    )
)
def test_no_result_shows_the_insides_of_the_reader(result):
    """Any JSON is read or refused."""
    try:
        stored.read(json.dumps({"format": 1, "results": [result], "scenarios": {}}))
    except ValueError as error:
        assert str(error) == "a result in it is not whole"


# ---- expectations, as KTAP and JUnit have them ---------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "met", "state"),
    [
        (SearchOutcome.HOLDS, True, "passed"),
        (SearchOutcome.VIOLATED, False, "failed"),
        (SearchOutcome.NOT_APPLICABLE, True, "skipped"),
        (SearchOutcome.NOT_APPLICABLE, False, "failed"),
        (SearchOutcome.INCONCLUSIVE, None, "open"),
    ],
)
def test_a_case_is_passed_when_it_is_as_the_scenario_expects(violated, outcome, met, state):
    """What no kernel is like is skipped, and what was not decided is open."""
    shown = violated.violations if outcome is SearchOutcome.VIOLATED else ()
    verdict = replace(violated, verdict=outcome, violations=shown, reason="no kernel")
    judged = SimpleNamespace(verdict=verdict, met=met, sentences=("as expected",))
    (suite,) = tools.report([judged]).suites
    (case,) = suite.cases
    assert (suite.name, case.name) == ("two-writers", "x86 xen-nesting-count 6.12.8")
    assert case.state == state
    assert case.told[-1] == "as expected"
    assert tools.states([judged]) == {case.state: 1}
