# SPDX-License-Identifier: GPL-2.0-or-later
"""fork()'s and munmap()'s walks of small trees, lifted: what they count, flush and give back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lift.conftest import rows
from tests.lift.test_core_mm import ask, broken, without

HERE = Path(__file__).parent
COPY = (HERE / "copy_pte_range.c").read_text()
ZAP = (HERE / "zap_pte_range.c").read_text()

FORKED = """
litmus forked
"A child's entries, and who changes the parent's."
machine: cpus 2
entries:
    p  pte user ptl L = A
    q  pte user ptl M = none
task T0 on cpu0:
    copy_pte_range p q
    pte_offset_map_lock L
    pte_unmap_unlock L
task T1 on cpu1:
    access_write p
watch stale-translation-used
finally: q = A:ro:old; p = A:ro
"""

UNMAPPED = """
litmus unmapped
"Pages are given back after the flush, and a table that is empty with them."
machine: cpus 2
entries:
    d  pmd user ptl M = T
    p  pte user in d ptl L = A
task T0 on cpu0:
    {operation} p
    pmd_lock M
    spin_unlock M
task T1 on cpu1:
    access p
watch stale-translation-used
finally: {finally}
"""
PROTECTED = """
litmus protected
"Who write-protects the entry comes first, or between."
machine: cpus 2
entries:
    d  pmd user ptl M = T
    p  pte user in d ptl L = A
task T0 on cpu0:
    unmap_page_range p
task T1 on cpu1:
    set_pte p A:ro
"""
NO_TABLE = "d = none; p = none"
TABLE = "d = T; p = none"


def forked(asked, *lines):
    """The answer for a fork, without some lines."""
    return ask(asked, text=FORKED, more=without(*lines)(COPY), file="fork")


def unmapped(asked, operation, finally_, *lines, core="lifted"):
    """The same for one of the operations that clear a range."""
    text = UNMAPPED.format(operation=operation, **{"finally": finally_})
    return ask(asked, text=text, more=without(*lines)(ZAP), file="zap", core=core)


def by_hand(answer, routine):
    """Why an operation is by hand, "" where it is not."""
    return dict(answer.lifted[0].by_hand).get(routine, "")


@pytest.mark.parametrize(
    ("lines", "rule"),
    [
        ((), ""),
        (("\tpte_unmap_unlock(src_pte - 1, src_ptl);\n",), "deadlock"),
        (("\t\t\tpte = pte_wrprotect(pte);\n",), "finally"),
    ],
)
def test_a_fork_is_the_trees_with_what_it_counts(asked, lines, rule):
    """An array that memset() makes zero is the function's own, wherever it is handed."""
    answer = forked(asked, *lines)
    assert by_hand(answer, "_copy_pte_range") == ""
    assert broken(answer) == ({rule} if rule else set())


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("\tmemset(src_vma, 0, sizeof(*src_vma));\n", "memset() of memory that others may see"),
        ("\tmemset(counts, 1, sizeof(counts));\n", "memset() to another value than zero"),
        ("\tmemset(counts, 0, NR_MM_COUNTERS);\n", "memset() of a part of an array"),
    ],
)
def test_what_else_is_made_zero_is_refused(asked, line, why):
    """Memory that is not the function's own, another value, a part of an array."""
    begin = "\tbegin_counts(counts);\n"
    answer = ask(asked, text=FORKED, more=COPY.replace(begin, begin + line), file="fork")
    assert by_hand(answer, "_copy_pte_range").endswith(why)


@pytest.mark.parametrize(
    ("operation", "finally_"),
    [
        ("zap_pte_range", TABLE),
        ("unmap_page_range", TABLE),
        ("unmap_mapping_range", TABLE),
        ("madvise_dontneed_single_vma", NO_TABLE),
    ],
)
def test_what_is_gathered_is_given_back_by_the_machines_caller(asked, operation, finally_):
    """A table goes for MADV_DONTNEED alone, as the tree's function asks what it is for."""
    answer = unmapped(asked, operation, finally_)
    assert by_hand(answer, "_zap_pte_range") == ""
    assert broken(answer) == set()


@pytest.mark.parametrize(
    ("operation", "finally_", "line", "rule"),
    [
        (
            "unmap_page_range",
            TABLE,
            "\t\ttlb_remove_tlb_entry(tlb, pte, addr);\n",
            "",
        ),
        (
            "unmap_mapping_range",
            TABLE,
            "\t\ttlb_remove_tlb_entry(tlb, pte, addr);\n",
            "stale-translation-used",
        ),
        ("madvise_dontneed_single_vma", NO_TABLE, "\t\tspin_unlock(pml);\n", "deadlock"),
        ("madvise_dontneed_single_vma", NO_TABLE, "\t\tpmd_clear(pmd);\n", "finally"),
    ],
)
def test_a_walk_that_flushes_itself_flushes_what_it_has_noted(
    asked, operation, finally_, line, rule
):
    """Without the note nothing is flushed, where the caller at its end flushes the whole range."""
    answer = unmapped(asked, operation, finally_, line)
    assert broken(answer) == ({rule} if rule else set())


@pytest.mark.parametrize("operation", ["zap_pte_range", "unmap_page_range", "unmap_mapping_range"])
def test_a_lifted_munmap_is_the_one_by_hand_state_for_state(asked, operation):
    """But for what it tells the flush, which takes no step."""
    lifted, hand = (unmapped(asked, operation, TABLE, core=core) for core in ("lifted", "by-hand"))
    assert rows(lifted) == rows(hand) != []


def test_what_a_walk_read_and_asks_for_no_more_makes_no_two_states_of_one(asked):
    """The page is noted, and after that it is the same whether the entry was read-only."""
    lifted, hand = (
        ask(asked, text=PROTECTED, more=ZAP, file="zap", core=core)
        for core in ("lifted", "by-hand")
    )
    assert by_hand(lifted, "_zap_pte_range") == ""
    assert rows(lifted) == rows(hand) != []
