# SPDX-License-Identifier: GPL-2.0-or-later
"""Core-mm code of small trees, lifted: what it does, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

import lazymmu
from lazymmu.verbs.given import Input
from tests.lift.conftest import rows

MEMORY = "mm/memory.c"
WALKS = ("kernel-section-preempted", "section-keeps-its-cpu")
"""Scenarios with apply_to_page_range(), whose walk the example calls call_for_table()."""

USER = """
litmus user-walk
"A walk of a process's entries, and who comes after it."
machine: cpus 2
entries:
    p  pte user ptl L = A
    q  pte user ptl L = B
task T0 on cpu0:
    apply_to_page_range p q:
        pte_clear ptep
    pte_offset_map_lock L
    pte_unmap_unlock L
task T1 on cpu1:
    ptep_get p
watch stale-read, lost-update, mode-left-on-cpu, unlock-before-flush
finally: p = none; q = none
"""

MOVE = (Path(__file__).parent / "move_ptes.c").read_text()
"""A mm/mremap.c, as small as it can be."""

MOVED = """
litmus moved
"Whoever uses an entry that is moved, and whoever frees its page."
machine: cpus 2
entries:
    p  pte user ptl L = A
    q  pte user ptl M = none
task T0 on cpu0:
    move_ptes p q
    pte_offset_map_lock M
    pte_clear q
    pte_unmap_unlock M
    free_page A
task T1 on cpu1:
    access p
watch stale-translation-used
finally: p = none; q = none
"""


ADVISE = (Path(__file__).parent / "madvise.c").read_text()
"""A mm/madvise.c, likewise."""

ADVISED = """
litmus advised
"A page of a folio that reaches beyond the range, or of a small one."
machine: cpus 1
entries:
    p  pte user ptl L = A
    q  pte user ptl L = {other}
task T0 on cpu0:
    madvise_free_pte_range p
watch sleep-in-section
finally: p = A:old
"""


def ask(
    asked,
    *scenarios,
    changes=None,
    core="lifted",
    arch="x86",
    text="",
    more=None,
    file="mremap",
):
    """The answer for scenarios, or for the text of one, on the example as it is changed."""
    tree = asked.tree(changes or {})
    if more is not None:
        make = (asked.root / "mm/Makefile").read_text() + f"obj-y += {file}.o\n"
        tree = tree.over({f"mm/{file}.c": more.encode(), "mm/Makefile": make.encode()})
    return lazymmu.verify(
        lazymmu.VerifyRequest(
            scenarios=scenarios,
            files=[Input(text.encode(), "own.litmus")] if text else [],
            arches=[arch],
            tree=tree,
            jobs=1,
            core_mm=core,
        )
    )


def broken(answer):
    """The rules that are broken in the one run of an answer."""
    (verdict,) = answer.verdicts
    return {one.rule for one in verdict.violations}


def without(*lines):
    """A change that takes statements away."""

    def change(text):
        for line in lines:
            assert line in text
            text = text.replace(line, "")
        return text

    return change


@pytest.mark.parametrize("arch", ["x86", "powerpc", "sparc", "arm64"])
def test_a_lifted_walk_is_the_one_by_hand_state_for_state(asked, arch):
    """Its steps are calls of the machine, and what it computes between them is none."""
    lifted = ask(asked, *WALKS, arch=arch)
    assert dict(lifted.lifted[0].core).keys() == {"apply_to_pte_range"}
    assert rows(lifted) == rows(ask(asked, *WALKS, arch=arch, core="by-hand")) != []


def test_a_function_under_another_name_is_found_by_who_calls_it(asked):
    """The example's is call_for_table(), two calls below apply_to_page_range()."""
    place = next(
        number
        for number, text in enumerate((asked.root / MEMORY).read_text().splitlines(), 1)
        if text.startswith("static int call_for_table")
    )
    assert dict(ask(asked, WALKS[0]).lifted[0].core)["apply_to_pte_range"] == f"{MEMORY}:{place}"


def test_what_the_tree_does_not_have_is_by_hand_and_says_so(asked):
    """Who calls it is missing as well."""
    by_hand = dict(ask(asked, WALKS[0]).lifted[0].by_hand)
    assert by_hand["move_ptes"] == "the tree has neither move_ptes() nor move_page_tables()"


@pytest.mark.parametrize(
    ("lines", "rules"),
    [
        ((), set()),
        (("\tlazy_mmu_mode_disable();\n",), {"unlock-before-flush"}),
        (("\t\tpte_unmap_unlock(start, ptl);\n", "\tif (mm != &init_mm)\n"), {"deadlock"}),
    ],
)
def test_a_statement_that_the_tree_lacks_is_one_that_the_machine_lacks(asked, lines, rules):
    """A section that never ends, a lock that nobody drops."""
    answer = ask(asked, text=USER, changes={MEMORY: without(*lines)} if lines else None)
    assert broken(answer) == rules


