# SPDX-License-Identifier: GPL-2.0-or-later
"""Shipped scenarios on implementations, as models to be searched."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lazymmu.litmus.run import Run, named, runs
from lazymmu.litmus.to_config import question
from lazymmu.witness.machine.product_model import Judged, Question


@pytest.fixture(scope="session")
def find_run() -> Callable[[str, str, str], Run]:
    """The first release of an architecture that has a feature, with a shipped scenario on it."""

    def find(scenario: str, arch: str, feature: str) -> Run:
        found = runs([named(scenario)], arches=[arch], releases=[feature], everything=True)
        assert found, f"{scenario} has no run on {arch} {feature}"
        return found[0]

    return find


@pytest.fixture(scope="session")
def ask(find_run: Callable[[str, str, str], Run]) -> Callable[[str, str, str], Question]:
    """What a shipped scenario asks of such an implementation."""

    def asked(scenario: str, arch: str, feature: str) -> Question:
        run = find_run(scenario, arch, feature)
        return question(run.scenario, run.arch, run.release)

    return asked


@pytest.fixture(scope="session")
def judged(ask: Callable[[str, str, str], Question]) -> Callable[[str, str, str], Judged]:
    """That question as a model."""

    def make(scenario: str, arch: str, feature: str) -> Judged:
        return Judged(ask(scenario, arch, feature))

    return make
