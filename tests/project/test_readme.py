# SPDX-License-Identifier: GPL-2.0-or-later
"""The README says what really happens."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from lazymmu.cli.command import build_parser
from lazymmu.report.demo import text
from lazymmu.report.demo.text import MAX_LINES, WIDTH
from lazymmu.verbs.demo import DemoAnswer, demo

TOP = Path(__file__).parents[2]
README = (TOP / "README.md").read_text()
START = (TOP / "docs" / "start.rst").read_text()


def printed(arguments: str) -> str:
    """What a command prints that is run at the top of the project."""
    command = [sys.executable, "-m", "lazymmu", *shlex.split(arguments)]
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def screen() -> str:
    """What `make run` prints."""
    (run,) = re.findall(r"\$\(BIN\)/lazymmu (.*)", (TOP / "Makefile").read_text())
    return printed(run)


def test_the_first_screen_is_one(screen: str) -> None:
    """It has forty lines at most, none wider than a hundred columns, and no escape."""
    lines = screen.splitlines()
    assert len(lines) <= MAX_LINES == 40
    assert max(map(len, lines)) <= WIDTH == 100
    assert "\\x" not in screen


def test_the_first_screen_says_what_each_witness_found(screen: str) -> None:
    """One mistake in source, on a machine and in a recording, the counts, and what to run next."""
    titles = re.findall(r"^(\d)\. .*? {2,}(lazymmu .*)$", screen, re.M)
    assert [number for number, _ in titles] == ["1", "2", "3"]
    for _, command in titles:
        assert build_parser().parse_args(shlex.split(command)[1:]).run
    assert re.search(r"hurts: .* \[(?P<rule>[a-z-]+)\]\n(?:.*\n)*.*Yes, in \d+ steps? on", screen)
    assert re.search(r"All \d+ runs are as expected: \d+ break a rule, since", screen)
    assert re.search(r"one of\s+\d+\s+violations\s+in\s+\d+\s+lines", screen)
    assert re.search(r"^Next:", screen, re.M)


@pytest.fixture(scope="module")
def answer(screen: str) -> DemoAnswer:
    """What the first screen is made from."""
    return demo()


@pytest.mark.parametrize("columns", [60, 61, 70, 80, 100, 120, 200])
def test_the_first_screen_is_as_narrow_as_the_terminal(answer: DemoAnswer, columns: int) -> None:
    """From sixty columns on it has forty lines, with the one that says how long it took."""
    shown = text.render(answer, version="0.1.0", columns=columns).splitlines()
    assert len(shown) < MAX_LINES
    assert max(map(len, shown)) <= columns


def test_the_first_screen_breaks_no_word(answer: DemoAnswer) -> None:
    """Each word of a narrow one is a word of the widest."""
    wide = text.render(answer, version="0.1.0", columns=None).split()
    assert set(text.render(answer, version="0.1.0", columns=60).split()) <= set(wide)


def test_the_readme_shows_the_first_screen(screen: str) -> None:
    """All of its three parts, as they are."""
    shown = re.search(r"^    1\. The source.*?(?=^    make test)", README, re.M | re.S)
    parts = re.search(r"^1\. The source.*?(?=^Next:)", screen, re.M | re.S)
    assert shown is not None
    assert parts is not None
    assert re.sub(r"^    ", "", shown[0], flags=re.M).rstrip() == parts[0].rstrip()


def test_the_findings_on_the_page_for_beginners_are_what_is_printed() -> None:
    """Line by line, in this order, without gaps."""
    (command,) = re.findall(r"^    lazymmu (check examples/.*)", START, re.M)
    (excerpt,) = re.findall(r"^    examples/.*\n(?:    .*\n)+", START, re.M)
    assert excerpt.count("\n") > 4
    assert re.sub("^    ", "", excerpt, flags=re.M) in printed(f"{command} --no-cache --exit-zero")


def test_every_command_in_the_readme_is_one() -> None:
    """Options that were renamed must not live on in the README."""
    commands = re.findall(r"^    lazymmu (.*?)(?: +>.*)?(?: +#.*)?$", README, re.M)
    assert len(commands) > 5
    for command in commands:
        assert build_parser().parse_args(shlex.split(command)).run
