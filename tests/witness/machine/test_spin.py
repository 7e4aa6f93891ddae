# SPDX-License-Identifier: GPL-2.0-or-later
"""Spin recounts shipped scenarios: the search and the packing have an outside opinion.

The text that Spin is given is the relation that our fast search has tabulated, and the count that
it is held to is that of the plain search, which shares no table and no key with the fast one.
So a state too many or too few shows in whichever of the three it happens.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lazymmu.explore import promela, search
from lazymmu.witness.machine.product_model import ProductModel

needs_spin = pytest.mark.skipif(
    bool(promela.missing_tools()), reason=f"not installed: {', '.join(promela.missing_tools())}"
)

RUNS = [
    ("sparc-stuck-active", "sparc", "sparc-unpinned"),
    ("sparc-stuck-active", "powerpc", "hash-unpinned"),
    ("sparc-stuck-active", "arm64", "arm64-counted"),
    ("section-inside-lock", "arm64", "arm64-flag"),
    ("section-inside-lock", "x86", "xen-cpu-mode"),
    ("section-migrates", "sparc", "sparc-unpinned"),
    ("section-migrates", "powerpc", "hash-counted"),
    ("xen-preempted-at-depth-two", "x86", "xen-nesting-count"),
    ("fork-outside-section", "x86", "xen-task"),
    ("unlock-before-leave", "s390", "s390-posted"),
    ("unlock-before-leave", "x86", "xen-exclusive"),
    ("interrupt-inside-section", "powerpc", "hash-active"),
    ("rt-user-section-preempted", "x86", "xen-cpu-mode"),
    ("read-after-flush", "worst-case", "worst-counted"),
    ("pause-and-resume", "worst-case-pinned", "worst-counted-task-pinned"),
    ("kernel-section-preempted", "powerpc-radix", "powerpc-radix"),
]
"""Scenario, architecture and feature: one and two CPUs, switches of all kinds, interrupts, fork,
real-time locks, each deferral; from 27 to 15,000 states."""


@needs_spin
@pytest.mark.parametrize(("scenario", "arch", "feature"), RUNS, ids=map(" ".join, RUNS))
def test_spin_counts_the_same_states_and_steps(
    scenario: str,
    arch: str,
    feature: str,
    judged: Callable[[str, str, str], ProductModel],
    tmp_path: Path,
) -> None:
    """State for state and step for step, on a scenario that somebody may run."""
    model = judged(scenario, arch, feature)
    plain = search(model, engine="python")
    assert plain.complete
    program = promela.compile_spin(promela.export(model), tmp_path)
    assert promela.run_spin(program) == (plain.states, plain.transitions)


def test_all_that_defer_are_recounted() -> None:
    """No architecture is left out, and no kind of scenario is counted twice in its place."""
    assert {arch for _, arch, _ in RUNS} >= {"x86", "powerpc", "sparc", "arm64", "s390"}
    assert len({scenario for scenario, _, _ in RUNS}) >= 10
    assert len(set(RUNS)) == len(RUNS) >= 12
