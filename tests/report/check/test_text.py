# SPDX-License-Identifier: GPL-2.0-or-later
"""The text format: a line for each finding, the path as a tree of calls, and the facts."""

from __future__ import annotations

import re

import pytest
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
    PathEvent,
    Severity,
    Step,
    StepAside,
    TreeInfo,
)


def test_a_finding_is_one_line_with_its_path_as_a_tree_of_calls_below(make_finding, make_result):
    """The first line names place, severity, function, sentence and rule; the last has the facts."""
    finding = make_finding(also=("sleep-in-section",), conditions=("CONFIG_EXAMPLE",), implied=True)
    *path, facts = text.render([CheckOutcome(make_result(finding))]).splitlines()
    assert path == [
        "mm/inner.c:41:2: hurts: inner_pte_range(): begins a lazy MMU section inside a section"
        " [nested-section]",
        "    mm/outer.c:12  outer_pte_range(): the section begins",
        "    mm/outer.c:15  outer_pte_range(): calls inner_pte_range()",
        "  > mm/inner.c:41    inner_pte_range(): a second section begins",
    ]
    said = ["the inner end switches batching off", "needs CONFIG_EXAMPLE", "also breaks sleep-in-"]
    assert facts.startswith("    hurts x86: ")
    assert all(part in facts for part in said)


def test_code_stands_in_the_path_and_what_happens_only_where_it_does_not_say_so(
    make_finding, make_result
):
    """Who reads code needs no sentence that repeats it; -v has both."""
    steps = (
        Step("mm/a.c", 3, 2, "f", "calls g()", code="g(mm);"),
        Step("mm/b.c", 9, 2, "g", "calls back h()", code="err = fn(data);"),
        Step("mm/a.c", 1, 2, "h", "in h()", code="static int h(void *data)"),
    )
    outcomes = [CheckOutcome(make_result(make_finding(path=steps, file="mm/a.c", line=3)))]
    _, *path, _ = text.render(outcomes).splitlines()
    assert path == [
        "  > mm/a.c:3  f(): g(mm);",
        "    mm/b.c:9    g(): err = fn(data);  (calls back h())",
        "    mm/a.c:1      h(): static int h(void *data)",
    ]
    assert "g(mm);  (calls g())" in text.render(outcomes, verbose=True)


def test_a_path_that_comes_back_to_a_function_comes_back_to_its_depth(make_finding, make_result):
    """What a callee did is seen to be over where its caller goes on."""
    names = ("f", "g", "h", "f", "g")
    steps = tuple(Step("a.c", n, 1, name, "here") for n, name in enumerate(names, 1))
    out = text.render([CheckOutcome(make_result(make_finding(path=steps)))])
    depths = [len(line) - len(line[9:].lstrip()) - 9 for line in out.splitlines()[1:6]]
    assert [depth - depths[0] for depth in depths] == [0, 2, 4, 0, 2]


def test_three_other_places_are_named_and_the_others_counted(make_finding, make_result):
    """Nineteen lines of the same do not stand before the next finding, unless asked for."""
    aside = tuple(
        Step("mm/z.c", n, 1, "z", "likewise", aside=StepAside.CULPRIT) for n in range(1, 8)
    )
    finding = make_finding()
    outcomes = [CheckOutcome(make_result(make_finding(path=finding.path + aside)))]
    brief = text.render(outcomes)
    assert brief.count("likewise: mm/z.c:") == 3
    assert "    and 4 places more (-v)\n" in brief
    assert text.render(outcomes, verbose=True).count("likewise: mm/z.c:") == 7


def test_what_hurts_comes_first(make_finding, make_result):
    """The gravest is read first, wherever its file stands in the alphabet."""
    late = make_finding(file="mm/z.c")
    early = make_finding(file="mm/a.c", severity=Severity.BREAKS_TEXT, harms=())
    out = text.render([CheckOutcome(make_result(early, late))])
    assert out.index("mm/z.c:") < out.index("mm/a.c:")


