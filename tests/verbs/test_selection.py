# SPDX-License-Identifier: GPL-2.0-or-later
"""Selection: which findings remain, and that every other one is counted."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.verbs import selection
from lazymmu.verbs.selection import CheckOutcome
from lazymmu.witness.finding import Confidence, Severity, Step


def test_findings_are_ordered_by_place_whatever_order_they_came_in(make_finding, make_result):
    """Two runs can be compared by diff."""
    findings = [make_finding(file=f, line=n) for f in ("a.c", "b.c") for n in (3, 20, 100)]
    mixed = random.Random(1).sample(findings, len(findings))
    assert list(selection.ordered(make_result(*mixed)).findings) == findings


def test_what_is_dropped_is_counted_with_its_reason(make_finding, make_result):
    """An outcome knows what it does not show; a filter that drops nothing leaves no trace."""
    outcome = CheckOutcome(make_result(make_finding(), make_finding(confidence=Confidence.LOW)))
    kept = outcome.without("below medium confidence", selection.above(Confidence.MEDIUM))
    assert len(kept.result.findings) == 1
    assert kept.withheld == (("below medium confidence", 1),)
    assert kept.without("suppressed", lambda finding: False) == kept


def test_what_only_informs_is_dropped_without_a_count(make_finding, make_result):
    """The words "2 outside --path" tell of two mistakes, and never of sections."""
    outcome = CheckOutcome(make_result(make_finding(severity=Severity.INFORMATION)))
    kept = outcome.without("outside --path", selection.under(["fs"]))
    assert (kept.result.findings, kept.withheld) == ((), ())


def test_architectures_that_were_looked_at_before_and_are_gone_are_named_in_order(make_result):
    """Each architecture that is gone is named once, in order, and none that is still there."""
    before = ("um", "s390", "x86", "mips", "arm64", "riscv", "alpha", "loongarch")
    outcome = CheckOutcome(make_result(arches=("x86",))).missing(before).missing(["um", "arc"])
    assert outcome.gone == ("alpha", "arc", "arm64", "loongarch", "mips", "riscv", "s390", "um")


@pytest.mark.parametrize("path", ["mm", "mm/", "./mm", "mm/outer.c", ".", "", "mm//outer.c"])
def test_a_path_holds_a_finding_if_its_culprit_or_its_way_there_is_inside(make_finding, path):
    """Maintainers of a directory see what their code takes part in, however they spell it."""
    finding = make_finding(file="lib/inner.c", path=(Step("mm/outer.c", 1, 1, "f", ""),))
    assert not selection.under([path])(finding)


@pytest.mark.parametrize("path", ["m", "mm/outer", "fs", "linux/mm"])
def test_a_path_is_whole_names_from_the_top_of_the_tree(make_finding, path):
    """`mm` is not the beginning of `mmu`."""
    assert selection.under([path])(make_finding())


@given(st.lists(st.sampled_from("abc")), st.lists(st.sampled_from("abc")))
def test_knowing_one_of_two_equal_mistakes_leaves_the_other(old, new):
    """Each known fingerprint hides one finding, so what remains is the surplus."""

    class Printed:
        def __init__(self, fingerprint):
            self.fingerprint = fingerprint

    spent = selection.known(old)
    left = [finding for finding in map(Printed, new) if not spent(finding)]
    for letter in "abc":
        remaining = sum(finding.fingerprint == letter for finding in left)
        assert remaining == max(0, new.count(letter) - old.count(letter))
