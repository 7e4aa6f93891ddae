# SPDX-License-Identifier: GPL-2.0-or-later
"""A run that comes to what is not understood is refused alone; the others are made."""

from __future__ import annotations

import pytest

import lazymmu
from lazymmu.verbs.given import Input
from tests.lift.test_core_walks import UNMAPPED, ZAP

ABOVE = UNMAPPED.format(operation="madvise_dontneed_single_vma", **{"finally": "p = none"})
ALONE = (
    ABOVE.replace("litmus unmapped", "litmus alone")
    .replace("    d  pmd user ptl M = T\n", "")
    .replace(" in d", "")
    .replace("    pmd_lock M\n    spin_unlock M\n", "")
)
"""No entry leads to the table that the tree's function asks the lock of."""


def ask(asked, *texts, jobs=1, zap=ZAP, **wanted):
    """The answer for scenarios on the example with a function that unmaps."""
    make = (asked.root / "mm/Makefile").read_text() + "obj-y += zap.o\n"
    added = {"mm/zap.c": zap.encode(), "mm/Makefile": make.encode()}
    files = [Input(text.encode(), f"{number}.litmus") for number, text in enumerate(texts)]
    request = lazymmu.VerifyRequest(
        files=files,
        arches=["x86"],
        tree=asked.tree({}).over(added),
        jobs=jobs,
        core_mm="lifted",
        **wanted,
    )
    return lazymmu.verify(request)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_scenario_that_cannot_be_asked_is_refused_by_name_and_place(asked, jobs):
    """It is inconclusive, with the reason, and the other one has its verdict."""
    answer = ask(asked, ABOVE, ALONE, jobs=jobs)
    one, other = answer.verdicts
    assert (one.scenario, one.verdict, answer.lifted[0].refused) == ("unmapped", "holds", "")
    line = ZAP.splitlines().index("\tpml = pmd_lockptr(mm, pmd);") + 1
    why = "pmd_lockptr() of a table that no entry leads to"
    assert (other.scenario, other.verdict, other.reason) == (
        "alone",
        "inconclusive",
        f"mm/zap.c:{line}: {why}",
    )
    assert answer.exit_code() == 3


def test_another_run_that_is_violated_is_found_all_the_same(asked):
    """What was found counts more than what was not looked at."""
    answer = ask(asked, ABOVE.replace("finally: p = none", "finally: p = A"), ALONE)
    assert [one.verdict for one in answer.verdicts] == ["violated", "inconclusive"]
    assert answer.exit_code() == 1


def test_what_is_refused_on_a_side_differs_in_nothing_that_is_known(asked):
    """Both are told, and the end is inconclusive, also where both are refused."""
    other = asked.tree({})
    answer = ask(asked, ALONE, compare=other)
    assert "inconclusive" in [one.verdict for one in answer.verdicts]
    assert answer.exit_code() == 3
    spaced = ZAP.replace("\tpml = ", "\tnobody();\n\tpml = ").replace(
        "static ", "static void nobody(void)\n{\n}\n\nstatic ", 1
    )
    make = (asked.root / "mm/Makefile").read_text() + "obj-y += zap.o\n"
    other = other.over({"mm/zap.c": spaced.encode(), "mm/Makefile": make.encode()})
    both = ask(asked, ALONE, compare=other)
    assert [one.verdict for one in both.verdicts] == ["inconclusive", "inconclusive"]
    assert both.exit_code() == 3
