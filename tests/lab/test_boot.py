# SPDX-License-Identifier: GPL-2.0-or-later
"""One short boot of a real kernel, where there are the tools, a kernel, and the time for it."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

import pytest

from lazymmu.lab.emulators import EMULATORS
from lazymmu.verbs.lab import LabRequest, run_lab

SECONDS = 150
"""After which the boot is given up: with what comes before and after, less than three minutes."""


def the_kernel() -> str:
    """What is booted: $LAZYMMU_LAB_KERNEL, or this machine's own; skips, and says why.

    Where nothing says that there is time for it, a boot is made only with KVM: it takes seconds.
    """
    emulator = next((one for one in EMULATORS.values() if one.own == platform.machine()), None)
    if emulator is None or shutil.which(emulator.program) is None:
        pytest.skip(f"there is no {emulator.program if emulator else 'emulator for this machine'}")
    named = os.environ.get("LAZYMMU_LAB_KERNEL")
    if named:
        return named
    own = Path(f"/boot/vmlinuz-{platform.release()}")
    if not os.access(own, os.R_OK):
        pytest.skip(f"{own} is not here, or not to be read (set LAZYMMU_LAB_KERNEL)")
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        pytest.skip("there is no KVM, and LAZYMMU_LAB_KERNEL does not say what to emulate")
    return str(own)


def test_a_kernel_is_booted_recorded_and_judged(tmp_path):
    """The guest comes up, records its workload and hands that over; a stock kernel is clean."""
    output = tmp_path / "lab.tar.zst"
    answer = run_lab(LabRequest(kernel=the_kernel(), output=str(output), seconds=SECONDS))
    if answer.booted.ending == "late" and not answer.booted.kvm:
        pytest.skip(f"emulated, {SECONDS} s were not enough on this machine")
    assert answer.booted.ending == "done", answer.booted.console[-2000:]
    assert answer.judged is not None, answer.said
    assert answer.state["release"]
    assert "small: done" in answer.said
    (watched,) = answer.judged.watched
    assert watched.release == answer.state["release"]
    assert not watched.findings
    assert output.stat().st_size > 0
