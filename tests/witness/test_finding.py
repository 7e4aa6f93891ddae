# SPDX-License-Identifier: GPL-2.0-or-later
"""All witnesses return findings of one family, so that one renderer can say them all."""

from __future__ import annotations

from pathlib import Path

import pytest

import lazymmu
from lazymmu.contract.rules import RULES
from lazymmu.litmus.run import load
from lazymmu.litmus.to_config import to_query
from lazymmu.witness.finding import Finding, Severity
from lazymmu.witness.machine.verdict import PSEUDO
from lazymmu.witness.machine.verify import verify
from lazymmu.witness.trace.check import check_trace

EXAMPLES = Path(__file__).parents[2] / "examples"
NESTED = """\
litmus nested
"A section inside a section."
machine: cpus 1, preempt full
entries: p pte kernel = none
task T0 on cpu0:
    lazy_mmu_mode_enable
    lazy_mmu_mode_enable
    set_pte p A
    lazy_mmu_mode_disable
    lazy_mmu_mode_disable
finally: p = B
"""


def of_source():
    """What a tree breaks."""
    return lazymmu.check(EXAMPLES / "linux-old", arches=["x86"], jobs=1).findings


def of_machine():
    """What a machine breaks, a rule and a wrong end among it."""
    return verify("nested", to_query(load(NESTED, "nested"), "x86", "6.12.8")).violations


def of_trace():
    """What a recording of a kernel shows."""
    return check_trace(str(EXAMPLES / "trace" / "xen-6.12.107.trace.gz")).findings


@pytest.mark.parametrize("found", [of_source, of_machine, of_trace])
def test_every_witness_says_what_is_broken_where_and_on_what(found):
    """Rule, severity, message, place, architectures: a renderer asks nobody for more."""
    findings = found()
    assert findings
    for one in findings:
        assert isinstance(one, Finding)
        assert one.rule in {*RULES, *PSEUDO}
        assert isinstance(one.severity, Severity)
        assert one.message
        assert "x86" in one.arches
        assert one.file
        assert one.path
        assert one.path[-1].file
        assert (one.severity is Severity.HURTS) or not one.harms


def test_a_machine_says_where_the_kernel_has_the_last_step():
    """The file and the function are those of the step that breaks the rule."""
    by_rule = {one.rule: one for one in of_machine()}
    nested = by_rule["nested-section"]
    assert (nested.function, nested.path[-1].function) == (nested.trace[-1].stack[-1],) * 2
    assert nested.file == nested.trace[-1].citation
    assert nested.message != RULES["nested-section"].sentence
    assert by_rule["finally"].message == PSEUDO["finally"]


def test_a_machine_says_which_of_its_variables_are_queues():
    """The batch of hypercalls is one, the mode and its counters are not."""
    changes = [change for one in of_machine() for step in one.trace for change in step.state]
    assert {True, False} == {change.queue for change in changes}
    assert all(change.queue == change.value.startswith("[") for change in changes)


def test_a_trace_says_the_line_where_the_section_began_and_the_one_that_breaks_the_rule():
    """The path of a finding leads through lines of the trace, as that of source through code."""
    for one in of_trace():
        assert [step.line for step in one.path] == [
            *(spot.line for spot in one.began),
            one.location.line,
        ]
        assert (one.file, one.line) == (one.path[-1].file, one.location.line)
