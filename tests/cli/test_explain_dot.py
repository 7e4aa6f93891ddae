# SPDX-License-Identifier: GPL-2.0-or-later
"""`lazymmu explain RULE --format dot`: a rule for the kernel's runtime verification."""

from __future__ import annotations

import pytest

from lazymmu.contract.automaton import derive
from lazymmu.contract.dialects import DIALECTS
from lazymmu.contract.rules import RULES
from lazymmu.report.explain import rv_dot


def test_the_graph_is_the_result_and_the_rest_is_said_beside_it(run):
    """Standard output is a file for rvgen; what else a monitor needs goes to standard error."""
    ran = run("explain", "sleep-in-section", "--format", "dot")
    assert ran.code == 0
    newest = list(DIALECTS.values())[-1]
    rule = RULES["sleep-in-section"]
    assert ran.out == rv_dot.dot(rule, derive(rule, newest))
    assert "the kernel has no tracepoint for lazy_disable, lazy_enable" in ran.err
    assert "rvgen monitor -c da -s sleep_in_section.dot -t per_task" in ran.err


def test_a_rule_that_was_dropped_is_shown_in_the_newest_dialect_that_has_it(run):
    """Nesting is allowed since v7.0; the automaton is that of the last text that forbade it."""
    assert "in dialect no-nesting" in run("explain", "nested-section", "--format", "dot").out
    asked = run("explain", "nested-section", "--format", "dot", "--dialect", "ptl-held")
    assert "in dialect ptl-held" in asked.out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "takes one RULE"),
        (["nested-section", "--arch", "x86"], "neither --arch nor --contract"),
        (["nested-section", "--contract"], "neither --arch nor --contract"),
        (["nested-section", "--dialect", "counted"], "nested-section is off in dialect counted"),
        (["raw-arch-call"], "nothing that a running kernel shows breaks raw-arch-call"),
    ],
)
def test_what_has_no_automaton_is_one_sentence(run, arguments, sentence):
    """A rule without an automaton is one sentence and exit code 2."""
    ran = run("explain", *arguments, "--format", "dot")
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert sentence in ran.err
