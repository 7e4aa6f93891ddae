# SPDX-License-Identifier: GPL-2.0-or-later
"""Counterexamples taken once more on the machine."""

from __future__ import annotations

import pytest

from lazymmu.litmus.run import load
from lazymmu.litmus.to_config import to_query
from lazymmu.witness.machine.replay import ReplayError, replay
from lazymmu.witness.machine.verify import verify

TEXT = """\
litmus two
"A section inside a section."
machine: cpus 1, preempt full
entries: p pte kernel = none
task T0 on cpu0:
    lazy_mmu_mode_enable
    lazy_mmu_mode_enable
    set_pte p A
    lazy_mmu_mode_disable
    lazy_mmu_mode_disable
task T1 on cpu0:
    cond_resched
watch kernel-bug
finally: p = B
"""


@pytest.fixture
def asked():
    """A query whose answer is that two things are broken."""
    return to_query(load(TEXT, "two"), "x86", "6.12.8")


def test_every_way_that_a_search_found_can_be_taken_again(asked):
    """Rule, preemptions, steps and each step are as they were, also where only the end is wrong."""
    found = verify("two", asked, engine="python")
    assert {broken.rule for broken in found.violations} == {"kernel-bug", "finally"}
    for broken in found.violations:
        actions = [step.action for step in broken.trace]
        once_more = replay("two", asked, broken.rule, broken.harm, actions)
        assert once_more.violations == (broken,)


def test_a_way_that_is_cut_short_breaks_nothing(asked):
    """A result that was changed by hand is not believed."""
    broken = verify("two", asked, engine="python").violations[0]
    actions = [step.action for step in broken.trace][:-1]
    with pytest.raises(ReplayError, match="the last step does not break kernel-bug"):
        replay("two", asked, "kernel-bug", "", actions)


def test_a_step_that_cannot_be_taken_is_named(asked):
    """The machine has changed since, and the sentence says where they part."""
    with pytest.raises(ReplayError, match="step 1, cpu0 switches to T0, cannot be taken"):
        replay("two", asked, "kernel-bug", "", ["cpu0 switches to T0"])
    with pytest.raises(ReplayError, match="step 1, cpu7 sings, is none of this machine's"):
        replay("two", asked, "kernel-bug", "", ["cpu7 sings"])


LOOP = """\
litmus loop
"A task that reads for ever in a section."
machine: cpus 1, preempt full
entries:
    q  pte kernel = none
task T0 on cpu0:
    lazy_mmu_mode_enable
    set_pte q B
    loop:
        ptep_get q
watch eventually
"""


def test_a_way_without_an_end_can_be_taken_again():
    """It comes back to where it was while its change waits; one that does not come back is none."""
    asked = to_query(load(LOOP, "loop"), "x86", "7.3.4")
    (broken,) = verify("loop", asked, engine="python").violations
    assert broken.again
    actions = [step.action for step in broken.trace]
    assert replay("loop", asked, broken.rule, broken.harm, actions).violations == (broken,)
    with pytest.raises(ReplayError):
        replay("loop", asked, broken.rule, broken.harm, actions[:-1])
