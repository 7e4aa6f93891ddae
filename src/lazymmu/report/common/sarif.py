# SPDX-License-Identifier: GPL-2.0-or-later
"""SARIF 2.1.0 for code review tools: the objects of it that our reports are made of.

Written by hand rather than with an object model: the few objects used are plain, and the tests
validate the output against the published schema.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import quote

from lazymmu.json_text import dump
from lazymmu.report.common.markup import escaped
from lazymmu.version import version
from lazymmu.witness.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lazymmu.witness.finding import Finding

__all__ = [
    "LEVELS",
    "Described",
    "location",
    "log",
    "notification",
    "result",
    "run",
    "sentences",
    "uri",
]

LEVELS: Final = {
    Severity.HURTS: "error",
    Severity.BREAKS_TEXT: "warning",
    Severity.INFORMATION: "note",
}
"""What SARIF calls each severity."""

_KERNEL: Final = "https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git/tree/"
_FILE: Final = re.compile(r"\b(?:[\w-]+/)+[\w.-]+\.[chS]\b")
"""A file of the kernel, as citations begin with one."""

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


class Described(Protocol):
    """What SARIF says of a rule; the rules of `contract.rules` have it."""

    @property
    def sentence(self) -> str:
        """What the rule says."""

    @property
    def why(self) -> str:
        """Why breaking it matters."""

    @property
    def citation(self) -> str:
        """Where the kernel says so."""

    @property
    def kind(self) -> str:
        """`obligation`, `harm` or `information`."""

    @property
    def party(self) -> str:
        """Who is bound by it."""


def log(runs: Sequence[Mapping[str, Any]]) -> str:
    """A whole file, as text."""
    return dump({"$schema": _SCHEMA, "version": "2.1.0", "runs": list(runs)})


def run(
    results: Sequence[Mapping[str, Any]],
    *,
    rules: Mapping[str, Described],
    notifications: Sequence[Mapping[str, Any]],
    properties: Mapping[str, Any],
    category: str,
    complete: bool = True,
    more: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What was found in one tree or trace.

    :param rules: all that there are, as for `result`.
    :param notifications: what could not be seen or told.
    :param category: tells the runs of one file, and of one commit, apart.
    :param complete: whether all of it was read.
    :param more: other properties of a run, such as what locations are relative to.
    """
    driver = {
        "name": "lazymmu",
        "version": version(),
        "rules": [_rule(name, rules[name]) for name in sorted(rules)],
    }
    invocation = {
        "executionSuccessful": complete,
        "toolExecutionNotifications": list(notifications),
    }
    return {
        "tool": {"driver": driver},
        # What stands before the last slash is the category; there is no number of a run after it.
        "automationDetails": {"id": f"lazymmu/{category}/"},
        **(more or {}),
        "invocations": [invocation],
        "results": list(results),
        "properties": dict(properties),
    }


def result(
    finding: Finding,
    text: str,
    place: Mapping[str, Any],
    steps: Sequence[Mapping[str, Any]],
    *,
    rules: Mapping[str, Described],
    properties: Mapping[str, Any],
    related: Sequence[Mapping[str, Any]] = (),
    more: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """One finding.

    :param text: its message.
    :param place: where it is.
    :param steps: the locations of its path, in order, the culprit last.
    :param related: other places of the same mistake.
    :param more: other properties of a result, such as its suppressions.
    """
    made: dict[str, Any] = {
        "ruleId": finding.rule,
        "level": LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [place],
        "properties": {"severity": finding.severity, "implied": finding.implied, **properties},
    }
    if finding.rule in rules:
        made["ruleIndex"] = sorted(rules).index(finding.rule)
    if finding.fingerprint:
        made["partialFingerprints"] = {"lazymmu/v1": finding.fingerprint}
    if steps:
        way = [
            {"executionOrder": order, "location": location}
            for order, location in enumerate(steps, 1)
        ]
        made["codeFlows"] = [{"threadFlows": [{"locations": way}]}]
    if related:
        made["relatedLocations"] = [
            {"id": number, **location} for number, location in enumerate(related, 1)
        ]
    return {**made, **(more or {})}


def location(
    file: str,
    line: int = 0,
    column: int = 0,
    *,
    base: str = "",
    function: str = "",
    snippet: str = "",
    note: str | None = None,
) -> dict[str, Any]:
    """A place; base: the name of the directory that `file` is relative to, "" for none.

    :param snippet: the text of the line.
    :param note: what happens there, None where nothing is to be said.
    """
    artifact = {"uri": uri(file)} | ({"uriBaseId": base} if base else {})
    physical: dict[str, Any] = {"artifactLocation": artifact}
    # Regions count from one; a finding about a whole file has line 0 and no region.
    if line > 0:
        region: dict[str, Any] = {"startLine": line}
        if column > 0:
            region["startColumn"] = column
        if snippet:
            region["snippet"] = {"text": snippet}
        physical["region"] = region
    made: dict[str, Any] = {"physicalLocation": physical}
    if function:
        made["logicalLocations"] = [{"name": function, "kind": "function"}]
    if note is not None:
        made["message"] = {"text": note or "here"}
    return made


def notification(level: str, text: str, place: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Something to know of the run itself, such as what could not be read."""
    made: dict[str, Any] = {"level": level, "message": {"text": text}}
    return made if place is None else {**made, "locations": [place]}


def sentences(phrases: Sequence[str]) -> str:
    """Phrases as sentences, each with a capital letter and a full stop, but for a function's name.

    The first begins with ``function():``, which is spelt as it is.
    """
    first, *others = phrases
    return " ".join([f"{first}.", *(f"{one[:1].upper()}{one[1:]}." for one in others if one)])


def uri(file: str) -> str:
    """A file's name as a relative URI; names are bytes, which need not be text."""
    return quote(os.fsencode(file))


def _rule(name: str, rule: Described) -> dict[str, Any]:
    paragraphs = (rule.why, f"Source: {rule.citation}", f"More: lazymmu explain {name}")
    file = _FILE.search(rule.citation)
    obliges = rule.kind != "information"
    return {
        "id": name,
        "shortDescription": {"text": rule.sentence},
        "fullDescription": {"text": rule.why},
        # The page of the kernel's source that states the rule, or shows it.
        **({"helpUri": _KERNEL + quote(file[0])} if file else {}),
        "help": {
            "text": "\n\n".join((rule.sentence, *paragraphs)),
            "markdown": "\n\n".join((f"**{escaped(rule.sentence)}**", *map(escaped, paragraphs))),
        },
        "defaultConfiguration": {"level": "error" if obliges else "note"},
        "properties": {
            "precision": "high" if obliges else "medium",
            "problem.severity": "error" if obliges else "recommendation",
            "tags": ["linux", "lazy-mmu", rule.kind, f"binds-{rule.party}"],
        },
    }
