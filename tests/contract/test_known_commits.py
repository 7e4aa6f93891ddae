# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of known commits: cited, and said alike wherever it is said."""

from __future__ import annotations

import re
from pathlib import Path

from lazymmu.contract.explain import explain_rule
from lazymmu.contract.known_commits import known_history, load
from lazymmu.contract.rules import RULES

TOP = Path(__file__).parents[2]


def commits():
    """All commits of the table."""
    return [
        commit
        for entry in load()
        for commit in (entry.introduced, entry.fixed)
        if commit is not None
    ]


def test_each_entry_is_of_rules_that_there_are_and_names_a_commit():
    """A commit has 12 digits, and a release of mainline."""
    for entry in load():
        assert set(entry.rules) <= set(RULES)
        assert entry.introduced or entry.fixed
    for commit in commits():
        assert re.fullmatch("[0-9a-f]{12}", commit.commit)
        assert re.fullmatch(r"\d+\.\d+(\.\d+)?", commit.release)


def test_a_commit_has_one_subject_and_one_release_wherever_it_is_cited():
    """What the rules cite and what the table has are the same."""
    text = " ".join(f"{rule.citation} {rule.why}" for rule in RULES.values())
    cited = {
        match[1]: (match[2], match[3])
        for match in re.finditer(r'([0-9a-f]{12}) \("([^"]*)"\) \(in v([\d.]+)', text)
    }
    shared = [one for one in commits() if one.commit in cited]
    assert shared
    for one in shared:
        assert (one.subject, one.release) == cited[one.commit]


def test_the_pages_of_findings_name_the_commits_that_mended_what_they_tell():
    """A reader finds the same commit on the page and in the table."""
    pages = "".join(page.read_text() for page in (TOP / "docs" / "findings").glob("*.md"))
    named = {one.fixed.commit for one in load() if one.fixed is not None}
    assert {one for one in named if one not in pages} <= {"fea18c686320"}  # in no release


def test_a_problem_is_looked_up_by_rule_and_by_any_place_that_it_was_in():
    """A place in another file is another problem."""
    place = ("arch/sparc/include/asm/pgtable_64.h", "set_ptes")
    entry = known_history("nested-section", [("mm/new.c", "new"), place])
    assert entry is not None
    assert entry.fixed is not None
    assert entry.fixed.commit == "eb61ad14c459"
    assert known_history("stale-read", [place]) is None
    assert known_history("nested-section", [("mm/new.c", "set_ptes")]) is None


def test_explain_says_where_a_rule_was_broken_since_when_and_until_when():
    """Of a rule of which nothing is known it says nothing of the kind."""
    assert "since bcc6cc832573" in " ".join(explain_rule("nested-section").split())
    assert "Where it was broken" not in explain_rule("raw-arch-call")
