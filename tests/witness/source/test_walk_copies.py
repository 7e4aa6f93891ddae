# SPDX-License-Identifier: GPL-2.0-or-later
"""The walker on small functions: entries read without an accessor, and copies of their pointers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.witness.finding import Finding
from lazymmu.witness.source.function.names import mentions

Agrees = Callable[..., tuple[Finding, ...]]

SECTION = """
static int look(pte_t *entry)
{{
	return pte_none(ptep_get(entry));{2}
}}

static void put(struct mm_struct *mm, unsigned long addr, pte_t *entry, pte_t value)
{{
	set_pte_at(mm, addr, entry, value);
}}

void f(struct mm_struct *mm, unsigned long addr, pte_t *pte, pte_t value, struct vm_fault *vmf,
       int i)
{{
	pte_t old, *q, *other, *slots[2], **at;

	lazy_mmu_mode_enable();
	{0}
	{1}
	lazy_mmu_mode_disable();
}}
"""

STALE = "	/* expect: stale-read */"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("pte", "old = *pte;"),
        ("pte", "old = READ_ONCE(*pte);"),
        ("pte", "i = pte->pte & 1;"),
        ("pte", "i = READ_ONCE(pte->pte);"),
        ("pte", "old = pte[0];"),
        ("pte", "old = *(volatile pte_t *)pte;"),
        ("pte", "memcpy(&old, pte, sizeof(old));"),
        ("pte", "if (memcmp(&old, pte, sizeof(old))) count(mm);"),
        ("pte", "*pte = pte_mkold(*pte);"),
        ("&pte[0]", "old = *pte;"),
        ("pte + 1", "old = pte[1];"),
        ("&pte[i]", "old = *(pte + i);"),
        ("vmf->pte", "old = *vmf->pte;"),
    ],
)
def test_a_read_through_the_pointer_is_one(agrees: Agrees, written: str, read: str) -> None:
    """However it is spelled, it sees the old entry while the write to it is pending."""
    agrees(SECTION.format(f"set_pte_at(mm, addr, {written}, value);", read + STALE, ""))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("pte", "old = pte[1];"),
        ("pte", "count(&pte->pte, &pte[0]);"),
        ("pte", "memcpy(pte, &old, sizeof(old));"),
        ("pte", "i = value.pte;"),
        ("q", "old = ptep_get(&other[pte - q]);"),
        ("&pte[i]", "old = pte[i + 1];"),
        ("vmf->pte", "vmf->pte++; old = *vmf->pte;"),
        ("vmf->pte", "vmf->pte = pte; old = ptep_get(vmf->pte);"),
    ],
)
def test_what_reads_no_such_entry_is_none(agrees: Agrees, written: str, read: str) -> None:
    """Another entry, an address, a copy over it, or a pointer that has moved on."""
    assert not agrees(SECTION.format(f"set_pte_at(mm, addr, {written}, value);", read, ""))


@pytest.mark.parametrize(
    ("copy", "written", "read"),
    [
        ("q = pte;", "pte", "old = *q;"),
        ("q = pte;", "q", "old = *pte;"),
        ("q = pte + 0;", "pte", "old = ptep_get(q);"),
        ("q = &pte[0];", "q", "old = ptep_get(pte);"),
        ("q = (pte_t *)pte;", "pte", "old = ptep_get(q);"),
        ("other = q = pte;", "other", "old = ptep_get(q);"),
        ("q = pte; other = q;", "other", "old = ptep_get(pte);"),
        ("q = vmf->pte;", "vmf->pte", "old = ptep_get(q);"),
        ("q = pte;", "pte", "pte++; old = ptep_get(q);"),
        ("q = pte;", "q + 1", "old = ptep_get(pte + 1);"),
        ("q = pte + 1;", "q", "old = pte[1];"),
        ("q = pte + 1;", "&pte[1]", "pte++; old = ptep_get(q);"),
        ("q = &pte[i];", "q", "old = ptep_get(pte + i);"),
        ("q = &pte[i];", "pte + i", "i++; old = ptep_get(q);"),
        ("q = pte; other = pte + 1;", "other", "pte = 0; old = ptep_get(q + 1);"),
        ("slots[0] = pte;", "pte", "old = ptep_get(slots[0]);"),
        ("slots[0] = pte;", "slots[0]", "slots[1] = 0; old = *pte;"),
        ("slots[i] = pte;", "pte", "old = *slots[i];"),
        ("slots[1] = pte; q = slots[1];", "pte", "old = ptep_get(q);"),
        ("at = &pte;", "pte", "old = ptep_get(*at);"),
        ("at = &pte;", "*at", "old = ptep_get(pte);"),
        ("at = &pte;", "*at", "old = **at;"),
        ("at = &pte; q = *at;", "pte", "(*at)++; old = ptep_get(q);"),
        ("", "pte", "old = ptep_get(&q[pte - q]);"),
        ("", "q + (pte - q)", "old = ptep_get(pte);"),
    ],
)
def test_a_pointer_and_its_plain_copy_name_one_entry(
    agrees: Agrees, copy: str, written: str, read: str
) -> None:
    """Also after the one that was copied has moved on."""
    store = f"{copy} set_pte_at(mm, addr, {written}, value);"
    agrees(SECTION.format(store, read + STALE, ""))


@pytest.mark.parametrize(
    ("copy", "written", "read"),
    [
        ("q = pte + 1;", "pte", "old = ptep_get(q);"),
        ("q = pte;", "pte", "q++; old = ptep_get(q);"),
        ("q = pte;", "pte", "pte++; old = ptep_get(pte);"),
        ("q = pte; pte++;", "pte", "old = ptep_get(q);"),
        ("q = pte; q = other;", "pte", "old = ptep_get(q);"),
        ("q = vmf->pte; vmf->pte++;", "vmf->pte", "old = ptep_get(q);"),
        ("q = pte + 1;", "pte", "q = pte + 2; old = ptep_get(q);"),
        ("q = &pte[i];", "q", "i++; old = ptep_get(pte + i);"),
        ("slots[0] = pte;", "pte", "old = ptep_get(slots[1]);"),
        ("slots[i] = pte;", "pte", "i++; old = ptep_get(slots[i]);"),
        ("slots[0] = pte;", "pte", "slots[i] = other; old = ptep_get(slots[0]);"),
        ("slots[0] = pte;", "pte", "fill(slots); old = ptep_get(slots[0]);"),
        ("at = &pte;", "pte", "(*at)++; old = ptep_get(pte);"),
        ("at = &pte;", "*at", "*at = other; old = ptep_get(pte);"),
        ("at = &pte;", "pte", "fill(at); old = ptep_get(pte);"),
        ("at = &pte;", "pte", "at = &other; old = ptep_get(*at);"),
    ],
)
def test_a_copy_that_has_moved_on_names_another(
    agrees: Agrees, copy: str, written: str, read: str
) -> None:
    """Either of the two may be given another value; then they are two entries."""
    store = f"{copy} set_pte_at(mm, addr, {written}, value);"
    assert not agrees(SECTION.format(store, read, ""))


def test_a_copy_is_the_same_entry_in_whoever_is_handed_it(agrees: Agrees) -> None:
    """The callee is walked with the entry, whichever of the two pointers it gets."""
    agrees(SECTION.format("q = pte; put(mm, addr, q, value);", "count(look(pte));", STALE))


HANDED = """
static int behind(pte_t **at)
{{
	return pte_none(ptep_get(*at));{1}
}}

