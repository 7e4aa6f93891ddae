# SPDX-License-Identifier: GPL-2.0-or-later
"""What is written in several places, so that a parser need not import a search, is one thing."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any, get_args

import pytest

from lazymmu.cli import options, search_options, verify
from lazymmu.contract.event_words import Level
from lazymmu.explore.search import ENGINES
from lazymmu.ftrace import profile as traced
from lazymmu.kernelc.arch_profile import PROFILES
from lazymmu.kernelc.preprocess import if_macros
from lazymmu.litmus import scenario
from lazymmu.machine import config, port, workbench
from lazymmu.snapshot import listing
from lazymmu.witness.finding import Confidence, Severity, Standing
from lazymmu.witness.machine.verdict import SearchOutcome
from lazymmu.witness.source.function import frame, liveness
from lazymmu.witness.source.interproc import constants
from lazymmu.witness.trace.values import TraceVerdict
from tools import litmus_counts

LEVELS = get_args(Level)


def schema(name: str) -> Any:
    """A schema that ships."""
    return json.loads((files(f"lazymmu.report.{name}") / f"{name}.schema.json").read_text("utf-8"))


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
    "types of entries": (liveness._CARRIED - liveness.LOCK_TYPES, set(frame.ENTRY_LEVELS)),
    "preemption models of a scenario": (scenario.PREEMPT, tuple(config.Preempt)),
    "preemption models of --preempt": (verify.PREEMPT, tuple(config.Preempt)),
    "engines of --engine": (search_options.ENGINES, ENGINES),
    "architectures of --arch": (options.ARCHES, tuple(PROFILES)),
    "architectures of a trace": (traced.ARCHES, tuple(PROFILES)),
    "architecture of a port": (verify.PORT, port.ARCH),
    "tests of a configuration": (constants.CONFIG_TESTS, if_macros.OPTION_TESTS),
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
        ("verify", "verdict", SearchOutcome),
        ("trace", "severity", Severity),
        ("trace", "verdict", TraceVerdict),
    ],
)
def test_a_schema_allows_the_words_that_there_are(name: str, key: str, words: Any) -> None:
    """Each word that a result can have, and no other."""
    found = enums(schema(name), key)
    assert found
    assert all(set(one) == {str(word) for word in words} for one in found)


def test_the_counts_are_made_by_any_engine(capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m tools.litmus_counts` offers the engines of the search."""
    with pytest.raises(SystemExit):
        litmus_counts.main(["--help"])
    assert f"{{{','.join(ENGINES)}}}" in capsys.readouterr().out


def test_a_listing_knows_the_directories_of_the_profiles():
    """A link among them is listed under the name that the top Makefile enters."""
    assert {profile.arch_dir for profile in PROFILES.values()} == listing.ARCH_DIRECTORIES
