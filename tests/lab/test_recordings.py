# SPDX-License-Identifier: GPL-2.0-or-later
"""Recordings of the lab, one for each architecture that was booted, judged as they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from lazymmu.verbs.trace import TraceRequest, trace

HOME = Path(__file__).parents[2] / "examples" / "lab"

SHOWN = {
    "xen-7.1.13-poison-marker": ("x86", {"kernel-warning"}),
    "x86-7.1.13-poison-marker": ("x86-native", set()),
    "xen-7.3.4-forked-tasks": ("x86", {"dirty-start", "mode-not-effective"}),
    "x86-7.3.4-forked-tasks": ("x86-native", set()),
    "powerpc-6.12.107-small": ("powerpc", set()),
    # Most ends of sections are in a function that takes no probe: no end that is missing is told.
    "arm64-7.1.13-fork": ("arm64", set()),
    "arm64-7.3.4-fork": ("arm64", set()),
}
"""What each is of, and the rules that it shows to be broken."""


def test_every_recording_is_held_to_what_it_shows():
    """One that is added says here what it is, and in the table beside it."""
    there = {one.name.removesuffix(".tar.zst") for one in HOME.glob("*.tar.zst")}
    assert there == set(SHOWN)
    table = (HOME / "README.md").read_text("utf-8")
    assert all(f"`{name}.tar.zst`" in table for name in there)


@pytest.mark.parametrize("name", sorted(SHOWN))
def test_a_recording_shows_what_was_seen_on_the_machine(name):
    """The finding under Xen, and nothing in the control; the release is the recording's own."""
    arch, rules = SHOWN[name]
    (one,) = trace(TraceRequest(traces=[str(HOME / f"{name}.tar.zst")])).watched
    assert one.release.startswith(name.split("-")[1])
    assert one.arch == arch
    assert {finding.rule for finding in one.findings} == rules
