# SPDX-License-Identifier: GPL-2.0-or-later
"""Comments in the source that allow a finding, as NOLINT does elsewhere.

::

    /* lazymmu: allow(sleep-in-section) the flag that makes it sleep is never set here */
    relax(flags);

A comment speaks of its own line if there is code on it, and otherwise of the next line with code.
It names one rule or several, and a reason; without one it allows nothing. It allows a finding whose
culprit is on that line; where the same mistake was found on several lines, each needs a comment.
Comments are looked for in files that name the mode, and in those where something was found.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lazymmu.contract.rules import RULES
from lazymmu.kernelc.parse.lexemes import CHAR, COMMENT, LINE_COMMENT, STRING
from lazymmu.terminal import clean
from lazymmu.verbs.moves import broken_besides
from lazymmu.verbs.texts import texts
from lazymmu.witness.finding import StepAside

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lazymmu.witness.finding import CheckResult, Finding
    from lazymmu.witness.source.check import Where

__all__ = ["AllowComment", "AllowComments", "comments_of", "parse"]

_MARK: Final = b"lazymmu:"
_LEXEME: Final = re.compile(
    b"(?P<comment>" + COMMENT + b"|" + LINE_COMMENT + b")|" + STRING + b"|" + CHAR
)
_ALLOW: Final = re.compile(
    r"lazymmu:[ \t]*+(?P<word>\w++)[ \t]*+(?:\((?P<rules>[^()]*+)\))?(?P<reason>[^\0]*)"
)
_FRILLS: Final = re.compile(r"(?m)^[ \t]*+\*?+")
"""What comments of several lines begin each line with."""


@dataclass(frozen=True, slots=True)
class AllowComment:
    """One comment; line: where it begins; about: the line that it speaks of; wrong: why not, or "".

    A comment that is wrong allows nothing, and is told.
    """

    file: str
    line: int
    about: int
    rules: tuple[str, ...] = ()
    reason: str = ""
    wrong: str = ""

    def __str__(self) -> str:
        return clean(f"{self.file}:{self.line}")


@dataclass(frozen=True, slots=True)
class AllowComments:
    """The comments of a tree by the places that they speak of."""

    all: tuple[AllowComment, ...]
    by_place: Mapping[tuple[str, int], tuple[AllowComment, ...]]

    def holding(self, finding: Finding) -> tuple[AllowComment, ...]:
        """The comments that allow a finding, one for each line where it was found; or none.

        They allow the rules that they name: one that its line breaks besides is not among them.
        """
        here = self.by_place.get((finding.file, finding.line), ())
        named = [rule for one in here for rule in one.rules]
        return () if broken_besides(finding, named) else self._about(finding)

    def _about(self, finding: Finding) -> tuple[AllowComment, ...]:
        """The comments that name a finding's rule, one for each line; none if one lacks it."""
        lines = [(finding.file, finding.line)]
        lines += [
            (step.file, step.line)
            for step in finding.path
            if step.aside is StepAside.CULPRIT and (step.file, step.line) not in lines
        ]
        found = []
        for place in lines:
            mine = [one for one in self.by_place.get(place, ()) if finding.rule in one.rules]
            if not mine:
                return ()
            found.append(mine[0])
        return tuple(found)

    def unused(self, findings: Iterable[Finding]) -> tuple[AllowComment, ...]:
        """The comments that are right and speak of nothing that was found."""
        used = {one for finding in findings for one in self._about(finding)}
        return tuple(one for one in self.all if not one.wrong and one not in used)

    @property
    def wrong(self) -> tuple[AllowComment, ...]:
        """The comments that allow nothing because of how they are written."""
        return tuple(one for one in self.all if one.wrong)


def comments_of(tree: Where, result: CheckResult) -> AllowComments:
    """The comments of a tree that was checked; what cannot be read has none."""
    files = {finding.file for finding in result.findings}
    files |= {step.file for f in result.findings for step in f.path if step.aside}
    files |= {place.file for place in result.coverage.places}
    found: list[AllowComment] = []
    for file, text in texts(tree, sorted(files)):
        found += parse(file, text)
    by_place: dict[tuple[str, int], tuple[AllowComment, ...]] = {}
    for one in found:
        if not one.wrong:
            place = (one.file, one.about)
            by_place[place] = (*by_place.get(place, ()), one)
    return AllowComments(tuple(found), by_place)


def parse(file: str, text: bytes) -> Iterator[AllowComment]:
    """The comments of a file that are meant for us; file: its name."""
    if _MARK not in text:
        return
    code = bytearray(text)
    comments = []
    for match in _LEXEME.finditer(text):
        if match["comment"] is None:
            continue
        code[match.start() : match.end()] = re.sub(rb"[^\n]", b" ", match[0])
        if _MARK in match[0]:
            comments.append(match)
    for match in comments:
        line = text.count(b"\n", 0, match.start()) + 1
        yield from _read(file, line, _about(bytes(code), match.start(), match.end()), match[0])


def _about(code: bytes, start: int, end: int) -> int:
    """The line that a comment speaks of; code: the text with blanks in place of comments."""
    first = code.rfind(b"\n", 0, start) + 1
    last = code.find(b"\n", end)
    last = len(code) if last < 0 else last
    if code[end:last].strip():
        return code.count(b"\n", 0, end) + 1
    if code[first:start].strip():
        return code.count(b"\n", 0, start) + 1
    after = re.compile(rb"\S").search(code, last)
    return code.count(b"\n", 0, after.start() if after else len(code)) + 1


def _read(file: str, line: int, about: int, comment: bytes) -> Iterator[AllowComment]:
    text = comment.decode("utf-8", "replace")
    text = text[2:].removesuffix("*/") if text.startswith("/*") else text[2:]
    text = _FRILLS.sub("", text).replace("\0", " ")
    first, *parts = text.split("lazymmu:")
    at = line + first.count("\n")
    for part in parts:
        match = _ALLOW.match("lazymmu:" + part)
        here, at = at, at + part.count("\n")
        if match is None or not difflib.get_close_matches(match["word"], ["allow"]):
            continue  # it only says our name
        names = tuple(name.strip() for name in (match["rules"] or "").split(",") if name.strip())
        reason = " ".join(match["reason"].split())
        wrong = _wrong(match["word"], names, reason)
        yield AllowComment(file, here, about, names, reason, wrong)


def _wrong(word: str, names: tuple[str, ...], reason: str) -> str:
    if word != "allow" or not names:
        return "it is not understood; write lazymmu: allow(RULE) REASON"
    for name in names:
        if name not in RULES:
            near = difflib.get_close_matches(name, RULES, n=1)
            return f"there is no rule {name!r}" + (f"; did you mean {near[0]}?" if near else "")
    return "" if reason else "it gives no reason"
