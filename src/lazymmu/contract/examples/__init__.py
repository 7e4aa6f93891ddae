# SPDX-License-Identifier: GPL-2.0-or-later
"""The examples of the rules: one directory per rule, good and bad, as C and as events.

The two forms of an example say the same; the monitor on the events and the analyser on the C must
agree.  `expect: RULE` in a comment stands on the line of the culprit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Examples:
    """Text of a rule's four example files."""

    good_c: str
    bad_c: str
    good_events: str
    bad_events: str


@cache
def load(rule: str) -> Examples:
    """The examples of the rule named `rule`.  Raises FileNotFoundError when one is missing."""
    home = files(__name__) / rule
    return Examples(
        *(
            (home / name).read_text(encoding="utf-8")
            for name in ("good.c", "bad.c", "good.events", "bad.events")
        )
    )
