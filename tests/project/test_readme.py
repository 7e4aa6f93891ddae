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

TOP = Path(__file__).parents[2]
README = (TOP / "README.md").read_text()
START = (TOP / "docs" / "start.rst").read_text()


RUN = re.findall(r"\$\(BIN\)/lazymmu (.*)", (TOP / "Makefile").read_text())
"""What `make run` calls, in order."""


def printed(verb, *options):
    """What the commands of `make run` with this verb print."""
    output = ""
    for arguments in RUN:
        if arguments.startswith(verb):
            command = [sys.executable, "-m", "lazymmu", *shlex.split(arguments), *options]
            done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            output += done.stdout
    return output


@pytest.mark.parametrize("page", [README, START], ids=["README.md", "start.rst"])
def test_the_findings_are_what_make_run_prints(page):
    """Line by line, in this order, without gaps."""
    excerpt = re.findall(r"^    (examples/.*\n)", page, re.M)
    assert len(excerpt) > 3
    assert "".join(excerpt) in printed("check", "--no-cache")


def test_the_counterexample_is_what_make_run_prints():
    """The table's lines and the whole way, as they are."""
    block = re.search(r"((?:^    .*\n|^\n)+)(?=^and `trace`)", README, re.M)
    lines = [line[4:].rstrip() for line in block[1].splitlines() if line.strip()]
    assert len(lines) > 10
    output = [line.strip() for line in printed("verify").splitlines()]
    assert [line for line in lines if line.strip() not in output] == []


def test_every_command_in_the_readme_is_one(tmp_path):
    """Options that were renamed must not live on in the README."""
    commands = re.findall(r"^    lazymmu (.*?)(?: +>.*)?(?: +#.*)?$", README, re.M)
    assert len(commands) > 5
    for command in commands:
        assert build_parser().parse_args(shlex.split(command)).run
