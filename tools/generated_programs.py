# SPDX-License-Identifier: GPL-2.0-or-later
"""Asks machines all small programs, as diy does: what nobody thought of as a scenario.

``python -m tools.generated_programs --write TREE --arch x86`` takes programs of two tasks with up
to four operations each: all of few operations together, then those that a seed draws. It runs each
on the hooks lifted from the tree, on the machine that was written for its release, and on both
worst cases. Both machines have to say the same; no harm may come where callers break nothing; and
what harms one of them harms a worst case. What does not hold is printed as a litmus file, the first
of each reason. tests/lift/programs.json has how many there are, and how far it came. Where a static
key may be either, each of its values has a machine, and a campaign.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lazymmu.lift.tree import MACHINES
from lazymmu.litmus.run import Run, RunLimits, known_as, load, verify
from lazymmu.machine import releases
from lazymmu.machine.releases import WORST_CASES
from lazymmu.verbs import reading
from lazymmu.witness.machine.verdict import DEADLOCK, HARMS, Verdict
from tools.lifted_machines import called, machines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lazymmu.witness.source.check import Where

__all__ = [
    "FILE",
    "OPERATIONS",
    "STEPS",
    "Programs",
    "Sides",
    "few",
    "how_many",
    "litmus",
    "main",
    "pairs",
    "tasks",
]

FILE: Final = Path(__file__).parents[1] / "tests" / "lift" / "programs.json"
SEED: Final = 14
LENGTH: Final = 4
FEW: Final = 3
"""Operations of two tasks together, up to which programs are run in their order."""
_MODE: Final = (
    "lazy_mmu_mode_enable",
    "lazy_mmu_mode_disable",
    "arch_flush_lazy_mmu_mode",
)
_PAUSE: Final = ("lazy_mmu_mode_pause", "lazy_mmu_mode_resume")
_ENTRY: Final = (
    "set_pte p B",
    "pte_clear p",
    "ptep_get_and_clear p",
    "ptep_set_wrprotect p",
    "flush_tlb_range p",
    "access p",
)
_LOCK: Final = ("pte_offset_map_lock L", "pte_unmap_unlock L")
_ASIDE: Final = ("schedule", "local_bh_disable", "local_bh_enable")
OPERATIONS: Final = (*_MODE, *_PAUSE, *_ENTRY, *_LOCK, *_ASIDE)
"""What tasks do; releases before 7.0 have no pause."""
_CHANGES: Final = frozenset(_ENTRY[:4])
_HARMS: Final = frozenset(HARMS) - {"finally", "mode-not-effective"}
"""What hurts: no end is ruled out here, and time is no harm."""
_RULES: Final = (
    "unbalanced-section, nested-section, sleep-in-section, section-outside-lock, "
    "unlock-before-flush, stale-read, mixed-write, tlb-flush-in-section, unbalanced-pause, "
    "bh-across-section, lost-update, stale-translation-used, kernel-bug"
)

Task = tuple[str, ...]
Pair = tuple[Task, Task, int]
"""Two tasks, and on how many CPUs they are."""


@dataclass(frozen=True, slots=True)
class Programs:
    """How many programs there are, and what came of those that were run.

    :param one: programs of one task that can be run to their end.
    :param all: pairs of these in which an entry is changed, on one CPU and on two.
    :param run: how many were run; harmed: of these, those that can do harm.
    :param whole: how many operations those have together of which all were run.
    :param found: what does not hold, each with the number of its programs, and the first one as a
        litmus file.
    :param keys: what static keys are taken to be that may be either, "" where none may.
    :param refused: why nothing was lifted, "" where it was.
    """

    arch: str
    tree: str
    one: int = 0
    all: int = 0
    run: int = 0
    harmed: int = 0
    whole: int = 0
    found: tuple[tuple[str, int, str], ...] = ()
    keys: str = ""
    refused: str = ""


def tasks(operations: Sequence[str] = OPERATIONS, length: int = LENGTH) -> list[Task]:
    """Return the programs of one task: locks and bottom halves are let go as often as taken."""
    found: list[Task] = []
    for size in range(1, length + 1):
        for one in itertools.product(operations, repeat=size):
            if all(_pairs_up(one, *ends) for ends in (_LOCK, _ASIDE[1:])):
                found.append(one)
    return found


def _pairs_up(one: Task, begins: str, ends: str) -> bool:
    held = 0
    for operation in one:
        held += (operation == begins) - (operation == ends)
        if held not in (0, 1):
            return False
    return held == 0


def how_many(known: Sequence[Task]) -> int:
    """Return how many pairs of tasks there are in which something is changed, on 1 and 2 CPUs."""
    idle = sum(not _CHANGES.intersection(one) for one in known)

    def unordered(number: int) -> int:
        return number * (number + 1) // 2

    return 2 * (unordered(len(known)) - unordered(idle))


def few(known: Sequence[Task], most: int = FEW) -> list[Pair]:
    """Return the pairs that have so many operations together, those with the fewest first."""
    short = [one for one in known if len(one) < most]
    both = [
        (min(one, two), max(one, two), cpus)
        for one, two in itertools.combinations_with_replacement(short, 2)
        if len(one) + len(two) <= most and _CHANGES.intersection((*one, *two))
        for cpus in (1, 2)
    ]
    return sorted(both, key=_size)


def _size(pair: Pair) -> int:
    return len(pair[0]) + len(pair[1])


def pairs(known: Sequence[Task], seed: int = SEED) -> Iterator[Pair]:
    """Yield pairs without end, each once: all of few operations, then what the seed draws."""
    small = few(known)
    yield from small
    seen = set(small)
    drawn = random.Random(seed)
    while True:
        first, second = sorted((drawn.choice(known), drawn.choice(known)))
        for cpus in (1, 2):
            pair = (first, second, cpus)
            if pair not in seen and _CHANGES.intersection((*first, *second)):
                seen.add(pair)
                yield pair


def whole(small: Sequence[Pair], run: int) -> int:
    """Return how many operations those have of which all are among the first so many."""
    return min(map(_size, small[run:]), default=FEW + 1) - 1


def litmus(pair: Pair, name: str = "generated") -> str:
    """Return a program as a litmus file."""
    *both, cpus = pair
    lines = ["# SPDX-License-Identifier: GPL-2.0-or-later", f"litmus {name}", '"Generated."', ""]
    lines += [f"machine: cpus {cpus}, preempt full, bound 1", "entries:"]
    lines += ["    p  pte user ptl L = A"]
    for number, task in enumerate(both):
        lines += ["", f"task T{number} on cpu{number if cpus == 2 else 0}:"]
        lines += [f"    {operation}" for operation in task]
    return "\n".join([*lines, "", f"watch {_RULES}"]) + "\n"


class Sides:
    """The machines that are asked: lifted, hand-written, and the worst case."""

    def __init__(self, arch: str, tree: str, release: str) -> None:
        """`tree`: the name under which it is installed."""
        self.arch, self.tree, self.release = arch, tree, release

    def harmed(self, pair: Pair) -> tuple[bool, str]:
        """Return whether a program can do harm, and what does not hold, "" where all does."""
        lifted_ = self._ask(pair, self.arch, self.tree)
        hand = self._ask(pair, self.arch, self.release)
        if _told(lifted_) != _told(hand):
            return True, f"lifted and written differ: {_shown(lifted_)} and {_shown(hand)}"
        harms = {b.rule for b in hand.violations} & _HARMS
        if not harms:
            return False, ""
        for name in (self.tree, self.release):
            obeyed = self._ask(pair, self.arch, name, obedient=True)
            own = {b.rule for b in obeyed.violations} & (_HARMS | {DEADLOCK})
            if own:
                return True, f"{name} does {', '.join(sorted(own))}, and nobody breaks anything"
        less = harms
        for worst in WORST_CASES:
            less = less and less - {b.rule for b in self._ask(pair, worst, self.release).violations}
        return True, f"worst-case does no {', '.join(sorted(less))}" if less else ""

    def _ask(self, pair: Pair, arch: str, release: str, *, obedient: bool = False) -> Verdict:
        row = releases.find(arch, release)[1].row
        run = Run(load(litmus(pair), "generated.litmus"), arch, release, row)
        return verify(run, RunLimits(obedient=obedient))


def _told(verdict: Verdict) -> tuple[object, ...]:
    return (
        verdict.verdict,
        frozenset((broken.rule, broken.preemptions) for broken in verdict.violations),
    )


def _shown(verdict: Verdict) -> str:
    rules = ", ".join(sorted(f"{b.rule} {b.preemptions}" for b in verdict.violations))
    return f"{verdict.verdict} ({rules})"


STEPS: Final = {"x86": "coarse"}
"""The steps of lifted machines where they are not single accesses. Xen's queue is filled and let go
in one step by hand, while the tree's set_pte() does it in several: two CPUs that store to one entry
without its lock overtake each other there, and whether callers keep each other out of one is not
asked."""


def campaign(
    tree: Where, arch: str, seconds: float, cache: str | None = None
) -> Iterator[Programs]:
    """Run programs on each machine of an architecture until its time is up.

    :param seconds: of the processor's, for each.
    """
    opened = reading.opened(tree)
    release = known_as(opened.release)
    counted = b"lazy_mmu_mode_enable" in opened.read("include/linux/pgtable.h")
    operations = [one for one in OPERATIONS if counted or one not in _PAUSE]
    known = tasks(operations)
    none = Programs(arch, opened.release, len(known), how_many(known))
    with machines(tree, arch, STEPS.get(arch, "fine"), cache) as several:
        for one in several:
            begun = replace(none, keys=one.keys, refused=one.told.refused)
            sides = Sides(arch, one.told.tree, release)
            yield begun if one.told.refused else _run(begun, sides, known, seconds)


def _run(done: Programs, sides: Sides, known: Sequence[Task], seconds: float) -> Programs:
    until = time.process_time() + seconds
    found: dict[str, tuple[int, str]] = {}
    for pair in pairs(known):
        if time.process_time() > until:
            break
        harmed, why = sides.harmed(pair)
        done = replace(done, run=done.run + 1, harmed=done.harmed + harmed)
        if why:
            number, first = found.get(why, (0, litmus(pair)))
            found[why] = number + 1, first
            if not number:
                sys.stdout.write(f"# {why}\n{first}\n")
                sys.stdout.flush()
    several = tuple((why, number, first) for why, (number, first) in found.items())
    return replace(done, whole=whole(few(known), done.run), found=several)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run programs; 1 where something does not hold, 3 where a machine is refused."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.generated_programs", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("tree", type=Path, help="a kernel tree")
    parser.add_argument("--arch", choices=MACHINES, default="x86", help="of this machine")
    parser.add_argument("--seconds", type=float, default=60, help="of processor, for each machine")
    parser.add_argument("--cache-dir", help="folder of the tree's cache")
    parser.add_argument("--write", action="store_true", help=f"store the counts in {FILE.name}")
    args = parser.parse_args(arguments)
    several = list(campaign(args.tree, args.arch, args.seconds, args.cache_dir))
    for done in several:
        counts = (
            f"{done.run} of {done.all} run, all of up to {done.whole} operations; "
            f"{done.harmed} can do harm"
        )
        told = called(done.tree, done.keys)
        sys.stdout.write(f"{done.arch}, {told}: {done.refused or counts}\n")
    if args.write:
        rows = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else []
        mine = (several[0].arch, several[0].tree)
        kept = [one for one in rows if (one["arch"], one["tree"]) != mine]
        rows = sorted([*kept, *map(asdict, several)], key=lambda one: (one["arch"], one["tree"]))
        FILE.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    if any(one.refused for one in several):
        return 3
    return int(any(one.found for one in several))


if __name__ == "__main__":
    sys.exit(main())