@pytest.mark.parametrize(
    ("lines", "rule"),
    [
        ((), ""),
        (("\tif (moved)\n\t\tflush_tlb_range(vma, begin, old_end);\n",), "stale-translation-used"),
        (("\tif (to_lock != from_lock)\n\t\tspin_unlock(to_lock);\n",), "deadlock"),
    ],
)
def test_entries_that_move_need_their_flush_and_their_locks(asked, lines, rule):
    """What is by hand has both, whatever the tree has."""
    answer = ask(asked, text=MOVED, more=without(*lines)(MOVE))
    assert "move_ptes" in dict(answer.lifted[0].core)
    assert broken(answer) == ({rule} if rule else set())
    assert broken(ask(asked, text=MOVED, more=without(*lines)(MOVE), core="by-hand")) == set()


@pytest.mark.parametrize(
    ("other", "lines", "rules"),
    [
        ("A", (), set()),
        ("B", (), set()),
        ("A", ("\t\t\tlazy_mmu_mode_disable();\n",), {"sleep-in-section"}),
        ("B", ("\t\t\tlazy_mmu_mode_disable();\n",), set()),
    ],
)
def test_a_folio_is_split_once_where_it_reaches_beyond_the_range(asked, other, lines, rules):
    """How large it is the scenario says, by who else maps its page; a list is left out."""
    made = without(*lines)(ADVISE)
    answer = ask(asked, text=ADVISED.format(other=other), more=made, file="madvise")
    assert "madvise_free_pte_range" in dict(answer.lifted[0].core)
    assert "LIST_HEAD_INIT" in dict(answer.lifted[0].abstracted)
    assert broken(answer) & {"sleep-in-section", "finally"} == rules


def test_an_entry_that_a_function_is_not_about_is_the_machines_own_operations(asked):
    """A huge page's is above the table that the tree's function walks."""
    text = ADVISED.format(other="B").replace("p  pte user", "p  pmd user").replace("finally", "#")
    lifted = ask(asked, text=text, more=ADVISE, file="madvise")
    by_hand = ask(asked, text=text, more=ADVISE, file="madvise", core="by-hand")
    assert lifted.lifted[0].refused == ""
    assert rows(lifted) == rows(by_hand) != []


def test_a_call_that_is_not_known_is_refused_by_name_and_place(asked):
    """And then the machine's own code is used, with its verdict."""

    def strange(text):
        return text.replace("\tlazy_mmu_mode_disable();\n", "\tstrange_call(pte);\n", 1)

    answer = ask(asked, WALKS[0], changes={MEMORY: strange})
    (told,) = [why for name, why in answer.lifted[0].by_hand if name == "apply_to_pte_range"]
    assert told.startswith(MEMORY)
    assert told.endswith("a call of strange_call(), which is not known")
    assert answer.lifted[0].core == ()
    assert rows(answer) == rows(ask(asked, WALKS[0], core="by-hand"))


def test_a_store_past_the_accessors_is_refused(asked):
    """Whether such a store waits is not known."""

    def raw(text):
        return text.replace("\t\terr = fn(pte, addr, data);\n", "\t\t*pte = __pte(0);\n", 1)

    by_hand = dict(ask(asked, WALKS[0], changes={MEMORY: raw}).lifted[0].by_hand)
    assert by_hand["apply_to_pte_range"].endswith("a store past the accessors")


def test_a_write_of_which_others_may_learn_is_refused(asked):
    """What is behind a pointer that is handed over is no part of the machine."""

    def tells(text):
        call = "\t\terr = fn(pte, addr, data);\n"
        return text.replace(call, f"{call}\t\tmm->changed = 1;\n", 1)

    by_hand = dict(ask(asked, WALKS[0], changes={MEMORY: tells}).lifted[0].by_hand)
    assert "apply_to_pte_range" in by_hand


def test_a_condition_that_nothing_decides_goes_either_way_and_is_told(asked):
    """A section that ends for some data only does not end for all."""

    def some(text):
        end = "\tlazy_mmu_mode_disable();\n"
        return text.replace(end, f"\tif (data)\n\t{end}", 1)

    answer = ask(asked, text=USER, changes={MEMORY: some})
    ((about, place),) = answer.lifted[0].choices
    assert about == "data"
    assert place.startswith(MEMORY)
    assert broken(answer) != set()


def test_two_trees_that_differ_in_core_mm_code_alone_are_two_machines(asked):
    """With core-mm code by hand they are one machine."""
    changed = asked.tree({MEMORY: without("\tlazy_mmu_mode_disable();\n")})

    def differ(core):
        return lazymmu.verify(
            lazymmu.VerifyRequest(
                scenarios=["section-keeps-its-cpu"],
                arches=["x86"],
                tree=asked.tree({}),
                compare=changed,
                jobs=1,
                core_mm=core,
            )
        )

    assert differ("by-hand").same_machines
    assert not differ("lifted").same_machines
