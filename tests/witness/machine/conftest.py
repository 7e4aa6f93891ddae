# SPDX-License-Identifier: GPL-2.0-or-later
"""Shipped scenarios on implementations, as models to be searched."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lazymmu.litmus.run import Run, named, runs
from lazymmu.litmus.to_config import to_query
from lazymmu.witness.machine.product_model import ProductModel, Query


@pytest.fixture(scope="session")
def find_run() -> Callable[[str, str, str], Run]:
    """The first release of an architecture that has a feature, with a shipped scenario on it."""

    def find(scenario: str, arch: str, feature: str) -> Run:
        found = runs([named(scenario)], arches=[arch], releases=[feature], everything=True)
        assert found, f"{scenario} has no run on {arch} {feature}"
        return found[0]

    return find


@pytest.fixture(scope="session")
def ask(find_run: Callable[[str, str, str], Run]) -> Callable[[str, str, str], Query]:
    """What a shipped scenario asks of such an implementation."""

    def asked(scenario: str, arch: str, feature: str) -> Query:
        run = find_run(scenario, arch, feature)
        return to_query(run.scenario, run.arch, run.release)

    return asked


@pytest.fixture(scope="session")
def judged(ask: Callable[[str, str, str], Query]) -> Callable[[str, str, str], ProductModel]:
    """That query as a model."""

    def make(scenario: str, arch: str, feature: str) -> ProductModel:
        return ProductModel(ask(scenario, arch, feature))

    return make
