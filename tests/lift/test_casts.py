# SPDX-License-Identifier: GPL-2.0-or-later
"""Casts by the name of a type: with brackets around what is cast they look like a call."""

from __future__ import annotations

import pytest

from tests.lift.test_core_mm import ADVISE, ADVISED, ask, broken

MMU = "arch/x86/xen/mmu_pv.c"
TYPES = """typedef unsigned char octet_t;
#ifdef CONFIG_OF_ANOTHER_MACHINE
typedef unsigned char address_t;
#else
typedef unsigned long address_t;
#endif
"""
AGES = """#include <linux/mm.h>

static inline void clear_young_dirty_ptes(
	struct vm_area_struct *vma, unsigned long addr, pte_t *ptep, unsigned int nr, int flags)
{
	pte_t pte = __ptep_get(ptep);

	if (flags == (CYDP_CLEAR_YOUNG | CYDP_CLEAR_DIRTY))
		__set_pte(ptep, pte_mkclean(pte_mkold(pte)));
	else
		__clear_young_dirty_pte(vma, addr, ptep, pte, flags);
}
"""
"""As arm64 has it."""


def flushing_if(condition):
    """A flush that happens on a condition, with types at the top of the file."""

    def change(text):
        flush = "static void xen_flush_lazy_mmu(void)\n{\n\tpreempt_disable();\n"
        assert flush in text
        made = flush.replace("\tpre", f"\tif (!({condition}))\n\t\treturn;\n\tpre")
        return TYPES + text.replace(flush, made)

    return change


@pytest.mark.parametrize(
    ("condition", "flushes"),
    [
        ("(octet_t)(257) == 1", True),
        ("(octet_t)257 == 1", True),
        ("(octet_t)(256)", False),
        ("(address_t)(256)", True),
        ("(typeof(preempt_count()))(1)", True),
        ("(__typeof__(0))(0)", False),
    ],
)
def test_a_type_in_brackets_before_brackets_casts(asked, condition, flushes):
    """It is as wide as the typedef that is compiled says; that of `typeof` changes nothing."""
    answer = asked("flush-then-use", changes={MMU: flushing_if(condition)})
    assert answer.lifted[0].refused == ""
    assert (answer.verdicts[0].verdict == "holds") == flushes


@pytest.mark.parametrize("name", ["nobody_t", "octet_s"])
def test_what_is_no_type_is_refused_by_name_and_place(asked, name):
    """A call that nothing is known of, wherever such a name stands."""
    (lifted,) = asked("flush-then-use", changes={MMU: flushing_if(f"({name})(1)")}).lifted
    assert lifted.refused.endswith(f"a call of {name}(), which is not known")


@pytest.mark.parametrize(
    ("flags", "value", "refused"),
    [
        ("CYDP_CLEAR_YOUNG", "A:old", ""),
        ("CYDP_CLEAR_YOUNG | CYDP_CLEAR_DIRTY", "A:old:clean", ""),
        ("CYDP_CLEAR_DIRTY", "", "__clear_young_dirty_pte() with what no scenario has"),
    ],
)
def test_arm64s_own_accessors_are_the_trees_down_to_one_entry(asked, flags, value, refused):
    """What makes an entry old, and what makes it clean as well, are two of the machine's."""
    aged = f"clear_young_dirty_ptes(vma, addr, pte, nr, {flags})"
    more = ADVISE.replace("#include <linux/mm.h>", AGES)
    more = more.replace("ptep_test_and_clear_young(vma, addr, pte)", aged)
    text = ADVISED.format(other="B").replace("p = A:old", f"p = {value or 'A:old'}")
    answer = ask(asked, text=text, more=more, file="madvise", arch="arm64")
    by_hand = dict(answer.lifted[0].by_hand)
    assert by_hand.get("madvise_free_pte_range", "").endswith(refused)
    assert ("madvise_free_pte_range" in by_hand) == bool(refused)
    assert refused or broken(answer) == set()
