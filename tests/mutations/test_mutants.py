# SPDX-License-Identifier: GPL-2.0-or-later
"""The machinery that plants mistakes does what it says."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from mutants import batches, campaign, judge, kinds, overlay, page, progress, scan
from mutants.mutant import Mutant
from mutants.section import Section

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
    top = tmp_path / "linux"
    (top / "mm").mkdir(parents=True)
    (top / "mm/one.c").write_text(CODE)
    (top / "mm/util.c").write_text("int there;\n")
    (top / "include/linux").mkdir(parents=True)
    (top / "include/linux/cleanup.h").write_text("#define DEFINE_LOCK_GUARD_0(name, ...)\n")
    return top


@pytest.fixture
def section(tree: Path) -> Section:
    """The one section of it."""
    (found,) = batches.sections(tree)
    return found


def _drawn(tree: Path, kind: str) -> Mutant:
    """The one change of a kind."""
    (mutant,) = batches.drawn(batches.sections(tree), kind=f"^{kind}$")
    return mutant


def _text(tree: Path, mutant: Mutant) -> str:
    """The file of a change as it is with it."""
    _, changes = batches.plant(tree, [mutant])
    return changes[mutant.file].decode()


def test_a_section_is_a_begin_before_a_leave(tree: Path) -> None:
    """Functions that leave first are no sections, and comments are no code."""
    (found,) = scan.sections(tree)
    assert (found.name, found.file) == ("one", "mm/one.c")
    assert (found.begins, found.leaves) == ([15], [19])


def test_places_of_a_section_are_found_by_its_text(section: Section) -> None:
    """The lock is before the begin, the unlock behind the leave, the loop between the two."""
    assert (section.lock, section.loop, section.unlock) == (14, 17, 20)
    assert section.region == (15, 19)
    assert (section.mm, section.entry, section.vma) == ("mm", "pte", None)


def test_the_entry_is_the_pointer_that_the_section_uses(tree: Path) -> None:
    """Mistakes about an entry use the variable that walks, not the one that remembers."""
    (found,) = scan.sections(tree)
    assert found.entry == "pte"
    assert found.returns_value


def test_each_kind_names_rules_that_exist(section: Section) -> None:
    """What a mistake is looked for as is a rule of the contract."""
    planted = list(kinds.every(section))
    assert {rule for mutant in planted for rule in mutant.rules} <= RULES.keys()
    assert len({mutant.kind for mutant in planted}) == len(planted)


def test_right_code_is_named_as_such(section: Section) -> None:
    """A change without rules is no mistake, and its kind says so; there are many of both."""
    planted = list(kinds.every(section))
    for mutant in planted:
        assert mutant.kind.startswith("right: ") == (not mutant.rules)
    assert sum(not mutant.rules for mutant in planted) > 30
    assert sum(bool(mutant.rules) for mutant in planted) > 100


def test_a_planted_mistake_is_where_it_says(tree: Path) -> None:
    """The lines of a mistake are counted in the file as it is written."""
    for kind, word in (("sleeps by mutex_lock..", "mutex_lock"), ("begun twice", "enter_lazy")):
        mutant = _drawn(tree, kind)
        ((planted,), changes) = batches.plant(tree, [mutant])
        lines = changes["mm/one.c"].decode().split("\n")
        assert word in "\n".join(lines[number - 1] for number in planted.lines)


def test_every_change_leaves_the_braces_in_balance(tree: Path, section: Section) -> None:
    """What is planted is code: braces and parentheses of each file match, no sign is left."""
    assert section.region
    for mutant in batches.drawn([section]):
        _, changes = batches.plant(tree, [mutant])
        for text in (content.decode() for content in changes.values()):
            assert text.count("{") == text.count("}"), mutant.kind
            assert text.count("(") == text.count(")"), mutant.kind
            assert "@" not in text, mutant.kind


def test_the_tree_stays_as_it_is(tree: Path) -> None:
    """The tree is the same after every mistake was planted: all is in memory."""
    for batch in batches.packed(batches.drawn(batches.sections(tree))):
        batches.plant(tree, batch.mutants)
    assert (tree / "mm/one.c").read_text() == CODE
    assert sorted(path.name for path in tree.rglob("*.[ch]")) == ["cleanup.h", "one.c", "util.c"]


def test_the_leave_moves_behind_the_unlock(tree: Path) -> None:
    """The leave stands behind the unlock, with its indentation."""
    text = _text(tree, _drawn(tree, "leave moved behind the unlock"))
    moved = "\t;\n\tpte_unmap_unlock(start_pte, ptl);\n\tarch_leave_lazy_mmu_mode();\n\treturn"
    assert moved in text


def test_a_section_becomes_a_block(tree: Path) -> None:
    """A section that is a guard's opens a block where it began and closes it where it ended."""
    text = _text(tree, _drawn(tree, r"right: DEFINE_LOCK_GUARD_0\(\)"))
    assert "\tscoped_guard(scan_m1) {\n\tdo {" in text
    assert "< 9);\n\t}\n\tpte_unmap_unlock(start_pte, ptl);" in text


