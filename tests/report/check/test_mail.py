# SPDX-License-Identifier: GPL-2.0-or-later
"""The mail format: plain text that survives a reply."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lazymmu.report.check import mail
from lazymmu.snapshot.revisions import Base
from lazymmu.verbs.change import Change, Moved
from lazymmu.verbs.selection import CheckOutcome
from lazymmu.witness.finding import (
    CheckResult,
    Confidence,
    Coverage,
    Finding,
    Severity,
    Step,
    TreeInfo,
)


def test_a_finding_is_a_numbered_paragraph_with_its_path_and_who_is_hurt(make_finding, make_result):
    """Whoever reads the mail needs neither the tool nor the tree to follow the argument."""
    assert mail.render([CheckOutcome(make_result(make_finding()))]) == (
        "lazymmu check of Linux 6.12.8 (x86, powerpc, sparc): 1 finding\n"
        "\n"
        "1. inner_pte_range(): begins a lazy MMU section inside a section\n"
        "   [nested-section]\n"
        "   mm/inner.c:41\n"
        "\n"
        "     mm/outer.c:12: outer_pte_range(): the section begins\n"
        "     mm/outer.c:15: outer_pte_range(): calls inner_pte_range()\n"
        "     mm/inner.c:41: inner_pte_range(): a second section begins\n"
        "\n"
        "   Hurts x86: the inner end switches batching off for the outer section.\n"
        "   On x86, sparc; confidence high.\n"
        "   Fingerprint nested-section:mm/inner.c:inner_pte_range.\n"
    )


def test_what_hurts_comes_first(make_finding, make_result):
    """Who reads on is not sent to what breaks the text alone before."""
    found = (
        make_finding(function="text_only", harms=(), severity=Severity.BREAKS_TEXT),
        make_finding(function="hurting"),
    )
    text = mail.render([CheckOutcome(make_result(*found))])
    assert text.index("1. hurting()") < text.index("2. text_only()")


def test_what_a_change_mends_and_moves_has_a_line_each(make_finding, make_result):
    """After what is new, and after a sentence that counts all of it."""
    old, now = make_finding(function="before"), make_finding(function="after")
    fixed = make_finding(function="mended")
    change = Change(Base("1" * 40, "main", merge_base=True), (fixed,), (Moved(now, old),), (old,))
    text = mail.render([CheckOutcome(make_result(), change=change)])
    assert "Since 111111111111, the merge base with main: 0 new, 1 fixed, 1 moved, 1" in text
    assert "- fixed: mm/inner.c:41: mended(): begins a" in text
    said = " ".join(text.split())
    assert "- moved: mm/inner.c:41: after():" in said
    assert "(from mm/inner.c:41 before())" in said


def test_a_clean_tree_is_said_to_be_clean(make_result):
    """An empty mail could mean anything."""
    assert mail.render([CheckOutcome(make_result())]).endswith(": no findings\n")


WORD = st.text("abcdefghijklmnopqrstuvwxyz_/.()-", min_size=1, max_size=90)
SENTENCE = st.lists(WORD, min_size=1, max_size=25).map(" ".join)
STEPS = st.builds(Step, WORD, st.integers(1, 10**5), st.just(1), WORD, SENTENCE)


@given(SENTENCE, st.lists(STEPS, max_size=3), st.lists(SENTENCE, max_size=2))
def test_no_line_is_wider_than_a_mail_unless_it_is_a_single_word(message, path, conditions):
    """Long sentences wrap; a path or chain that cannot stays whole on a line of its own."""
    finding = Finding(
        rule="nested-section",
        severity=Severity.BREAKS_TEXT,
        confidence=Confidence.LOW,
        arches=("x86",),
        conditions=tuple(conditions),
        file="mm/memory.c",
        line=1,
        column=1,
        function="zap",
        message=message,
        path=tuple(path),
    )
    tree = TreeInfo("linux", "6.1", "plain")
    result = CheckResult(tree, ("x86",), (finding,), Coverage(1, 1))
    for line in mail.render([CheckOutcome(result)]).splitlines():
        words = line.split()
        assert len(line) <= mail.WIDTH or len(words) == 1 or words[0] == "1."
        assert line == line.rstrip()
