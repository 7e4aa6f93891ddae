# SPDX-License-Identifier: GPL-2.0-or-later
"""The mutants of the code: where they are found, how they are drawn, what becomes of them."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from tools.mutants import areas, campaign, judged, run, sample, sites
from tools.mutants.run import Verdict

SMALL = '''
"""A module."""
LIMIT = 3
"""Outside of functions nothing is changed."""


class Shop:
    """A class."""

    def open(self, hour: int = 9) -> bool:
        """Whether it is open."""
        return 8 <= hour and hour < 18


def first(words: "list[str]", most: int) -> "list[str]":
    """The first few."""
    found = []
    for word in sorted(words):
        if not word:
            continue
        if len(found) == most:
            break
        found.append(word)
    return found


def waits(number: int) -> int:
    """Counts down."""
    while number > 0:
        number -= 1
    return number


def unused(one: set, other: set) -> set:
    """Which no test calls."""
    assert one is not None
    if not one:
        raise ValueError(f"nothing in {one}, or {1 + 1}")
    return one | other
'''

TESTS = """
import small


def test_open():
    shop = small.Shop()
    assert [hour for hour in range(24) if shop.open(hour)] == list(range(8, 18))


def test_first():
    assert small.first(["b", "", "a", "c"], 2) == ["a", "b"]


def test_waits():
    assert small.waits(2) == 0
"""

AREA = areas.Area("small", ("__init__",), ("test_small.py",))


@pytest.fixture
def shop(tmp_path: Path) -> run.Workshop:
    """A workshop on a small package with tests of its own."""
    top = tmp_path / "top"
    package = top / "src" / "small"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(SMALL)
    (top / "test_small.py").write_text(TESTS)
    (tmp_path / "place").mkdir()
    return run.Workshop(top, package, tmp_path / "place")


def named(name: str) -> sites.Mutant:
    """The mutant of the small package that is called that."""
    return next(one for one in sites.mutants("__init__", SMALL) if one.name == name)


def test_a_mutant_is_one_change_and_is_called_by_it():
    """Each mutant compiles, differs from the code as it is, and has a name of its own."""
    plain = sites.plain(SMALL)
    mutants = list(sites.mutants("small", SMALL))
    for mutant in mutants:
        compile(sites.planted(SMALL, mutant), mutant.name, "exec")
        assert sites.planted(SMALL, mutant) != plain, mutant.name
    assert [name for name, count in Counter(one.name for one in mutants).items() if count > 1] == []


def test_what_decides_is_changed():
    """Comparisons, conditions, numbers, order, sets and statements are changed in many ways."""
    names = {one.name for one in sites.mutants("small", SMALL)}
    assert {
        "Shop.open: or for and in `8 <= hour and hour < 18`",
        "Shop.open: drop `hour < 18`",
        "Shop.open: <= for < in `hour < 18`",
        "Shop.open: > for <= in `8 <= hour`",
        "Shop.open: 19 for 18 in `hour < 18`",
        "Shop.open: never `8 <= hour and hour < 18`",
        "first: list for sorted in `sorted(words)`",
        "first: without not `not word`",
        "first: without `found.append(word)`",
        "unused: & for | in `one | other`",
    } <= names
    assert sum("break for continue" in name for name in names) == 1


def test_what_only_tells_is_left_alone():
    """Annotations, docstrings, assertions, exceptions' words and code outside functions stay."""
    texts = [one.name for one in sites.mutants("small", SMALL)]
    for silent in ("LIMIT", "list[str]", "is not None", "1 + 1", "nothing in", "A class"):
        assert [text for text in texts if silent in text and "without `raise" not in text] == []


def test_the_same_seed_draws_the_same_and_another_draws_others():
    """A seed draws the same mutants everywhere, some of each family, and another seed others."""
    mutants = list(sites.mutants("small", SMALL))
    one, other = (sample.drawn(mutants, seed=seed, count=9) for seed in (1, 2))
    assert one == sample.drawn(reversed(mutants), seed=1, count=9)
    assert {each.name for each in one} != {each.name for each in other}
    assert len({each.family for each in one}) == len({each.family for each in mutants})


def test_code_that_changes_elsewhere_leaves_the_sample_as_it_is():
    """A new function adds mutants to be drawn from, and renames none of the others."""
    longer = f'def before() -> None:\n    """Says."""\n    print(1)\n\n\n{SMALL}'
    names = [{one.name for one in sites.mutants("small", text)} for text in (SMALL, longer)]
    assert names[0] < names[1]


@pytest.mark.parametrize(
    ("name", "verdict", "by"),
    [
        ("Shop.open: <= for < in `hour < 18`", Verdict.KILLED, "test_open"),
        ("first: continue for break at `len(found) == most`", Verdict.SURVIVED, ""),
        ("waits: without `number -= 1`", Verdict.TIMED_OUT, "test_waits"),
        ("unused: & for | in `one | other`", Verdict.SURVIVED, ""),
    ],
)
def test_a_mutant_is_killed_or_does_not_end_or_survives(shop, monkeypatch, name, verdict, by):
    """The first test that notices is named; a mutant that no test runs survives."""
    monkeypatch.setattr(run, "PATIENCE", 0.2)
    mutant = named(name)
    assert shop.attempt(AREA, mutant) == run.Outcome(verdict, by and f"test_small.py::{by}")


