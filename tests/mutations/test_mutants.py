# SPDX-License-Identifier: GPL-2.0-or-later
"""The machinery that plants mistakes does what it says."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from mutants import batches, judge, kinds, overlay, scan

from lazymmu.contract.rules import RULES

EXAMPLES = Path(__file__).parents[2] / "examples"

CODE = textwrap.dedent(
    """\
    #include <linux/mm.h>
    #ifdef CONFIG_X
    #include <linux/x.h>
    #endif

    /* arch_enter_lazy_mmu_mode(); is only spoken of here */
    static int one(struct mm_struct *mm,
                   pmd_t *pmd)

    {
    \tpte_t *start_pte, *pte;
    \tspinlock_t *ptl;

    \tstart_pte = pte = pte_offset_map_lock(mm, pmd, 0, &ptl);
    \tarch_enter_lazy_mmu_mode();
    \tdo {
    \t\tset_pte_at(mm, 0, pte, ptep_get(pte));
    \t} while (pte++ - start_pte < 9);
    \tarch_leave_lazy_mmu_mode();
    \tpte_unmap_unlock(start_pte, ptl);
    \treturn 0;
    }

    void flushes(void)
    {
    \tarch_leave_lazy_mmu_mode();
    \tarch_enter_lazy_mmu_mode();
    }
    """
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with one section, and one file that far helpers go to."""
    (tmp_path / "mm").mkdir()
    (tmp_path / "mm/one.c").write_text(CODE)
    (tmp_path / "mm/util.c").write_text("int there;\n")
    return tmp_path


def test_a_section_is_a_begin_before_a_leave(tree: Path) -> None:
    """Functions that leave first are no sections, and comments are no code."""
    (found,) = scan.sections(tree)
    assert (found.name, found.file) == ("one", "mm/one.c")
    assert (found.begins, found.leaves) == ([15], [19])


def test_the_entry_is_the_pointer_that_the_section_uses(tree: Path) -> None:
    """Mistakes about an entry use the variable that walks, not the one that remembers."""
    (found,) = scan.sections(tree)
    assert found.entry == "pte"
    assert found.returns_value


def test_each_kind_names_rules_that_exist(tree: Path) -> None:
    """What a mistake is looked for as is a rule of the contract."""
    (found,) = scan.sections(tree)
    planted = list(kinds.every(found))
    assert {rule for mutant in planted for rule in mutant.rules} <= RULES.keys()
    assert len({mutant.kind for mutant in planted}) == len(planted)


def test_a_planted_mistake_is_where_it_says(tree: Path, tmp_path: Path) -> None:
    """The lines of a mistake are counted in the file as it is written."""
    target = overlay.copy(tree, tmp_path / "target")
    for batch in batches.batches(tree, "sleeps by mutex_lock|leave after unlock"):
        ((planted,), (file,)) = batches.plant(tree, target, batch)
        lines = (target / file).read_text().split("\n")
        text = "\n".join(lines[number - 1] for number in planted.lines)
        assert ("mutex_lock" in text) or ("arch_leave_lazy_mmu_mode" in text)
        overlay.restore(target, tree, file)


def test_the_original_tree_stays_as_it_is(tree: Path, tmp_path: Path) -> None:
    """The original tree is the same after every mistake was planted beside it."""
    target = overlay.copy(tree, tmp_path / "target")
    for batch in batches.batches(tree):
        _, changed = batches.plant(tree, target, batch)
        for file in changed:
            overlay.restore(target, tree, file)
    assert (tree / "mm/one.c").read_text() == CODE
    assert (tree / "mm/util.c").read_text() == "int there;\n"
    assert (target / "mm/one.c").read_text() == CODE


def test_the_leave_moves_behind_the_unlock(tree: Path, tmp_path: Path) -> None:
    """Leave and unlock change places, each with its indentation."""
    target = overlay.copy(tree, tmp_path / "target")
    ((mutant,),) = batches.batches(tree, "leave after unlock")
    batches.plant(tree, target, [mutant])
    text = (target / "mm/one.c").read_text()
    assert "\tpte_unmap_unlock(start_pte, ptl);\n\tarch_leave_lazy_mmu_mode();\n\treturn" in text


def _report(
    key: str, *functions: str, rule: str = "sleep-in-section", line: int = 1
) -> judge.Report:
    return judge.Report(frozenset({rule}), "mm/one.c", line, frozenset(functions), key)


def test_a_known_report_catches_nothing(tree: Path, tmp_path: Path) -> None:
    """What a tool says of the unchanged tree, too, is not about the mistake."""
    target = overlay.copy(tree, tmp_path / "target")
    ((mutant,),) = batches.batches(tree, "sleeps by might_sleep")
    planted, _ = batches.plant(tree, target, [mutant])
    score = judge.Score()
    score.add(planted, [_report("a", "one")], [_report("a", "one")])
    assert (score.caught, score.missed) == ([], [mutant])


def test_a_new_report_of_the_rule_catches(tree: Path, tmp_path: Path) -> None:
    """A report of the right rule in the function counts, of another rule it does not."""
    target = overlay.copy(tree, tmp_path / "target")
    ((mutant,),) = batches.batches(tree, "sleeps by might_sleep")
    planted, _ = batches.plant(tree, target, [mutant])
    score = judge.Score()
    score.add(planted, [_report("a", "one", rule="stale-read")], [])
    score.add(planted, [_report("a", "one"), _report("b", "two")], [])
    assert (score.caught, score.missed) == ([mutant], [mutant])
    assert [report.key for report in score.false] == ["b"]


@pytest.mark.parametrize("release", ["linux-old", "linux-new"])
def test_the_scan_sees_the_sections_of_the_examples(release: str) -> None:
    """The text scan finds a function with a section in each file of the examples that has one."""
    files = {function.file for function in scan.sections(EXAMPLES / release)}
    assert {"mm/right_loops.c", "mm/wrong_balance.c", "mm/memory.c"} <= files


def test_correct_code_that_is_planted_is_correct(tree: Path, tmp_path: Path) -> None:
    """One flag decides about begin and leave: both calls are still there, each under it."""
    target = overlay.copy(tree, tmp_path / "target")
    ((mutant,),) = batches.batches(tree, "one flag")
    batches.plant(tree, target, [mutant])
    text = (target / "mm/one.c").read_text()
    assert text.count("if (lazymmu_on)") == 2
    assert "\tif (lazymmu_on)\n\t\tarch_enter_lazy_mmu_mode();\n" in text
    assert "{\n\tconst bool lazymmu_on = lazymmu_flag;\n\n\tpte_t *start_pte" in text


def test_a_report_about_correct_code_is_an_alarm(tree: Path, tmp_path: Path) -> None:
    """Where nothing wrong was planted, any new report of the function counts against the tool."""
    target = overlay.copy(tree, tmp_path / "target")
    ((mutant,),) = batches.batches(tree, "waits only if asked")
    planted, _ = batches.plant(tree, target, [mutant])
    score = judge.Score()
    score.add(planted, [_report("a", "one")], [])
    score.add(planted, [_report("b", "two")], [])
    assert (score.alarms, score.calm) == ([mutant], [mutant])
    assert (score.caught, score.missed) == ([], [])
