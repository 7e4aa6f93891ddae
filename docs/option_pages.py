# SPDX-License-Identifier: GPL-2.0-or-later
"""The options of every verb as reStructuredText, of the parser's own help.

They are laid out here and not by a Sphinx extension, because those that read argparse know neither
argument groups below a verb nor man pages. The man page is made while a wheel is built, where the
parser is all that can be imported: nothing else is needed here.
"""

from __future__ import annotations

import argparse
import re
import textwrap
from typing import TYPE_CHECKING

from lazymmu.cli.command import build_parser

if TYPE_CHECKING:
    from collections.abc import Iterator


def options() -> Iterator[str]:
    """A section for each verb, a definition list for each group of its options."""
    parser = build_parser()
    yield from _groups(parser)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, verb in action.choices.items():
                yield name
                yield "~" * len(name)
                yield ""
                yield safe(verb.description or "")
                yield from _groups(verb)


def _groups(parser: argparse.ArgumentParser) -> Iterator[str]:
    usual = {"positional arguments", "options", "verbs"}
    for group in parser._action_groups:
        actions = [a for a in group._group_actions if not isinstance(a, argparse._SubParsersAction)]
        if actions and group.title not in usual:
            yield f"*{group.title}*"
            yield ""
        for action in actions:
            yield _term(action)
            yield textwrap.indent(safe((action.help or "") % vars(action)), "   ")
            yield ""


def _term(action: argparse.Action) -> str:
    value = action.metavar or ("|".join(action.choices) if action.choices else action.dest)
    value = f"*{safe(str(value))}*"
    if not action.option_strings:
        return value
    names = ", ".join(f"**{safe(name)}**" for name in action.option_strings)
    return names if action.nargs == 0 else f"{names} {value}"


def safe(text: str) -> str:
    """Plain text as reStructuredText: whatever would be markup is escaped."""
    return re.sub(r"([\\`*|_])", r"\\\1", text)
