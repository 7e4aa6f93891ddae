# SPDX-License-Identifier: GPL-2.0-or-later
"""A stranger's text in Markdown: as code, or as prose in which nothing is markup.

In code spans nothing is markup, nobody is mentioned (``@name``) and nothing is linked (``#1``,
``www.``). Prose is escaped, and such marks are parted from what follows by an empty comment:
servers look for them after Markdown was read, when an escape is gone.
"""

from __future__ import annotations

import re
from typing import Final

from lazymmu.report.common.words import clean

__all__ = ["cell", "code", "escaped", "in_html", "prose"]

_MARKUP: Final = re.compile(r"([\\`*_{}\[\]<>#+\-!|~$&])")
_NUMBERED: Final = re.compile(r"^(\d+)([.)])")
_MARK: Final = re.compile(r"([@#!~$%&^])(?=\S)")
_LINK: Final = re.compile(r"(?i)\b(www|https?|ftp|mailto|xmpp)(?=[.:])")
_IN_HTML: Final = re.compile(r"([@!$%^]|(?<!&)#)(?=\S)")
_APART: Final = r"\1<!-- -->"


def code(text: str) -> str:
    """A text as a code span, outside of tables."""
    safe = clean(text) or " "
    longest = max((len(run) for run in re.findall("`+", safe)), default=0)
    fence = "`" * (longest + 1)
    # One blank is taken off again where there is one at both ends.
    pad = " " if safe.startswith(("`", " ")) or safe.endswith(("`", " ")) else ""
    return f"{fence}{pad}{safe}{pad}{fence}"


def cell(text: str) -> str:
    """A text as a code span in a cell of a table; nothing stays nothing."""
    # A table is cut at its bars before anything else is looked at (GFM, "Tables").
    return code(text).replace("|", "\\|") if text else ""


def escaped(text: str) -> str:
    """A text of ours outside of code, in which nothing is markup."""
    return _NUMBERED.sub(r"\1\\\2", _MARKUP.sub(r"\\\1", clean(text)))


def prose(text: str) -> str:
    """A stranger's text outside of code: nothing is markup, a link, or the name of anybody."""
    return _LINK.sub(_APART, _MARK.sub(_APART, escaped(text)))


def in_html(text: str) -> str:
    """A stranger's text between tags, likewise."""
    numbers = {ord(letter): f"&#{ord(letter)};" for letter in "&<>\"'`|\\*_[]~"}
    return _LINK.sub(_APART, _IN_HTML.sub(_APART, clean(text).translate(numbers)))
