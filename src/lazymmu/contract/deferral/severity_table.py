# SPDX-License-Identifier: GPL-2.0-or-later
"""Whom a broken rule hurts, as machines showed it: the table in severity.toml."""

from __future__ import annotations

import functools
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from lazymmu.contract.deferral.breach_kinds import breach_kind

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "COST",
    "FILE",
    "SeverityEntry",
    "SeverityKey",
    "SeverityTable",
    "decides",
    "lookup",
    "read",
    "table",
]

FILE: Final = Path(__file__).parent / "severity.toml"
"""The data file, which `python -m tools.severity_table --write` makes."""

COST: Final = "mode-not-effective"
"""The harm that costs time and nothing else: who suffers it alone is not hurt."""


class SeverityKey(NamedTuple):
    """A breach of a rule, on one row of the deferral table and in one address space.

    :param kind: of the breach (breach_kinds.py), "" where all are one.
    :param space: "user", "kernel" or "any".
    """

    rule: str
    kind: str
    row: str
    space: str


class SeverityEntry(NamedTuple):
    """The gravest harm that was shown, and the scenario that shows it."""

    harm: str
    scenario: str


SeverityTable: TypeAlias = "Mapping[SeverityKey, SeverityEntry]"


def read(text: str) -> SeverityTable:
    """The table of a data file's text."""
    found: dict[SeverityKey, SeverityEntry] = {}
    for rule, kinds in tomllib.loads(text).get("shown", {}).items():
        for kind, rows in kinds.items():
            for row, spaces in rows.items():
                for space, one in spaces.items():
                    key = SeverityKey(rule, "" if kind == "any" else kind, row, space)
                    found[key] = SeverityEntry(one["harm"], one["scenario"])
    return found


@functools.cache
def table() -> SeverityTable:
    """The table that the project comes with."""
    return read(FILE.read_text(encoding="utf-8"))


@functools.cache
def decides() -> frozenset[str]:
    """The rules of which the table says whom they hurt: one missing from it harms nobody."""
    return frozenset(tomllib.loads(FILE.read_text(encoding="utf-8")).get("decides", ()))


def lookup(rule: str, row: str, space: str, detail: str = "") -> SeverityEntry | None:
    """What was shown of breaking `rule` on `row`, or None.

    `space`: of the entries concerned, "unknown" for any; `detail`: the violation's, "" for any.
    What hurts comes before what only costs.
    """
    kind = breach_kind(rule, detail)
    known = [
        one
        for key, one in table().items()
        if (key.rule, key.row) == (rule, row)
        and (not kind or key.kind == kind)
        and (space == "unknown" or key.space in (space, "any"))
    ]
    return min(known, key=lambda one: one.harm == COST, default=None)
