# SPDX-License-Identifier: GPL-2.0-or-later
"""Holds machines lifted from trees against those that were written by hand, and makes the table.

``python -m tools.agreement --write FOLDER/linux-*`` runs every scenario on both, of each tree and
architecture: with whole hooks as steps, and with each access as one. What came of it is stored in
tests/lift/agreement.json, and docs/lift.rst has a table of it; a test holds both to each other.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lazymmu.lift.tree import MACHINES
from lazymmu.litmus.run import Run, known_as, library, verify
from lazymmu.litmus.to_config import to_query
from lazymmu.machine import ConfigError, releases
from lazymmu.verbs import reading
from lazymmu.witness.machine.replay import ReplayError, replay
from lazymmu.witness.machine.verdict import SearchOutcome, Verdict
from tools.lifted_machines import called, machines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lazymmu.litmus.scenario import Scenario
    from lazymmu.witness.source.check import Where
    from tools.lifted_machines import MeasuredMachine

    Verdicts = Mapping[str, Verdict]

__all__ = ["DOCUMENT", "FILE", "Agreement", "main", "measure", "read", "render", "table"]

TOP: Final = Path(__file__).parents[1]
FILE: Final = TOP / "tests" / "lift" / "agreement.json"
DOCUMENT: Final = TOP / "docs" / "lift.rst"
_MADE: Final = re.compile(r"(?<=made by tools/agreement\.py\.\n\n).*?(?=\.\. Up to here\.\n)", re.S)
_NAMES: Final = {
    "x86": "x86, Xen PV",
    "sparc": "sparc64",
    "powerpc": "powerpc hash",
    "arm64": "arm64",
}


@dataclass(frozen=True, slots=True)
class Agreement:
    """How much of one machine of one tree is as the one that was written for it.

    :param arch: the machine's name for it.
    :param tree: the tree's release.
    :param machine: the release that it is held against, "" where there is none.
    :param refused: why nothing was lifted, "" where it was.
    :param scenarios: how many apply.
    :param states: of these, those with the same verdict, states, transitions and shortest ways,
        with whole hooks as steps.
    :param coarse: those with the same verdict, and the same rules broken, with as many preemptions.
    :param fine: the same with each access as a step.
    :param ways: counterexamples that were taken on the other machine, both ways.
    :param taken: those of them that break the same rule there.
    :param differs: scenarios that do not agree.
    :param keys: what static keys are taken to be that may be either, "" where none may.
    """

    arch: str
    tree: str
    machine: str = ""
    refused: str = ""
    scenarios: int = 0
    states: int = 0
    coarse: int = 0
    fine: int = 0
    ways: int = 0
    taken: int = 0
    differs: tuple[str, ...] = ()
    keys: str = ""

    @property
    def called(self) -> str:
        """The tree, and what its keys are."""
        return called(self.tree, self.keys)


def measure(
    tree: Where, arch: str, scenarios: Iterable[Scenario], cache: str | None = None
) -> list[Agreement]:
    """Hold the machines of an architecture of a tree against the one that was written by hand.

    There are several where a static key may be either.
    """
    release = reading.opened(tree).release
    name = known_as(release)
    scenarios = list(scenarios)
    unknown = Agreement(arch, release, refused=f"no machine of {arch} is known for {name}")
    try:
        by_hand = releases.find(arch, name)[1]
    except ConfigError:
        return [unknown]
    if name not in {one.name for one in releases.releases_of(arch)}:
        return [unknown]
    hand = {one.name: verify(Run(one, arch, name, by_hand.row)) for one in scenarios}
    done: dict[str, Agreement] = {}
    for steps in ("coarse", "fine"):
        with machines(tree, arch, steps, cache) as several:
            for machine in several:
                before = Agreement(arch, release, name, keys=machine.keys)
                row = done.get(machine.keys, before)
                if machine.told.refused:
                    done[machine.keys] = replace(before, refused=machine.told.refused)
                elif steps == "coarse":
                    done[machine.keys] = _coarse(row, machine, scenarios, hand)
                else:
                    done[machine.keys] = _fine(row, machine, scenarios, hand)
    return list(done.values())


def _coarse(
    row: Agreement, machine: MeasuredMachine, scenarios: Sequence[Scenario], hand: Verdicts
) -> Agreement:
    """With whole hooks as steps."""
    found = _verdicts(machine, scenarios)
    ways = taken = 0
    for scenario in scenarios:
        pair = found[scenario.name], hand[scenario.name]
        if _states(pair[0]) == _states(pair[1]):
            tries = list(_taken(scenario, pair))
            ways, taken = ways + len(tries), taken + sum(tries)
    both = _asked(found, hand)
    same = [n for n in both if _told(found[n]) == _told(hand[n])]
    return replace(
        row,
        scenarios=len(both),
        states=sum(_states(found[n]) == _states(hand[n]) for n in both),
        coarse=len(same),
        ways=ways,
        taken=taken,
        differs=tuple(n for n in both if n not in same),
    )


def _fine(
    row: Agreement, machine: MeasuredMachine, scenarios: Sequence[Scenario], hand: Verdicts
) -> Agreement:
    """With each access as a step."""
    found = _verdicts(machine, scenarios)
    both = _asked(found, hand)
    same = [n for n in both if _told(found[n]) == _told(hand[n])]
    differs = {*row.differs, *(n for n in both if n not in same)}
    return replace(
        row,
        scenarios=len(both),
        fine=len(same),
        differs=tuple(one.name for one in scenarios if one.name in differs),
    )


def _verdicts(machine: MeasuredMachine, scenarios: Iterable[Scenario]) -> Verdicts:
    told = machine.told
    return {one.name: verify(Run(one, told.arch, told.tree, told.row)) for one in scenarios}


def _asked(found: Verdicts, hand: Verdicts) -> list[str]:
    """Names of the scenarios that apply to either."""
    nowhere = {SearchOutcome.NOT_APPLICABLE}
    return [n for n, one in hand.items() if {one.verdict, found[n].verdict} != nowhere]


def _taken(scenario: Scenario, pair: tuple[Verdict, Verdict]) -> Iterator[bool]:
    """Take each one's counterexamples on the other."""
    for mine, other in (pair, pair[::-1]):
        query = to_query(scenario, other.arch, other.release)
        for broken in mine.violations:
            actions = [step.action for step in broken.trace]
            try:
                replay(scenario.name, query, broken.rule, broken.harm, actions)
            except ReplayError:
                yield False
            else:
                yield True


