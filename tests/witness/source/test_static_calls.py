# SPDX-License-Identifier: GPL-2.0-or-later
"""Sections that begin and end by static calls."""

from __future__ import annotations

import pytest

from tests.witness.source.same_as_plain import INCLUDE, seen

KEYS = """
#include <linux/static_call.h>
static void begin(void) { lazy_mmu_mode_enable(); }
DEFINE_STATIC_CALL(open_key, begin);
DEFINE_STATIC_CALL(close_key, lazy_mmu_mode_disable);
"""
FUNCTION = """
int NAME(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, pte_t new)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return 0;
	static_call(open_key)();
	set_pte_at(mm, addr, pte, new);
	BODY
	return 0;
}
"""
CLOSE, UNLOCK = "static_call_cond(close_key)();", "pte_unmap_unlock(pte, ptl);"
BODIES = {
    "right": f"{CLOSE} {UNLOCK}",
    "late": f"{UNLOCK} {CLOSE}",
    "leaves": f"if (pte_none(new)) goto out; {CLOSE} out: {UNLOCK}",
    "sleeps": f"cond_resched(); {CLOSE} {UNLOCK}",
}
UPDATE = "void change(void) { static_call_update(open_key, other); }\n"


def functions() -> str:
    """A function for each body, by its name."""
    made = (FUNCTION.replace("NAME", name).replace("BODY", body) for name, body in BODIES.items())
    return "".join(made)


def test_a_static_call_whose_key_stays_is_what_its_key_is_defined_with() -> None:
    """Who begins and ends by it is judged, and nothing of it is lost."""
    result = seen("new", INCLUDE + KEYS + functions(), {})
    assert not result.blind
    assert result.rows == set(BODIES)
    assert {(name, rule) for rule, _, name, _ in result.findings} == {
        ("late", "unlock-before-flush"),
        ("leaves", "unbalanced-section"),
        ("sleeps", "sleep-in-section"),
    }


@pytest.mark.parametrize("here", [True, False])
def test_a_static_call_whose_key_is_updated_is_lost(here: bool) -> None:
    """It may call something else then, whichever file updates it."""
    own, other = (UPDATE, "") if here else ("", INCLUDE + UPDATE)
    result = seen("new", INCLUDE + KEYS + own + functions(), {"mm/other.c": other})
    assert result.blind == (
        ("mm/own.c", "in the arguments of DEFINE_STATIC_CALL(), which is not followed"),
    )


def test_an_update_of_another_key_leaves_a_static_call_as_it_is() -> None:
    """What another key is given changes nothing of those that are called here."""
    other = {"mm/other.c": INCLUDE + UPDATE.replace("open_key", "another")}
    assert not seen("new", INCLUDE + KEYS + functions(), other).blind