static int first(pte_t *entry)
{{
	return pte_none(ptep_get(entry));{2}
}}

void f(struct mm_struct *mm, unsigned long addr, pte_t *pte, pte_t value, int i)
{{
	pte_t **at = &pte;

	lazy_mmu_mode_enable();
	set_pte_at(mm, addr, pte + i, value);
	{0}
	lazy_mmu_mode_disable();
}}
"""


def test_who_is_handed_the_place_of_a_pointer_has_the_entry(agrees: Agrees) -> None:
    """By the variable's address, by a copy of that, or by the element's address."""
    agrees(HANDED.format("pte += i; count(behind(&pte));", "", "").replace("pte + i", "pte", 1))
    whole = HANDED.replace("pte + i", "pte")
    agrees(whole.format("count(behind(&pte));", STALE, ""))
    agrees(whole.format("count(behind(at));", STALE, ""))
    agrees(HANDED.format("count(first(&pte[i]));", "", STALE))


def test_a_loop_over_a_copy_is_right(agrees: Agrees) -> None:
    """Each round has an entry of its own, though the pointer began as a copy."""
    forward = """for (q = pte; q < pte + 5; q++) {
		old = ptep_get(q);
		set_pte_at(mm, addr, q, value);
	}"""
    inside = """do {
		other = pte;
		old = ptep_get(other);
		set_pte_at(mm, addr, other, value);
	} while (pte++, --i);"""
    assert not agrees(SECTION.format(forward, "", ""))
    assert not agrees(SECTION.format(inside, "", ""))


WORDS = st.sampled_from(["pte", "vmf->pte", "vmf", "start_pte"])


@given(WORDS, WORDS)
def test_a_spelling_mentions_whole_words_only(one: str, other: str) -> None:
    """A spelling mentions another where that stands in it from one word to the next."""
    assert mentions(f"({one} + 1)", one)
    expected = other == one or (other in ("pte", "vmf") and one == "vmf->pte")
    assert mentions(one, other) is expected
