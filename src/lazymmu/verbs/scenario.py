# SPDX-License-Identifier: GPL-2.0-or-later
"""A finding of a check as a scenario that machines run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.litmus.from_finding import UntoldError, scenario_of
from lazymmu.problem import Problem

if TYPE_CHECKING:
    from lazymmu.verbs.check import CheckAnswer

__all__ = ["UntoldError", "as_scenario"]


def as_scenario(answer: CheckAnswer) -> str:
    """Return the litmus file of the one finding that an answer has.

    :param answer: what a check came to, narrowed to one finding.
    :returns: the text of the file, which `lazymmu litmus --tree` runs.
    :raises Problem: there is not just one finding.
    :raises UntoldError: it has no path that a machine can play; its text says why.
    """
    found = [one for outcome in answer.outcomes for one in outcome.result.findings]
    if not found:
        raise Problem("--as-scenario tells a finding, and none is left")
    if len(found) > 1:
        named = ", ".join(f"{one.fingerprint} ({one.rule})" for one in found[:3])
        more = ", ..." if len(found) > 3 else ""
        raise Problem(
            f"--as-scenario tells one finding, and there are {len(found)}: "
            f"--only one of {named}{more}"
        )
    return scenario_of(found[0])
