# SPDX-License-Identifier: GPL-2.0-or-later
"""Page tables that a helper gives back for its caller, by their address."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lazymmu.witness.finding import Finding

Agrees = Callable[..., tuple[Finding, ...]]

CODE = """
static void give_back(KIND *table)
{
	free_page((unsigned long)table);
}

static void by_another(struct mm_struct *mm, KIND *table)
{
	count(mm);
	give_back(table);
}

static void look_at(KIND *table)
{
	count(table);
}

void f(struct mm_struct *mm, ABOVE *above, ABOVE *other)
{
	KIND *table = table_of(READ_ONCE(*above));
	KIND *old = table_of(READ_ONCE(*other));

	lazy_mmu_mode_enable();
	CLEAR(above);
	BODY
	lazy_mmu_mode_disable();
	give_back(table);
}
"""

LEVELS = pytest.mark.parametrize(
    ("kind", "above", "clear"),
    [
        ("pte_t", "pmd_t", "pmd_clear"),
        ("pmd_t", "pud_t", "pud_clear"),
        ("pud_t", "p4d_t", "p4d_clear"),
    ],
)


def code(kind: str, above: str, clear: str, body: str) -> str:
    """A function that unlinks a table of some kind, and does something with it in the section."""
    text = CODE.replace("KIND", kind).replace("ABOVE", above).replace("CLEAR", clear)
    return text.replace("BODY", body)


@LEVELS
@pytest.mark.parametrize("call", ["give_back(table);", "by_another(mm, table);"])
def test_a_table_may_not_be_given_back_before_it_is_unlinked(
    agrees: Agrees, kind: str, above: str, clear: str, call: str
) -> None:
    """The store that unlinks it waits, whoever frees the table."""
    agrees(code(kind, above, clear, f"{call}	/* expect: free-before-flush */"))


@LEVELS
@pytest.mark.parametrize("call", ["give_back(old);", "by_another(mm, old);", "look_at(table);"])
def test_another_table_may_be_given_back(
    agrees: Agrees, kind: str, above: str, clear: str, call: str
) -> None:
    """Nothing that concerns it waits, or nobody gives it back."""
    agrees(code(kind, above, clear, call))
