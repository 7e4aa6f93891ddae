# SPDX-License-Identifier: GPL-2.0-or-later
"""Times are a calibration's, of its own architecture; differences say how sure they are."""

from __future__ import annotations

import json
import math

import pytest

from lazymmu.costs.calibration import CalibrationError, read
from lazymmu.costs.counts import Counts
from lazymmu.costs.difference import Difference, mean, rate

GOOD = {
    "kind": "calibration",
    "format": 1,
    "arch": "arm64",
    "kernel": "7.3.4",
    "nanoseconds": {"barrier": {"median": 200, "low": 100, "high": 300, "samples": 9}},
}


def test_counts_become_times_on_the_architecture_that_was_measured():
    """Each barrier has its time; what was not measured, and other machines, have none."""
    times = read(json.dumps(GOOD).encode())
    assert times.nanoseconds("arm64", Counts(barriers=3)) == (600, 300, 900)
    assert times.nanoseconds("x86", Counts(barriers=3)) is None
    assert times.nanoseconds("arm64", Counts(barriers=3, invalidations=1)) is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "no calibration"),
        (json.dumps({**GOOD, "format": 2}).encode(), "another version"),
        (json.dumps({**GOOD, "arch": 1}).encode(), "no architecture"),
        (json.dumps({**GOOD, "nanoseconds": {"barrier": 3}}).encode(), "is no time"),
        (
            json.dumps(
                {
                    **GOOD,
                    "nanoseconds": {"barrier": {"median": 9, "low": 10, "high": 11, "samples": 1}},
                }
            ).encode(),
            "outside of its bounds",
        ),
    ],
)
def test_a_file_that_is_no_calibration_is_refused_with_the_reason(content, said):
    """One sentence, whatever is in the file."""
    with pytest.raises(CalibrationError, match=said):
        read(content)


def test_a_difference_is_sure_only_where_chance_does_not_explain_it():
    """Many observations that differ are; one alone, or the same twice, is not."""
    small, large = mean([(1, 50), (2, 50)]), mean([(8, 50), (9, 50)])
    assert Difference(small, large).sure
    assert not Difference(small, small).sure
    assert not Difference(mean([(1, 1)]), large).sure
    assert math.isinf(mean([]).error)
    assert rate(100, 10).value == 10
