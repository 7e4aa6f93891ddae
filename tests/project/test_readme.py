# SPDX-License-Identifier: GPL-2.0-or-later
"""The README says what really happens."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

from lazymmu.cli.command import build_parser

TOP = Path(__file__).parents[2]
README = (TOP / "README.md").read_text()


def test_the_excerpt_is_what_make_run_prints():
    """Line by line, in this order, without gaps."""
    makefile = (TOP / "Makefile").read_text()
    (arguments,) = re.findall(r"\$\(BIN\)/lazymmu (.*?);", makefile)
    command = [sys.executable, "-m", "lazymmu", *shlex.split(arguments), "--no-cache"]
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    excerpt = re.findall(r"^    (examples/.*\n)", README, re.M)
    assert len(excerpt) > 3
    assert "".join(excerpt) in done.stdout


def test_every_command_in_the_readme_is_one(tmp_path):
    """Options that were renamed must not live on in the README."""
    commands = re.findall(r"^    lazymmu (.*?)(?: +#.*)?$", README, re.M)
    assert len(commands) > 5
    for command in commands:
        assert build_parser().parse_args(shlex.split(command)).run
