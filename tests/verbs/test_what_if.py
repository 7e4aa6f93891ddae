# SPDX-License-Identifier: GPL-2.0-or-later
"""`verify --with FEATURE=VALUE`: machines that differ from a release in what is named."""

from __future__ import annotations

import pytest

import lazymmu
from lazymmu.machine.releases import TREES
from lazymmu.verbs.what_if import asked_for, features


def broken(*words, scenario):
    """For each machine the rules that are broken, with the fewest preemptions."""
    answer = lazymmu.verify(
        lazymmu.VerifyRequest(
            scenarios=scenario, arches="x86", releases="6.12.8", what_if=words, jobs=1
        )
    )
    return {
        verdict.release: {one.rule: one.preemptions for one in verdict.violations}
        for verdict in answer.verdicts
    }


def test_each_subset_of_the_features_is_a_machine():
    """The one without any is there to compare with."""
    found = broken("set_ptes_enters=none", "hooks=6.1", scenario="kasan-populate-together")
    assert {name: "lost-update" in rules for name, rules in found.items()} == {
        "6.12.8": False,
        "6.12.8 set_ptes_enters=none": True,
        "6.12.8 hooks=6.1": False,
        "6.12.8 set_ptes_enters=none hooks=6.1": True,
    }
    assert not TREES


def test_hooks_of_another_release_are_a_feature():
    """Without the count of nested sections the BUG needs no preemption any more."""
    found = broken("hooks=6.1", scenario="rt-section-inside-section")
    assert [rules["kernel-bug"] for rules in found.values()] == [1, 0]


def test_what_mends_a_problem_is_seen_to_mend_it():
    """The fix of KASAN takes away what the fix of set_ptes() brings."""
    found = broken("set_ptes_enters=none", "kasan=left", scenario="kasan-populate-together")
    assert [name for name, rules in found.items() if "lost-update" in rules] == [
        "6.12.8 set_ptes_enters=none"
    ]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["kasan"], "FEATURE=VALUE is looked for"),
        (["nothing=yes"], "there is no feature of machines 'nothing'"),
        (["lacks=x"], "there is no feature of machines 'lacks'"),
        (["kasan=gone"], "there is no value of kasan 'gone'; there are absent"),
        (["set_ptes=1"], "there is no value of set_ptes '1'"),
        (["set_ptes_enters=vax"], "there is no architecture of set_ptes_enters 'vax'"),
        (["kasan=left", "kasan=paused"], "kasan is given twice"),
        ([f"{name}=yes" for name in features() if name.startswith(("m", "pt", "s", "t"))
          and name != "set_ptes_enters"], "each subset is a machine: 6 at most"),
    ],
)  # fmt: skip
def test_a_feature_or_value_that_is_none_is_said(words, why):
    """In one sentence, with what there is, before anything is searched."""
    with pytest.raises(lazymmu.Problem, match=why):
        asked_for(words)


def test_hooks_of_a_release_that_is_none_are_said():
    """A release of the kernel is meant, and one that has the architecture."""
    with pytest.raises(lazymmu.Problem, match="no release with x86 'never'"):
        broken("hooks=never", scenario="rt-section-inside-section")


def test_a_replay_takes_no_other_machine():
    """It takes the steps of a machine that was searched before."""
    request = lazymmu.VerifyRequest(replay="x.json", what_if="kasan=left")
    with pytest.raises(lazymmu.Problem, match="--replay searches none"):
        lazymmu.verify(request)
