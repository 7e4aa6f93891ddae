# SPDX-License-Identifier: GPL-2.0-or-later
"""Values of walks come back as they were, and what was never told makes none."""

from __future__ import annotations

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.contract.events import Enable, Event, MaySleep, Write
from lazymmu.contract.monitor import Violation
from lazymmu.contract.section import Held, Pending, TaskState
from lazymmu.contract.site import Site
from lazymmu.kernelc.definition import Definition
from lazymmu.kernelc.ir.abstract_value import AddressOf, FunctionValue, Int, NonZero
from lazymmu.witness.finding import Step
from lazymmu.witness.source.function.names import EntryName
from lazymmu.witness.source.moved_places import MovedPlaces
from lazymmu.witness.source.path.path_state import RawReport
from lazymmu.witness.source.path.path_trace import PathTrace
from lazymmu.witness.source.told_values import Teller, ToldValues

WORDS = st.sampled_from(["ptl", "pte", "mm/memory.c", "", "zap"])
SITES = st.builds(Site, WORDS, st.integers(0, 99), st.integers(0, 9), WORDS)
STEPS = st.builds(Step, WORDS, st.integers(0, 99), st.integers(0, 9), WORDS, WORDS)
NAMES = st.builds(EntryName, WORDS, st.integers(0, 2), st.lists(WORDS, max_size=2).map(tuple))
LOCKS = st.builds(Held, NAMES, st.sampled_from(["ptl", "mm"]))
TASKS = st.builds(
    TaskState,
    st.integers(0, 3),
    st.integers(0, 1),
    st.frozensets(st.builds(Pending, NAMES), max_size=2),
    st.frozensets(LOCKS, max_size=2),
    st.sampled_from([(), ("preempt",)]),
)
CONSTANTS = st.one_of(
    st.builds(Int, st.integers(-5, 5)),
    st.just(NonZero()),
    st.builds(FunctionValue, WORDS, WORDS),
    st.builds(AddressOf, WORDS),
)
EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(Enable, site=SITES),
    st.builds(MaySleep, WORDS, st.booleans(), site=SITES),
    st.builds(Write, NAMES, site=SITES),
)
REPORTS = st.builds(
    RawReport,
    st.builds(Violation, WORDS, EVENTS, WORDS),
    st.none(),
    STEPS,
    st.lists(STEPS, max_size=3).map(tuple),
    st.frozensets(WORDS, max_size=2),
    st.booleans(),
    st.integers(0, 3),
)
PLAIN = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), WORDS)
VALUES = st.recursive(
    st.one_of(PLAIN, SITES, STEPS, NAMES, TASKS, CONSTANTS, EVENTS, REPORTS),
    lambda inner: st.lists(inner, max_size=4).map(tuple),
    max_leaves=8,
)


def no_definition(file: str, name: str) -> Definition:
    """Nothing is defined."""
    raise LookupError(f"{file}: {name}")


def back(rows: object, plain: object, moved: MovedPlaces | None = None) -> object:
    """The value that comes of what was told, after it was written down and read."""
    kept = json.loads(json.dumps([rows, plain]))
    return ToldValues(kept[0], moved or MovedPlaces(), no_definition).of(kept[1])


@given(VALUES)
def test_a_value_comes_back_as_it_was(value: object) -> None:
    """Whatever it is made of, and of the class that it was."""
    teller = Teller()
    found = back([], None)
    assert found is None
    plain = teller.of(value)
    assert back(teller.rows, plain) == value
    assert type(back(teller.rows, plain)) is type(value)


@given(st.lists(st.tuples(STEPS, st.sampled_from(["begin", "call"]), EVENTS), max_size=5))
def test_a_path_comes_back_note_by_note(notes: list[tuple[Step, str, Event]]) -> None:
    """Also what is told of the path inside of a callee."""
    trail: PathTrace | None = None
    for step, mark, event in notes:
        inner = PathTrace(None, step, "write")
        trail = PathTrace(trail, step, mark, event=event, inner=inner)
    teller = Teller()
    found = back(teller.rows, teller.of(trail))
    assert [(n.step, n.mark, n.event) for n in found or ()] == [  # type: ignore[attr-defined]
        (n.step, n.mark, n.event) for n in trail or ()
    ]


def test_a_path_may_be_longer_than_the_stack_is_deep() -> None:
    """It is told and made again note by note, not by calls inside each other."""
    trail: PathTrace | None = None
    for line in range(2 * sys.getrecursionlimit()):
        trail = PathTrace(trail, Step("f", line, 1, "g", ""), "call")
    teller = Teller()
    plain = teller.of(trail)
    found = ToldValues(teller.rows, MovedPlaces(), no_definition).of(plain)
    assert [note.step for note in found] == [note.step for note in trail or ()]


def test_lines_are_where_they_are_now() -> None:
    """Of each step, and of the place of each event."""
    moved = MovedPlaces()
    moved.add("mm/memory.c", [("zap", 10, 20)], [("zap", 15, 25)])
    teller = Teller()
    value = (Step("mm/memory.c", 12, 1, "zap", ""), Enable(site=Site("mm/memory.c", 20)))
    step, event = back(teller.rows, teller.of(value), moved)  # type: ignore[misc]
    assert (step.line, event.site.line) == (17, 25)
    with pytest.raises(LookupError):
        back(*_of(Step("mm/memory.c", 30, 1, "other", "")), moved)


def _of(value: object) -> tuple[object, object]:
    teller = Teller()
    return teller.rows, teller.of(value)


@pytest.mark.parametrize(
    ("rows", "plain"),
    [
        ([], [0]),
        ([], ["x", 1]),
        ([], {}),
        ([], 1 << 70),
        ([], 1.5),
        ([["os.system", "true"]], [0]),
        ([["Site", "f", 1, 1, ["t", [0]]]], [0]),
        ([["Site", "f", "1", 1, ""]], [0]),
        ([["Site", "f", 1, 1]], [0]),
        ([["Step", "f", 1, 1, "g", "", "nothing", ""]], [0]),
        ([["Definition", "f", "g"]], [0]),
        ([["Definition", 1, 2]], [0]),
        ([[True]], [True]),
    ],
)
def test_what_was_never_told_makes_no_value(rows: list[object], plain: object) -> None:
    """No class that is not known, no object of itself, no field of another type."""
    with pytest.raises((LookupError, TypeError, ValueError)):
        back(rows, plain)


def test_only_what_is_known_is_told() -> None:
    """Anything else would not come back."""
    with pytest.raises(TypeError):
        Teller().of((1.5,))
    with pytest.raises(TypeError):
        Teller().of(object())
