# SPDX-License-Identifier: GPL-2.0-or-later
"""The summary: what was looked at, found, withheld and not seen."""

from __future__ import annotations

from lazymmu.report.check import summary
from lazymmu.snapshot.conflict_markers import CONFLICT
from lazymmu.verbs.selection import CheckOutcome
from lazymmu.witness.finding import Coverage, Lost, Severity


def test_the_summary_counts_who_is_hurt_what_is_withheld_and_what_was_not_seen(
    make_finding, make_result
):
    """Nothing is lost silently, whatever the format leaves out."""
    result = make_result(
        make_finding(),
        make_finding(rule="stale-read", severity=Severity.BREAKS_TEXT, harms=()),
        make_finding(rule="preempted-in-section", severity=Severity.INFORMATION),
    )
    assert summary.sentences(CheckOutcome(result, (("suppressed", 3), ("outside --path", 1)))) == [
        "linux (Linux 6.12.8, dialect locked): 2 findings (1 hurts an architecture, 1 breaks the"
        " text only) in 7 sections, 120 functions read for x86, powerpc, sparc",
        "1 note for information not shown; --rule preempted-in-section shows it",
        "not counted: 3 suppressed, 1 outside --path",
        "1 place could not be read or parsed and 1 call could not be resolved;"
        " --format json lists them",
    ]


def test_files_with_an_unresolved_merge_conflict_are_named(make_finding, make_result):
    """Who forgot to resolve a merge hears where, even beside findings in other files."""
    torn = [Lost(name, 9, "", CONFLICT) for name in ("mm/b.c", "mm/a.c", "mm/b.c")]
    told = Coverage(1, 1, unparsed=(*torn, Lost("mm/c.c", 1, "", "odd")))
    said = summary.sentences(CheckOutcome(make_result(make_finding(), coverage=told)))
    assert "unresolved merge conflict, not read: mm/a.c, mm/b.c" in said


def test_each_finding_hurts_somebody_or_breaks_the_text(make_finding, make_result):
    """Findings that hurt and those that break the text are counted apart, and 0 is left out."""
    hurts = [make_finding(line=line) for line in (1, 2, 3)]
    breaks = make_finding(severity=Severity.BREAKS_TEXT, harms=())
    words = {
        (*hurts, breaks): "4 findings (3 hurt an architecture, 1 breaks the text only)",
        (*hurts,): "3 findings (3 hurt an architecture)",
        (breaks, breaks): "2 findings (2 break the text only)",
    }
    for findings, said in words.items():
        assert said in summary.sentences(CheckOutcome(make_result(*findings)))[0]


def test_a_clean_tree_that_was_seen_whole_is_one_sentence(make_result):
    """A clean tree that was seen whole takes one line, because there is no news."""
    result = make_result(coverage=Coverage(sections=1, functions_parsed=1))
    assert summary.sentences(CheckOutcome(result)) == [
        "linux (Linux 6.12.8, dialect locked): no findings in 1 section, 1 function read"
        " for x86, powerpc, sparc"
    ]
