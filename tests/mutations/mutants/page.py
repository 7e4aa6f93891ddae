# SPDX-License-Identifier: GPL-2.0-or-later
"""What came of campaigns, kept by release, and the page that is made of it."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from .judge import Score
from .kinds import FAMILIES, family_of

TOP = Path(__file__).parents[3]
RECORD = TOP / "tests/mutations/campaign.json"
PAGE = TOP / "docs/campaign.rst"
EXPLAINED = TOP / "tests/mutations/explained.toml"

MARK = ".. What follows is made by python tests/mutations/mutants/campaign.py --write.\n"


def keep(release: str, score: Score, *, whole: bool = True) -> None:
    """Put what came of one tree into the record, in place of what was there for its release.

    Kinds of which not all was judged are left as they were.

    :param whole: whether all kinds were planted; else those that were not are left likewise.
    """
    kept = record() if RECORD.exists() else {}
    left = score.unfinished
    whole = whole and not left
    found = {
        "kinds": {kind: told for kind, told in score.table().items() if kind not in left},
        "missed": sorted(m.name for m in score.missed if m.kind not in left),
        "alarms": sorted(m.name for m in score.alarms if m.kind not in left),
        "false": sorted(report.text for report in score.false),
        "trees": list(score.trees),
    }
    kept[release] = found if whole or release not in kept else merged(kept[release], found)
    order = sorted(kept, key=lambda name: [int(part) for part in re.findall(r"\d+", name)])
    text = json.dumps({name: kept[name] for name in order}, indent=1)
    # A pair of numbers stands on one line: what changes is seen at a glance.
    RECORD.write_text(re.sub(r"\[\s+(\d+),\s+(\d+)\s+\]", r"[\1, \2]", text) + "\n")


def merged(before: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """The record of a release with some kinds judged anew."""
    judged, planned = found["trees"]
    anew = tuple(f"{kind}: " for kind in found["kinds"])
    return {
        "kinds": dict(sorted({**before["kinds"], **found["kinds"]}.items())),
        **{
            part: sorted([*(n for n in before[part] if not n.startswith(anew)), *found[part]])
            for part in ("missed", "alarms")
        },
        "false": sorted({*before["false"], *found["false"]}),
        "trees": before.get("trees", found["trees"]) if judged == planned else found["trees"],
    }


def write() -> None:
    """Make the page anew of the record."""
    text = PAGE.read_text()
    head, mark, _ = text.partition(MARK)
    if not mark:
        raise SystemExit(f"{PAGE}: the line above what is made is gone")
    PAGE.write_text("\n".join([head + mark, *made(record())]).rstrip() + "\n")


def record() -> dict[str, Any]:
    """What came of the last campaign of each release."""
    found: dict[str, Any] = json.loads(RECORD.read_text())
    return found


def told_apart() -> frozenset[str]:
    """The kinds that were told apart in every tree: mistakes found, right code not reported."""
    told: set[str] = set()
    missed: set[str] = set()
    for of in record().values():
        for kind, (reported, planted) in of["kinds"].items():
            wanted = 0 if kind.startswith("right: ") else planted
            (told if reported == wanted else missed).add(kind)
    return frozenset(told - missed)


def why(name: str) -> str | None:
    """Why a change is not told apart, by release and the name that it is printed with.

    None: nobody knows.
    """
    for group in tomllib.loads(EXPLAINED.read_text()).get("group", ()):
        if any(re.search(pattern, name) for pattern in group["changes"]):
            return str(group["reason"])
    return None


def made(kept: dict[str, Any]) -> Iterator[str]:
    """The lines of the page that are made of the record."""
    yield from _totals(kept)
    yield from _unfinished(kept)
    for family in FAMILIES:
        yield from _family(family, kept)
    yield from _listed("Not found", kept, "missed")
    yield from _listed("Reported though right", kept, "alarms")
    yield from _listed("Reported elsewhere", kept, "false")


def _totals(kept: dict[str, Any]) -> Iterator[str]:
    """One row for each family and one for each release."""
    rows = [["changes", *(f"{release}: planted, told" for release in kept)]]
    for family in FAMILIES:
        row = [family]
        for of in kept.values():
            told, planted = _sum(of, family)
            row.append(f"{planted}, {told}")
        rows.append(row)
    yield from _table(rows)


def _unfinished(kept: dict[str, Any]) -> Iterator[str]:
    """Of which releases not all planned trees were judged."""
    for release, of in kept.items():
        judged, planned = of.get("trees", (0, 0))
        if judged < planned:
            yield f"Of {release} {judged} of the {planned} planned trees were judged so far: a kind"
            yield "that was not come to has no figure, or that of the campaign before."
            yield ""


def _sum(of: dict[str, Any], family: str) -> tuple[int, int]:
    total: Counter[str] = Counter()
    for kind, (told, planted) in of["kinds"].items():
        if family_of(kind) == family:
            total.update(told=told, planted=planted)
    return total["told"], total["planted"]


def _family(family: str, kept: dict[str, Any]) -> Iterator[str]:
    kinds = sorted({k for of in kept.values() for k in of["kinds"] if family_of(k) == family})
    title = family[0].upper() + family[1:]
    yield from (title, "-" * len(title), "")
    rows = [["kind", *kept]]
    for kind in kinds:
        row = [_plain(kind.removeprefix("right: "))]
        for of in kept.values():
            told, planted = of["kinds"].get(kind, (0, 0))
            row.append(f"{told} of {planted}" if planted else "")
        rows.append(row)
    yield from _table(rows)


def _listed(title: str, kept: dict[str, Any], part: str) -> Iterator[str]:
    yield from (title, "-" * len(title), "")
    found = [(release, name) for release, of in kept.items() for name in of[part]]
    for release, name in found:
        reason = why(f"{release}: {name}") if part != "false" else None
        yield f"* {release}: {_plain(name)}" + (f": {reason}" if reason else "")
    yield from ([] if found else ["None."])
    yield ""


def _table(rows: Iterable[list[str]]) -> Iterator[str]:
    yield from (".. list-table::", "   :header-rows: 1", "")
    for row in rows:
        for place, cell in enumerate(row):
            yield f"   {'* -' if place == 0 else '  -'} {cell}".rstrip()
    yield ""


def _plain(text: str) -> str:
    """A text in which nothing is markup."""
    return re.sub(r"([*`|_\\])", r"\\\1", text)
