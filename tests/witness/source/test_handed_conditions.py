# SPDX-License-Identifier: GPL-2.0-or-later
"""Pairs of helpers that are handed the same condition, which is written out at both calls."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lazymmu.witness.finding import Finding

Agrees = Callable[..., tuple[Finding, ...]]

CODE = """
struct batch { int nr; struct mm_struct *mm; };

static void begin(spinlock_t *ptl, int nr, bool lazy)
{
	spin_lock(ptl);
	if (lazy)
		lazy_mmu_mode_enable();
}

static void end(spinlock_t *ptl, int nr, bool lazy)
{
	if (lazy)
		lazy_mmu_mode_disable();
	spin_unlock(ptl);
}

static void find(int *where)
{
	*where = 7;
}

static void look(const int *where)
{
	if (*where > 3)
		work(7);
}

int f(struct batch *batch, spinlock_t *ptl, spinlock_t *old_ptl, int some, int nr)
{
	BODY
	return 0;
}
"""

ON = """
static void begin_on(spinlock_t *ptl, bool some)
{
	begin(ptl, 1, some);
}

static void end_on(spinlock_t *ptl, bool some)
{
	end(ptl, 1, some);
}

"""

SAME = [
    "some > 4",
    "some >= 4",
    "some & 1",
    "ptl != old_ptl",
    "ptl == old_ptl",
    "nr != some",
    "some && nr",
    "some > 4 || nr - some > 100",
    "!(some & 1)",
    "batch->nr > 4",
]


@pytest.mark.parametrize("asked", SAME)
@pytest.mark.parametrize(
    "body",
    [
        "begin(ptl, nr, ASKED); work(some); end(ptl, nr, ASKED);",
        "while (work(some)) { begin(ptl, nr, ASKED); end(ptl, nr, ASKED); }",
    ],
)
def test_the_same_condition_at_both_calls_is_one(agrees: Agrees, asked: str, body: str) -> None:
    """Each way through both is one on which both, or neither, change the mode."""
    agrees(CODE.replace("BODY", body.replace("ASKED", asked)))


@pytest.mark.parametrize("asked", SAME)
def test_helpers_of_helpers_are_handed_it_too(agrees: Agrees, asked: str) -> None:
    """A condition has another name in each, and comes back under its own."""
    body = "begin_on(ptl, ASKED); work(some); end_on(ptl, ASKED);".replace("ASKED", asked)
    agrees(CODE.replace("int f(", f"{ON}int f(").replace("BODY", body))


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("some > 4", "some > 5"),
        ("some > 4", "nr > 4"),
        ("some != nr", "some == nr"),
        ("some & 1", "some & 2"),
        ("some && nr", "some || nr"),
        ("some != nr", "nr"),
    ],
)
def test_another_condition_is_another_one(agrees: Agrees, first: str, last: str) -> None:
    """What the first was handed says nothing of what the last is."""
    body = f"begin(ptl, nr, {first}); work(some); end(ptl, nr, {last});"
    with pytest.raises(AssertionError):
        agrees(CODE.replace("BODY", body))


@pytest.mark.parametrize("asked", ["some", "some > 4", "nr != some", "some && nr", "nr & some"])
@pytest.mark.parametrize("change", ["some = 3;", "some++;", "some += nr;", "find(&some);"])
def test_a_variable_that_is_written_in_between_is_another(
    agrees: Agrees, asked: str, change: str
) -> None:
    """The condition is asked anew, on whichever side the variable stands."""
    body = f"begin(ptl, nr, {asked}); {change} end(ptl, nr, {asked});"
    with pytest.raises(AssertionError):
        agrees(CODE.replace("BODY", body))


@pytest.mark.parametrize("asked", ["some", "some > 4", "nr != some"])
def test_a_variable_whose_address_is_only_looked_behind_stays(agrees: Agrees, asked: str) -> None:
    """Who is handed the address of a variable, and reads it, changes nothing."""
    agrees(CODE.replace("BODY", f"begin(ptl, nr, {asked}); look(&some); end(ptl, nr, {asked});"))


def test_a_member_that_is_written_in_between_is_another(agrees: Agrees) -> None:
    """What the first helper found of a member is no longer so for the second."""
    asked = "batch->nr > 4"
    body = f"begin(ptl, nr, {asked}); batch->nr = some; end(ptl, nr, {asked});"
    with pytest.raises(AssertionError):
        agrees(CODE.replace("BODY", body))


def test_a_variable_of_a_helper_is_not_its_caller_s(agrees: Agrees) -> None:
    """A condition about two variables of a caller is none about two of a callee's own."""
    helper = """
static void both(spinlock_t *ptl, int some)
{
	int nr = 5;

	begin(ptl, 1, some != nr);
	work(some);
	end(ptl, 1, some != nr);
}
"""
    body = "begin(old_ptl, nr, some != nr); end(old_ptl, nr, some != nr); both(ptl, some);"
    agrees(CODE.replace("int f(", f"{helper}\nint f(").replace("BODY", body))
