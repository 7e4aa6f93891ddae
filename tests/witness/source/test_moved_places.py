# SPDX-License-Identifier: GPL-2.0-or-later
"""Places move along with the definitions that they stand in, or are not known any more."""

from __future__ import annotations

import pytest

from lazymmu.witness.finding import Lost, Step
from lazymmu.witness.source.moved_places import MovedPlaces

THEN = [("one", 3, 5), ("two", 7, 7), ("three", 9, 20)]
NOW = [("one", 1, 3), ("two", 17, 17), ("three", 19, 30)]


@pytest.fixture
def places() -> MovedPlaces:
    """One file in which definitions have moved."""
    found = MovedPlaces()
    found.add("mm/a.c", THEN, NOW)
    return found


@pytest.mark.parametrize(
    ("then", "now"), [(3, 1), (5, 3), (7, 17), (9, 19), (20, 30), (0, 0)], ids=str
)
def test_a_line_moves_with_its_definition(places: MovedPlaces, then: int, now: int) -> None:
    """From the first line of a definition to its last; a line that is not known stays so."""
    assert places.line("mm/a.c", then) == now
    step = Step("mm/a.c", then, 4, "one", "calls two()")
    assert places.step(step) == Step("mm/a.c", now, 4, "one", "calls two()")
    assert places.lost([Lost("mm/a.c", then, "x", "why")]) == (Lost("mm/a.c", now, "x", "why"),)


@pytest.mark.parametrize("line", [1, 2, 6, 8, 21, 1000])
def test_a_line_between_definitions_is_not_known(places: MovedPlaces, line: int) -> None:
    """Nobody can say where it went."""
    with pytest.raises(LookupError):
        places.line("mm/a.c", line)


def test_other_files_stay_as_they_are(places: MovedPlaces) -> None:
    """Only what has changed has moved."""
    assert places.line("mm/b.c", 1000) == 1000


def test_a_file_of_which_nothing_is_known_has_no_places(places: MovedPlaces) -> None:
    """It has changed, and nothing says how."""
    places.add("mm/b.c", (), ())
    with pytest.raises(LookupError):
        places.line("mm/b.c", 1)


@pytest.mark.parametrize(
    "now",
    [
        [("one", 1, 3), ("two", 17, 17)],
        [("one", 1, 3), ("other", 17, 17), ("three", 19, 30)],
        [("one", 1, 4), ("two", 17, 17), ("three", 19, 30)],
    ],
)
def test_other_definitions_are_refused(now: list[tuple[str, int, int]]) -> None:
    """Fewer, others, or longer ones are not those that were there."""
    with pytest.raises(ValueError, match=r"definitions|zip"):
        MovedPlaces().add("mm/a.c", THEN, now)
