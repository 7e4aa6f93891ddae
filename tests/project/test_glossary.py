# SPDX-License-Identifier: GPL-2.0-or-later
"""Every word that an output uses in a sense of its own is in the glossary, once.

The words are not listed here: they are what the enumerations of the product can say, what the
severities are called, and the abbreviations in the texts of the rules and architectures.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from enum import StrEnum
from pathlib import Path

import pytest

from lazymmu.contract import dialects, explain
from lazymmu.contract.deferral import rows
from lazymmu.contract.rules import RULES, rule
from lazymmu.costs.counts import Scope
from lazymmu.report.check.compare import Absence
from lazymmu.report.common.messages import WORDS
from lazymmu.verbs import oops, selection, store
from lazymmu.verbs.past import of_commits, states
from lazymmu.verbs.review import values
from lazymmu.witness import finding

GLOSSARY = Path(__file__).parents[2] / "docs" / "glossary.rst"
ENTRIES = re.findall(
    r"^   (\S.*)\n((?:      .*\n)+)",
    GLOSSARY.read_text().partition(".. glossary::")[2] + "\n",
    re.MULTILINE,
)
MEANINGS = {term: " ".join(meaning.split()) for term, meaning in ENTRIES}
TERMS = [term for term, _ in ENTRIES]

ROOMS = ("contract", "witness", "verbs", "costs")
"""Packages whose enumerations reach people."""
EXPLAINED_AT: dict[type[StrEnum], str] = {
    dialects.Status: "dialect",
    dialects.Nesting: "dialect",
    dialects.LockGuarantee: "dialect",
    dialects.Interrupts: "dialect",
    rule.Party: "rule",
    rule.RuleKind: "rule",
    rule.Witness: "witness",
    finding.Confidence: "confidence",
    finding.Standing: "coverage",
    selection.SetAsideBy: "set aside",
    states.PastState: "problem",
    values.Fate: "id",
    oops.OopsVerdict: "splat",
    Scope: "scope",
    Absence: "not found",
}
"""Where the values are told together; those of the others are terms of their own."""
UNSAID: dict[type[StrEnum], str] = {
    finding.StepAside: "it decides where a step is shown",
    store.StoreAction: "the help of `cache` says what each does",
    of_commits.Every: "words of git",
    **dict.fromkeys(
        (rows.Deferred, rows.Owner, rows.NestedSection, rows.OnContextSwitch, rows.Interrupt),
        "each value is a phrase that explains itself",
    ),
}
"""Enumerations whose values are no words of an output, and why."""

NOUNS = (
    "finding", "path", "section", "entry", "flush", "pause", "PTL", "pin", "dialect", "rule",
    "set aside", "withheld", "suppression", "baseline", "stale", "loss", "coverage", "fingerprint",
    "scenario", "machine", "implementation", "feature", "release", "run", "verdict", "state",
    "counterexample", "vacuous", "as expected", "claim", "port", "pending", "callback", "culprit",
    "harm", "profile", "configuration", "event",
)  # fmt: skip
"""Nouns of headings and summaries, which no enumeration holds."""


def enumerations() -> set[type[StrEnum]]:
    """Those that the packages whose words reach people define."""
    found = {Absence}
    for room in ROOMS:
        package = importlib.import_module(f"lazymmu.{room}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            here = importlib.import_module(module.name)
            found |= {
                value
                for value in vars(here).values()
                if isinstance(value, type)
                and issubclass(value, StrEnum)
                and value.__module__ == module.name
            }
    return found


def spelt(word: str) -> str:
    """A value of an enumeration as people read it."""
    return {"breaks-text": "breaks the text", "no-op": word}.get(word, word.replace("-", " "))


SAID = sorted(
    ((one, str(value)) for one in enumerations() - UNSAID.keys() for value in one),
    key=lambda pair: (pair[0].__name__, pair[1]),
)


@pytest.mark.parametrize(
    ("kind", "word"), SAID, ids=lambda value: getattr(value, "__name__", value)
)
def test_a_word_of_an_enumeration_is_in_the_glossary(kind, word):
    """Severities, verdicts, states and the rest can each be looked up."""
    if word == "none" and kind is selection.FailOn:
        return
    at = EXPLAINED_AT.get(kind)
    if at is None:
        assert spelt(word) in TERMS
    else:
        said = rf"(?<!\w){re.escape(spelt(word))}(?![a-z])"
        assert spelt(word) == at or re.search(said, MEANINGS[at]), at


def test_what_is_said_to_be_explained_exists():
    """An enumeration that is gone leaves no exemption behind."""
    assert enumerations() >= EXPLAINED_AT.keys() | UNSAID.keys()


def texts() -> str:
    """What `explain` can say: of all rules, architectures, and the contract."""
    said = [explain.explain_rule(name, None, 100) for name in RULES]
    said += [
        explain.explain_arch(name, columns=100) for name in ("x86", "powerpc", "sparc", "arm64")
    ]
    said += [explain.explain_contract(one) for one in dialects.DIALECTS.values()]
    return "\n".join(said)


def test_an_abbreviation_in_the_texts_of_the_rules_is_in_the_glossary():
    """Whoever meets PTL or TLB there finds what it is; words of C and POSIX are not ours."""
    letters = set(re.findall(r"(?<![\w/.#`])[A-Z]{2,4}(?![\w(/.*])", texts()))
    told = set(re.findall(r"\b[A-Z]{2,4}\b", " ".join(TERMS)))
    assert letters - told <= {"CPU", "API", "BUG", "WARN"}
    for word in ("BUG", "WARN"):
        assert f"`{word}()`" in MEANINGS["splat"]


@pytest.mark.parametrize("word", [*WORDS.values(), "costs", *NOUNS])
def test_a_noun_of_the_reports_is_in_the_glossary(word):
    """What headings and summaries count can be looked up."""
    assert word in TERMS


def test_the_glossary_explains_each_word_once():
    """A word that stands there twice may have two meanings, so it does not."""
    assert sorted({term for term in TERMS if TERMS.count(term) > 1}) == []


def test_each_word_is_followed_by_its_meaning():
    """A term without an explanation below it is not one that can be looked up."""
    text = GLOSSARY.read_text()
    for term in TERMS:
        assert re.search(rf"^   {re.escape(term)}\n      \S", text, re.MULTILINE), term
