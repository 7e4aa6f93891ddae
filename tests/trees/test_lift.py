# SPDX-License-Identifier: GPL-2.0-or-later
"""The hooks of real trees, lifted, beside the machines that were written by hand."""

from __future__ import annotations

import pytest

import lazymmu
from lazymmu.snapshot.tree import Tree
from tests.lift.renaming import own_names, renamed

HASH = "arch/powerpc/include/asm/book3s/64/tlbflush-hash.h"
TREES = [
    ("6.1", "6.1.192"),
    ("6.12.8", "6.12.8"),
    ("6.12", "6.12.117"),
    ("6.18.15", "6.18.5"),
    ("7.1.13", "7.1.13"),
    ("7.3", "7.3.4"),
]
"""A tree, and the release of the machine that was written for its implementation of Xen."""


def rows(answer):
    """What came of each scenario: verdict, states, transitions, and every shortest way."""
    return {
        verdict.scenario: (
            verdict.verdict,
            verdict.states,
            verdict.transitions,
            tuple((one.rule, one.preemptions, one.steps) for one in verdict.violations),
        )
        for verdict in answer.verdicts
    }


def told(answer):
    """What came of each scenario, whatever a step is."""
    return {
        verdict.scenario: (
            verdict.verdict,
            frozenset((one.rule, one.preemptions) for one in verdict.violations),
        )
        for verdict in answer.verdicts
    }


def by_hand(release, arch="x86"):
    """What the machine of a release says of all scenarios that a tree is asked."""
    return lazymmu.verify(lazymmu.VerifyRequest(arches=[arch], releases=[release], everything=True))


@pytest.mark.parametrize(("version", "release"), TREES)
def test_xen_of_a_tree_is_the_machine_state_for_state(kernel_tree, version, release):
    """A hook is a step: both have the same states, transitions and ways in every scenario."""
    tree = kernel_tree(version)
    lifted = rows(
        lazymmu.verify(
            lazymmu.VerifyRequest(arches=["x86"], tree=tree, steps="coarse", everything=True)
        )
    )
    assert lifted == rows(by_hand(release))
    assert len(lifted) > 100


def test_that_a_hook_is_one_step_is_shown_and_not_argued(kernel_tree):
    """With each access as a step, 6.12.8 breaks what it broke, with as many preemptions."""
    tree = kernel_tree("6.12.8")
    fine = lazymmu.verify(lazymmu.VerifyRequest(arches=["x86"], tree=tree, everything=True))
    assert told(fine) == told(by_hand("6.12.8"))


@pytest.mark.parametrize(
    ("arch", "version", "release"),
    [
        ("sparc", "6.12.8", "6.12.8"),
        ("sparc", "7.3", "7.3.4"),
        ("powerpc", "6.12.8", "6.12.8"),
        ("powerpc", "6.18.15", "6.18.5"),
        ("powerpc", "7.3", "7.3.4"),
        ("arm64", "6.18.15", "6.18.5"),
        ("arm64", "7.3", "7.3.4"),
    ],
)
def test_each_access_of_a_tree_as_a_step_says_what_the_machine_says(
    kernel_tree, arch, version, release
):
    """The same verdict, the same rules, with as many preemptions, in every scenario."""
    request = lazymmu.VerifyRequest(arches=[arch], tree=kernel_tree(version), everything=True)
    assert told(lazymmu.verify(request)) == told(by_hand(release, arch))


def test_a_task_that_is_not_pinned_may_move_between_an_address_and_its_use(kernel_tree):
    """Without its pins 6.12.8 leaves a batch on where it was, as the machine of 5.10 does."""
    tree = Tree.open(kernel_tree("6.12.8"))
    text = tree.read(HASH)
    pins = (b"\tpreempt_disable();\n", b"\tpreempt_enable();\n")
    assert all(text.count(pin) == 1 for pin in pins)
    loose = tree.over({HASH: text.replace(pins[0], b"").replace(pins[1], b"")})

    def broken(of):
        request = lazymmu.VerifyRequest(
            arches=["powerpc"], tree=of, scenarios=["hash-stuck-active"]
        )
        (verdict,) = lazymmu.verify(request).verdicts
        return {(one.rule, one.preemptions) for one in verdict.violations}

    assert broken(tree) == set()
    assert broken(loose) == {("stale-translation-used", 2)}


def test_a_forked_task_of_7_3_wraps_its_pause_count(kernel_tree):
    """Unaided: a new task is resumed by the switch hook and never was paused (u8, 0 - 1)."""
    request = lazymmu.VerifyRequest(
        scenarios=["fork-inside-section"], arches=["x86"], tree=kernel_tree("7.3")
    )
    (verdict,) = lazymmu.verify(request).verdicts
    broken = next(one for one in verdict.violations if one.rule == "dirty-start")
    changes = {change.name: change.value for change in broken.trace[-1].state}
    assert changes["C.pause_count"] == "255"


@pytest.mark.parametrize(
    ("version", "arch"), [("7.3", "x86"), ("7.3", "arm64"), ("6.12.8", "powerpc"), ("6.1", "sparc")]
)
def test_version_9_9_0_with_all_hooks_renamed_gives_the_same_answer(kernel_tree, version, arch):
    """A real tree, too, is read by what its functions do and where they are called from."""
    tree = kernel_tree(version)

    def asked(one):
        names = ("vmap-pfn-preempted", "cleared-after-section")
        return lazymmu.verify(
            lazymmu.VerifyRequest(scenarios=names, arches=[arch], tree=one, jobs=1)
        )

    before = asked(tree)
    folders = (f"arch/{arch}", "include", "mm", "kernel/sched")
    after = asked(renamed(tree, own_names(before, arch), folders))
    assert after.lifted[0].refused == ""
    assert rows(after) == rows(before) != {}
