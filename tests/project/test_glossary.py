# SPDX-License-Identifier: GPL-2.0-or-later
"""Every word that an output uses in a sense of its own is in the glossary, once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lazymmu.verbs.selection import FailOn
from lazymmu.verbs.verify import SearchOutcome

GLOSSARY = Path(__file__).parents[2] / "docs" / "glossary.rst"
TERMS = re.findall(r"^   (\S.*)$", GLOSSARY.read_text().partition(".. glossary::")[2], re.MULTILINE)

NOUNS = (
    "finding", "path", "section", "entry", "flush", "pause", "PTL", "pin", "dialect", "rule",
    "implied", "set aside", "withheld", "suppression", "baseline", "stale", "loss", "coverage",
    "confidence", "fingerprint", "scenario", "machine", "implementation", "feature", "release",
    "run", "verdict", "state", "counterexample", "vacuous", "as expected", "claim", "port",
    "violation", "allowed", "cannot tell", "pending", "callback", "culprit", "harm", "profile",
    "configuration", "event", "witness",
)  # fmt: skip


def spelt(word):
    """A value of an enumeration as people read it."""
    return "breaks the text" if word == "breaks-text" else word.replace("-", " ")


@pytest.mark.parametrize(
    "word", [*NOUNS, *(spelt(str(word)) for word in (*FailOn, *SearchOutcome) if word != "none")]
)
def test_a_word_of_an_output_is_in_the_glossary(word):
    """Severities, verdicts and the nouns of the reports can each be looked up."""
    assert word in TERMS


def test_the_glossary_explains_each_word_once():
    """A word that stands there twice may have two meanings, so it does not."""
    assert sorted({term for term in TERMS if TERMS.count(term) > 1}) == []


def test_each_word_is_followed_by_its_meaning():
    """A term without an explanation below it is not one that can be looked up."""
    text = GLOSSARY.read_text()
    for term in TERMS:
        assert re.search(rf"^   {re.escape(term)}\n      \S", text, re.MULTILINE), term
