# SPDX-License-Identifier: GPL-2.0-or-later
"""Tries a sample of each area's mutants, and says which of them no test notices.

``python -m tools.mutants [--area NAME] [--count N] [--seed N] [--only REGEX] [--jobs N] [--quick]
[--rest] [--write]`` prints what killed each, or the change that survived. With --write what was
tried is recorded, and docs/mutation.rst made from the record; --rest tries those that are new since
then, or survived. It ends with 1 when a mutant survived that nobody has judged, when one that was
judged was killed, or when a judgement is about no mutant any more.
"""

from __future__ import annotations

import argparse
import difflib
import json
import queue
import re
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tools.mutants import judged, run, sample, sites
from tools.mutants.areas import AREAS, Area
from tools.mutants.run import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tools.mutants.judged import Reason
    from tools.mutants.sites import Mutant

TOP: Final = Path(__file__).parents[2]
PACKAGE: Final = TOP / "src" / "lazymmu"
EQUIVALENT: Final = Path(__file__).with_name("equivalent.toml")
RECORD: Final = Path(__file__).with_name("record.json")
PAGE: Final = TOP / "docs" / "mutation.rst"
MADE: Final = ".. What follows is made by python -m tools.mutants --write.\n\n"


@dataclass(frozen=True, slots=True)
class Tried:
    """A mutant and what became of it."""

    mutant: Mutant
    outcome: Outcome


def campaign(
    area: Area,
    mutants: Sequence[Mutant],
    *,
    quick: Callable[[Mutant], bool],
    jobs: int = 1,
    tell: Callable[[str], object],
) -> Iterator[Tried]:
    """Try each of `mutants`, `jobs` at a time, in order; RunError where the tests cannot be run.

    quick: of which mutants only the tests are run that run the changed line.
    """
    with tempfile.TemporaryDirectory(prefix="mutants-") as place:
        shops: queue.SimpleQueue[run.Workshop] = queue.SimpleQueue()
        for number in range(jobs):
            (Path(place) / str(number)).mkdir()
            shops.put(run.Workshop(TOP, PACKAGE, Path(place) / str(number)))
        shop = shops.get()
        known = shop.baseline(area)
        shops.put(shop)
        tell(f"{area.name}: {len(known.seconds)} tests, {sum(known.seconds.values()):.0f} s")

        def attempt(mutant: Mutant) -> Tried:
            shop = shops.get()
            try:
                return Tried(mutant, shop.attempt(area, mutant, known, quick=quick(mutant)))
            finally:
                shops.put(shop)

        with ThreadPoolExecutor(jobs) as pool:
            yield from pool.map(attempt, mutants)


def word(name: str, verdict: Verdict, known: Mapping[str, Reason]) -> str:
    """What is counted of a mutant: the verdict, or what was judged of one that survived."""
    if verdict is not Verdict.SURVIVED:
        return "misjudged" if name in known else verdict.value
    return known[name].word if name in known else verdict.value


def difference(mutant: Mutant) -> str:
    """The change, as a patch of what the module comes to without its comments."""
    areas = [dict(area.sources(PACKAGE)) for area in AREAS]
    path = next(files[mutant.module] for files in areas if mutant.module in files)
    source = path.read_text(encoding="utf-8")
    before, after = sites.plain(source), sites.planted(source, mutant)
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2)
    return "\n".join(f"    {line}" for line in list(lines)[3:])


# ---- the record, and the page made from it -------------------------------------------------------

Record = dict[str, list[dict[str, str]]]
"""By area: name, verdict and killer of each mutant that was tried."""


def read_record() -> Record:
    """The record as it is kept; empty when there is none."""
    text = RECORD.read_text(encoding="utf-8") if RECORD.is_file() else "{}"
    record: Record = json.loads(text)
    return record


def recorded(
    drawn: Iterable[Mutant], tried: Iterable[Tried], before: Iterable[Mapping[str, str]]
) -> list[dict[str, str]]:
    """The record of one area: of what was not tried again it is what it was before."""
    known = {one["mutant"]: dict(one) for one in before}
    for one in tried:
        name, outcome = one.mutant.name, one.outcome
        known[name] = {"mutant": name, "verdict": outcome.verdict.value, "by": outcome.by}
    return [known[one.name] for one in drawn if one.name in known]


def page(record: Record, known: Mapping[str, Reason]) -> str:
    """The part of the documentation page that is made: the counts, and who was not killed."""
    text = [
        ".. list-table::",
        "   :header-rows: 1",
        "",
        *_row("area", "made", "killed", "timed out", "equivalent", "open", "survived", "killed of"),
    ]
    rows = [(area.name, record[area.name]) for area in AREAS if area.name in record]
    for name, mutants in rows:
        words = [word(one["mutant"], Verdict(one["verdict"]), known) for one in mutants]
        count = Counter("killed" if one == "misjudged" else one for one in words)
        dead = count["killed"] + count["timed out"]
        share = f"{100 * dead / max(1, len(mutants) - count['equivalent']):.0f} %"
        numbers = [count[one] for one in ("killed", "timed out", "equivalent", "open", "survived")]
        text += _row(name, str(len(mutants)), *map(str, numbers), share)
    for name, mutants in rows:
        alive = [one["mutant"] for one in mutants if one["verdict"] == Verdict.SURVIVED]
        text += ["", name.capitalize(), "-" * len(name), ""]
        text += [_alive(one, known) for one in alive] or ["None survived."]
    return "\n".join(text) + "\n"


