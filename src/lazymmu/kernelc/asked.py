# SPDX-License-Identifier: GPL-2.0-or-later
"""What an analysis has asked a configured tree: that, and nothing else, its result rests on."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Asked", "Check"]

Check = tuple[str, str, str]
"""A question about the text of one file: its kind, the file, and what was asked."""


@dataclass(slots=True)
class Asked:
    """What was asked so far.

    :param names: of which definitions were looked for, be there one or not.
    :param fields: the same of tables of functions.
    :param structs: likewise.
    :param given: of words that uses of macros are given.
    :param everything: whether the tables of all files were.
    :param listed: files of which all definitions were.
    :param checks: questions about texts, each with the answer.
    :param searched: words that all files that are built were searched for, each with the files that
        have it.
    """

    names: set[str] = field(default_factory=set)
    fields: set[str] = field(default_factory=set)
    structs: set[str] = field(default_factory=set)
    given: set[str] = field(default_factory=set)
    everything: bool = False
    listed: set[str] = field(default_factory=set)
    checks: dict[Check, object] = field(default_factory=dict)
    searched: dict[str, frozenset[str]] = field(default_factory=dict)

    def check(self, kind: str, file: str, what: str, answer: object) -> None:
        """Remember the answer to a question about the text of a file."""
        self.checks[kind, file, what] = answer
