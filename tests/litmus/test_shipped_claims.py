# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of claims: what it states is what machines show."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from lazymmu.litmus import shipped
from lazymmu.litmus.run import library, named

PAGE = Path(__file__).parents[2] / "docs" / "claims.py"


def loaded():
    """The module that makes the page; documentation is no package."""
    spec = importlib.util.spec_from_file_location("claims", PAGE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


claims = loaded()
CLAIMS = claims.read()
WITNESSES = [(claim, run) for claim in CLAIMS for run in claim.runs]


def test_there_are_twenty_one_and_all_have_a_verdict():
    """C1 to C21, and the page has words for each verdict."""
    assert [claim.name for claim in CLAIMS] == [f"C{number}" for number in range(1, 22)]
    assert {claim.verdict for claim in CLAIMS} == set(claims.WORDS)


def test_a_claim_that_nothing_shows_says_so():
    """A claim that no run shows says so, and all others have a run."""
    silent = [claim for claim in CLAIMS if not claim.runs]
    assert all("No machine shows that" in claim.why for claim in silent)
    assert len(silent) < 3


@pytest.mark.parametrize(
    ("claim", "run"), WITNESSES, ids=lambda one: getattr(one, "command", None) or one.name
)
def test_what_a_claim_names_exists_and_comes_out_as_stated(claim, run):
    """The scenario names the claim, too."""
    assert run.scenario in shipped.names()
    assert claim.name in named(run.scenario).claims
    assert claims.shown(run.verdict()) == run.shows


def test_scenarios_name_no_other_claims():
    """A name that nothing explains means nothing."""
    known = {claim.name for claim in CLAIMS}
    assert all(known.issuperset(scenario.claims) for scenario in library())


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_the_page_has_each_claim_with_its_commands(claim):
    """What is printed is the claim, the verdict, and a row for each run."""
    text = "\n".join(claims.lines([claim]))
    assert text.startswith(f"{claim.name}: {claims.WORDS[claim.verdict]}\n---")
    assert text.count("lazymmu verify --scenario") == len(claim.runs)
    assert text.replace("\\", "").count(claim.says) == 1


def test_the_page_says_who_is_hurt_and_how_soon():
    """The harm comes first, however many obligations are broken before it."""
    run = claims.Witness("pagemap-scan-unlocks-first", "x86", "6.12.38", "")
    hurt = "\n".join(claims.lines([claims.Claim("C1", "It is so.", "agree", "Why.", (run,))]))
    assert "     - x86: lost-update\n     - 0 preemptions, " in hurt
    run = claims.Witness("pagemap-scan-unlocks-first", "x86-native", "6.12.8", "")
    unhurt = "\n".join(claims.lines([claims.Claim("C1", "It is so.", "agree", "Why.", (run,))]))
    assert "     - nobody\n     - 0 preemptions, 1 step" in unhurt
