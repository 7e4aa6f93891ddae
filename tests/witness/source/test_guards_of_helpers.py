# SPDX-License-Identifier: GPL-2.0-or-later
"""Guards that begin and end a section by helpers, and arrays of tables that hold such helpers."""

from __future__ import annotations

import pytest

from tests.witness.source.same_as_plain import INCLUDE, seen

WITH_A_FLAG = "with a flag"
"""Whether it was set before nobody knows, so that the helper that ends may be told."""
HELPERS = {
    "that do more": (
        "prefetch(b); lazy_mmu_mode_enable();",
        "lazy_mmu_mode_disable(); prefetch(b);",
    ),
    "that ask whether there is one": (
        "if (!b) return; lazy_mmu_mode_enable();",
        "if (!b) return; lazy_mmu_mode_disable();",
    ),
    "that ask a member": (
        "if (!b->nr) return; lazy_mmu_mode_enable();",
        "if (!b->nr) return; lazy_mmu_mode_disable();",
    ),
    WITH_A_FLAG: (
        "if (b->on) return; b->on = true; lazy_mmu_mode_enable();",
        "if (!b->on) return; b->on = false; lazy_mmu_mode_disable();",
    ),
}

GUARD = """
#include <linux/cleanup.h>
struct batch { bool on; int nr; };
static void batch_open(struct batch *b) { OPEN }
static void batch_close(struct batch *b) { CLOSE }
DEFINE_LOCK_GUARD_1(batch, struct batch, batch_open(_T->lock), batch_close(_T->lock))
"""

FUNCTION = """
int NAME(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, pte_t new, struct batch *given)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return 0;
	BODY
	pte_unmap_unlock(pte, ptl);
	return 0;
}
"""

BODIES = {
    "right": "scoped_guard(batch, given) { set_pte_at(mm, addr, pte, new); }",
    "leaves": "scoped_guard(batch, given) { if (need_resched()) break; pte_clear(mm, addr, pte); }",
    "sleeps": "scoped_guard(batch, given) { set_pte_at(mm, addr, pte, new); cond_resched(); }",
    "late": "guard(batch)(given); set_pte_at(mm, addr, pte, new);",
}


def functions(bodies: dict[str, str]) -> str:
    """A function for each body, by its name."""
    made = (FUNCTION.replace("NAME", name).replace("BODY", body) for name, body in bodies.items())
    return "".join(made)


@pytest.mark.parametrize("how", HELPERS)
def test_a_guard_may_begin_and_end_by_helpers(how: str) -> None:
    """Who takes it is judged, by what the helpers do; the guard's own functions never are."""
    opens, closes = HELPERS[how]
    own = INCLUDE + GUARD.replace("OPEN", opens).replace("CLOSE", closes) + functions(BODIES)
    result = seen("new", own, {})
    assert not result.blind
    found = {(function, rule) for rule, _, function, _ in result.findings}
    named = {name for name, _ in found}
    assert ("sleeps", "sleep-in-section") in found
    assert found & {("late", "section-outside-lock"), ("late", "unlock-before-flush")}
    assert not [name for name in named if name.startswith("class_")]
    if how != WITH_A_FLAG:
        assert named == {"sleeps", "late"}


PHASES = """
static void phase_in(void) { lazy_mmu_mode_enable(); }
static void phase_out(void) { lazy_mmu_mode_disable(); }
static void nothing(void) { }
struct phase { void (*in)(void); void (*out)(void); };
struct batch;
static const struct phase phases[] = { { .in = phase_in, .out = phase_out }, { nothing, nothing } };
"""


def test_the_functions_of_an_array_of_tables_are_a_loss() -> None:
    """Which element is called is not asked, so nobody may take silence for an answer."""
    body = "phases[0].in(); set_pte_at(mm, addr, pte, new); if (need_resched()) phases[0].out();"
    result = seen("new", INCLUDE + PHASES + functions({"f": body}), {})
    assert [file for file, reason in result.blind if "address is taken" in reason] == [
        "mm/own.c"
    ] * 2
