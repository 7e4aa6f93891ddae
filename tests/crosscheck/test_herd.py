# SPDX-License-Identifier: GPL-2.0-or-later
"""Counterexamples on arm64 as litmus tests for herd7, which nobody runs here."""

from __future__ import annotations

import pytest

import lazymmu
from lazymmu.report.verify import herd7
from lazymmu.verbs.given import Input
from lazymmu.verbs.herd import herd_tests
from tests.herd_tests import read_herd_test
from tests.lift.conftest import EXAMPLES

TWICE = """
litmus twice
"A mapping that was published, and one that is used before it is."
machine: cpus 1, bound 0
entries:
    p  pte kernel = none
    q  pte kernel = none
task T0 on cpu0:
    lazy_mmu_mode_enable
    set_pte p A
    lazy_mmu_mode_disable
    lazy_mmu_mode_enable
    set_pte q B
    settle q
    access q
    lazy_mmu_mode_disable
watch stale-translation-used
"""


def told(*scenarios, arch="arm64", text=""):
    """The tests of runs, and why others have none."""
    answer = lazymmu.verify(
        lazymmu.VerifyRequest(
            scenarios=scenarios,
            files=[Input(text.encode(), "own.litmus")] if text else [],
            arches=[arch],
            releases=["7.3.4"],
            jobs=1,
        )
    )
    return herd7.of_runs(herd_tests(answer.done))


def test_a_mapping_that_is_used_before_its_barriers_faults():
    """One store, one use, nothing between."""
    ((text,), why) = told("kernel-mapping-used-before-leave")
    read = read_herd_test(text)
    assert read.programs == [["STR X0,[X1]", "L0:LDR W2,[X3]"]]
    assert read.condition == ["fault(P0:L0,p)"]
    assert why == []


def test_a_way_of_a_tree_is_the_test_that_the_written_machine_gives():
    """What is lifted from arm64's C has its barriers in the same places."""
    name = "kernel-mapping-used-before-leave"
    answer = lazymmu.verify(
        lazymmu.VerifyRequest(
            scenarios=[name], arches=["arm64"], tree=EXAMPLES / "linux-new", jobs=1
        )
    )
    (text,), why = herd7.of_runs(herd_tests(answer.done))
    ((by_hand,), _) = told(name)
    mine, theirs = read_herd_test(text), read_herd_test(by_hand)
    assert (mine.programs, mine.condition, why) == (theirs.programs, theirs.condition, [])


def test_barriers_stand_where_the_machine_has_them():
    """After the first store, and not after the second one."""
    ((text,), _) = told(text=TWICE)
    read = read_herd_test(text)
    (program,) = read.programs
    assert [one.split()[0] for one in program] == ["STR", "DSB", "ISB", "STR", "L0:LDR"]
    assert read.condition == ["fault(P0:L0,q)"]


def test_two_processors_are_ordered_by_what_one_sees_of_the_other():
    """The use comes after the store, by a release and an acquire."""
    ((text,), _) = told("free-after-get-and-clear")
    read = read_herd_test(text)
    assert read.programs[0][-1].startswith("STLR")
    assert read.programs[1][0].startswith("LDAR")
    assert read.condition[-1] == "~fault(P1:L0,p)"


@pytest.mark.parametrize(
    ("scenario", "arch", "why"),
    [
        ("use-before-leave", "arm64", "nobody uses a translation that is no more"),
        ("free-after-get-and-clear", "sparc", "herd7's model of page tables is arm64's"),
        ("batch-fills-in-section", "arm64", "and 24 are the most"),
    ],
)
def test_what_no_test_tells_says_why(scenario, arch, why):
    """Each run has one sentence that names it and the reason."""
    texts, (sentence,) = told(scenario, arch=arch)
    assert texts == []
    assert sentence.startswith(f"{scenario} on {arch} ")
    assert why in sentence


def test_every_shipped_way_about_translations_is_a_test():
    """Of all scenarios that arm64 breaks; each is read again."""
    answer = lazymmu.verify(
        lazymmu.VerifyRequest(
            rule="stale-translation-used", arches=["arm64"], releases=["7.3.4"], jobs=1
        )
    )
    texts, _ = herd7.of_runs(herd_tests(answer.done))
    assert len({read_herd_test(text).name for text in texts}) == len(texts) > 0
