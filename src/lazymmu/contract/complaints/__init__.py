# SPDX-License-Identifier: GPL-2.0-or-later
"""What kernels print when the contract is broken on them: cited data, and how it is looked up."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Complaint", "SectionFunction", "complaints", "holds_section"]

_ANYWHERE: Final = ("kernel BUG", "WARNING")
"""Words that say nothing without a place."""

_DATA: Final = Path(__file__).parent / "complaints.toml"


@dataclass(frozen=True, slots=True)
class Complaint:
    """One kind of complaint; the fields are described at the head of complaints.toml."""

    name: str
    says: tuple[str, ...]
    means: str
    rows: tuple[str, ...]
    rules: tuple[str, ...]
    scenarios: tuple[str, ...]
    source: str
    functions: tuple[str, ...]
    files: re.Pattern[str] | None
    conditions: re.Pattern[str] | None
    lines: Mapping[str, tuple[int, ...]]
    below: bool
    called: tuple[str, ...]
    perhaps: bool
    others: bool
    alone: tuple[str, ...]
    since: str

    def stands_at(self, what: str, function: str, file: str) -> bool:
        """Whether a check of this kind, in that function and file, is this one.

        What a text does not say ("") does not speak against it, as long as it says something.
        """
        says = next((word for word in self.says if word in what), "")
        if not says:
            return False
        if not (function or file):
            return says not in _ANYWHERE
        if self.functions and function and function not in self.functions:
            return False
        if self.files is not None and file and self.files.search(file) is None:
            return False
        return bool(
            not (self.functions or self.files)
            or (self.functions and function)
            or (self.files is not None and file)
        )


@dataclass(frozen=True, slots=True)
class SectionFunction:
    """A function that holds a section open, and functions that it is usually a part of."""

    function: str
    inlined: tuple[str, ...]
    since: str
    within: tuple[str, ...]


def _pattern(words: Iterable[str]) -> re.Pattern[str] | None:
    joined = "|".join(f"(?:{word})" for word in words)
    return re.compile(joined) if joined else None


@cache
def _read() -> tuple[tuple[Complaint, ...], tuple[SectionFunction, ...]]:
    data = tomllib.loads(_DATA.read_text("utf-8"))
    found = tuple(
        Complaint(
            name=one["name"],
            says=tuple(one["says"]),
            means=one["means"],
            rows=tuple(one["rows"]),
            rules=tuple(one["rules"]),
            scenarios=tuple(one["scenarios"]),
            source=one["source"],
            functions=tuple(one.get("functions", ())),
            files=_pattern(rf"(?:^|/){file}$" for file in one.get("files", ())),
            conditions=_pattern(one.get("conditions", ())),
            lines={name: tuple(lines) for name, lines in one.get("lines", {}).items()},
            below=one.get("below", False),
            called=tuple(one.get("called", ())),
            perhaps=one.get("perhaps", False),
            others=one.get("others", False),
            alone=tuple(one.get("alone", ())),
            since=one.get("since", ""),
        )
        for one in data["complaint"]
    )
    sections = tuple(
        SectionFunction(
            one["function"],
            tuple(one.get("inlined", ())),
            one.get("since", ""),
            tuple(one.get("within", ())),
        )
        for one in data["section"]
    )
    return found, sections


def complaints() -> tuple[Complaint, ...]:
    """All kinds of complaints, the more exact first."""
    return _read()[0]


def holds_section(names: Iterable[str]) -> tuple[str, SectionFunction] | None:
    """The first of some functions that holds a section open, or has one inlined that does.

    :param names: of a call trace, innermost first; gives that name and the function that holds it.
    """
    known = list(names)
    for name in known:
        for one in _read()[1]:
            if name != one.function and name not in one.inlined:
                continue
            if one.within and not any(other in one.within for other in known):
                continue
            return name, one
    return None
