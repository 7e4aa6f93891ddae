# SPDX-License-Identifier: GPL-2.0-or-later
"""The search by halves for the commit that changed something."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lazymmu.snapshot.object_store import LogEntry
from lazymmu.verbs.past.bisection import changed_by


def history(*parents: tuple[int, ...]) -> dict[str, LogEntry]:
    """Commits by number, each with the numbers of its parents."""
    return {
        str(number): LogEntry(str(number), tuple(map(str, some)), "")
        for number, some in enumerate(parents)
    }


def answered(entries, candidates, has) -> tuple[tuple[str, ...], int]:
    """What a search finds when `has` answers it, and how often it asked."""
    steps = changed_by(entries, candidates)
    asked = 0
    try:
        commit = next(steps)
        while True:
            asked += 1
            commit = steps.send(has(commit))
    except StopIteration as end:
        return end.value, asked


@given(st.data(), st.integers(1, 400))
def test_a_line_is_searched_with_the_logarithm_of_its_candidates(data, length):
    """The one that changed it is found, whichever it is, and others are never asked about."""
    entries = history(*((n - 1,) if n else () for n in range(length)))
    candidates = data.draw(st.sets(st.sampled_from(list(entries)), min_size=1))
    culprit = data.draw(st.sampled_from(sorted(candidates, key=int)))
    asked_about = []

    def has(commit):
        asked_about.append(commit)
        return int(commit) >= int(culprit)

    found, asked = answered(entries, candidates, has)
    assert found == (culprit,)
    assert asked <= len(candidates).bit_length()
    assert set(asked_about) <= candidates


@given(st.data(), st.integers(2, 40))
def test_a_history_with_merges_is_searched_like_git_does(data, length):
    """Whoever has the culprit among its ancestors has the change."""
    parents: list[tuple[int, ...]] = [()]
    for number in range(1, length):
        some = data.draw(st.sets(st.integers(0, number - 1), min_size=1, max_size=2))
        parents.append(tuple(sorted(some)))
    # The last one joins whatever nobody has joined.
    open_ends = set(range(length)) - {parent for some in parents for parent in some}
    entries = history(*parents, tuple(sorted(open_ends)))
    culprit = data.draw(st.integers(0, length - 1))
    having = {culprit}
    for number, entry in enumerate(entries.values()):
        if any(int(parent) in having for parent in entry.parents):
            having.add(number)
    found, _ = answered(entries, set(entries), lambda commit: int(commit) in having)
    assert found == (str(culprit),)


def test_commits_that_cannot_be_told_are_all_that_is_left_of_several():
    """Like commits that git bisect skips: it is one of them, or the one after."""
    entries = history((), (0,), (1,), (2,), (3,))
    told = {"0": False, "1": None, "2": None, "3": True, "4": True}
    found, _ = answered(entries, set(entries), told.get)
    assert found == ("1", "2", "3")


def test_without_a_candidate_there_is_no_culprit():
    """A change that no commit can have made was made by none."""
    assert answered(history((), (0,)), set(), None) == ((), 0)
