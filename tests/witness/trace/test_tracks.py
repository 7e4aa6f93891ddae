# SPDX-License-Identifier: GPL-2.0-or-later
"""Bars of a trace: what happened is kept to be drawn, and however long it is, none is missing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lazymmu.witness.trace.tracks import MAX_TRACKS, TraceTracks


def bars(tracks, *wanted):
    """Everything that is kept, by the name of its track."""
    found, _ = tracks.tracks(wanted)
    return {
        track.name: [(bar.kind, bar.start, bar.end, bar.label, bar.count) for bar in track.bars]
        for track in found
    }


def test_a_section_is_a_bar_on_its_task_and_one_inside_it_another():
    """By its own times and by who began it."""
    tracks = TraceTracks()
    tracks.begins(7, "cat", 0, 100, "zap_pte_range")
    tracks.begins(7, "cat", 0, 120, "inner")
    tracks.ends(7, 0, 130)
    tracks.ends(7, 0, 150)
    assert bars(tracks) == {
        "cat-7": [("section", 100, 150, "zap_pte_range", 1), ("inner", 120, 130, "inner", 1)]
    }
    assert (tracks.started, tracks.span, tracks.merged) == (100, 50, 0)


def test_a_task_that_is_switched_out_in_a_section_shows_until_it_comes_back():
    """On its own track; the CPU's tells who ran meanwhile."""
    tracks = TraceTracks()
    tracks.begins(7, "cat", 1, 10, "f")
    tracks.switched(1, 20, (7, "cat"), "R+", (8, "dog"))
    tracks.switched(1, 30, (8, "dog"), "S", (7, "cat"))
    tracks.ends(7, 1, 40)
    assert bars(tracks) == {
        "CPU 1 runs": [("runs", 20, 30, "dog-8", 1), ("runs", 30, 40, "cat-7", 1)],
        "cat-7": [("section", 10, 40, "f", 1), ("away", 20, 30, "switched out (R+)", 1)],
    }


def test_flushes_interrupts_and_readings_have_tracks_of_their_own():
    """A handler that has no end in the trace is none."""
    tracks = TraceTracks()
    tracks.flushed(0, 5, "full", 32)
    tracks.interrupted(0, 6, "hard", "timer", begins=True)
    tracks.interrupted(0, 9, "hard", "timer", begins=False)
    tracks.interrupted(0, 10, "soft", "RCU", begins=True)
    tracks.read(3, "sh", 0, 11, 0, 0)
    tracks.read(3, "sh", 0, 12, 1, 0)
    assert bars(tracks) == {
        "CPU 0 flushes": [("flush", 5, 5, "full, 32 put off", 1)],
        "CPU 0 interrupts": [("hard", 6, 9, "timer", 1)],
        "sh-3": [("reading", 12, 12, "enable_count 1, pause_count 0", 1)],
    }


def test_a_section_that_is_open_at_the_end_lasts_until_there():
    """And one of which records are missing is not drawn as if it had an end."""
    tracks = TraceTracks()
    tracks.begins(1, "a", 0, 0, "f")
    tracks.begins(2, "b", 0, 5, "g")
    tracks.lost(2, 0, 8)
    tracks.ends(2, 0, 9)
    found = bars(tracks)
    assert found["a-1"] == [("section", 0, 9, "f, open at the end", 1)]
    assert found["b-2"] == [("lost", 8, 8, "records are missing", 1)]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 500), st.integers(0, 90)), max_size=300),
    st.integers(8, 60),
)
def test_however_many_there_are_all_are_counted_and_none_leaves_its_place(steps, most):
    """Bars become one where there is no room; each section is still covered by one of its task."""
    tracks = TraceTracks(most)
    now, told = 0, []
    for pid, wait, length in steps:
        now += wait
        tracks.begins(pid + 1, "t", pid, now, f"site{length % 3}")
        tracks.ends(pid + 1, pid, now + length)
        told.append((pid + 1, now, now + length))
        now += length
    found, left_out = tracks.tracks()
    assert left_out == 0
    assert sum(bar.count for track in found for bar in track.bars) == len(told)
    assert sum(len(track.bars) for track in found) <= max(most, 4)
    for pid, start, end in told:
        (mine,) = (track for track in found if track.key == ("task", pid))
        assert any(bar.start <= start and end <= bar.end for bar in mine.bars)


def test_of_many_tasks_those_with_the_most_sections_are_shown_and_those_that_are_wanted():
    """A finding's task is never left out."""
    tracks = TraceTracks()
    for pid in range(1, MAX_TRACKS + 11):
        for at in range(1 + (pid % 2)):
            tracks.begins(pid, "t", 0, pid * 100 + at * 10, "f")
            tracks.ends(pid, 0, pid * 100 + at * 10 + 5)
    found, left_out = tracks.tracks([("task", 2 * MAX_TRACKS), ("task", MAX_TRACKS + 10)])
    assert left_out == 10
    assert ("task", MAX_TRACKS + 10) in {track.key for track in found}
