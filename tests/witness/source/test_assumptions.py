# SPDX-License-Identifier: GPL-2.0-or-later
"""Conditions that can come out one way only where a CONFIG symbol is on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lazymmu.kernelc.ir.nodes import BRANCH
from lazymmu.witness.source.path.assumptions import Assumptions

Make = Callable[..., Any]

SOURCE = """
static inline int reclaim_possible(struct details *details)
{
	if (!IS_ENABLED(CONFIG_PT_RECLAIM))
		return 0;
	return details && details->reclaim;
}

static inline int either(struct entry e)
{
	return IS_ENABLED(CONFIG_ONE) || e.other;
}

static inline int both(struct entry e)
{
	return IS_ENABLED(CONFIG_ONE) && reclaim_possible(e.details);
}

static inline int on_anyway(struct entry e)
{
	return IS_ENABLED(CONFIG_ON) && e.other;
}

static inline int pte_present(struct entry e)
{
	return e.flags & 1;
}
"""


def needs(make: Make, condition: str, holds: bool, *, presence: str = "") -> set[str]:
    """What the outcome of a condition needs, without the prefix of symbols."""
    text = f"{SOURCE}\nvoid f(struct entry e) {{ if ({condition}) use(e); }}"
    kernel = make(text, config={"ON": "y"})
    for definition, _ in kernel.source.found.get(presence, ()):
        object.__setattr__(definition, "presence", ("CONFIG_HERE", "!CONFIG_THERE"))
    (branch,) = [node for node in kernel.graph("f").nodes if node.op == BRANCH]
    asked = Assumptions(kernel.program, kernel.facts, kernel.words)
    assert branch.expr is not None
    return {one.removeprefix("CONFIG_") for one in asked.of(branch.expr, holds, "mm/a.c")}


@pytest.mark.parametrize(
    ("condition", "if_so", "if_not"),
    [
        ("reclaim_possible(e.details)", {"PT_RECLAIM"}, set()),
        ("both(e)", {"ONE", "PT_RECLAIM"}, set()),
        ("either(e)", set(), set()),
        ("on_anyway(e)", set(), set()),
        ("IS_ENABLED(CONFIG_ONE)", {"ONE"}, set()),
        ("pte_present(e)", set(), set()),
        ("nobody_knows(e)", set(), set()),
        ("e.flags & VM_UFFD_WP", {"HAVE_ARCH_USERFAULTFD_WP"}, set()),
        ("~e.flags & VM_UFFD_WP", set(), {"HAVE_ARCH_USERFAULTFD_WP"}),
        ("e.flags & OTHER", set(), set()),
    ],
)
def test_who_takes_a_branch_assumes_what_the_answer_needs(
    kernel: Make, condition: str, if_so: set[str], if_not: set[str]
) -> None:
    """Without the symbol a stub says no, or the function itself: only a yes needs it."""
    assert needs(kernel, condition, True) == if_so
    assert needs(kernel, condition, False) == if_not


def test_a_variable_that_holds_the_answer_needs_what_the_answer_needs(kernel: Make) -> None:
    """Also one that is set to zero when something else came up; not one with two answers."""
    text = (
        SOURCE
        + """
void f(struct entry e)
{
	int may = reclaim_possible(e.details);

	if (e.skipped)
		may = %s;
	if (may)
		use(e);
}
"""
    )
    for value, needed in (("0", {"CONFIG_PT_RECLAIM"}), ("e.other", set())):
        made = kernel(text % value)
        branch = [node for node in made.graph("f").nodes if node.op == BRANCH][-1]
        asked = Assumptions(made.program, made.facts, made.words)
        assert asked.at(made.graph("f"), branch.expr, True) == needed
        assert asked.at(made.graph("f"), branch.expr, False) == set()


def test_where_a_function_stands_is_needed_by_its_yes(kernel: Make) -> None:
    """What is below an #ifdef has a stub that says no."""
    assert needs(kernel, "pte_present(e)", True, presence="pte_present") == {"HERE"}
    assert needs(kernel, "pte_present(e)", False, presence="pte_present") == set()
