# SPDX-License-Identifier: GPL-2.0-or-later
"""The walker on small functions: pointers to entries that stand in structures of the function."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lazymmu.witness.finding import Finding

Agrees = Callable[..., tuple[Finding, ...]]

BESIDE = """
struct walk {{
	struct mm_struct *mm;
	unsigned long addr;
	pte_t *pte;
}};

static bool look(struct walk *walk)
{{
	return pte_none(ptep_get(walk->pte));{1}
}}

static void put(struct walk *walk, pte_t value)
{{
	set_pte_at(walk->mm, walk->addr, walk->pte, value);
}}

static void step(struct walk *walk)
{{
	walk->addr += 4096;
}}

static void next(struct walk *walk)
{{
	walk->pte++;
}}

void f(struct mm_struct *mm, unsigned long addr, pte_t *pte, pte_t value)
{{
	struct walk w = {{ .mm = mm, .addr = addr, .pte = pte }};
	struct walk v, *p;
	pte_t old;

	lazy_mmu_mode_enable();
	{0}
	lazy_mmu_mode_disable();
}}
"""

STALE = "	/* expect: stale-read */"
WRITE = "set_pte_at(mm, addr, pte, value);"


@pytest.mark.parametrize(
    "body",
    [
        f"{WRITE} old = ptep_get(w.pte);",
        "set_pte_at(mm, addr, w.pte, value); old = ptep_get(pte);",
        f"v.pte = pte; {WRITE} old = *v.pte;",
        f"v = w; {WRITE} old = *v.pte;",
        f"v.pte = w.pte; {WRITE} old = READ_ONCE(*v.pte);",
        f"v = (struct walk){{ .pte = pte }}; {WRITE} old = *v.pte;",
        f"p = &w; {WRITE} old = ptep_get(p->pte);",
        f"p = &v; p->pte = pte; {WRITE} old = ptep_get(v.pte);",
        f"step(&w); {WRITE} old = ptep_get(w.pte);",
        f"{WRITE} pte++; old = ptep_get(w.pte);",
        "put(&w, value); old = ptep_get(pte);",
        "p = &w; put(p, value); old = ptep_get(pte);",
    ],
)
def test_a_member_that_was_given_the_pointer_names_its_entry(agrees: Agrees, body: str) -> None:
    """The entry is one, however the structure was filled and whoever was handed it."""
    agrees(BESIDE.format(body + STALE, ""))


@pytest.mark.parametrize("write", [WRITE, "put(&w, value);", "set_pte_at(mm, addr, w.pte, value);"])
def test_who_is_handed_the_structure_reads_its_entry(agrees: Agrees, write: str) -> None:
    """A callee that reads the member reads what its caller has written and not flushed."""
    agrees(BESIDE.format(f"{write} look(&w);", STALE))


@pytest.mark.parametrize(
    "body",
    [
        f"next(&w); {WRITE} old = ptep_get(w.pte);",
        f"p = &w; next(p); {WRITE} old = ptep_get(w.pte);",
        f"w.pte++; {WRITE} old = ptep_get(w.pte);",
        f"v = w; {WRITE} v = *p; old = ptep_get(v.pte);",
        f"{WRITE} w.pte = pte + 1; old = ptep_get(w.pte);",
        f"p = &v; {WRITE} old = ptep_get(p->pte);",
        "for (; addr < 9; addr++, w.pte++) { old = ptep_get(w.pte); put(&w, value); }",
        "for (; addr < 9; addr++, pte++) { v.pte = pte; old = ptep_get(pte); put(&v, value); }",
    ],
)
def test_a_member_that_has_moved_on_names_another_entry(agrees: Agrees, body: str) -> None:
    """By the function itself, by whoever it hands the structure to, or in the next round."""
    assert not agrees(BESIDE.format(body, ""))
