# SPDX-License-Identifier: GPL-2.0-or-later
"""Leaves out every safeguard of every machine, one at a time, and has the matrix look.

``python tests/machine_mutants/safeguards/campaign.py [--write] [--class NAME] [--jobs N]`` prints
who was caught by which scenario and who survived; with --write the table in docs/mutants.rst is
made anew.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

if __package__ in {None, ""}:  # run as a program
    sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[3])]

from safeguards import plant, run
from tools.mutants import judged
from tools.mutants.judged import Reason

EQUIVALENT: Final = Path(__file__).parents[1] / "equivalent.toml"
"""Mutants that no scenario catches, each with the reason; `open` where one could."""

TABLE: Final = Path(__file__).parents[3] / "docs" / "mutants.rst"


@dataclass(frozen=True, slots=True)
class Tried:
    """A mutant and what became of it."""

    mutant: plant.Mutant
    caught: run.Caught


def reasons() -> dict[str, Reason]:
    """What the data file says of mutants, by their names."""
    return judged.reasons(EQUIVALENT)


def campaign(
    mutants: Iterable[plant.Mutant], runs: Sequence[run.Run], *, jobs: int = 2
) -> Iterator[Tried]:
    """Try each of `mutants`, `jobs` at a time, in order."""
    chosen = list(mutants)
    with ThreadPoolExecutor(jobs) as pool:
        for mutant, caught in zip(
            chosen, pool.map(lambda one: run.catch(one, runs), chosen), strict=True
        ):
            yield Tried(mutant, caught)


def line(one: Tried, known: Mapping[str, Reason]) -> str:
    """What is printed of one."""
    if one.caught:
        return f"caught: {one.mutant.name} by {one.caught.by}: {one.caught.how}"
    reason = known.get(one.mutant.name)
    return f"{reason.word if reason else 'SURVIVED'}: {one.mutant.name}"


def table(tried: Sequence[Tried], known: Mapping[str, Reason]) -> str:
    """The part of the documentation page that is made: a summary and a row for each mutant."""
    count = Counter(line(one, known).partition(":")[0] for one in tried)
    text = [
        f"{len(tried)} mutants: {count['caught']} caught, {count['equivalent']} equivalent, "
        f"{count['open']} open, {count['SURVIVED']} survived.",
        "",
        ".. list-table::",
        "   :header-rows: 1",
        "   :widths: 22 48 30",
        "",
        "   * - method",
        "     - change",
        "     - caught by",
    ]
    for one in tried:
        reason = known.get(one.mutant.name)
        uncaught = f"*{reason.word}:* {reason.text}" if reason else "nobody"
        by = one.caught.by.partition(" (")[0] if one.caught else uncaught
        text += [
            f"   * - {one.mutant.owner}.{one.mutant.method}",
            f"     - {one.mutant.kind} ``{one.mutant.text}``",
            f"     - {by}",
        ]
    return "\n".join(text) + "\n"


MADE: Final = ".. What follows is made by tests/machine_mutants/safeguards/campaign.py --write.\n\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; 1 when a mutant survived that nobody has judged."""
    parser = argparse.ArgumentParser(description="Leave out safeguards of machines, and look.")
    parser.add_argument("--write", action="store_true", help="make docs/mutants.rst anew")
    parser.add_argument("--class", dest="owner", default="", help="of this class alone")
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args(argv)
    known = reasons()
    chosen = [one for one in plant.mutants() if not asked.owner or one.owner == asked.owner]
    tried = []
    for one in campaign(chosen, run.baseline(), jobs=asked.jobs):
        tried.append(one)
        sys.stdout.write(line(one, known) + "\n")
        sys.stdout.flush()
    if asked.write:
        page = TABLE.read_text(encoding="utf-8").partition(MADE)[0]
        TABLE.write_text(page + MADE + table(tried, known), encoding="utf-8")
    count = Counter(line(one, known).partition(":")[0] for one in tried)
    sys.stdout.write(", ".join(f"{number} {word}" for word, number in count.items()) + "\n")
    return int(count["SURVIVED"] > 0)


if __name__ == "__main__":
    sys.exit(main())
