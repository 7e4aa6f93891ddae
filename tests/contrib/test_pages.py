# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands on the pages of the documentation: each is one that the program takes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from lazymmu.cli.command import build_parser

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(DOCS.glob("*.rst"))


def commands(text):
    """Every command of ours in a block of code, as its words."""
    joined = re.sub(r"\\\n\s*", " ", text)
    lines = re.findall(r"(?m)^ {4,}(?:\$ )?(lazymmu [a-z-].*)$", joined)
    for line in lines:
        line = re.split(r"  +", line)[0]  # what follows says what it is for
        # A quotation that a shell began on another line ends in this one.
        words = shlex.split(line.removesuffix("'") if line.count("'") % 2 else line, comments=True)
        # Behind -- stands somebody else's command.
        for end in ("|", ">", "<", "2>&1", "&&", ";", "||", "--"):
            words = words[: words.index(end)] if end in words else words
        yield [word for word in words if word != "..."][1:]


def test_the_pages_have_commands():
    """A test that found none would say nothing."""
    assert sum(len(list(commands(page.read_text()))) for page in PAGES) > 40


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_a_page_is_one_that_the_program_takes(page, capsys):
    """An option that has another name by now, or a verb that is gone, is found here."""
    for words in commands(page.read_text()):
        try:
            build_parser().parse_args(words)
        except SystemExit as stop:
            assert not stop.code, f"{page.name}: lazymmu {shlex.join(words)}: {capsys.readouterr()}"
