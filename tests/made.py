# SPDX-License-Identifier: GPL-2.0-or-later
"""Results that tests make by hand."""

from __future__ import annotations

from lazymmu.witness.finding import Harm, Severity
from lazymmu.witness.machine.verdict import Counterexample, TraceStep


def broken(
    rule: str, harm: str, preemptions: int, steps: int, trace: tuple[TraceStep, ...] = ()
) -> Counterexample:
    """A rule that a machine broke on x86, for tests that care for its counts."""
    return Counterexample(
        rule=rule,
        severity=Severity.HURTS if harm else Severity.BREAKS_TEXT,
        message=f"breaks {rule}",
        arches=("x86",),
        harms=(Harm("x86", harm),) if harm else (),
        preemptions=preemptions,
        steps=steps,
        trace=trace,
    )
