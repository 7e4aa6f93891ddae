# SPDX-License-Identifier: GPL-2.0-or-later
"""The examples of the rules: one directory per rule, good and bad, as events and as C.

The two forms of an example say the same; the monitor on the events and the analyser on the C must
agree.  `expect: RULE` in a comment stands on the line of the culprit.  The second line of each C
file names the dialect that it speaks and the file of a tree that it stands for.  A rule that source
cannot show has event lists alone, which name their dialect themselves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_HEAD: Final = re.compile(r"/\* dialect: (?P<dialect>[\w-]+); file: (?P<file>[\w./-]+) \*/")
_DIALECT: Final = re.compile(r"^dialect (?P<dialect>[\w-]+)$", re.M)
_EXPECT: Final = re.compile(r"/\*\s*expect:(?P<rules>[^*]*)\*/")


@dataclass(frozen=True, slots=True)
class Example:
    """One example: its C, its events, the dialect of both, and the file that the C stands for.

    `c` and `file` are "" for a rule that source cannot show.
    """

    c: str
    events: str
    dialect: str
    file: str

    @property
    def expected(self) -> tuple[tuple[int, str], ...]:
        """(line of the C, rule) for every finding that its comments expect."""
        return tuple(
            (number, rule.strip())
            for number, line in enumerate(self.c.splitlines(), 1)
            for found in _EXPECT.finditer(line)
            for rule in found["rules"].split(",")
        )


@dataclass(frozen=True, slots=True)
class Examples:
    """A rule's two examples."""

    good: Example
    bad: Example


@cache
def load(rule: str, *, c: bool = True) -> Examples:
    """The examples of the rule named `rule`, with their C or without.

    :raises FileNotFoundError: one is missing.
    :raises ValueError: its head is not as it must be.
    """
    return Examples(_read(rule, "good", c=c), _read(rule, "bad", c=c))


def _read(rule: str, kind: str, *, c: bool) -> Example:
    home = Path(__file__).parent / rule
    events = (home / f"{kind}.events").read_text(encoding="utf-8")
    if not c:
        named = _DIALECT.search(events)
        if named is None:
            raise ValueError(f"{rule}/{kind}.events names no dialect")
        return Example("", events, named["dialect"], "")
    text = (home / f"{kind}.c").read_text(encoding="utf-8")
    head = _HEAD.search(text)
    if head is None:
        raise ValueError(f"{rule}/{kind}.c names no dialect and file")
    return Example(text, events, head["dialect"], head["file"])
