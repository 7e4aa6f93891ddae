# SPDX-License-Identifier: GPL-2.0-or-later
"""Ctrl-C at any time: no traceback, a documented code, and nobody left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import lazymmu
from lazymmu.verbs.exit_code import ExitCode

TOP = Path(__file__).parents[2]
TREE = str(TOP / "examples" / "linux-old")
COMMANDS = {
    "check": ["check", TREE, "--no-cache", "--jobs", "3"],
    "history": ["history", TREE, str(TOP / "examples" / "linux-new"), "--no-cache", "--jobs", "3"],
    "sections": ["sections", TREE, "--no-cache", "--jobs", "3"],
    "verify": ["verify", "--all", "--jobs", "3", "--engine", "python"],
    "litmus": ["litmus", "--all", "--jobs", "3", "--engine", "python",
               *map(str, sorted((TOP / "src/lazymmu/litmus/scenarios").glob("*.litmus")))],
    "trace": ["trace", *[str(TOP / "examples/trace/xen-6.12.107.trace.gz")] * 9],
}  # fmt: skip
MOMENTS = [round(0.05 * step, 2) for step in range(1, 14)]


def session(leader: int) -> list[str]:
    """What runs of the session that a process began, by its command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == leader and fields[0] != "Z":
                found.append((entry / "cmdline").read_text())
        except OSError:
            continue  # it has just ended
    return found


def interrupted(arguments, after, *, all_of_them):
    """Start a command, press Ctrl-C after some seconds, and give how it ended."""
    process = subprocess.Popen(
        [sys.executable, "-m", "lazymmu", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        time.sleep(after)
        # A terminal sends it to all processes of the group; `kill -INT` to the first alone.
        (os.killpg if all_of_them else os.kill)(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
        return process.returncode, err, session(process.pid)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def ours(err: str) -> bool:
    """Whether a traceback names a file of ours: Python's own start is not ours to catch."""
    return "Traceback" in err and f'File "{Path(lazymmu.__file__).parent}/' in err


@pytest.mark.parametrize("all_of_them", [True, False], ids=["terminal", "kill"])
@pytest.mark.parametrize("verb", COMMANDS)
def test_ctrl_c_at_any_moment(verb, all_of_them):
    """Steps of 0.05 s, from Python's start on through imports into the work."""
    for after in MOMENTS if all_of_them else MOMENTS[1::2]:
        code, err, left = interrupted(COMMANDS[verb], after, all_of_them=all_of_them)
        assert not ours(err), (after, err)
        assert "internal error" not in err
        assert "Exception ignored" not in err, (after, err)
        # Below zero: before Python had begun to listen.
        assert code in {*ExitCode, -signal.SIGINT} or "Traceback" in err, (after, code, err)
        assert left == [], after


SLOW = r"""
import os, sys, time
from lazymmu.cli import main
from lazymmu.litmus import run as running
from lazymmu.witness.machine.verdict import SearchOutcome, Verdict

FIRST = os.getpid()

def verify(run, limits, progress=None):
    if os.getpid() == FIRST:  # the first search, alone
        while True:
            progress(None)
    os.write(2, b"searching\n")
    try:  # the first of all ends at once: one alone can make the file
        open(os.path.join(sys.argv[1], "first"), "x").close()
    except FileExistsError:
        pass
    else:
        return Verdict(run.scenario.name, run.arch, run.release, "", SearchOutcome.HOLDS, states=5)
    while True:  # and nobody else looks up
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            pass

running.verify = verify
sys.exit(main(["verify", "--jobs", "2", "--scenario", "leave-before-unlock"]))
"""


def test_results_that_were_there_are_printed_and_searches_that_hang_are_ended(tmp_path):
    """Also when a search does not look up: after two seconds nobody waits for it."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, str(tmp_path)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        for _ in range(2):
            assert process.stderr.readline() == "searching\n"
        time.sleep(0.3)
        os.kill(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert session(process.pid) == []
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    assert process.returncode == 3, err
    assert out.count("holds (5 states)") == 1
    assert "lazymmu: interrupted: 1 of " in err
    assert "Traceback" not in err


BROKEN = r"""
import os, sys
from lazymmu.cli import main
from lazymmu.litmus import run as running

FIRST = os.getpid()

def verify(run, limits, progress=None):
    if os.getpid() == FIRST:
        while True:
            progress(None)
    os._exit(0)

running.verify = verify
sys.exit(main(["verify", "--jobs", "2", "--scenario", "leave-before-unlock"]))
"""


def test_a_search_that_is_killed_is_one_sentence():
    """By a kernel without memory, or by a port that ends its process."""
    done = subprocess.run(
        [sys.executable, "-c", BROKEN], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "a process that searched was ended from outside" in done.stderr


def test_a_second_ctrl_c_while_the_first_is_told_shows_nothing():
    """An impatient user's second Ctrl-C, while the first is told, shows no traceback."""
    process = subprocess.Popen(
        [sys.executable, "-m", "lazymmu", *COMMANDS["check"]],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    time.sleep(0.4)
    while process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.002)
    _, err = process.communicate(timeout=60)
    assert not ours(err)
    assert process.returncode in {130, 1, -signal.SIGINT}


PRESSED_AGAIN = r"""
import sys
from lazymmu import __main__ as program

left = int(sys.argv[1])

def pressed():
    sys.settrace(lambda frame, event, _: line if frame.f_code is program.run.__code__ else None)
    sys._getframe().f_back.f_trace = line
    raise KeyboardInterrupt

def line(frame, event, _):
    global left
    if frame.f_code is program.run.__code__ and event == "line":
        left -= 1
        if not left:
            raise KeyboardInterrupt
    return line

program.in_one_stack = lambda main: main
program.main = pressed
program.run()
"""


@pytest.mark.parametrize("count", range(1, 8))
def test_a_second_ctrl_c_shows_nothing_wherever_the_first_is_caught(count):
    """Also in the handler of the first, around which there is no other."""
    done = subprocess.run(
        [sys.executable, "-c", PRESSED_AGAIN, str(count)],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.stderr, done.returncode) in {("", 130), ("", -signal.SIGINT)}
