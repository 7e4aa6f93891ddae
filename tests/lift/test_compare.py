# SPDX-License-Identifier: GPL-2.0-or-later
"""Two trees beside each other: which verdicts differ, and how each side breaks."""

from __future__ import annotations

import lazymmu
from tests.lift.test_xen import ENLIGHTEN, MMU, without

NAMES = ("vmap-pfn-preempted", "fork-inside-section", "section-inside-section")


def beside(asked, changes):
    """The example, compared with itself as changed."""
    return lazymmu.verify(
        lazymmu.VerifyRequest(
            scenarios=NAMES,
            arches=["x86"],
            tree=asked.tree({}),
            compare=asked.tree(changes),
            jobs=1,
        )
    )


def test_a_tree_beside_itself_differs_in_nothing(asked):
    """All is run on both and nothing is told; one machine was compared with itself: that is 3."""
    answer = beside(asked, {})
    assert (answer.done, answer.wanted, answer.exit_code()) == ((), len(NAMES), 3)
    assert answer.same_machines


def test_hooks_written_otherwise_are_compared_and_differ_in_nothing(asked):
    """Another code of the same behaviour is two machines that agree: that is 0."""
    turned = lambda text: text.replace(  # noqa: E731
        "\tu.ptr = where;\n\tu.val = value;\n", "\tu.val = value;\n\tu.ptr = where;\n"
    )
    answer = beside(asked, {MMU: turned})
    assert (answer.done, answer.exit_code(), answer.same_machines) == ((), 0, False)


def test_only_what_differs_is_told_with_the_way_of_the_side_that_breaks(asked):
    """A switch hook that forgets a statement differs where a task is switched out."""
    answer = beside(asked, {ENLIGHTEN: without("leave_lazy(XEN_LAZY_CPU);")})
    assert answer.exit_code() == 1
    names = [run.scenario.name for run, _ in answer.done]
    assert names[::2] == names[1::2]
    pair = [v for v in answer.verdicts if v.scenario == "vmap-pfn-preempted"]
    right, wrong = pair
    assert [one.release for one in pair] == ["linux-new", "linux-new (compared)"]
    assert {b.rule for b in wrong.violations} - {b.rule for b in right.violations}


def test_a_side_that_cannot_be_lifted_is_no_agreement(asked):
    """What was refused on one side is told, and the end is inconclusive."""
    answer = beside(
        asked, {ENLIGHTEN: lambda text: text.replace("xen_mc_flush();", "strange();", 1)}
    )
    assert answer.exit_code() == 3
    assert any("strange()" in one.refused for one in answer.lifted)
