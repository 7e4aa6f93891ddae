# SPDX-License-Identifier: GPL-2.0-or-later
"""The machine at hand is measured, and the file is what `cost` reads."""

from __future__ import annotations

import contextlib
import itertools
import json

import pytest

from lazymmu.costs import calibration
from lazymmu.problem import Problem
from lazymmu.timing.samples import Pair
from lazymmu.verbs.calibrate import calibrate
from tests.timing.made_up import MADE_UP, always, nothing


def test_what_was_measured_has_a_time_and_the_rest_a_reason(tmp_path):
    """A measurement that was made up: 800 ns a hypercall, and nothing else."""
    found = calibrate("x86_64", "7.3.4", tmp_path, MADE_UP)
    assert (found.arch, found.kernel) == ("x86", "7.3.4")
    assert found.times == {"hypercall": calibration.Spread(800, 800, 800, 4000)}
    assert found.why == dict.fromkeys(("barrier", "invalidation"), "there is none here")


def test_what_is_written_is_what_cost_reads(tmp_path):
    """Field by field, reasons as well."""
    found = calibrate("aarch64", "7.3.4", tmp_path, {"barrier": always(350), "hypercall": nothing})
    assert calibration.read(json.dumps(calibration.object_of(found)).encode()) == found
    assert found.why["invalidation"] == "nothing measures it here"


def test_a_machine_that_is_not_quiet_is_no_measure(tmp_path):
    """Twice as long at the second time: neither is told as its time."""
    slow = itertools.chain(itertools.repeat(300, 2200), itertools.repeat(500))
    pair = Pair(lambda: next(slow), lambda: 100, 1, "made up")
    found = calibrate(
        "x86_64", "7.3.4", tmp_path, {"hypercall": lambda: contextlib.nullcontext(pair)}
    )
    assert not found.times
    assert "it was 200 and 400 ns: the machine is not quiet enough" in found.why["hypercall"]


def test_a_machine_without_the_mode_is_refused(tmp_path):
    """One sentence names the machine that it is."""
    with pytest.raises(Problem, match="this machine is mips"):
        calibrate("mips", "7.3.4", tmp_path)
