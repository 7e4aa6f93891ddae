# SPDX-License-Identifier: GPL-2.0-or-later
"""The law of the counters against a second judge: what it must find is found, and nothing else.

Runs, recordings and mistakes are made up by the hundred; `simulator` knows who made which.
"""

from __future__ import annotations

import io

from hypothesis import example, given, settings
from hypothesis import strategies as st

from lazymmu.ftrace.record import TraceError
from lazymmu.witness.trace.check import check_trace
from lazymmu.witness.trace.values import TraceResult, TraceVerdict

from .simulator import CLOCKS, HEAD, MISTAKES, RIGHT, Simulation

READINGS = ("sw", "sw_out", "sw_in", "ex", "ur", "new")
SITES = ("en", "di", "pa", "re", "ge")
WHOLE = frozenset({*READINGS, *SITES, "sched"})
EVENTS = st.sets(st.sampled_from([*READINGS, "sched"]), min_size=1)
# The probes of the API's instructions come together, as `lazymmu probes` prints them.
SEEN = st.builds(
    lambda events, sites: frozenset({*events, *(SITES if sites else ())}), EVENTS, st.booleans()
)
WAYS = st.fixed_dictionaries(
    {
        "columns": st.sampled_from((5, 7)),
        "clock": st.sampled_from([*CLOCKS]),
        "late": st.booleans(),
        "again": st.booleans(),
    }
)
"""How a recording is written, and what its kernel does that nobody has to mind."""

RELEASES = ("", "7.0.13", "7.1.13", "7.2.12", "7.3.4", "7.9.1")


def moves(*names: str, most: int = 40) -> st.SearchStrategy[list[tuple[int, str]]]:
    """Moves on two CPUs."""
    one = st.tuples(st.integers(0, 1), st.sampled_from(names))
    return st.lists(one, min_size=1, max_size=most)


def played(made: Simulation, what: list[tuple[int, str]]) -> Simulation:
    """The simulation after these moves."""
    for cpu, name in what:
        made.move(cpu, name)
    return made


def recorded(made: Simulation) -> bool:
    """Whether anything was, but for losses."""
    return any(not line.startswith("CPU:") for line in made.lines)


def judged(made: Simulation, release: str, **options: str) -> TraceResult:
    """What is said of its recording."""
    return check_trace("made", io.BytesIO(made.text(release).encode()), **options)


def told(made: Simulation, answer: TraceResult, release: str = "") -> set[tuple[int, int]]:
    """Of which tasks a violation is told, by pid and which of those that had it."""
    before = len(HEAD.splitlines()) + bool(release)
    return {
        made.whose(one.pid, one.location.line - before)
        for one in answer.findings
        if one.verdict is TraceVerdict.VIOLATION and one.rule != "mode-not-effective"
    }


@settings(max_examples=120, deadline=None)
@given(
    what=moves(*RIGHT, "lose"),
    seen=SEEN,
    pauses=st.booleans(),
    ways=WAYS,
    release=st.sampled_from(RELEASES),
)
def test_a_right_kernel_is_never_told_to_be_wrong(what, seen, pauses, ways, release) -> None:
    """Whatever was recorded of it, by which clock, lost of that, and known of the release."""
    made = played(Simulation(pauses, pauses, seen, **ways), what)
    assert (made.must, made.may) == (set(), set())
    if recorded(made):
        # Whether its hooks pause is the implementation's: named, it is believed.
        options = {"arch": "x86"} if pauses else {}
        release = "" if pauses else release
        assert told(made, judged(made, release, **options), release) == set()


@settings(max_examples=150, deadline=None)
@given(
    what=moves(*RIGHT, *MISTAKES),
    seen=SEEN,
    ways=WAYS,
    release=st.sampled_from(RELEASES),
)
@example([(0, "section"), (0, "leak pause"), (0, "user")], WHOLE, {}, "")
@example([(0, "section"), *[(0, "leak section")] * 256, (0, "end twice")], WHOLE, {}, "7.1.13")
@example([*[(0, "leak section")] * 4, (0, "sleep")], frozenset({"sw", *SITES}), {}, "7.3.4")
@example(
    [(0, "section"), (0, "resume twice"), (0, "fork"), *[(0, "switch")] * 9],
    WHOLE,
    {"columns": 7},
    "",
)
@example(
    [(1, "switch"), (1, "leak pause"), (1, "exit"), (0, "switch")],
    frozenset({"ex", "sched", "sw"}),
    {"late": True},
    "7.3.4",
)
@example(
    [(0, "section"), (0, "stray"), (0, "section"), (0, "user"), (0, "end twice"), (0, "section")],
    frozenset({"ur", *SITES}),
    {},
    "7.3.4",
)
def test_who_made_a_mistake_is_told_and_nobody_else(what, seen, ways, release) -> None:
    """Where a recording shows it: a count that is left, a call too many, a sleep in a section.

    By a clock so coarse that nobody knows on which CPU a task was first, some is left open.
    """
    made = played(Simulation(False, False, seen, **ways), what)
    if recorded(made):
        answer = judged(made, release)
        found = told(made, answer, release)
        open_ = ways.get("clock") == "uptime" and not answer.conclusive
        assert made.must <= found or open_
        assert found <= made.may


@settings(max_examples=100, deadline=None)
@given(what=moves(*RIGHT, *MISTAKES, "lose"), seen=SEEN, release=st.sampled_from(RELEASES))
def test_a_loss_makes_nobody_guilty(what, seen, release) -> None:
    """What was lost may hide a mistake; it makes none."""
    made = played(Simulation(False, False, seen), what)
    if recorded(made):
        assert told(made, judged(made, release), release) <= made.may


@settings(max_examples=100, deadline=None)
@given(what=moves(*RIGHT, "fork", "switch"), release=st.sampled_from(("", "7.2.12", "7.3.4")))
def test_hooks_that_resume_who_nobody_paused_are_told_of_each_task(what, release) -> None:
    """On Xen PV a child's first switch takes a pause from it that it never had.

    As v7.2 and v7.3 do; of those whose count a reading shows, each is told, and nobody else.
    """
    made = played(Simulation(True, False, WHOLE), what)
    if recorded(made):
        found = told(made, judged(made, release, arch="x86"), release)
        assert found <= made.may
        assert made.must <= found


@settings(max_examples=60, deadline=None)
@given(
    what=moves(*RIGHT, *MISTAKES, "lose", most=20),
    seen=SEEN,
    cut=st.integers(0, 60),
    drop=st.sets(st.integers(0, 80), max_size=4),
)
def test_a_recording_that_is_torn_is_read_to_its_end(what, seen, cut, drop) -> None:
    """Lines that are missing without a word, or cut.

    No crash, and whoever is told is a task of the recording.
    """
    made = played(Simulation(False, False, seen), what)
    made.lines = [line for at, line in enumerate(made.lines) if at not in drop]
    if made.lines:
        made.lines[-1] = made.lines[-1][: max(1, len(made.lines[-1]) - cut)]
        data = made.text("").encode()
        try:
            answer = check_trace("made", io.BytesIO(data), arch="x86")
        except TraceError as error:
            assert "\n" not in str(error)
        else:
            assert all(one.pid for one in answer.findings)
