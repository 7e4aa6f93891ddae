# SPDX-License-Identifier: GPL-2.0-or-later
"""Of each violated run the first way that a checker of the memory model can be asked about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.crosscheck.herd import NotAboutBarriersError, herd_test

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lazymmu.crosscheck.values import HerdTest
    from lazymmu.litmus.run import Run
    from lazymmu.witness.machine.verdict import Verdict

__all__ = ["herd_tests"]


def herd_tests(done: Iterable[tuple[Run, Verdict]]) -> list[tuple[Verdict, HerdTest | None, str]]:
    """Return each violated run with its test, or with the reason why there is none."""
    return [(verdict, *_told(run, verdict)) for run, verdict in done if verdict.violations]


def _told(run: Run, verdict: Verdict) -> tuple[HerdTest | None, str]:
    entries = {one.name: str(one.value) for one in run.scenario.entries}
    why = ""
    for broken in verdict.violations:
        try:
            return herd_test(verdict, broken, entries), ""
        except NotAboutBarriersError as reason:
            why = why or str(reason)
    return None, why
