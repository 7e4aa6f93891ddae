# SPDX-License-Identifier: GPL-2.0-or-later
"""`lazymmu trace --follow`: a recording that is judged while it is made."""

from __future__ import annotations

import contextlib
import gzip
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples" / "trace"
XEN = gzip.decompress((EXAMPLES / "xen-6.12.107.trace.gz").read_bytes())
SPARC = gzip.decompress((EXAMPLES / "sparc64-7.1.13.trace.gz").read_bytes())


class Following:
    """A command that follows a pipe into which the test writes."""

    def __init__(self, pipe: Path, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lazymmu", "trace", "--follow", str(pipe), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        # Opening waits until the command has opened it, too.
        self.writer = os.fdopen(os.open(pipe, os.O_WRONLY), "wb", buffering=0)

    def write(self, data: bytes, times: int = 1) -> None:
        """Give the command what was recorded."""
        for _ in range(times):
            self.writer.write(data)

    def line(self) -> str:
        """The next line of the results, once it is there."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().decode()

    def end(self, number: int = 0) -> tuple[int, str, str]:
        """Close the pipe, or send a signal; how the command ended and what it said."""
        if number:
            self.process.send_signal(number)
        else:
            self.writer.close()
        out, err = self.process.communicate(timeout=60)
        self.writer.close()
        assert "Traceback" not in err.decode()
        return self.process.returncode, out.decode(), err.decode()


@pytest.fixture
def follow(tmp_path):
    """Starts the command; what a test leaves running ends with it."""
    pipe = tmp_path / "trace_pipe"
    os.mkfifo(pipe)
    begun = []

    def start(*options: str) -> Following:
        begun.append(Following(pipe, *options))
        return begun[-1]

    yield start
    for one in begun:
        one.process.kill()
        one.process.communicate()
        with contextlib.suppress(OSError):
            one.writer.close()


def test_a_finding_is_told_while_the_recording_goes_on(follow):
    """It is printed before the pipe is closed, and Ctrl-C gives the summary and exit code 1."""
    it = follow()
    it.write(XEN)
    assert "756:1: hurts: insmod-499" in it.line()
    code, out, err = it.end(signal.SIGINT)
    assert code == 1
    assert out
    assert " violation" in err
    assert "interrupted" not in err


def test_what_is_followed_to_its_end_is_told_as_if_it_had_been_read(follow, run, tmp_path):
    """A pipe that closes ends it, with the findings and the code of the same file."""
    it = follow()
    for at in range(0, len(XEN), 5000):
        it.write(XEN[at : at + 5000])
    code, out, err = it.end()
    file = tmp_path / "trace"
    file.write_bytes(XEN)
    ran = run("trace", file)

    def heads(text: str) -> set[str]:
        lines = text.replace("trace_pipe:", "trace:").splitlines()
        return {line for line in lines if "[" in line[-40:] and ": note:" not in line}

    assert code == ran.code == 1
    assert heads(out) == heads(ran.out)
    assert "18 violations" in err


def test_a_clean_recording_that_is_interrupted_is_clean(follow):
    """Ctrl-C is how one ends it, and no fault of what was seen."""
    it = follow("--format", "json")
    it.write(SPARC)
    # Until it was read: a pipe holds less.
    code, out, err = it.end(signal.SIGINT)
    assert '"findings": []' in out
    assert code in {0, 3}, err


def test_nothing_that_came_is_inconclusive(follow):
    """Interrupted before the first line there is nothing to check."""
    it = follow()
    code, out, err = it.end(signal.SIGINT)
    assert (code, out) == (3, "")
    assert "0 violations in 0 lines" in err


def test_a_stream_that_is_no_trace_is_given_up(follow):
    """After some megabytes, with one sentence: it might never end."""
    it = follow()
    with pytest.raises(BrokenPipeError):
        it.write(b"all work and no play makes jack a dull boy\n" * 1000, times=1000)
    code, out, err = it.end()
    assert (code, out) == (2, "")
    assert "no recognisable trace record in its first 8 MiB" in err
    assert len(err.splitlines()) == 1


def test_a_line_that_never_ends_is_given_up(follow):
    """Zeros without a newline are no trace, however many come."""
    it = follow()
    with pytest.raises(BrokenPipeError):
        it.write(bytes(1 << 16), times=1000)
    code, _, err = it.end()
    assert code == 2
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("packed", [gzip.compress(XEN), b"\x17\x08\x44tracing6.1"])
def test_what_is_packed_is_not_followed(follow, packed):
    """It is said that it can be read when it is whole."""
    it = follow()
    it.write(packed)
    code, out, err = it.end()
    assert (code, out) == (2, "")
    assert "read it when it is whole" in err


def test_a_line_that_is_cut_in_two_waits_for_its_rest(follow):
    """Written byte by byte around a finding, nothing is lost and nothing is doubted."""
    it = follow()
    lines = XEN.splitlines(keepends=True)
    it.write(b"".join(lines[:740]))
    for line in lines[740:780]:
        it.write(line[:37])
        it.write(line[37:])
    assert "756:1: hurts" in it.line()
    code, _, err = it.end()
    assert code == 1
    assert "the last line is cut" not in err
    assert "cannot be read" not in err


def test_a_last_line_without_its_end_is_said(follow):
    """Half a line can say the opposite of the whole."""
    it = follow()
    it.write(SPARC[:-5])
    code, _, err = it.end()
    assert code == 3
    assert "not read to its end: the last line is cut" in err


def test_a_name_that_is_no_utf_8_hides_nothing(follow):
    """A task may call itself anything: it is told, and no byte of it acts on a terminal."""
    it = follow()
    it.write(XEN.replace(b"insmod-499", b"ins\xff\x1b-499"))
    line = it.line()
    assert "756:1: hurts: ins" in line
    assert "\x1b" not in line
    code, _, err = it.end()
    assert code == 1
    assert "18 violations" in err


def test_a_reader_who_goes_away_ends_it(follow):
    """`| head` closes standard output: nobody is told anything, and it does not run on."""
    it = follow()
    it.write(XEN)
    assert it.line()
    it.process.stdout.close()
    it.process.wait(60)
    assert it.process.returncode == 1
    assert b"Traceback" not in it.process.stderr.read()
    it.process.stderr.close()
    it.process.stdout = it.process.stderr = None


def test_lost_events_make_tasks_unknown(follow):
    """What trace_pipe says of lost records is a doubt, and no finding is made of it."""
    it = follow()
    it.write(SPARC + b"CPU:0 [LOST 1234 EVENTS]\n" + SPARC.splitlines(keepends=True)[-1])
    _, out, err = it.end()
    assert out == ""
    assert "records are missing: CPU:0 [LOST 1234 EVENTS]" in err


def test_options_that_need_a_whole_trace_are_refused(run):
    """One trace is followed, and two are not compared."""
    ran = run("trace", "--follow", "a", "b")
    assert (ran.code, len(ran.err.splitlines())) == (2, 1)
