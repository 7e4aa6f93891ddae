# SPDX-License-Identifier: GPL-2.0-or-later
"""Problems that a section inside a section hides."""

from __future__ import annotations

import shutil
from pathlib import Path

import lazymmu
from lazymmu.verbs.past.hidden import in_place, without_sections
from lazymmu.verbs.past.states import Cell, PastState
from tests.verbs.past.made import found

EXAMPLES = Path(__file__).parents[3] / "examples"

UNLOCKS_EARLY = """
void put_and_unlock(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, pte_t new)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return;
	arch_enter_lazy_mmu_mode();
	set_pte_at(mm, addr, pte, new);
	pte_unmap_unlock(pte, ptl);
	arch_leave_lazy_mmu_mode();
}
"""


def test_a_function_loses_its_own_section_and_nothing_else_moves():
    """Only where it begins and ends one; strings, other functions and lines stay."""
    text = (
        b"void a(void)\n{\n\tarch_enter_lazy_mmu_mode();\n\tb();\n"
        b"\tarch_leave_lazy_mmu_mode();\n}\n"
        b"void c(void)\n{\n\tarch_enter_lazy_mmu_mode();\n}\n"
    )
    left = without_sections(text, "a")
    assert left is not None
    assert (len(left), left.count(b"lazy_mmu"), left.count(b"b();")) == (len(text), 1, 1)
    assert left.count(b"\n") == text.count(b"\n")
    assert without_sections(text, "c") is None
    assert without_sections(text, "none") is None


FLUSHES_INSIDE = """
void put_and_flush(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, pte_t new)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);

	if (!pte)
		return;
	arch_enter_lazy_mmu_mode();
	set_pte_at(vma->vm_mm, addr, pte, new);
	flush_tlb_page(vma, addr);
	arch_leave_lazy_mmu_mode();
	pte_unmap_unlock(pte, ptl);
}
"""


def release(place: Path, version: int, more: str = UNLOCKS_EARLY) -> Path:
    """The older example as another release, with one more function."""
    shutil.copytree(EXAMPLES / "linux-old", place)
    makefile = place / "Makefile"
    makefile.write_text(makefile.read_text().replace("PATCHLEVEL = 12", f"PATCHLEVEL = {version}"))
    with open(place / "mm" / "wrong_order.c", "a") as file:
        file.write(more)
    return place


def test_a_problem_that_comes_up_without_the_inner_section_was_hidden_by_it(tmp_path):
    """The cell names the problem that hides it, where, and what was tried."""
    nested, plain = release(tmp_path / "nested", 12), release(tmp_path / "plain", 13)
    header = plain / "include" / "linux" / "pgtable.h"
    text = without_sections(header.read_bytes(), "set_ptes")
    assert text is not None
    header.write_bytes(text)
    answer = lazymmu.history(
        lazymmu.HistoryRequest(trees=[nested, plain], arches="x86", cache_dir=tmp_path / "store")
    )
    (hidden,) = [
        one
        for one in answer.problems
        if (one.rule, one.function) == ("unlock-before-flush", "put_and_unlock")
    ]
    (hiding,) = [one for one in answer.problems if one.function == "set_ptes"]
    assert [cell.state for cell in hidden.cells] == [PastState.HIDDEN, PastState.THERE]
    assert hidden.cells[0].why.startswith(f"by {hiding.id} on x86: set_ptes() begins and ends")
    assert hidden.introduced is not None
    assert (hidden.introduced.after, hidden.introduced.by) == ("", answer.points[0].name)
    others = [one for one in answer.problems if one is not hidden]
    assert all(cell.state is not PastState.HIDDEN for one in others for cell in one.cells)


def test_a_problem_that_hurts_nobody_may_be_hidden_as_well(tmp_path):
    """What breaks the text alone is looked for on the architectures that it breaks it on."""
    nested = release(tmp_path / "nested", 12, FLUSHES_INSIDE)
    plain = release(tmp_path / "plain", 13, FLUSHES_INSIDE)
    header = plain / "include" / "linux" / "pgtable.h"
    text = without_sections(header.read_bytes(), "set_ptes")
    assert text is not None
    header.write_bytes(text)
    answer = lazymmu.history(
        lazymmu.HistoryRequest(trees=[nested, plain], arches="x86", cache_dir=tmp_path / "store")
    )
    (hidden,) = [one for one in answer.problems if one.function == "put_and_flush"]
    assert hidden.hurts == ()
    assert [cell.state for cell in hidden.cells] == [PastState.HIDDEN, PastState.THERE]
    assert [one.function for one in hidden.cells[0].uncovered] == ["put_and_flush"]


def test_a_problem_that_moved_before_it_was_hidden_has_not_moved_after():
    """Where it was found without what hides it is where it was."""
    old, new = found(function="a"), found(function="b")
    cells = (
        Cell(PastState.THERE, "", (old,)),
        Cell(PastState.HIDDEN, "by H1", (), (new,)),
        Cell(PastState.MOVED, "it was in a() before", (new,)),
        Cell(PastState.MOVED, "it was in b() before", (old,)),
    )
    told = list(in_place(cells))
    assert [(str(cell.state), cell.why) for cell in told[2:]] == [
        ("there", ""),
        ("moved", "it was in b() before"),
    ]
