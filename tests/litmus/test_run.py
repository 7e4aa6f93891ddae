# SPDX-License-Identifier: GPL-2.0-or-later
"""Which runs there are, and that they run."""

from __future__ import annotations

import pytest

from lazymmu.litmus import run as running
from lazymmu.litmus import shipped
from lazymmu.litmus.read import LitmusError, read
from lazymmu.litmus.run import Run, RunLimits, load, runs, verify
from lazymmu.litmus.write import render
from lazymmu.witness.machine.verdict import SearchOutcome


@pytest.fixture
def four(monkeypatch):
    """Two architectures: x86 changes its feature once in three releases, and sparc has one."""
    there_are = [
        ("x86", "6.1", "xen-exclusive"),
        ("sparc", "6.1", "sparc-active"),
        ("x86", "6.12", "xen-nesting-count"),
        ("x86", "6.13", "xen-nesting-count"),
    ]
    monkeypatch.setattr(running, "implementations", lambda: iter(there_are))


@pytest.fixture
def chosen(four, small):
    """The runs of a scenario with the given lines below `expect:`."""

    def make(lines: str, **given):
        head, _, _ = small.partition("expect:\n")
        scenario = read(head + ("expect:\n" + lines if lines else ""))
        return [(one.arch, one.release) for one in runs([scenario], **given)]

    return make


def test_each_feature_runs_once_on_its_first_release(chosen):
    """Later releases with the same code and the same expectation would say the same."""
    assert chosen("    *: holds\n") == [("x86", "6.1"), ("x86", "6.12"), ("sparc", "6.1")]


def test_a_file_that_expects_nothing_runs_on_every_feature(chosen):
    """Whoever writes one wants to see what happens."""
    assert chosen("") == [("x86", "6.1"), ("x86", "6.12"), ("sparc", "6.1")]


def test_what_nothing_is_expected_of_is_left_out(chosen):
    """The scenario says where it is of interest."""
    assert chosen("    x86 6.12..: holds\n") == [("x86", "6.12")]


def test_a_release_that_another_expectation_is_about_runs_too(chosen):
    """The same implementation below other core-mm code is another run."""
    lines = "    x86 6.13: never-occurs\n    x86: holds\n"
    assert chosen(lines) == [("x86", "6.1"), ("x86", "6.12"), ("x86", "6.13")]


def test_what_is_expected_below_also_is_left_out_where_nothing_is_chosen(chosen):
    """The short table; the other expectations count all the same."""
    lines = "    x86 6.12: holds\nalso:\n    x86, sparc: holds\n"
    assert chosen(lines, also=False) == [("x86", "6.12")]
    assert chosen(lines) == [("x86", "6.1"), ("x86", "6.12"), ("x86", "6.13"), ("sparc", "6.1")]


def test_everything_is_each_release(chosen):
    """With --all each release is run, and none is spared."""
    assert len(chosen("    sparc: holds\n", everything=True)) == 4


def test_a_release_that_is_named_runs_whatever_it_equals(chosen):
    """Who asks for 6.13 is not answered with 6.12."""
    assert chosen("    *: holds\n", releases={"6.13"}) == [("x86", "6.13")]


def test_a_feature_stands_for_its_first_release(chosen):
    """Features can be asked for as releases can."""
    assert chosen("    *: holds\n", releases={"xen-nesting-count"}) == [("x86", "6.12")]


def test_architectures_can_be_chosen(chosen):
    """Whoever maintains one asks for that."""
    assert chosen("    *: holds\n", arches={"sparc"}) == [("sparc", "6.1")]


@pytest.mark.parametrize("name", shipped.names())
def test_a_shipped_scenario_is_named_as_its_file_and_reads_back(name):
    """What ships is right, and says of itself what it is."""
    scenario = load(shipped.text(name), name)
    assert scenario.name == name
    assert read(render(scenario)) == scenario
    assert scenario.expect
    assert scenario.occurs


def test_a_shipped_scenario_that_is_not_there_is_a_key_error():
    """Names come from users and from files."""
    with pytest.raises(KeyError):
        shipped.text("../grammar")


TWO = """\
litmus two
"A section inside a section."
machine: cpus 1, bound 0
entries: p pte kernel = none
task T0 on cpu0:
    lazy_mmu_mode_enable
    lazy_mmu_mode_enable
    set_pte p A
    lazy_mmu_mode_disable
    lazy_mmu_mode_disable
watch kernel-bug
finally: p = A
"""


def test_a_run_is_answered_by_the_machine():
    """v6.17's Xen has a BUG_ON() where a section begins inside a section, v6.12 counts."""
    scenario = load(TWO, "two")
    limits = RunLimits(engine="python")
    found = verify(Run(scenario, "x86", "6.17.8", "xen-exclusive"), limits)
    assert (found.verdict, found.first.rule, found.scenario) == (
        SearchOutcome.VIOLATED,
        "kernel-bug",
        "two",
    )
    assert verify(Run(scenario, "x86", "6.12.8", ""), limits).verdict is SearchOutcome.HOLDS


def test_limits_reach_the_search():
    """A bound that is hit leaves the answer open."""
    found = verify(Run(load(TWO, "two"), "x86", "6.12.8", ""), RunLimits("python", max_states=3))
    assert (found.verdict, found.reason) == (SearchOutcome.INCONCLUSIVE, "max_states")


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("x86 6.99", "there is no Linux 6.99"),
        ("x86 3.20", "there is no Linux 3.20"),
        ("x86 6.6.54", "no machine is of Linux 6.6.54 itself"),
        ("x86 6.21..", "there is no Linux 6.21"),
        ("x86 8.0..", "no machine is of a release 8.0.."),
    ],
)
def test_an_expectation_of_a_release_that_does_not_exist_is_refused(target, said):
    """It would never be asked, and all would be said to be as expected."""
    with pytest.raises(LitmusError, match=said):
        load(SMALLEST.format(target), "made.litmus")


def test_an_expectation_may_be_of_a_series_and_of_open_ends():
    """6.12 is what is known of it, and an end may be any release that there was."""
    for target in ("x86 6.12", "x86 6.12.8", "x86 6.2..6.14", "x86 7.0..", "* ..5.19"):
        assert load(SMALLEST.format(target), "made.litmus").expect


SMALLEST = """litmus smallest
"A task that does nothing."
machine: cpus 1
entries:
    p  pte kernel = none
task T0 on cpu0:
    set_pte p A
watch kernel-bug
expect:
    {}: holds
"""


def test_the_worst_harm_is_told_first():
    """A freed page that is mapped again comes before the lock that was dropped.

    However long its way; what only costs comes last.
    """
    (run,) = runs(
        [running.named("pagemap-scan-unlocks-first")], arches={"x86"}, releases={"6.12.38"}
    )
    verdict = verify(run, RunLimits(engine="python"))
    order = [one.rule for one in verdict.violations]
    assert verdict.first is not None
    assert verdict.first.rule == "lost-update"
    assert order.index("finally") < order.index("section-outside-lock")
    steps = {one.rule: one.steps for one in verdict.violations}
    assert steps["lost-update"] > steps["section-outside-lock"]
