# SPDX-License-Identifier: GPL-2.0-or-later
"""What a cell of a history says of one problem in one tree."""

from __future__ import annotations

from lazymmu.verbs.lineage import key_of
from lazymmu.verbs.past.states import PastState, cells_of
from lazymmu.witness.finding import Confidence, Lost
from tests.verbs.past.made import found, point, unread

KEYS = [key_of(found())]


def _fates(*points, keys=KEYS, confidence=Confidence.MEDIUM):
    return [str(cell.state) for cell in cells_of(keys, points, confidence)]


def _whys(*points, keys=KEYS):
    return [cell.why for cell in cells_of(keys, points, Confidence.MEDIUM)]


def test_a_problem_is_not_there_yet_then_there_then_fixed():
    """What is on no side of the releases that have it says on which side it is."""
    points = (point("6.1"), point("6.6", found()), point("6.12", found()), point("6.18"))
    assert _fates(*points) == ["not-yet", "there", "there", "fixed"]


def test_a_stable_release_between_two_that_have_it_has_it_fixed_in_its_own_series():
    """A stable branch may have a fix that mainline got later: nothing came back in 6.12.8."""
    points = (point("5.10", found()), point("6.1.192"), point("6.12.8", found()))
    assert _fates(*points) == ["there", "fixed", "there"]
    assert _whys(*points)[1] == "6.1.y has it mended; 6.12.8 has it"


def test_what_comes_back_in_one_series_or_in_one_line_of_commits_is_there_again():
    """Of these each release is made of the one before."""
    again = "it is there again in 6.12.9"
    assert _whys(point("6.12.7", found()), point("6.12.8"), point("6.12.9", found()))[1] == again
    line = (point("6.11", found()), point("6.12.8"), point("6.13", found()))
    (_, cell, _) = cells_of(KEYS, line, Confidence.MEDIUM, linear=True)
    assert cell.why == "it is there again in 6.13"


def test_a_problem_in_another_function_or_file_has_moved_once():
    """In the releases after that one it is just there."""
    old, new = found(function="a", file="mm/a.c"), found(function="b", file="mm/b.c")
    points = (point("6.1", old), point("6.6", new), point("6.12", new))
    keys = [key_of(new), key_of(old)]
    assert _fates(*points, keys=keys) == ["there", "moved", "there"]
    assert _whys(*points, keys=keys)[1] == "it was in a() in mm/a.c before"


def test_what_a_dialect_allows_cannot_happen_and_the_dialect_is_named():
    """Sections may nest from 7.0 on, and a nested one is no mistake there."""
    nested = found("nested-section")
    points = (point("6.12", nested), point("7.3", dialect="counted"))
    assert _fates(*points, keys=[key_of(nested)]) == ["there", "cannot-happen"]
    assert _whys(*points, keys=[key_of(nested)])[1] == "the dialect counted allows it"


def test_a_tree_without_the_mode_on_the_architecture_cannot_have_it():
    """The architectures that would have it are named in the reason."""
    points = (point("6.12"), point("6.18", found(arches=("arm64",)), arches=("x86", "arm64")))
    assert _fates(*points) == ["cannot-happen", "there"]
    assert _whys(*points)[0] == "the mode is not on arm64 here"


def test_what_is_not_sure_enough_is_below_the_confidence_and_says_what_it_needs():
    """Such a problem is said to be neither there nor fixed."""
    points = (point("6.12", found()), point("6.18", found(sure=Confidence.LOW)))
    assert _fates(*points) == ["there", "below-confidence"]
    assert _whys(*points)[1] == "confidence low"
    assert _fates(*points, confidence=Confidence.LOW) == ["there", "there"]


def test_a_tree_that_was_not_read_is_inconclusive_with_its_reason():
    """Nobody may take it for one that is fixed."""
    assert _fates(point("6.12", found()), unread("6.18")) == ["there", "inconclusive"]
    assert _whys(point("6.12", found()), unread("6.18"))[1] == "it is not there"


def test_a_loss_where_the_problem_was_is_inconclusive_and_one_elsewhere_is_not():
    """A file that was not understood may have it still."""
    here = Lost("mm/a.c", 7, "g", "not understood")
    there = Lost("mm/b.c", 7, "g", "not understood")
    whole = Lost("arch/x86", 0, "x86", "it had the mode")
    first = point("6.12", found())
    assert _fates(first, point("6.18", blind=[here])) == ["there", "inconclusive"]
    assert _fates(first, point("6.18", blind=[there])) == ["there", "fixed"]
    assert _fates(first, point("6.18", blind=[whole])) == ["there", "inconclusive"]


def test_every_state_that_the_schema_names_is_one_and_the_other_way_round():
    """A program that reads the schema is told all words."""
    import json
    from importlib.resources import files

    schema = json.loads((files("lazymmu.report.history") / "history.schema.json").read_text())
    assert set(schema["$defs"]["state"]["properties"]["state"]["enum"]) == set(map(str, PastState))