def _row(*cells: str) -> list[str]:
    return [f"   {'*' if index == 0 else ' '} - {cell}" for index, cell in enumerate(cells)]


def _alive(name: str, known: Mapping[str, Reason]) -> str:
    owner, _, rest = name.partition(": ")
    kind, _, text = rest.partition(" `")
    text, _, which = text.rpartition("`")
    said = f"*{known[name].word}:* {known[name].text}" if name in known else "*survived*"
    # An underscore behind a word is a reference in reST.
    kind = kind.replace("_", "\\_")
    return f"* {owner}: {kind} ``{text}``{which}. {said}"


# ---- the program ---------------------------------------------------------------------------------


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; 1 when somebody has to look at a mutant or a judgement, 2 for an error."""
    asked = _arguments(argv)
    known = judged.reasons(EQUIVALENT)
    record = read_record()
    every = {area.name: list(run.all_mutants(area, PACKAGE)) for area in AREAS}
    wrong = set(known) - {mutant.name for mutants in every.values() for mutant in mutants}
    for name in sorted(wrong):
        _print(f"judged, and no mutant: {name}")
    for area in AREAS:
        if asked.area and area.name not in asked.area:
            continue
        drawn = sample.drawn(every[area.name], seed=asked.seed, count=asked.count)
        chosen = [one for one in drawn if re.search(asked.only, one.name)]
        if asked.rest:
            chosen = [one for one in chosen if one.name not in _dead(record.get(area.name, []))]
        if asked.list:
            for mutant in chosen:
                _print(f"{mutant.module}: {mutant.name}\n{difference(mutant)}")
            continue
        try:
            tried = _try(area, chosen, known, asked)
        except run.RunError as problem:
            sys.stderr.write(f"{problem}\n")
            return 2
        record[area.name] = recorded(drawn, tried, record.get(area.name, []))
        if asked.write:
            _write(record, known)
        words = [word(one.mutant.name, one.outcome.verdict, known) for one in tried]
        wrong.update(one for one in words if one in {"survived", "misjudged"})
    return int(bool(wrong))


def _dead(mutants: Iterable[Mapping[str, str]]) -> set[str]:
    return {one["mutant"] for one in mutants if one["verdict"] != Verdict.SURVIVED}


def _write(record: Record, known: Mapping[str, Reason]) -> None:
    RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    head = PAGE.read_text(encoding="utf-8").partition(MADE)[0]
    PAGE.write_text(head + MADE + page(record, known), encoding="utf-8")


def _try(
    area: Area, chosen: Sequence[Mutant], known: Mapping[str, Reason], asked: argparse.Namespace
) -> list[Tried]:
    """Try them, and print what becomes of each."""
    begun = time.monotonic()
    tried = []

    def quick(mutant: Mutant) -> bool:
        return asked.quick or mutant.name in known

    for one in campaign(area, chosen, quick=quick, jobs=asked.jobs, tell=_print):
        tried.append(one)
        said = word(one.mutant.name, one.outcome.verdict, known)
        by = f" by {one.outcome.by}" if one.outcome.by else ""
        _print(f"{said}: {one.mutant.name}{by}")
        if said == "survived":
            _print(difference(one.mutant))
    count = Counter(word(one.mutant.name, one.outcome.verdict, known) for one in tried)
    counts = ", ".join(f"{number} {what}" for what, number in count.items())
    _print(f"{area.name}: {counts}; {time.monotonic() - begun:.0f} s")
    return tried


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tools.mutants", description="Change one thing at a time, and run the tests."
    )
    names = [area.name for area in AREAS]
    parser.add_argument("--area", action="append", choices=names, help="this one alone; repeatable")
    parser.add_argument("--seed", type=int, default=sample.SEED)
    parser.add_argument("--count", type=int, default=sample.COUNT, help="mutants of each area")
    parser.add_argument("--only", default="", metavar="REGEX", help="those with such a name")
    parser.add_argument("--jobs", type=int, default=1, help="as many at a time")
    parser.add_argument("--quick", action="store_true", help="run the tests of the line alone")
    parser.add_argument("--rest", action="store_true", help="those that are not recorded as killed")
    parser.add_argument("--list", action="store_true", help="print the sample, and try none")
    parser.add_argument("--write", action="store_true", help="make the record and the page anew")
    return parser.parse_args(argv)


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
