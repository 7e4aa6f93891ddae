# SPDX-License-Identifier: GPL-2.0-or-later
"""Small programs that nobody wrote: lifted and hand-written machines say the same of each."""

from __future__ import annotations

import itertools
import json

from hypothesis import given
from hypothesis import strategies as st

from lazymmu.lift.tree import MACHINES
from lazymmu.litmus.run import load
from lazymmu.verbs.lifting import lifted
from tests.lift.conftest import EXAMPLES
from tests.lift.test_static_keys import SETUP, keyed
from tools import generated_programs as programs

SAMPLE = 24


def test_programs_are_told_by_what_they_take_and_let_go():
    """No lock is dropped that is not held, none is kept, and none is taken twice."""
    operations = ("a", "pte_offset_map_lock L", "pte_unmap_unlock L")
    take, drop = operations[1:]
    assert programs.tasks(operations, 2) == [("a",), ("a", "a"), (take, drop)]
    assert len(programs.tasks(operations, 3)) == 3 + 4


def test_how_many_there_are_is_counted_and_not_guessed():
    """Unordered pairs in which an entry is changed, on one CPU and on two."""
    known = programs.tasks(("access p", "pte_clear p"), 2)
    both = list(itertools.combinations_with_replacement(known, 2))
    changing = [pair for pair in both if "pte_clear p" in itertools.chain(*pair)]
    assert programs.how_many(known) == 2 * len(changing)


def test_all_of_few_operations_come_first_and_are_all_there_are():
    """As many as are counted for tasks of one and two operations, but two of two each."""
    known = programs.tasks(("access p", "pte_clear p", "set_pte p B"), 2)
    small = programs.few(known)
    assert [len(one) + len(two) for one, two, _ in small] == sorted(
        len(one) + len(two) for one, two, _ in small
    )
    both = {
        (*sorted((one, two)), cpus)
        for one, two in itertools.product(known, known)
        if len(one) + len(two) < 4 and {"pte_clear p", "set_pte p B"}.intersection(one + two)
        for cpus in (1, 2)
    }
    assert set(small) == both
    assert len(small) == len(both)
    assert list(itertools.islice(programs.pairs(known), len(small))) == small


def test_how_far_a_run_came_is_the_last_number_of_which_all_were_run():
    """One program short of all of three operations is all of two."""
    small = programs.few(programs.tasks(("pte_clear p",), 2))
    assert [programs.whole(small, run) for run in range(7)] == [1, 1, 2, 2, 3, 3, 3]


def test_each_program_is_drawn_once_in_an_order_of_its_own():
    """Whichever task comes first, a pair is one; the seed says the order."""
    known = programs.tasks(length=2)
    count = len(programs.few(known)) + 200
    drawn = list(itertools.islice(programs.pairs(known), count))
    assert len(set(drawn)) == len(drawn)
    assert drawn == list(itertools.islice(programs.pairs(known), count))


@given(st.integers(0, 3000))
def test_every_program_is_a_litmus_file(number):
    """What is drawn can be read, whatever it is."""
    pair = next(itertools.islice(programs.pairs(programs.tasks(length=2)), number, None))
    assert len(load(programs.litmus(pair), "mine").tasks) == 2


def ends_too_many(task):
    """Whether a task ends a section that it did not begin, or a pause."""
    for begins, ends in (("enable", "disable"), ("pause", "resume")):
        steps = [(f"_{begins}" in one) - (f"_{ends}" in one) for one in task if "mode" in one]
        if min(itertools.accumulate(steps), default=0) < 0:
            return True
    return False


def test_a_sample_agrees_on_lifted_and_written_machines():
    """Neither differs, and none does harm in which callers break nothing.

    The example goes by the task's counter where 7.1 goes by the CPU's mode: where a counter went
    below zero these differ.
    """
    with lifted(EXAMPLES / "linux-new", ["x86"], programs.STEPS["x86"], None) as (one,):
        sides = programs.Sides("x86", one.tree, "7.1.13")
        drawn = itertools.islice(programs.pairs(programs.tasks()), 2600, None)
        kept = (pair for pair in drawn if not any(map(ends_too_many, pair[:2])))
        told = [sides.harmed(pair) for pair in itertools.islice(kept, SAMPLE)]
    assert {why for _, why in told if not why.startswith("worst-case")} == {""}


def test_a_key_that_may_be_either_has_a_campaign_for_each_of_its_values(asked, monkeypatch):
    """With the key on the flush does nothing, which the machine that was written does not know."""
    take, drop = "pte_offset_map_lock L", "pte_unmap_unlock L"
    flushed = ("set_pte p B", "arch_flush_lazy_mmu_mode", drop)
    opened = (take, "lazy_mmu_mode_enable", *flushed, "lazy_mmu_mode_disable")
    pair = (opened, (take, "pte_clear p", drop), 2)
    monkeypatch.setattr(programs, "pairs", lambda _: iter([pair]))
    tree = keyed(asked, before=f"DEFINE_STATIC_KEY_FALSE(xen_key);{SETUP}")
    several = list(programs.campaign(tree, "x86", 60))
    assert [(one.keys, one.run, one.refused) for one in several] == [
        ("xen_key off", 1, ""),
        ("xen_key on", 1, ""),
    ]
    assert several[0].found == ()
    ((why, number, first),) = several[1].found
    assert why.startswith("lifted and written differ: ")
    assert (number, first) == (1, programs.litmus(pair))


def test_a_machine_that_cannot_be_lifted_is_named_with_its_reason(capsys):
    """The exit code is that of `verify --tree`, and no program is said to have been run."""
    assert programs.main([str(EXAMPLES / "linux-old"), "--arch", "arm64"]) == 3
    assert "arm64" in capsys.readouterr().out


def test_what_was_found_is_what_the_worst_case_lacks():
    """Nothing of what is stored differs; that the worst case does less is judged in the docs."""
    for row in json.loads(programs.FILE.read_text(encoding="utf-8")):
        assert row["run"] > 0
        assert all(why.startswith("worst-case does no") for why, _, _ in row["found"])
        assert sum(number for _, number, _ in row["found"]) <= row["harmed"] <= row["run"]


def test_what_the_page_says_was_run_is_what_is_stored():
    """All programs of two operations on every architecture, and of three where the page says so."""
    rows = json.loads(programs.FILE.read_text(encoding="utf-8"))
    assert {row["arch"] for row in rows} == set(MACHINES)
    assert {row["refused"] for row in rows} == {""}
    text = " ".join((programs.FILE.parents[2] / "docs" / "lift.rst").read_text("utf-8").split())
    for row in rows:
        assert row["whole"] >= 2, row
        assert f"{row['run']} on {row['arch']} (all of {row['whole']} operations)" in text
