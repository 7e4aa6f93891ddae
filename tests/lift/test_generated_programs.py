# SPDX-License-Identifier: GPL-2.0-or-later
"""Small programs that nobody wrote: lifted and hand-written machines say the same of each."""

from __future__ import annotations

import itertools
import json

from hypothesis import given
from hypothesis import strategies as st

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


def test_each_program_is_drawn_once_in_an_order_of_its_own():
    """Whichever task comes first, a pair is one; the seed says the order."""
    known = programs.tasks(length=2)
    drawn = list(itertools.islice(programs.pairs(known), 400))
    assert len(set(drawn)) == len(drawn)
    assert drawn == list(itertools.islice(programs.pairs(known), 400))


@given(st.integers(0, 3000))
def test_every_program_is_a_litmus_file(number):
    """What is drawn can be read, whatever it is."""
    pair = next(itertools.islice(programs.pairs(programs.tasks(length=2)), number, None))
    assert len(load(programs.litmus(pair), "mine").tasks) == 2


def test_a_sample_agrees_on_lifted_and_written_machines():
    """Neither differs, and none does harm in which callers break nothing."""
    with lifted(EXAMPLES / "linux-new", ["x86"], "fine", None) as (one,):
        sides = programs.Sides("x86", one.tree, "7.1.13")
        drawn = itertools.islice(programs.pairs(programs.tasks()), 400, 400 + SAMPLE)
        told = [sides.harmed(pair) for pair in drawn]
    assert [why for _, why in told if not why.startswith("worst-case")] == [""] * len(told)


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
    assert several[1].found[0].startswith("# lifted and written differ: ")


def test_a_machine_that_cannot_be_lifted_is_named_with_its_reason(capsys):
    """The exit code is that of `verify --tree`, and no program is said to have been run."""
    assert programs.main([str(EXAMPLES / "linux-old"), "--arch", "arm64"]) == 3
    assert "arm64" in capsys.readouterr().out


def test_what_was_found_is_what_the_worst_case_lacks():
    """Nothing of what is stored differs; that the worst case does less is judged in the docs."""
    for row in json.loads(programs.FILE.read_text(encoding="utf-8")):
        assert row["run"] > 0
        assert all(text.startswith("# worst-case does no") for text in row["found"])
