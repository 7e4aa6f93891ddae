# SPDX-License-Identifier: GPL-2.0-or-later
"""What a terminal shows: lines that fold between words, and colours where they are wanted."""

from __future__ import annotations

import io
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.cli import console

LINES = st.lists(st.text(alphabet="ab.-/  ", max_size=200).map(str.rstrip), max_size=5)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def columns(monkeypatch):
    """A terminal of so many columns on both streams; returns what makes it."""

    def make(wide: int) -> tuple[Terminal, Terminal]:
        out, err = Terminal(), Terminal()
        monkeypatch.setenv("COLUMNS", str(wide))
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        return out, err

    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return make


@given(lines=LINES, wide=st.integers(60, 100))
def test_a_folded_line_loses_no_word_and_breaks_none(lines, wide):
    """A line is wider than the terminal only where it is a single word."""
    text = "".join(f"{line}\n" for line in lines)
    folded = console.folded(text, wide)
    assert folded.split() == text.split()
    for line in folded.splitlines():
        assert len(line) <= wide or " " not in line.strip()


def test_a_message_folds_to_the_terminal(columns):
    """What is said about a run is as narrow as its results."""
    _, err = columns(60)
    console.say("mm/memory.c: " + "one word and another " * 10)
    assert max(map(len, err.getvalue().splitlines())) <= 60


def test_a_message_in_a_pipe_stays_one_line(capsys):
    """A program reads one message in each line."""
    console.say("one word and another " * 10)
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("wide", [60, 80])
def test_a_result_folds_to_the_terminal(columns, wide):
    """A line that goes on is indented deeper than it."""
    out, _ = columns(wide)
    console.emit("  " + "one word and another " * 10 + "\nshort\n", prose=True)
    first, second, *_, last = out.getvalue().splitlines()
    assert first.startswith("  one")
    assert second.startswith("      ")
    assert last == "short"
    assert max(map(len, out.getvalue().splitlines())) <= wide


def test_a_script_is_never_folded(columns):
    """What is copied from a terminal into a shell has the lines that it was written with."""
    out, _ = columns(60)
    console.emit("trace-cmd record " + "-e sched " * 30 + "\n")
    assert out.getvalue().count("\n") == 1


FINDING = "mm/a.c:1:2: hurts: f(): is wrong [nested-section]\n"


def test_logs_that_want_colour_get_it(monkeypatch, capsys):
    """Servers of CI show colours, and are no terminal: FORCE_COLOR says so."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    console.emit(FINDING, colour=True)
    assert "\x1b[" in capsys.readouterr().out


def test_a_pipe_gets_no_colour(monkeypatch, capsys):
    """Whoever greps a report finds no escapes in it."""
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    console.emit(FINDING, colour=True)
    assert capsys.readouterr().out == FINDING


def test_a_terminal_that_cannot_go_back_in_a_line_gets_no_progress(columns, monkeypatch):
    """On TERM=dumb, which keeps what was drawn, not even an empty line is written."""
    _, err = columns(80)
    for term, shows in (("dumb", False), ("xterm", True)):
        monkeypatch.setenv("TERM", term)
        with console.progress() as show:
            assert (show is not None) == shows
        assert bool(err.getvalue()) == shows
