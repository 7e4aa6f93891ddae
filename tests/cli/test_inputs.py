# SPDX-License-Identifier: GPL-2.0-or-later
"""What the user names to be read: files and pipes; devices and endless things are refused."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import time

import pytest

from lazymmu import inputs
from lazymmu.cli.console import read_input
from lazymmu.problem import Problem

COMMANDS = [
    ("check", "{tree}", "--diff"),
    ("check", "{tree}", "--baseline"),
    ("check", "{tree}", "--suppress"),
    ("replay",),
    ("litmus",),
    ("verify", "--replay"),
    ("verify", "--port"),
    ("trace",),
]


@pytest.fixture
def soon(monkeypatch):
    """Nobody waits five seconds in a test."""
    monkeypatch.setattr(inputs, "WAIT", 0.2)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_what_cannot_be_read_is_one_sentence(run, tree, tmp_path, soon, command):
    """Devices, directories, names that no file has, and a pipe without a writer."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for name, why in (
        ("/dev/zero", "it is a device"),
        ("/dev/full", "it is a device"),
        (tmp_path, "Is a directory"),
        (tmp_path / "none", "No such file or directory"),
        ("n" * 300, "File name too long"),
        ("d/" * 2500, "File name too long"),
        (pipe, "it is a pipe that nobody writes into (waited 0 s)"),
    ):
        ran = run(*(word.format(tree=tree) for word in command), name)
        assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
        assert ran.err.endswith(f": {why}\n")
        assert len(ran.err) < 1100


def test_a_name_with_a_null_character_is_one_sentence(run, tree):
    """A shell cannot type it; a script can pass it."""
    for command in COMMANDS:
        ran = run(*(word.format(tree=tree) for word in command), "a\0b")
        assert (ran.code, ran.err.count("\n")) == (2, 1)


def test_a_pipe_is_read_however_slow_its_writer_is(tmp_path, soon):
    """`<(git diff ...)` may take minutes; it is there, and that is enough."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def write() -> None:
        with pipe.open("wb") as file:
            time.sleep(0.6)
            file.write(b"late")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert read_input(str(pipe)) == b"late"
    finally:
        writer.join()


def test_a_pipe_of_a_shell_may_be_empty_and_over():
    """`--suppress <(true)`: its writer has ended long before it is read."""
    code = "import sys; from lazymmu.cli.console import read_input; time = __import__('time');"
    code += "time.sleep(.3); sys.exit(len(read_input(sys.argv[1])))"
    done = subprocess.run(
        ["bash", "-c", '"$0" -c "$1" <(true)', sys.executable, code],
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_dev_null_is_an_empty_file():
    """/dev/null reads as an empty file, as it does everywhere."""
    assert read_input("/dev/null") == b""


def test_more_than_the_limit_is_refused(tmp_path, monkeypatch):
    """By bytes read, whatever the size is said to be; also from standard input."""
    monkeypatch.setattr(inputs, "LIMIT", 2 << 20)
    file = tmp_path / "large"
    file.write_bytes(bytes(2 << 20))
    assert len(read_input(str(file))) == 2 << 20
    file.write_bytes(bytes((2 << 20) + 1))
    with pytest.raises(Problem, match=r"large: it holds more than 2 MiB$"):
        read_input(str(file))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(bytes(3 << 20))))
    with pytest.raises(Problem, match=r"cannot read standard input: it holds more than 2 MiB$"):
        read_input("-")


def test_a_closed_standard_input_is_one_sentence(run, monkeypatch):
    """A standard input that is closed (`lazymmu replay - <&-`) is said in one sentence."""
    monkeypatch.setattr(sys, "stdin", None)
    for command in (("replay", "-"), ("litmus", "-"), ("verify", "--replay", "-"), ("trace", "-")):
        ran = run(*command)
        assert (ran.code, ran.err) == (2, "lazymmu: cannot read standard input: it is closed\n")


@pytest.mark.parametrize("verb", ["check", "sections"])
@pytest.mark.parametrize("name", ["n" * 300, "d/" * 2500, "/dev/zero", "a\0b"])
def test_a_tree_that_cannot_be_one_is_one_sentence(run, verb, name):
    """Names too long, and what is no directory."""
    ran = run(verb, name)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert len(ran.err) < 1100


@pytest.mark.parametrize("name", ["n" * 300, "d/" * 2500, "a\0b"])
def test_a_cache_that_no_directory_can_be_called_is_one_sentence(run, tree, name):
    """Who names it wants it there."""
    ran = run("check", tree, "--cache-dir", name)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
