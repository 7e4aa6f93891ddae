# SPDX-License-Identifier: GPL-2.0-or-later
"""The phrases that every text format shares, so that they all say the same of a finding."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lazymmu.witness.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lazymmu.witness.finding import Finding, Step

__all__ = ["LEVELS", "clean", "count", "grouped", "harms", "headline", "place", "terms"]

LEVELS = {Severity.HURTS: "error", Severity.BREAKS_TEXT: "warning", Severity.INFORMATION: "info"}
"""What a compiler would call each severity; editors know these words."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """`text` on one line and harmless on a terminal: control characters are spelt out.

    File names and identifiers come from the tree, which is not trusted.
    """
    return _CONTROL.sub(lambda hit: f"\\x{ord(hit[0]):02x}", text)


def count(number: int, one: str, many: str | None = None) -> str:
    """`number` with its noun: "1 finding", "2 findings"."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def headline(finding: Finding) -> str:
    """`function(): what is wrong`."""
    who = f"{finding.function}(): " if finding.function else ""
    return clean(f"{who}{finding.message}")


def harms(finding: Finding) -> list[str]:
    """Who is hurt, one sentence for each way; or that nobody of this tree is known to be."""
    if finding.harms:
        same = grouped((harm.text, harm.arch) for harm in finding.harms)
        return [clean(f"hurts {_listed(arches)}: {text}") for text, arches in same.items()]
    if finding.severity is Severity.BREAKS_TEXT:
        return ["breaks the contract's text; no architecture of this tree is known to be hurt"]
    return []


def terms(finding: Finding) -> list[str]:
    """What the finding depends on, how sure it is, and what else it breaks."""
    said = [f"on {_listed(finding.arches)}"] if finding.arches else []
    if finding.conditions:
        said.append(f"needs {_listed(finding.conditions)}")
    said.append(f"confidence {finding.confidence}")
    if finding.also:
        said.append(f"also breaks {_listed(finding.also)}")
    if finding.implied:
        said.append("the tree's own text only implies this rule")
    return [clean(term) for term in said]


def place(step: Step) -> str:
    """What happens at a step of a path, as `function(): note`."""
    where = f"{step.function}(): " if step.function else ""
    return clean(f"{where}{step.note or 'here'}")


def grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """For each first of `pairs` the seconds that came with it, both in order of appearance."""
    groups: dict[str, list[str]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