def test_only_guards_that_the_tree_has_are_planted(section: Section) -> None:
    """A kernel without `guard()` cannot be built with one."""
    planted = {mutant.kind for mutant in kinds.every(section)}
    assert "right: DEFINE_LOCK_GUARD_0()" in planted
    assert "right: DEFINE_GUARD()" not in planted


def test_each_tree_holds_one_change_of_a_function(tree: Path) -> None:
    """Changes of one function are in trees of their own, and all are in some tree."""
    mutants = batches.drawn(batches.sections(tree), kind="sleeps")
    packed = batches.packed(mutants)
    assert [len(batch.mutants) for batch in packed] == [1] * len(mutants)


def test_the_draw_is_the_same_for_a_seed(tree: Path, section: Section) -> None:
    """A seed says what is planted where; how many functions a kind is planted in is a bound."""
    files = ("mm/one.c", "mm/two.c", "mm/three.c")
    some = [Section(next(scan.functions(file, CODE.replace("one", file[3:-2])))) for file in files]
    first, again = (batches.drawn(some, seed=3, functions=2) for _ in range(2))
    assert first == again
    assert {len([m for m in first if m.kind == kind]) for kind in {m.kind for m in first}} == {2}


def _report(
    key: str, *functions: str, rule: str = "sleep-in-section", line: int = 1
) -> judge.Report:
    return judge.Report(frozenset({rule}), "mm/one.c", line, frozenset(functions), key)


def test_a_known_report_catches_nothing(tree: Path) -> None:
    """What a tool says of the unchanged tree, too, is not about the mistake."""
    mutant = _drawn(tree, "sleeps by might_sleep..")
    planted, _ = batches.plant(tree, [mutant])
    score = judge.Score()
    score.add(planted, [_report("a", "one")], [_report("a", "one")])
    assert (score.caught, score.missed) == ([], [mutant])


def test_a_new_report_of_the_rule_catches(tree: Path) -> None:
    """A report of the right rule in the function counts, of another rule it does not."""
    mutant = _drawn(tree, "sleeps by might_sleep..")
    planted, _ = batches.plant(tree, [mutant])
    score = judge.Score()
    score.add(planted, [_report("a", "one", rule="stale-read")], [])
    score.add(planted, [_report("a", "one"), _report("b", "two")], [])
    assert (score.caught, score.missed) == ([mutant], [mutant])
    assert [report.key for report in score.false] == ["b"]


def test_a_report_about_a_helper_is_about_its_change(tree: Path) -> None:
    """A helper is named for the change that it belongs to, and so is who reports it."""
    mutant = _drawn(tree, "right: helpers of a header")
    planted, _ = batches.plant(tree, [mutant])
    score = judge.Score()
    score.add(planted, [_report("a", "scan_begin_m1")], [])
    score.add(planted, [_report("a", "scan_begin_m11")], [])
    assert (score.alarms, score.calm, len(score.false)) == ([mutant], [mutant], 1)


@pytest.mark.parametrize("release", ["linux-old", "linux-new"])
def test_the_scan_sees_the_sections_of_the_examples(release: str) -> None:
    """The text scan finds a function with a section in each file of the examples that has one."""
    files = {function.file for function in scan.sections(EXAMPLES / release)}
    assert {"mm/right_loops.c", "mm/wrong_balance.c", "mm/memory.c"} <= files


