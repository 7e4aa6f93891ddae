# SPDX-License-Identifier: GPL-2.0-or-later
"""The law of the counters: what a right kernel shows is never wrong, and a wrong step is found."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lazymmu.witness.trace.check import check_trace
from lazymmu.witness.trace.section_stats import SectionStats
from lazymmu.witness.trace.values import TraceResult, TraceVerdict

from .readings import Play, Task

DATA = Path(__file__).parent / "data"
INTERIOR = frozenset({"en", "di", "pa", "re", "ge", "sw", "sched", "ur", "ex", "new"})


def judged(play: Play, **options: str) -> TraceResult:
    """What is said of a recording."""
    data = (play.head + play.tape.text).encode()
    return check_trace("made", io.BytesIO(data), **options)


def broken(play: Play, **options: str) -> list[tuple[str, int]]:
    """Rule and pid of each violation that is not one of the whole recording."""
    found = judged(play, **options).violations
    return [(one.rule, one.pid) for one in found if one.rule != "mode-not-effective"]


def test_a_new_task_that_the_first_switch_resumes_is_told_once():
    """It runs paused ever after; the finding begins at its fork, and counts its readings."""
    play = Play()
    init, child = play.now, play.fork("sh", 90)
    for _ in range(5):
        play.switch(child)
        play.switch(init)
    watched = judged(play)
    (found,) = watched.violations
    assert (found.rule, found.pid) == ("dirty-start", 90)
    assert "new: " in found.began[0].text
    assert "sw: " in found.location.text
    assert "pause_count 255" in found.message
    assert any("readings of its counters show it" in note for note in found.notes)


@pytest.mark.parametrize("release", ["", "7.2.12", "7.3.4"])
@pytest.mark.parametrize("seen", [{"sw", "sched"}, {"sw_out", "sw_in"}, {"sw_in", "ur"}])
def test_a_task_that_runs_paused_is_found_by_any_of_its_readings(release: str, seen: set[str]):
    """Whichever of them were recorded, and whether or not the release is known."""
    play = Play(release=release, seen=frozenset(seen))
    play.tape.add(play.now.key, 0, "xen_mc_flush: flushing 1 hypercalls, 16 arg bytes", "d..2.")
    child = play.fork("sh", 90)
    init = play.now
    for _ in range(3):
        play.switch(child)
        play.user()
        play.switch(init)
    assert broken(play) == [("dirty-start", 90)]


def test_a_kernel_that_forks_one_pause_ahead_is_right():
    """So a fix of the hooks would do it: the first switch takes away what the fork added."""
    play = Play()
    init, child = play.now, play.fork("sh", 90, ahead=True)
    for _ in range(3):
        play.switch(child)
        play.user()
        play.switch(init)
    play.switch(child)
    play.exit()
    play.switch(init, "X")
    assert broken(play) == []


def test_a_kernel_whose_hooks_do_not_count_is_right():
    """So another fix would do it, whatever the table says of the release."""
    play = Play(pauses=False)
    init, child = play.now, play.fork("sh", 90)
    for _ in range(3):
        play.switch(child)
        play.user()
        play.switch(init)
    assert broken(play) == []


def test_a_count_that_changes_while_the_task_waits_is_the_implementation_s():
    """Between a reading at its way out and one at its way in nobody can have called anything."""
    play = Play()
    init, child = play.now, play.fork("sh", 90, ahead=True)
    play.switch(child)
    play.switch(init)
    child.more(pc=2)
    play.switch(child)
    assert broken(play) == [("dirty-start", 90)]


def test_a_leak_of_one_is_found_where_the_task_returns_to_user_mode():
    """From 0 to 1: no threshold sees it; once, for all of its returns."""
    play = Play(xen=False)
    first = Task("sh", 90)
    play.switch(first)
    play.user()
    first.more(pc=1)
    for _ in range(4):
        play.user()
    (found,) = judged(play).violations
    assert (found.rule, found.pid) == ("unbalanced-pause", 90)
    assert any("4 readings" in note for note in found.notes)


def test_a_second_mistake_of_one_task_is_a_second_finding():
    """The first one is taken off what is read after it."""
    play = Play(xen=False)
    task = Task("sh", 90)
    play.switch(task)
    task.more(pc=1)
    play.user()
    task.more(pc=1)
    play.user()
    play.user()
    assert broken(play) == [("unbalanced-pause", 90)] * 2


def test_a_count_that_is_put_right_is_forgotten():
    """A resume that came late; what is wrong afterwards is new."""
    play = Play(xen=False)
    task = Task("sh", 90)
    play.switch(task)
    for more in (1, -1, 0, 1):
        task.more(ec=more)
        play.user()
    assert broken(play) == [("unbalanced-section", 90)] * 2


@pytest.mark.parametrize("count", [1, 2, 4, 100, 200, 255])
@pytest.mark.parametrize("event", ["ex", "ur"])
def test_any_count_that_is_not_zero_at_the_end_is_told(count: int, event: str):
    """However large: more than zero is known of it."""
    for kind, rule in (("ec", "unbalanced-section"), ("pc", "unbalanced-pause")):
        play = Play(xen=False)
        play.now = Task("sh", 90, **{kind: count})
        play.user() if event == "ur" else play.exit()
        assert broken(play) == [(rule, 90)]


@pytest.mark.parametrize("count", [1, 3, 4, 100])
@pytest.mark.parametrize("release", ["7.3.4", "7.1.13", ""])
def test_a_sleep_with_any_count_is_told_once_for_a_section(count: int, release: str):
    """Where no function of the mode was met the counters speak, whatever the release."""
    play = Play(release=release, seen=frozenset({"sw", "sched", "sw_out"}))
    init, task = play.now, Task("sh", 90, pc=1)
    play.switch(task)
    task.more(ec=count)
    for _ in range(3):
        play.switch(init, "S")
        play.switch(task)
    assert broken(play) == [("sleep-in-section", 90)]


def test_a_task_that_sleeps_paused_breaks_nothing():
    """The mode is off for as long as it is paused."""
    play = Play(xen=False)
    play.now = Task("sh", 90, pc=1)
    play.switch(Task("init", 1))
    assert broken(play) == []


# ---- instructions --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "sections", "first", "number"),
    [
        ("plain-7.1.13.probes.trace.gz", 203, "__zap_vma_range", 140),
        ("plain-7.3.4.probes.trace.gz", 193, "__zap_vma_range", 134),
    ],
)
def test_a_recording_with_probes_shows_each_section_by_function(name, sections, first, number):
    """Recordings of kernels that ran, on which a begin calls nothing.

    The flags of such lines are not believed, which make half of them look like NMIs.
    """
    tally = SectionStats()
    watched = check_trace(str(DATA / name), observer=tally)
    assert (watched.violations, watched.seen.sections) == ((), sections)
    assert watched.arch == "x86-native"
    assert tally.everything.sections == sections
    assert tally.sites[first].sections == number
    if "7.3.4" in name:
        assert b"d.Z" in gzip.decompress((DATA / name).read_bytes())


def interior(*calls: str, pc: int = 0, xen: bool = False) -> Play:
    """A task that makes these calls, and returns to user mode, sleeps, or ends between them."""
    play = Play(xen=xen, seen=INTERIOR)
    task = Task("sh", 90, pc=pc)
    play.switch(task)
    for call in calls:
        match call:
            case "sleep":
                play.switch(Task("init", 1))
                play.switch(task)
            case "preempted":
                play.switch(Task("init", 1), "R+")
                play.switch(task)
            case "user":
                play.user()
            case "exit":
                play.exit()
                play.switch(Task("init", 1), "X")
            case _:
                play.site(call)
    return play


RIGHT = (
    ("enable", "disable", "user"),
    ("enable", "enable", "disable", "disable", "user", "exit"),
    ("enable", "pause", "sleep", "resume", "disable", "user"),
    ("enable", "pause", "enable", "disable", "resume", "disable", "exit"),
    ("enable", "preempted", "disable", "exit"),
)
WRONG = (
    ("unbalanced-section", ("enable", "user")),
    ("unbalanced-section", ("enable", "enable", "disable", "exit")),
    ("unbalanced-section", ("disable",)),
    ("sleep-in-section", ("enable", "sleep", "disable", "user")),
    ("unbalanced-pause", ("resume",)),
    ("unbalanced-pause", ("enable", "pause", "disable", "user")),
    ("unbalanced-pause", ("pause", "exit")),
)


@pytest.mark.parametrize("calls", RIGHT)
def test_what_is_in_order_is_not_objected_to(calls: tuple[str, ...]):
    """Nested, paused, preempted: all of it is."""
    assert broken(interior(*calls)) == []


@pytest.mark.parametrize(("rule", "calls"), WRONG)
def test_a_mistake_between_probes_is_found(rule: str, calls: tuple[str, ...]):
    """The section has its function and line, and the finding says where it began."""
    assert (rule, 90) in broken(interior(*calls))


def test_a_nested_section_is_counted_as_its_own():
    """Each call that counts is a section, and each that is ignored is not."""
    play = interior(
        "enable", "enable", "pause", "enable", "disable", "resume", "disable", "disable"
    )
    seen = judged(play).seen
    assert (seen.sections, seen.ends, seen.ignored) == (2, 2, 1)


def test_a_begin_that_was_not_recorded_is_missed_by_the_count():
    """Two readings with no switch between them: nothing that was recorded explains the second."""
    play = interior("enable", "disable")
    play.now.more(ec=1)
    play.site("enable")
    assert broken(play) == [("unbalanced-section", 90)]


STEPS = ("enable", "disable", "pause", "resume", "user", "preempted", "fork", "switch")


@given(
    st.lists(st.sampled_from(STEPS), max_size=30),
    st.sampled_from(["7.1.13", "7.3.4", ""]),
    st.sets(st.sampled_from(sorted(Play().seen | INTERIOR | {"function"})), min_size=1),
)
@example(["enable", "disable", "fork", "switch"], "7.1.13", {"en", "sched", "ex"})
def test_what_a_right_kernel_shows_is_never_wrong(
    steps: list[str], release: str, seen: set[str]
) -> None:
    """Any tasks, each in order, on a kernel that forks as it must.

    Of any events and functions, and of a release that is known or not.
    """
    pauses = release == "7.3.4" or (not release and "function" not in seen)
    play = Play(release=release, pauses=pauses, seen=frozenset(seen))
    play.tape.add(play.now.key, 0, "xen_mc_flush: flushing 1 hypercalls, 16 arg bytes", "d..2.")
    tasks = [play.now]
    for step in steps:
        task = play.now
        match step:
            case "enable" if task.ec < 3:
                play.site("enable")
            case "disable" if task.ec and not task.pc:
                play.site("disable")
            case "pause" if task.pc < 2:
                play.site("pause")
            case "resume" if task.pc:
                play.site("resume")
            case "user" if not task.ec and not task.pc:
                play.user()
            case "fork" if not task.ec and not task.pc:
                tasks.append(play.fork(f"t{len(tasks)}", 100 + len(tasks), ahead=pauses))
            case "preempted" if len(tasks) > 1:
                play.switch(tasks[(tasks.index(task) + 1) % len(tasks)], "R+")
            case "switch" if len(tasks) > 1 and not task.ec:
                play.switch(tasks[(tasks.index(task) + 1) % len(tasks)], "S")
    found = [one for one in judged(play).findings if one.verdict is TraceVerdict.VIOLATION]
    assert found == []


@pytest.mark.parametrize("ahead", [True, False])
def test_what_a_hook_of_the_switch_does_is_no_call_of_anybody(ahead: bool) -> None:
    """Probes at instructions find those of the hooks, too.

    They are readings before a hook, and who is resumed without a pause is told once, of the
    implementation.
    """
    play = Play()
    init, child = play.now, play.fork("sh", 90, ahead=ahead)
    for _ in range(3):
        play.switch(child)
        play.user()
        play.switch(init)
    text = play.head + play.tape.text.replace("sw_out: ", "pa1: ").replace("sw_in: ", "re1: ")
    watched = check_trace("made", io.BytesIO(text.encode()))
    found = [(one.rule, one.pid) for one in watched.violations if one.rule != "mode-not-effective"]
    assert found == ([] if ahead else [("dirty-start", 90)])


@pytest.mark.parametrize("gone", ["begin", "end"])
def test_instructions_that_no_probe_is_on_make_nobody_guilty(gone: str) -> None:
    """A kernel refuses some probes, and a module's have none.

    A section that begins or ends unseen is said to be there, and is no mistake while its other half
    is.
    """
    play = interior("enable", "disable")
    for _ in range(3):
        if gone == "begin":
            play.now.more(ec=1)
            play.site("disable")
        else:
            play.site("enable")
            play.now.more(ec=-1)
        play.site("enable")
        play.site("disable")
        play.user()
    assert broken(play) == []
    assert any("no probe is on" in one.reason for one in judged(play).caveats)


@pytest.mark.parametrize(
    ("name", "sections", "doubt"),
    [
        # All of what a kernel without copies of the API out of line runs is probed.
        ("sparc64-7.1.13.probes.trace.gz", 8, ""),
        # The kernel has refused six of 58 probes, and with them nearly all ends.
        ("arm64-7.3.4.probes.trace.gz", 221, "no probe is on"),
    ],
)
def test_recordings_of_other_architectures_by_probes_are_in_order(
    name: str, sections: int, doubt: str
) -> None:
    """Of real kernels, by `probes --vmlinux` and by `record`, each begin is a section.

    Nobody is told to be wrong for what has no probe.
    """
    watched = check_trace(str(DATA / name))
    assert watched.violations == ()
    assert watched.seen.sections == sections
    assert any(doubt in one.reason for one in watched.caveats) == bool(doubt)
