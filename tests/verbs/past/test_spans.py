# SPDX-License-Identifier: GPL-2.0-or-later
"""Between which releases a problem came, went from mainline, and went from a stable series."""

from __future__ import annotations

from lazymmu.verbs.lineage import key_of
from lazymmu.verbs.past.spans import Span, backported, fixed, introduced
from lazymmu.verbs.past.states import cells_of
from lazymmu.witness.finding import Confidence
from tests.verbs.past.made import found, point


def _spans(*points):
    cells = cells_of([key_of(found())], points, Confidence.MEDIUM)
    series = {one.series: one.span for one in backported(points, cells)}
    return introduced(points, cells), fixed(points, cells), series


def test_a_problem_comes_and_goes_between_two_releases():
    """The last release before it is named, and the first one with it."""
    came, went, _ = _spans(point("6.1"), point("6.6", found()), point("6.12"))
    assert (came, went) == (Span("6.1", "6.6"), Span("6.6", "6.12"))


def test_one_that_the_first_release_has_came_before_all_of_them():
    """Nobody guesses when a problem came that the oldest tree has."""
    came, went, _ = _spans(point("6.1", found()), point("6.6", found()))
    assert (came, went) == (Span("", "6.1"), None)


def test_a_stable_release_is_no_ancestor_of_the_next_series():
    """Mainline got rid of it after 6.12, whatever 6.12.118 has."""
    points = (point("6.12.8", found()), point("6.12.118", found()), point("6.18.15"))
    _, went, series = _spans(*points)
    assert went == Span("6.12.8", "6.18.15")
    assert series == {"6.12.y": None}


def test_a_stable_series_that_got_the_fix_says_where():
    """The two releases of the series between which the fix came are named."""
    points = (point("6.12.8", found()), point("6.12.118"), point("6.18.15"))
    _, went, series = _spans(*points)
    assert went == Span("6.12.8", "6.18.15")
    assert series == {"6.12.y": Span("6.12.8", "6.12.118")}


def test_a_series_of_one_release_says_nothing_of_backports():
    """One tree of a series is compared with no other of it."""
    assert _spans(point("6.12", found()), point("6.18"))[2] == {}