def test_correct_code_that_is_planted_is_correct(tree: Path) -> None:
    """One flag decides about begin and leave: both calls are still there, each under it."""
    text = _text(tree, _drawn(tree, "right: one flag for begin and leave"))
    assert text.count("if (on_m1)") == 2
    assert "\tif (on_m1)\n\t\tarch_enter_lazy_mmu_mode();\n" in text
    assert "{\n\tconst bool on_m1 = planted_flag;\n\tpte_t *start_pte" in text


def test_a_report_about_correct_code_is_an_alarm(tree: Path) -> None:
    """Where nothing wrong was planted, any new report of the function counts against the tool."""
    mutant = _drawn(tree, "right: waits only if asked to")
    planted, _ = batches.plant(tree, [mutant])
    score = judge.Score()
    score.add(planted, [_report("a", "one")], [])
    score.add(planted, [_report("b", "two")], [])
    assert (score.alarms, score.calm) == ([mutant], [mutant])
    assert (score.caught, score.missed) == ([], [])


def test_a_change_is_shown_as_a_patch(tree: Path) -> None:
    """What was missed can be tried by hand: a patch that git applies, with headers of its own."""
    text = campaign.diff(tree, _drawn(tree, "right: helpers of a header"))
    assert "--- a/mm/one.c\n+++ b/mm/one.c\n" in text
    assert "--- /dev/null\n+++ b/include/linux/scan_m1.h\n" in text


def test_a_copy_shares_nothing_with_its_tree(tree: Path, tmp_path: Path) -> None:
    """What is written into a copy is not in the tree, and a file can be made what it was."""
    target = overlay.copy(tree, tmp_path / "target")
    overlay.replace(target, "mm/one.c", "int other;\n")
    assert (tree / "mm/one.c").read_text() == CODE
    overlay.restore(target, tree, "mm/one.c")
    assert (target / "mm/one.c").read_text() == CODE


def test_a_campaign_goes_on_where_it_was_stopped(tree: Path, tmp_path: Path) -> None:
    """A campaign in pieces comes to what one in one go does: each tree is judged once."""
    asked: list[object] = []

    def look(changes: Mapping[str, bytes], _arches: Sequence[str]) -> list[judge.Report]:
        asked.append(changes)
        return [_report("a", "one")] if b"might_sleep" in changes.get("mm/one.c", b"") else []

    wanted = campaign.Drawn("^(sleeps by|right: waits only)")
    whole = campaign.run(tree, look, wanted)
    folder = tmp_path / "judged"
    none = campaign.run(tree, look, wanted, progress=progress.Progress(folder, until=0))
    assert none.trees == (0, whole.trees[1]), "what was judged until then is told"
    assert not none.table()
    assert none.unfinished == whole.table().keys()
    first = campaign.run(tree, look, wanted, progress=progress.Progress(folder))
    asked.clear()
    again = campaign.run(tree, look, wanted, progress=progress.Progress(folder, until=0))
    assert len(asked) == 2, "only the tree as it is, for each architecture"
    assert [campaign.lines(score) for score in (first, again)] == [campaign.lines(whole)] * 2
    assert whole.caught
    assert first.trees == again.trees == whole.trees
    assert not first.unfinished
    assert list(campaign.patches(tree, again)) == list(campaign.patches(tree, whole))


def test_a_page_says_of_which_release_not_all_was_judged() -> None:
    """By how many of its trees were."""
    kept = {
        name: {"kinds": {}, "missed": [], "alarms": [], "false": [], "trees": trees}
        for name, trees in {"5.10": [41, 57], "7.3": [58, 58]}.items()
    }
    made = "\n".join(page.made(kept))
    assert "Of 5.10 41 of the 57 planned trees were judged" in made
    assert "Of 7.3" not in made


def test_kinds_that_are_judged_anew_take_the_place_of_what_was_kept() -> None:
    """A campaign of some kinds leaves what came of the others as it was."""
    before = {
        "kinds": {"a": (1, 2), "right: b": (1, 2)},
        "missed": ["a: mm/x.c:1: f()"],
        "alarms": ["right: b: mm/x.c:1: f()"],
        "false": [],
        "trees": [2, 2],
    }
    found: dict[str, object] = {"kinds": {"a": (2, 2)}, "missed": [], "alarms": [], "false": []}
    found["trees"] = [1, 3]
    after = page.merged(before, found)
    assert after["kinds"] == {"a": (2, 2), "right: b": (1, 2)}
    assert after["missed"] == []
    assert after["alarms"] == before["alarms"]
