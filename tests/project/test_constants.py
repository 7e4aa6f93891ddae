# SPDX-License-Identifier: GPL-2.0-or-later
"""What is written in several places, so that a parser need not import a search, is one thing."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any, get_args

import pytest

from lazymmu.cli import options, searching, verify
from lazymmu.contract.events import Level
from lazymmu.explore.search import ENGINES
from lazymmu.ftrace import profile as traced
from lazymmu.kernelc import condition
from lazymmu.kernelc.profile import PROFILES
from lazymmu.litmus import recount, scenario
from lazymmu.machine import config, port, workbench
from lazymmu.report import sarif, told, trace, trace_json
from lazymmu.witness.finding import Confidence, Severity, Standing
from lazymmu.witness.machine.verdict import Answer
from lazymmu.witness.source import facts, frame, plan

LEVELS = get_args(Level)


def schema(name: str) -> Any:
    """A schema that ships."""
    return json.loads((files("lazymmu.report") / f"{name}.schema.json").read_text("utf-8"))


def enums(value: Any, key: str) -> list[list[str]]:
    """The values that a schema allows for each property of a name."""
    if isinstance(value, list):
        return [found for item in value for found in enums(item, key)]
    if not isinstance(value, dict):
        return []
    own = value.get(key)
    mine = [own["enum"]] if isinstance(own, dict) and "enum" in own else []
    return mine + [found for item in value.values() for found in enums(item, key)]


COPIES = {
    "levels of the workbench": (workbench.LEVELS, LEVELS),
    "levels of a scenario": (scenario.LEVELS, LEVELS),
    "levels of the walk": (frame._LEVELS, LEVELS),
    "types of entries": (plan._CARRIED - plan.LOCK_TYPES, set(frame.ENTRY_LEVELS)),
    "preemption models of a scenario": (scenario.PREEMPT, tuple(config.Preempt)),
    "preemption models of --preempt": (verify.PREEMPT, tuple(config.Preempt)),
    "engines of --engine": (searching.ENGINES, ENGINES),
    "architectures of --arch": (options.ARCHES, tuple(PROFILES)),
    "architectures of a trace": (traced.ARCHES, tuple(PROFILES)),
    "architecture of a port": (verify.PORT, port.ARCH),
    "tests of a configuration": (facts._CONFIG_TESTS, condition._OPTION_TESTS),
    "levels in SARIF": (trace_json._LEVELS, sarif._LEVELS),
    "words for a severity": ({**told.LEVELS, **trace._LEVELS}, told.LEVELS),
}


@pytest.mark.parametrize("name", COPIES)
def test_the_copies_of_a_constant_are_equal(name: str) -> None:
    """What one module says by itself is what the module says whose matter it is."""
    copy, original = COPIES[name]
    assert copy == original


@pytest.mark.parametrize(
    ("name", "key", "words"),
    [
        ("check", "severity", Severity),
        ("check", "confidence", Confidence),
        ("check", "standing", Standing),
        ("verify", "verdict", Answer),
    ],
)
def test_a_schema_allows_the_words_that_there_are(name: str, key: str, words: Any) -> None:
    """Each word that a result can have, and no other."""
    found = enums(schema(name), key)
    assert found
    assert all(set(one) == {str(word) for word in words} for one in found)


def test_the_counts_are_made_by_any_engine(capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m lazymmu.litmus.recount` offers the engines of the search."""
    with pytest.raises(SystemExit):
        recount.main(["--help"])
    assert f"{{{','.join(ENGINES)}}}" in capsys.readouterr().out
