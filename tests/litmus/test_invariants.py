# SPDX-License-Identifier: GPL-2.0-or-later
"""Invariants over variables of an implementation, limits on cost, and that nothing waits on."""

from __future__ import annotations

import pytest

from lazymmu.litmus.judge import judge
from lazymmu.litmus.read import LitmusError
from lazymmu.litmus.run import RunLimits, load, runs, verify
from lazymmu.litmus.write import render

SECTION = """litmus made
"Made for a test."
machine: cpus 1, bound 0
entries:
    p  pte kernel = none
    q  pte kernel = none
task T0 on cpu0:
    lazy_mmu_mode_enable
    set_pte p A
    set_pte q B
    {end}
"""


def verdicts(rest, *on, end="lazy_mmu_mode_disable", engine="python"):
    """The verdict of each (architecture, release), as words: what is broken, or the verdict."""
    scenario = load(SECTION.format(end=end) + rest, "made.litmus")
    assert load(render(scenario), "again.litmus") == scenario
    found = []
    for arch, release in on:
        (run,) = runs([scenario], arches={arch}, releases={release}, everything=True)
        verdict = verify(run, RunLimits(engine=engine))
        found.append({one.rule for one in verdict.violations} or str(verdict.verdict))
    return found


@pytest.mark.parametrize("engine", ["python", "numpy"])
def test_an_invariant_is_about_the_implementation_s_own_variables(engine):
    """An implementation without that variable cannot be asked."""
    on = (("x86", "6.12.8"), ("powerpc", "6.12.8"))
    assert verdicts("always: cpu0.lazy_mode = 0 or 1\n", *on, engine=engine) == [
        "holds",
        "not-applicable",
    ]
    assert verdicts("always: lazy_mode < 1\n", on[0], engine=engine) == [{"always"}]
    assert verdicts("always: mc_queue <= 1\n", on[0], engine=engine) == [{"always"}]
    assert verdicts("always: p.stored = none or A\n", on[0], engine=engine) == ["holds"]
    assert verdicts("always: p.stored != A\n", on[0], engine=engine) == [{"always"}]


@pytest.mark.parametrize("engine", ["python", "numpy"])
def test_a_limit_on_cost_tells_a_section_that_batches_from_one_that_does_not(engine):
    """Two stores of one section are one hypercall, and one barrier."""
    on = (("x86", "6.12.38"), ("arm64", "7.3.4"))
    assert verdicts("cost: hypercall <= 1; barrier <= 1\n", *on, engine=engine) == ["holds"] * 2
    assert verdicts("cost: hypercall < 1\n", on[0], engine=engine) == [{"cost"}]
    assert verdicts("cost: barrier <= 0\n", on[1], engine=engine) == [{"cost"}]


def test_what_is_pending_takes_effect_wherever_its_task_goes_on():
    """A task that ends with its section open leaves its queue behind on Xen, to whoever comes."""
    on = (("x86", "7.3.4"), ("arm64", "7.3.4"), ("x86-native", "7.3.4"))
    rest = "watch eventually\n"
    assert verdicts(rest, *on) == ["holds"] * 3
    assert verdicts(rest, ("worst-case", "6.12.38"), end="ptep_get p") == [{"eventually"}]


def test_what_is_not_kept_may_be_expected():
    """By the name of its statement."""
    text = SECTION.format(end="lazy_mmu_mode_disable") + (
        "cost: hypercall <= 0\nexpect:\n    x86 6.12.38: violated cost\n"
    )
    scenario = load(text, "made.litmus")
    (run,) = runs([scenario])
    assert judge(scenario, verify(run, RunLimits(engine="python"))).met


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ("cost: money <= 1\n", "there is no cost `money`"),
        ("cost: hypercall > 1\n", "upper limit"),
        ("always: active < on\n", "compares with one number"),
        ("expect:\n    x86: violated cost\n", "no watched rule `cost`"),
    ],
)
def test_what_makes_no_sense_is_refused(rest, said):
    """It is refused with the place in the file where it stands."""
    with pytest.raises(LitmusError, match=said):
        load(SECTION.format(end="lazy_mmu_mode_disable") + rest, "made.litmus")
