# SPDX-License-Identifier: GPL-2.0-or-later
"""What a run of lazymmu said, as records: a place in its output, and the facts that stand there.

Rules, places, severities, counts, fingerprints and verdicts are facts. A sentence is none, since it
may be reworded; nor is what differs between two runs of one program (seconds, versions, which
engine searched). `records` of JSON and of SARIF have one form, in which two commits are compared.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, Final

Fields = dict[str, Any]
Record = tuple[str, Fields]
"""Where in the output, as `traces[load.trace.gz].findings`, and what stands there."""

RENAMED: Final[dict[str, str]] = {"comm": "task"}
"""Keys that were given another name; what was camelCase and became snake_case needs no row."""

VOLATILE: Final = frozenset({"format", "version", "seconds", "engine"})
"""Keys of what differs from run to run, or says how the output is laid out."""

SENTENCES: Final = frozenset(
    {
        *("message", "text", "note", "notes", "sentence", "why", "kernel", "hidden", "context"),
        *("harm", "reason", "description", "title", "scenarios", "assumed"),
        *("what", "citation", "stack", "calls", "pending", "stored", "effective", "tlb", "state"),
    }
)
"""Keys of prose, and of how a step of a counterexample is drawn; compared only when asked for."""

OPEN: Final = frozenset(
    {
        *("lines", "not_listed", "flushes", "interrupts", "switches", "outside", "in_section"),
        "seen",
    }
)
"""Keys of objects whose own keys are data, such as kinds of lines: an added one is a difference."""

SPLIT: Final = frozenset(
    {
        *("checks", "findings", "results", "rows", "sections", "traces", "trees", "violations"),
        *("places", "unparsed", "unresolved", "blind", "withheld", "doubts", "sites", "tasks"),
    }
)
"""Lists of which each element is a record of its own, in no order."""

NAMES: Final = ("trace", "name", "tree", "scenario")
"""Keys by which an element of such a list is called where it holds lists itself."""

STEPS: Final = frozenset({"trace"})
"""Lists of steps of a counterexample: long, so that their number and a digest stand for them."""


def snake(key: str) -> str:
    """A key as it is spelled now: snake_case, and by its new name.

    >>> snake("notListed")
    'not_listed'
    """
    small = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", key).lower()
    return RENAMED.get(small, small)


def records(output: str, *, sentences: bool = False) -> list[Record]:
    """The records of one JSON or SARIF output, sorted.

    output: what a run printed; raises ValueError where it is no JSON object.
    sentences: keep prose, too, and the steps of counterexamples in full.
    """
    value = json.loads(output)
    if not isinstance(value, dict):
        raise ValueError("the output is no JSON object")
    found: list[Record] = []
    if "runs" in value:
        _sarif(value, found)
    else:
        _split(value, "", found, sentences)
    return sorted(found, key=lambda record: json.dumps(record, sort_keys=True))


def _split(value: Fields, place: str, found: list[Record], sentences: bool) -> None:
    """Add the record of an object, and those of the lists that it holds."""
    fields, below = {}, []
    for key, inner in value.items():
        key = snake(key)
        if key in SPLIT and isinstance(inner, list) and all(isinstance(x, dict) for x in inner):
            below.append((key, inner))
        elif key == "coverage" and isinstance(inner, dict):
            _split(inner, _join(place, key), found, sentences)
        elif _kept(key, inner, sentences):
            fields[key] = _facts(key, inner, sentences)
    # The number is a record, too, so that a list that is empty differs from one that is not there.
    fields |= {f"number_of_{key}": len(inner) for key, inner in below}
    found.append((place, fields))
    for key, inner in below:
        for element in inner:
            nested = any(snake(name) in SPLIT or name == "coverage" for name in element)
            where = f"{_join(place, key)}[{_name(element)}]" if nested else _join(place, key)
            _split(element, where, found, sentences)


def _join(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key


def _name(element: Fields) -> str:
    """What an element is called: its file, tree or scenario; or nothing."""
    for key in NAMES:
        value = element.get(key)
        if isinstance(value, dict):
            value = value.get("path")
        if isinstance(value, str):
            return value.rpartition("/")[2]
    return ""


def _kept(key: str, value: Any, sentences: bool) -> bool:
    """Whether a key is compared; a number is a count, whatever its key."""
    if key in VOLATILE:
        return False
    return sentences or key not in SENTENCES or type(value) in {int, float}


def _facts(key: str, value: Any, sentences: bool) -> Any:
    """A value without what is no fact."""
    if isinstance(value, dict):
        if key in OPEN:
            return value
        return {
            snake(name): _facts(snake(name), inner, sentences)
            for name, inner in value.items()
            if _kept(snake(name), inner, sentences)
        }
    if isinstance(value, list):
        plain = [_facts(key, inner, sentences) for inner in value]
        if key in STEPS and not sentences:
            return f"{len(plain)} steps, {digest(plain)}" if plain else "none"
        return plain
    return value


def digest(value: object) -> str:
    """A few letters that differ where two values do."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]


def _sarif(value: Fields, found: list[Record]) -> None:
    """The results of SARIF, by what a reviewer's tool shows of each."""
    for number, run in enumerate(value["runs"]):
        rules = sorted(rule["id"] for rule in run["tool"]["driver"].get("rules", ()))
        found.append((f"runs[{number}]", {"rules": rules, "results": len(run["results"])}))
        for result in run["results"]:
            flows = [
                _location(step["location"])
                for flow in result.get("codeFlows", ())
                for thread in flow["threadFlows"]
                for step in thread["locations"]
            ]
            fields = {
                "rule": result["ruleId"],
                "level": result["level"],
                "place": [_location(one) for one in result.get("locations", ())],
                "fingerprints": result.get("partialFingerprints", {}),
                "path": flows,
                "suppressed": bool(result.get("suppressions")),
            }
            found.append((f"runs[{number}].results", fields))


def _location(location: Fields) -> str:
    """`file:line:column` of a SARIF location."""
    physical = location.get("physicalLocation", {})
    region = physical.get("region", {})
    parts = [physical.get("artifactLocation", {}).get("uri", "")]
    parts += [str(region[key]) for key in ("startLine", "startColumn") if key in region]
    return ":".join(parts)
