# SPDX-License-Identifier: GPL-2.0-or-later
"""The differences between two references, said by rule, place, severity, count and exit code."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tools.reference_facts import OPEN, Fields, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

IDENTITY: Final = (
    *("rule", "file", "function", "scenario", "arch", "release", "name", "word", "site", "task"),
    *("pid", "line", "at", "began", "column", "fingerprint"),
)
"""What says which record it is, the most telling first; of two that agree in it fields differ."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run as it was kept.

    kind: the verb and its format, as `check json`; runs of a kind have the same keys.
    """

    kind: str
    exit: int | str
    records: tuple[Record, ...]


@dataclass(slots=True)
class Comparison:
    """What differs, and what is only new and so allowed."""

    differences: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def load(folder: Path) -> dict[str, Run]:
    """The runs of a reference by name; raises OSError or ValueError where there is none."""
    if not (folder / "index.json").is_file():
        raise ValueError(f"{folder} holds no reference (it has no index.json)")
    runs = {}
    for file in sorted(folder.glob("*.run.json")):
        value = json.loads(file.read_text())
        records = tuple((place, fields) for place, fields in value["records"])
        runs[file.name.removesuffix(".run.json")] = Run(value["kind"], value["exit"], records)
    return runs


def compare(before: dict[str, Run], after: dict[str, Run]) -> Comparison:
    """Hold one reference against another, run by run."""
    found = Comparison()
    for name in sorted(before.keys() - after.keys()):
        found.differences.append(f"{name}: this run is not there any more")
    for name in sorted(after.keys() - before.keys()):
        found.notes.append(f"{name}: this run is new")
    old_keys, new_keys = _keys(before.values()), _keys(after.values())
    for kind in sorted(old_keys.keys() & new_keys.keys()):
        old, new = old_keys[kind], new_keys[kind]
        found.notes += [f"{kind}: new key {key}" for key in _heads(_unknown(new, old))]
        found.differences += [f"{kind}: key {key} is gone" for key in _heads(_unknown(old, new))]
    for name in sorted(before.keys() & after.keys()):
        one, other = before[name], after[name]
        if one.exit != other.exit:
            found.differences.append(f"{name}: exit code {one.exit} -> {other.exit}")
        old, new = old_keys[one.kind], new_keys[other.kind]
        common = (old | new) - _unknown(old, new) - _unknown(new, old)
        left, right = _missing(_only(one, common), _only(other, common))
        found.differences += [f"{name}: {line}" for line in _told(left, right)]
    return found


def _keys(runs: Iterable[Run]) -> dict[str, set[str]]:
    """All keys that runs of a kind have, with dots: `findings/path.file`."""
    keys: dict[str, set[str]] = defaultdict(set)
    for run in runs:
        for place, fields in run.records:
            keys[run.kind] |= {f"{_bare(place)}/{key}" for key in _dotted(fields)}
    return keys


def _unknown(keys: set[str], others: set[str]) -> set[str]:
    """Keys that others do not have, though they have something that stands where these do.

    Where they have nothing there, say because no finding is left, it is the records that differ.
    """
    there = {_above(key) for key in others}
    return {key for key in keys - others if _above(key) in there}


def _above(key: str) -> str:
    place, _, name = key.partition("/")
    return f"{place}/{name.rpartition('.')[0]}"


def _bare(place: str) -> str:
    """A place without the names in brackets."""
    return ".".join(part.partition("[")[0] for part in _parts(place))


def _parts(place: str) -> Iterator[str]:
    """The parts of a place; a name in brackets may hold dots."""
    depth, part = 0, ""
    for letter in place:
        depth += (letter == "[") - (letter == "]")
        if letter == "." and not depth:
            yield part
            part = ""
        else:
            part += letter
    yield part


def _dotted(value: Any, above: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            name = f"{above}.{key}" if above else key
            yield name
            if key not in OPEN:
                yield from _dotted(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _dotted(inner, above)


def _heads(keys: set[str]) -> list[str]:
    """Keys without those that stand below another of them."""
    return sorted(key for key in keys if _above(key) not in keys)


def _only(run: Run, common: set[str]) -> Counter[str]:
    """The records of a run with the keys that both references know."""
    return Counter(
        json.dumps([place, _pruned(fields, f"{_bare(place)}/", common)], sort_keys=True)
        for place, fields in run.records
    )


def _pruned(value: Any, above: str, common: set[str]) -> Any:
    if isinstance(value, dict):
        kept = {}
        for key, inner in value.items():
            name = f"{above}{key}"
            if name in common:
                kept[key] = inner if key in OPEN else _pruned(inner, f"{name}.", common)
        return kept
    if isinstance(value, list):
        return [_pruned(inner, above, common) for inner in value]
    return value


def _missing(one: Counter[str], other: Counter[str]) -> tuple[list[Record], list[Record]]:
    """What only one of two has, each as often as it has it more."""

    def decoded(counter: Counter[str]) -> list[Record]:
        return [(place, fields) for place, fields in map(json.loads, counter.elements())]

    return decoded(one - other), decoded(other - one)


def _told(left: list[Record], right: list[Record]) -> Iterator[str]:
    """One line for each record that differs: pairs that are about the same, then single ones."""
    rest = list(right)
    for place, fields in left:
        partner = max(
            (other for other in rest if other[0] == place),
            key=lambda other: _likeness(fields, other[1]),
            default=None,
        )
        if partner is None or not _alike(fields, partner[1]):
            yield f"{place or 'output'}: gone: {_title(fields)}"
            continue
        rest.remove(partner)
        changes = "; ".join(_changes(fields, partner[1]))
        yield f"{place or 'output'}: {_title(fields)}: {changes}"
    for place, fields in rest:
        yield f"{place or 'output'}: new: {_title(fields)}"


def _likeness(one: Fields, other: Fields) -> list[bool]:
    return [one.get(key) == other.get(key) for key in IDENTITY]


def _alike(one: Fields, other: Fields) -> bool:
    """Whether two records are about the same: half at least of what names both agrees."""
    both = [key for key in IDENTITY if key in one and key in other]
    agree = [key for key in both if one[key] == other[key]]
    return 2 * len(agree) >= len(both)


def _title(fields: Fields) -> str:
    parts = [
        f"{key} {_short(fields[key])}" for key in IDENTITY if fields.get(key) not in (None, "")
    ]
    return ", ".join(parts) or _short(fields)


def _changes(one: Any, other: Any, above: str = "") -> Iterator[str]:
    """Each field that differs, with both values."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(one.keys() | other.keys()):
            name = f"{above}.{key}" if above else key
            if one.get(key) != other.get(key):
                yield from _changes(one.get(key), other.get(key), name)
    else:
        yield f"{above} {_short(one)} -> {_short(other)}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return text if len(text) <= 200 else f"{text[:197]}..."