def test_the_tests_that_run_the_line_go_first(shop):
    """Which tests run a line is recorded once, on the code as it is."""
    known = shop.baseline(AREA)
    assert set(known.seconds) == {
        f"test_small.py::test_{one}" for one in ("open", "first", "waits")
    }
    assert known.first(named("first: without `found.append(word)`")) == [
        "test_small.py::test_first"
    ]
    assert known.first(named("unused: & for | in `one | other`")) == []


def test_the_work_tree_is_not_written_into(shop, tmp_path):
    """Only the copy is changed, and it is as it was afterwards."""
    top = tmp_path / "top"
    before = {path: path.read_bytes() for path in top.rglob("*") if path.is_file()}
    shop.attempt(AREA, named("first: without `found.append(word)`"))
    assert {path: path.read_bytes() for path in top.rglob("*") if path.is_file()} == before
    assert (shop.package / "__init__.py").read_text() == SMALL


def test_tests_that_fail_on_the_code_as_it_is_are_said(tmp_path):
    """Tests that fail on the code as it is would kill every mutant, so they are refused."""
    package = tmp_path / "top" / "small"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(SMALL)
    (tmp_path / "top" / "test_small.py").write_text("def test_x():\n    assert not 'right'\n")
    shop = run.Workshop(tmp_path / "top", package, tmp_path / "place")
    (tmp_path / "place").mkdir(exist_ok=True)
    with pytest.raises(run.RunError, match="the tests of small fail on the code as it is"):
        shop.baseline(AREA)


def test_what_was_judged_is_counted_as_such():
    """A judgement counts for a mutant that survives, and is wrong for one that is killed."""
    known = {"a": judged.Reason("why"), "b": judged.Reason("why not", open=True)}
    assert campaign.word("a", Verdict.SURVIVED, known) == "equivalent"
    assert campaign.word("b", Verdict.SURVIVED, known) == "open"
    assert campaign.word("c", Verdict.SURVIVED, known) == "survived"
    assert campaign.word("a", Verdict.KILLED, known) == "misjudged"
    assert campaign.word("c", Verdict.TIMED_OUT, known) == "timed out"


def test_every_pattern_of_an_area_names_a_module():
    """A pattern that named no module would leave something out without a word."""
    for area in areas.AREAS:
        for pattern in area.modules:
            one = areas.Area(area.name, (pattern,), area.tests)
            assert list(one.sources(campaign.PACKAGE)), pattern
        assert all((campaign.TOP / tests).exists() for tests in area.tests)


def test_what_is_not_tried_again_keeps_its_record():
    """The record has the sample as it is now, in its order, and nothing of other mutants."""
    one, other, third = list(sites.mutants("small", SMALL))[:3]
    before = [
        {"mutant": name, "verdict": "survived", "by": ""} for name in ("gone", other.name, one.name)
    ]
    tried = [campaign.Tried(one, run.Outcome(Verdict.KILLED, "a test"))]
    assert campaign.recorded([one, other, third], tried, before) == [
        {"mutant": one.name, "verdict": "killed", "by": "a test"},
        {"mutant": other.name, "verdict": "survived", "by": ""},
    ]


def test_the_page_is_the_record():
    """The page says what the record says, of every area."""
    record = campaign.read_record()
    made = campaign.page(record, judged.reasons(campaign.EQUIVALENT))
    assert campaign.PAGE.read_text(encoding="utf-8").endswith(campaign.MADE + made)
    assert set(record) == {area.name for area in areas.AREAS}


@pytest.mark.parametrize("area", areas.AREAS, ids=lambda area: area.name)
def test_a_mutant_of_each_area_is_killed(area, tmp_path):
    """Two mutants of each area that were killed still are; all with LAZYMMU_MUTATIONS set."""
    mutants = {one.name: one for one in run.all_mutants(area, campaign.PACKAGE)}
    killers = {
        one["mutant"]: one["by"]
        for one in campaign.read_record()[area.name]
        if one["verdict"] == Verdict.KILLED and one["mutant"] in mutants
    }
    chosen = list(killers) if os.environ.get("LAZYMMU_MUTATIONS") else list(killers)[:2]
    shop = run.Workshop(campaign.TOP, campaign.PACKAGE, tmp_path)
    for name in chosen:
        # The test that killed it goes first, if it is still there; else all of them are run.
        known = run.Baseline.only(mutants[name], killers[name], campaign.TOP)
        assert shop.attempt(area, mutants[name], known).verdict is not Verdict.SURVIVED, name
    assert chosen