@given(st.integers(20, 200))
def test_a_terminal_is_not_left_and_no_word_is_broken(columns):
    """Down to 60 columns every line fits that can, and what was one word still is."""
    path = (Step("mm/long_name.c", 17, 1, "some_function", "calls other_function()"),) * 2
    finding = Finding(
        rule="nested-section", severity=Severity.HURTS, message="begins a section " * 9, path=path,
        harms=(Harm("x86", "it is hurt " * 12),),
    )  # fmt: skip
    outcome = CheckOutcome(CheckResult(TreeInfo("t", "6.1", "p"), (), (finding,), Coverage(1, 1)))
    whole, folded = text.render([outcome]), text.render([outcome], columns=columns)
    assert max(map(len, folded.splitlines())) <= max(columns, text.MIN_WIDTH)
    assert whole.split() == folded.split()


def test_architectures_that_are_hurt_alike_share_a_sentence(make_finding, make_result):
    """The question "who is hurt, and how?" has as many answers as there are ways."""
    harms = (Harm("powerpc", "it sleeps"), Harm("sparc", "it wakes"), Harm("x86", "it sleeps"))
    out = text.render([CheckOutcome(make_result(make_finding(harms=harms)))])
    assert "hurts powerpc, x86: it sleeps; hurts sparc: it wakes" in out


def test_breaking_the_text_says_that_nobody_is_known_to_be_hurt(make_finding, make_result):
    """The question "who is hurt?" is answered; what costs time only is told so in one word."""
    finding = make_finding(severity=Severity.BREAKS_TEXT, harms=(), path=())
    first, facts = text.render([CheckOutcome(make_result(finding))]).splitlines()
    assert " breaks the text: " in first
    assert "no architecture of this tree is known to be hurt" in facts
    slow = make_finding(severity=Severity.BREAKS_TEXT, harms=(), costs=(Harm("sparc", "slow"),))
    assert " costs: " in text.render([CheckOutcome(make_result(slow))]).splitlines()[0]


@pytest.mark.parametrize(
    ("path", "held"),
    [
        (("Take pte", "Enable", "MaySleep"), True),
        (("Take pmd", "Take pte", "Enable", "Drop pte", "MaySleep"), True),
        (("Take pte", "Enable", "Drop pte", "MaySleep"), False),
        (("Take pte", "Enable", "TlbFlush"), False),
        (("Enable", "MaySleep"), False),
    ],
)
def test_who_sleeps_with_a_lock_held_is_told_so(make_finding, make_result, path, held):
    """That the mode hurts nobody there does not say that all is well."""
    events = tuple(PathEvent(word.partition(" ")[0], word.partition(" ")[2]) for word in path)
    finding = make_finding(severity=Severity.BREAKS_TEXT, harms=(), events=events)
    out = text.render([CheckOutcome(make_result(finding))])
    assert ("hurt by the mode, but the task sleeps with a spinlock held" in out) == held


def test_information_is_shown_only_if_its_rule_is_asked_for(make_finding, make_result):
    """What only informs would drown what is wrong."""
    finding = make_finding(rule="preempted-in-section", severity=Severity.INFORMATION)
    outcome = CheckOutcome(make_result(finding))
    assert text.render([outcome]) == ""
    assert text.render([outcome], asked={"preempted-in-section"}).count(" information: ") == 1


def test_with_several_trees_every_place_says_which(make_finding, make_result):
    """A line without its tree would point into none or into the wrong one."""
    results = [
        make_result(make_finding(), tree=TreeInfo(path, "6.1", "plain")) for path in ("old/", "new")
    ]
    lines = text.render([CheckOutcome(result) for result in results]).splitlines()
    places = [re.match(r"(?:    |  > )?(old|new)/mm/\w+\.c:\d+", line) for line in lines]
    assert [place[1] for place in places if place] == ["old"] * 4 + ["new"] * 4


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
    assert len(findings) + steps <= len(lines) <= 2 * len(findings) + steps
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", out)
