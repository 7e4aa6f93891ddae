# SPDX-License-Identifier: GPL-2.0-or-later
"""The text format: what a compiler would print."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from lazymmu.report.check import text
from lazymmu.verbs.selection import CheckOutcome
from lazymmu.witness.finding import (
    CheckResult,
    Confidence,
    Coverage,
    Finding,
    Harm,
    Severity,
    Step,
    TreeInfo,
)


def test_a_finding_is_one_line_and_its_path_and_facts_are_notes(make_finding, make_result):
    """The first line names place, severity, function, sentence and rule; all others are notes."""
    finding = make_finding(also=("sleep-in-section",), conditions=("CONFIG_EXAMPLE",), implied=True)
    assert text.render([CheckOutcome(make_result(finding))]) == (
        "mm/inner.c:41:2: error: inner_pte_range(): begins a lazy MMU section inside a section"
        " [nested-section]\n"
        "mm/outer.c:12:2: note: outer_pte_range(): the section begins\n"
        "mm/outer.c:15:9: note: outer_pte_range(): calls inner_pte_range()\n"
        "mm/inner.c:41:2: note: inner_pte_range(): a second section begins\n"
        "mm/inner.c:41:2: note: hurts x86: the inner end switches batching off for the outer"
        " section\n"
        "mm/inner.c:41:2: note: on x86, sparc; needs CONFIG_EXAMPLE; confidence high;"
        " also breaks sleep-in-section; the tree's own text only implies this rule\n"
    )


def test_architectures_that_are_hurt_alike_share_a_note(make_finding, make_result):
    """The question "who is hurt, and how?" has as many answers as there are ways."""
    harms = (Harm("powerpc", "it sleeps"), Harm("sparc", "it wakes"), Harm("x86", "it sleeps"))
    out = text.render([CheckOutcome(make_result(make_finding(harms=harms)))])
    assert "note: hurts powerpc, x86: it sleeps\n" in out
    assert "note: hurts sparc: it wakes\n" in out


def test_breaking_the_text_is_a_warning_that_says_nobody_is_known_to_be_hurt(
    make_finding, make_result
):
    """Severity has the words that editors know, and the question "who is hurt?" is answered."""
    finding = make_finding(severity=Severity.BREAKS_TEXT, harms=(), path=())
    first, *notes = text.render([CheckOutcome(make_result(finding))]).splitlines()
    assert " warning: " in first
    assert any("no architecture of this tree is known to be hurt" in note for note in notes)


def test_information_is_shown_only_if_its_rule_is_asked_for(make_finding, make_result):
    """What only informs would drown what is wrong."""
    finding = make_finding(rule="preempted-in-section", severity=Severity.INFORMATION)
    outcome = CheckOutcome(make_result(finding))
    assert text.render([outcome]) == ""
    assert text.render([outcome], asked={"preempted-in-section"}).count(" info: ") == 1


def test_with_several_trees_every_place_says_which(make_finding, make_result):
    """A line without its tree would point into none or into the wrong one."""
    results = [
        make_result(make_finding(), tree=TreeInfo(path, "6.1", "plain")) for path in ("old/", "new")
    ]
    lines = text.render([CheckOutcome(result) for result in results]).splitlines()
    assert {line.split("/", 1)[0] for line in lines} == {"old", "new"}
    assert all(re.match(r"(old|new)/mm/\w+\.c:\d+:\d+: ", line) for line in lines)


ANY_TEXT = st.text(max_size=30)
STEPS = st.builds(Step, ANY_TEXT, st.integers(0, 10**6), st.integers(0, 500), ANY_TEXT, ANY_TEXT)
FINDINGS = st.builds(
    Finding,
    rule=st.sampled_from(["nested-section", "stale-read"]),
    severity=st.sampled_from(Severity),
    confidence=st.sampled_from(Confidence),
    arches=st.lists(st.sampled_from(["x86", "sparc"]), unique=True).map(tuple),
    conditions=st.lists(ANY_TEXT, max_size=2).map(tuple),
    file=ANY_TEXT,
    line=st.integers(0, 10**6),
    column=st.integers(0, 500),
    function=ANY_TEXT,
    message=ANY_TEXT,
    path=st.lists(STEPS, max_size=4).map(tuple),
    fingerprint=ANY_TEXT,
)


@given(st.lists(FINDINGS, max_size=4))
def test_whatever_a_tree_calls_its_files_each_finding_stays_on_its_line(findings):
    """A newline or escape sequence in a file's name neither forges lines nor reaches a terminal."""
    tree = TreeInfo("linux", "6.1", "plain")
    result = CheckResult(tree, ("x86",), tuple(findings), Coverage(1, 1))
    out = text.render([CheckOutcome(result)], asked={f.rule for f in findings})
    lines = out.split("\n")
    assert lines.pop() == ""
    steps = sum(len(f.path) for f in findings)
    extra = sum(len(f.harms) or f.severity is Severity.BREAKS_TEXT for f in findings)
    assert len(lines) == 2 * len(findings) + steps + extra
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", out)
