# SPDX-License-Identifier: GPL-2.0-or-later
"""What happened, in the few words that a column of a counterexample has room for."""

from __future__ import annotations

import pytest

from lazymmu.contract import events as e
from lazymmu.report.verify import event_phrases


@pytest.mark.parametrize(
    ("event", "phrase"),
    [
        (e.Enable(counted=False), "(ignored)"),
        (e.Disable(counted=False), "(ignored)"),
        (e.Write(entry="p"), "writes p"),
        (e.Write(entry="p", operation="set_pte"), "writes p (set_pte)"),
        (e.Write(entry="p", operation="named"), "writes p"),
        (e.Read(entry="p"), "reads p"),
        (e.Take(lock="ptl"), "takes ptl"),
        (e.Drop(lock="ptl"), "drops ptl"),
        (e.Flush(how="noop"), "flushes nothing: this function is empty here"),
        (e.Flush(why="full"), "flushes (full)"),
        (e.Flush(why="key-change"), "flushes (key-change)"),
        (e.Flush(why="irq"), "flushes (irq)"),
        (e.TlbFlush(scope="mm"), "flushes the TLB: mm"),
        (e.TlbFlush(entry="p", how="queued"), "flushes the TLB: p, queued"),
        (e.TlbFlush(how="noop"), "flushes the TLB: range, which does nothing"),
        (e.SwitchOut(task="T0"), "T0 is PREEMPTED"),
        (e.SwitchOut(task="T0", why="blocked"), "T0 goes (blocked)"),
        (e.SwitchIn(task="T0", cpu=1), "T0 comes"),
        (e.SwitchIn(task="T0", cpu=1, from_cpu=1), "T0 comes"),
        (e.SwitchIn(task="T0", cpu=1, from_cpu=0), "T0 comes from CPU0"),
        (e.IrqEnter(), "hard interrupt begins"),
        (e.IrqExit(kind="soft"), "soft interrupt ends"),
        (e.Fork(child="T1"), "forks T1"),
        (e.Exit(task="T0"), "T0 ends"),
        (e.MaySleep(why="mutex_lock", certain=True), "sleeps (mutex_lock)"),
        (e.MaySleep(why="might_sleep"), "may sleep (might_sleep)"),
        (e.Free(entry="p"), "frees the page of p"),
        (e.Use(entry="p"), "uses p"),
        (e.Use(entry="p", what="stale"), "uses the OLD translation of p"),
        (e.Undone(entry="p", by="the queue"), "UNDOES a later change of p (the queue)"),
        (e.Bug(condition="depth > 1"), "BUG: depth > 1"),
    ],
    ids=repr,
)
def test_an_event_that_a_reader_would_miss_is_a_phrase(event, phrase):
    """An event is a phrase, in which a function that is named already is not named again."""
    assert event_phrases.phrases([event], {"named"}) == [phrase]


@pytest.mark.parametrize(
    "event", [e.Enable(), e.Enable(counted=True), e.Disable(), e.Flush(), e.Pin(kind="preempt")]
)
def test_what_the_functions_names_say_is_no_phrase(event):
    """An event that the functions' names tell is no phrase: who begins a section is seen."""
    assert event_phrases.phrases([event]) == []