def _told(verdict: Verdict) -> tuple[object, ...]:
    return (
        verdict.verdict,
        frozenset((broken.rule, broken.preemptions) for broken in verdict.violations),
    )


def _states(verdict: Verdict) -> tuple[object, ...]:
    ways = tuple((b.rule, b.preemptions, b.steps) for b in verdict.violations)
    return verdict.verdict, verdict.states, verdict.transitions, ways


# ---- what is stored, and the table ---------------------------------------------------------------


def render(rows: Iterable[Agreement]) -> str:
    """Return the file that `read` reads."""
    asked = sorted(scenario.name for scenario in library())
    return json.dumps({"asked": asked, "rows": [asdict(row) for row in rows]}, indent=1) + "\n"


def read(text: str) -> list[Agreement]:
    """Return what `render` wrote."""
    rows: list[dict[str, Any]] = json.loads(text)["rows"]
    return [Agreement(**{**row, "differs": tuple(row["differs"])}) for row in rows]


def table(rows: Sequence[Agreement]) -> str:
    """Return the table of docs/lift.rst: what is the same of several trees is one row."""
    lines = [
        ".. list-table::",
        "   :header-rows: 1",
        "",
        *_row("machine", "trees", "coarse: state for state", "verdict", "fine: verdict", "ways"),
    ]
    joined: dict[tuple[str, ...], list[str]] = {}
    for row in rows:
        if row.refused:
            continue
        cells = (_of(row.states, row), _of(row.coarse, row), _of(row.fine, row), _ways(row))
        joined.setdefault((_NAMES[row.arch], *cells), []).append(row.called)
    for (machine, *told), trees in joined.items():
        lines += _row(machine, ", ".join(trees), *told)
    lines += ["", *_left(rows)]
    return "\n".join(lines) + "\n"


def _of(number: int, row: Agreement) -> str:
    return "all" if number == row.scenarios else f"{number} of {row.scenarios}"


def _ways(row: Agreement) -> str:
    if not row.ways:
        return "other steps"
    return f"all {row.ways}" if row.taken == row.ways else f"{row.taken} of {row.ways}"


def _row(first: str, *others: str) -> list[str]:
    return [f"   * - {first}", *(f"     - {one}" for one in others)]


def _left(rows: Sequence[Agreement]) -> Iterator[str]:
    """Yield what differs, and what is not lifted, each with its trees."""
    for row in rows:
        if row.differs:
            hides = "hides, with whole hooks as steps, what comes between them"
            what = hides if row.fine == row.scenarios else "differs"
            yield f"- {_NAMES[row.arch]}, {row.called} {what} in {', '.join(row.differs)}."
    refused: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row.refused:
            why = re.sub(r"[\w./-]+\.[ch]:\d+: ", "", row.refused)
            refused.setdefault((row.arch, re.sub(r"\d+(\.\d+)+\S*", "it", why)), []).append(
                row.called
            )
    for (arch, why), several in refused.items():
        yield f"- {_NAMES[arch]} of {', '.join(several)} is not lifted: {why}."


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure trees, and write or show what came of it."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.agreement", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("trees", nargs="*", type=Path, help="kernel trees; others stay as stored")
    parser.add_argument("--arch", action="append", choices=MACHINES, help="only this machine")
    parser.add_argument("--cache-dir", help="folder of the trees' cache")
    parser.add_argument("--write", action="store_true", help="store it, and make the table anew")
    args = parser.parse_args(arguments)
    rows = read(FILE.read_text()) if FILE.exists() else []
    for arch in args.arch or MACHINES:
        for tree in args.trees:
            done = measure(tree, arch, library(), args.cache_dir)
            rows = [one for one in rows if (one.arch, one.tree) != (arch, done[0].tree)] + done
            sys.stdout.writelines(f"{one}\n" for one in done)
            sys.stdout.flush()
    order = sorted(rows, key=lambda one: ([*MACHINES].index(one.arch), _key(one.tree), one.keys))
    if args.write:
        FILE.write_text(render(order), encoding="utf-8")
        text = DOCUMENT.read_text(encoding="utf-8")
        DOCUMENT.write_text(_MADE.sub(lambda _: table(order) + "\n", text), encoding="utf-8")
    return 0


def _key(release: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", release))


if __name__ == "__main__":
    sys.exit(main())
