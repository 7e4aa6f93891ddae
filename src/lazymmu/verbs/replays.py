# SPDX-License-Identifier: GPL-2.0-or-later
"""Earlier counterexamples, taken once more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.litmus import shipped
from lazymmu.litmus.read import LitmusError
from lazymmu.litmus.run import Run, load
from lazymmu.litmus.to_config import to_query
from lazymmu.problem import Problem
from lazymmu.verbs import stored
from lazymmu.verbs.given import read
from lazymmu.witness.machine.replay import ReplayError, replay

if TYPE_CHECKING:
    from lazymmu.litmus.scenario import Scenario
    from lazymmu.verbs.given import Given
    from lazymmu.verbs.stored import Stored
    from lazymmu.verbs.verify import VerifyRequest
    from lazymmu.witness.machine.verdict import Verdict

__all__ = ["replayed"]


def replayed(asked: VerifyRequest, again: Given) -> list[tuple[Run, Verdict]]:
    """Take every counterexample of a result once more, as far as it was asked for."""
    given = read(again)
    try:
        found = stored.read(given.content)
    except ValueError as error:
        raise Problem(f"{given.name}: {error}") from None
    done = []
    for one in found:
        if asked.scenarios and one.scenario not in asked.scenarios:
            continue
        if asked.rule not in (None, one.rule):
            continue
        scenario = _stored(one, given.name)
        verdict = _again(one, scenario, given.name)
        done.append((Run(scenario, verdict.arch, verdict.release, verdict.feature), verdict))
    return done


def _stored(one: Stored, name: str) -> Scenario:
    try:
        return load(one.text or shipped.text(one.scenario), one.scenario)
    except KeyError:
        raise Problem(f"{name}: there is no scenario {one.scenario!r}") from None
    except LitmusError as error:
        raise Problem(f"{name}: {error}") from None


def _again(one: Stored, scenario: Scenario, name: str) -> Verdict:
    asked = to_query(scenario, one.arch, one.release)
    try:
        return replay(scenario.name, asked, one.rule, one.harm, one.actions)
    except ReplayError as error:
        on = f"{scenario.name} on {one.arch} {one.release}"
        raise Problem(f"{name}: {on}: {error}") from None
