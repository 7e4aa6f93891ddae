# SPDX-License-Identifier: GPL-2.0-or-later
"""What a machine was shown to do, written as a trace, is found in that trace.

All scenarios that ship, on all implementations that they speak of, as far as a trace shows it.
"""

from __future__ import annotations

import io
from functools import cache

import pytest

from lazymmu.litmus.run import Limits, library, runs, verify
from lazymmu.report.trace_text import render, shown, tells
from lazymmu.witness.trace import trace_rules, watch
from lazymmu.witness.trace_finding import Verdict


@cache
def told():
    """(run, broken rule, what such a kernel's trace shows) for all that a trace can tell."""
    found = []
    for one in runs(library()):
        kernel = shown(one.feature, one.release)
        if kernel is None:
            continue
        verdict = verify(one, Limits(seconds=10))
        found += [
            (one, broken, kernel)
            for broken in verdict.violations
            if broken.rule in trace_rules() and tells(broken, kernel)
        ]
    return found


def judged(one, broken, kernel):
    """What `lazymmu trace` says of the text."""
    text = render(broken.trace, kernel)
    return watch("rendered", io.BytesIO(text.encode()), arch=one.arch, release=one.release)


def test_what_the_machine_showed_is_found_in_its_trace():
    """The same rule, for every counterexample."""
    missed = [
        f"{one.scenario.name} {one.arch} {one.release}: {broken.rule}"
        for one, broken, kernel in told()
        if broken.rule not in [f.rule for f in judged(one, broken, kernel).findings]
    ]
    assert missed == []


def test_there_is_something_to_compare():
    """Several rules, on several architectures, by functions and by counters."""
    rules = {broken.rule for _, broken, _ in told()}
    assert {"nested-section", "sleep-in-section", "unbalanced-section", "dirty-start"} <= rules
    assert {one.arch for one, _, _ in told()} == {"x86", "powerpc", "sparc", "arm64"}
    assert len(told()) >= 30


def test_no_other_rule_is_said_to_be_broken_than_the_machine_knows():
    """What the trace has in addition is what the text implies on the way, never a stranger."""
    companions = {
        "nested-section": {"nested-section"},
        "sleep-in-section": {"sleep-in-section"},
        "section-in-interrupt": {"section-in-interrupt"},
        # What ends while the mode is paused does not count, and so is never ended.
        "unbalanced-pause": {"unbalanced-pause", "unbalanced-section"},
    }
    for one, broken, kernel in told():
        allowed = companions.get(broken.rule)
        if allowed is not None:
            violations = {
                f.rule
                for f in judged(one, broken, kernel).findings
                if f.verdict is Verdict.VIOLATION
            }
            assert violations <= allowed, (one.scenario.name, one.arch, one.release, broken.rule)


@pytest.mark.parametrize("feature", ["hash-active", "hash-unpinned", "arm64-flag", "arm64-warns"])
def test_some_kernels_show_nothing(feature):
    """Their hooks are inline, and there are no counters yet."""
    assert shown(feature, "6.12.8") is None
