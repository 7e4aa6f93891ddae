# SPDX-License-Identifier: GPL-2.0-or-later
"""What a tool answers: a few lines of text and a JSON object, both cut to a size, worst last.

An answer begins with what it comes to and what it rests on; then come items, the most important
first, so that what is cut off is what matters least. That it was cut, and how much, is said.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from lazymmu.terminal import clean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["MAX_BYTES", "SaidItem", "ToolAnswer"]

MAX_BYTES: Final = 32 << 10
"""Of a text, and of a JSON object: what Sashiko takes by default (max_output_bytes)."""

_ROOM: Final = 512
"""Bytes kept for the words about what was cut off."""

_LONGEST: Final = 4096
"""Characters of one line."""


@dataclass(frozen=True, slots=True)
class SaidItem:
    """One finding, section or verdict: lines, and the same for programs."""

    lines: tuple[str, ...]
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """What a tool answers.

    :param verdict: one sentence.
    :param rests_on: what that rests on, a phrase each.
    :param items: the most important first.
    :param handle: to ask again with, "" of what is finished.
    :param failed: there is no answer.
    """

    verdict: str
    rests_on: Mapping[str, str] = field(default_factory=dict)
    items: Sequence[SaidItem] = ()
    handle: str = ""
    failed: bool = False

    def text(self, most: int = MAX_BYTES) -> str:
        """Lines for people and models, `most` bytes of UTF-8 at most."""
        lines = [_line(self.verdict)]
        lines += [_line(f"{name}: {what}") for name, what in self.rests_on.items() if what]
        size = sum(map(_size, lines))
        for number, item in enumerate(self.items):
            more = ["", *map(_line, item.lines)]
            size += sum(map(_size, more))
            if size > most - _ROOM:
                lines += ["", f"truncated: {len(self.items) - number} more are not shown"]
                break
            lines += more
        return "\n".join(lines).encode()[:most].decode("utf-8", "ignore")

    def facts(self, most: int = MAX_BYTES) -> dict[str, Any]:
        """The same for programs, `most` bytes of JSON at most."""
        body: dict[str, Any] = {
            "verdict": _line(self.verdict),
            "rests_on": {name: _line(what) for name, what in self.rests_on.items()},
            "handle": self.handle,
            "items": [],
            "truncated": 0,
        }
        size = len(json.dumps(body))
        for number, item in enumerate(self.items):
            size += len(json.dumps(item.facts)) + 2
            if size > most - _ROOM:
                body["truncated"] = len(self.items) - number
                break
            body["items"].append(item.facts)
        return body


def _line(text: str) -> str:
    """One line that cannot be taken for another one."""
    return clean(text, _LONGEST)


def _size(line: str) -> int:
    return len(line.encode()) + 1
