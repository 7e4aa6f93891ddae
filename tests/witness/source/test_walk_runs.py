# SPDX-License-Identifier: GPL-2.0-or-later
"""The walker on small functions: entries that one accessor is about several of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lazymmu.witness.finding import Confidence, Finding

Agrees = Callable[..., tuple[Finding, ...]]

SECTION = """
static bool gone(pte_t *entry)
{{
	return pte_none(ptep_get(entry));{1}
}}

void f(struct mm_struct *mm, unsigned long addr, pte_t *pte, pte_t value, unsigned int i, int n)
{{
	pte_t old, *q = pte + 2;

	lazy_mmu_mode_enable();
	{0}
	lazy_mmu_mode_disable();
}}
"""

FOUR = "set_ptes(mm, addr, pte, value, 4);"
SOME = "set_ptes(mm, addr, pte, value, n);"
STALE = "	/* expect: stale-read */"
MIXED = "	/* expect: mixed-write */"


@pytest.mark.parametrize(
    "body",
    [
        f"{FOUR} old = ptep_get(pte);",
        f"{FOUR} old = ptep_get(pte + 1);",
        f"{FOUR} old = ptep_get(&pte[3]);",
        f"{FOUR} old = pte[2];",
        f"{FOUR} old = ptep_get(q);",
        f"{FOUR} pte += 4; old = ptep_get(pte - 1);",
        "set_ptes(mm, addr, pte - 1, value, 3); old = ptep_get(pte);",
        "set_ptes(mm, addr, pte - 1, value, 3); old = ptep_get(pte + 1);",
        "set_ptes(mm, addr, pte + n, value, 3); old = ptep_get(pte + n + 2);",
        "n = 3; set_ptes(mm, addr, pte, value, n); old = ptep_get(pte + 2);",
        "set_ptes(mm, addr, pte, value, 512); old = ptep_get(pte + 100);",
        "set_ptes(mm, addr, pte, value, 512); old = pte[100];",
        "clear_not_present_full_ptes(mm, addr, pte, 4, 0); old = ptep_get(pte + 3);",
    ],
)
def test_a_read_of_one_of_several_that_were_written_together_is_told(
    agrees: Agrees, body: str
) -> None:
    """Which is one of them is known where both numbers are."""
    (found,) = agrees(SECTION.format(body + STALE, ""))
    assert found.confidence is Confidence.HIGH


def test_a_callee_may_be_handed_one_of_several(agrees: Agrees) -> None:
    """It reads the entry under a name of its own."""
    agrees(SECTION.format(f"{FOUR} if (gone(pte + 1)) n++;", STALE))


@pytest.mark.parametrize(
    ("body", "sure"),
    [
        (f"{SOME} for (i = 0; i < n; i++) old = ptep_get(pte + i);", Confidence.MEDIUM),
        (f"{FOUR} for (i = 0; i < 4; i++) old = pte[i];", Confidence.MEDIUM),
        (f"{SOME} for (i = 1; i < n; i++) old = ptep_get(pte + i);", Confidence.LOW),
        (f"{SOME} for (i = 0; i < n; i += 2) old = ptep_get(pte + i);", Confidence.LOW),
        (f"{SOME} for (i = 0; i < 4; i++) old = ptep_get(pte + i);", Confidence.LOW),
        (f"{SOME} old = ptep_get(pte + 1);", Confidence.LOW),
        (f"{SOME} old = ptep_get(pte + i);", Confidence.LOW),
        (f"{FOUR} old = pte[i];", Confidence.LOW),
    ],
)
def test_what_may_be_one_of_several_is_as_sure_as_its_number(
    kernel: Callable[..., Any], body: str, sure: Confidence
) -> None:
    """A loop from 0 up to their number asks for each of them."""
    (found,) = kernel(SECTION.format(body, "")).findings()
    assert (found.rule, found.confidence) == ("stale-read", sure)


@pytest.mark.parametrize(
    "body",
    [
        f"{FOUR} ptep_get_and_clear(mm, addr, pte + 1);",
        "set_pte_at(mm, addr, pte + 1, value); wrprotect_ptes(mm, addr, pte, 2);",
        "set_ptes(mm, addr, pte, value, 512); ptep_set_wrprotect(mm, addr, pte + 100);",
    ],
)
def test_one_of_several_is_not_changed_at_once(agrees: Agrees, body: str) -> None:
    """Nor several of which one waits."""
    (found,) = agrees(SECTION.format(body + MIXED, ""))
    assert found.confidence is Confidence.HIGH


@pytest.mark.parametrize(
    "body",
    [
        f"{FOUR} old = ptep_get(pte + 4);",
        f"{FOUR} old = ptep_get(pte - 1);",
        f"{FOUR} pte += 4; old = ptep_get(pte);",
        f"{SOME} old = ptep_get(pte + n);",
        f"{SOME} pte += n; old = ptep_get(pte);",
        f"{SOME} n++; old = ptep_get(pte + 1);",
        f"{SOME} pte = next_table(mm); old = ptep_get(pte + 1);",
        f"{SOME} lazy_mmu_mode_disable(); old = ptep_get(pte + 1); lazy_mmu_mode_enable();",
        "set_ptes(mm, addr, pte, value, 512); old = ptep_get(pte + 600);",
        "set_ptes(mm, addr, pte, value, 1); old = ptep_get(pte + 1);",
        "set_pte_at(mm, addr, pte, value); old = ptep_get(pte + 1);",
        "for (; i < 64; i += 4) { old = ptep_get(pte + i);"
        " set_ptes(mm, addr, pte + i, value, 4); }",
        f"while (i--) {{ old = ptep_get(pte); {SOME} pte += n; }}",
        f"{SOME} set_pte_at(mm, addr, pte + i, value);",
    ],
)
def test_what_lies_beside_several_is_another_entry(agrees: Agrees, body: str) -> None:
    """Before them, behind them, or after the section's end."""
    assert not agrees(SECTION.format(body, ""))
