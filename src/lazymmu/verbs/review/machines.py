# SPDX-License-Identifier: GPL-2.0-or-later
"""What a part of a series switches in the machine, and what the scenarios say with each subset.

Which features a tree has is read off it as for `verify --tree`: its core-mm code by what its
functions call, its hooks by lifting them. A part that changes neither is not in the machine.
"""

from __future__ import annotations

import contextlib
import itertools
import re
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Final

from lazymmu.lift.content import steps_of
from lazymmu.lift.core_mm import FUNCTIONS
from lazymmu.litmus import shipped
from lazymmu.litmus.run import Run, RunLimits, named
from lazymmu.machine.releases import TREES
from lazymmu.verbs import search_pool
from lazymmu.verbs.lifting import lifted
from lazymmu.verbs.review.costs import cost_changes
from lazymmu.verbs.review.renames import under_old_names
from lazymmu.verbs.review.values import MachineHarm, Switch
from lazymmu.witness.machine.verdict import SearchOutcome

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from lazymmu.lift.code import Code
    from lazymmu.machine.arch.base import Arch
    from lazymmu.machine.releases import Release
    from lazymmu.snapshot.tree import Tree
    from lazymmu.verbs.review.costs import CostChange
    from lazymmu.verbs.review.pieces import Piece
    from lazymmu.witness.machine.verdict import Verdict

__all__ = ["ARCHES", "MachineState", "Machines"]

_HARMS: Final = frozenset(
    {"kernel-bug", "lost-update", "stale-translation-used", "finally", "mode-not-effective"}
)
"""What is wrong for whoever runs the kernel, whatever the text says."""
_MOST_WHOLE: Final = 6
"""Of as many parts each subset is tried, of more each alone and each pair."""

_HOOKS: Final = "hooks"
_WORD: Final = re.compile(r"[A-Za-z_]\w*")
_QUOTED: Final = re.compile(r"'(\w+)'")
ARCHES: Final = ("x86", "powerpc", "sparc", "arm64")
"""Those that can be lifted (`lift.tree.MACHINES`)."""


@dataclass(frozen=True, slots=True)
class MachineState:
    """A machine of a tree's own C: what the tree is as a release, its hooks, and their code."""

    release: Release
    implementation: type[Arch]
    row: str
    code: str
    words: frozenset[str] = frozenset()
    """All names that were looked for to make it, be there such or not, and those in its code."""
    beside: tuple[str, ...] = ()
    """What static keys are in the other machines of the tree, which are not asked."""


@dataclass(frozen=True, slots=True)
class MachineReview:
    """What machines say of a series.

    What each part switches, by its name, what scenarios come to, what costs something else, and a
    sentence for each machine that was not asked.
    """

    switches: Mapping[str, tuple[Switch, ...]]
    harms: tuple[MachineHarm, ...]
    costs: tuple[CostChange, ...]
    untold: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Machines:
    """How machines are asked.

    :param arches: those of the source that are asked about, None for all.
    """

    arches: tuple[str, ...] | None = None
    cache_dir: str | os.PathLike[str] | None = None
    jobs: int | None = None

    def of(self, base: Tree, groups: Sequence[Sequence[Piece]]) -> BaseMachines:
        """The machines of a base, those that one of some groups of pieces may change."""
        arches = [one for one in ARCHES if self.arches is None or one in self.arches]
        may = {arch for group in groups for arch in concerned(group, arches)}
        every = [arch for arch in arches if arch in may]
        return BaseMachines(self, base, states(base, every, self.cache_dir))


@dataclass(frozen=True, slots=True)
class BaseMachines:
    """The machines of a base, and what the parts of a series make of them."""

    how: Machines
    base: Tree
    states: Mapping[str, MachineState | str]

    def touched(self, group: Sequence[Piece]) -> tuple[str, ...]:
        """The machines that a part of a series can change: it changes what they were made from."""
        found = []
        for arch in concerned(group, list(self.states)):
            state = self.states[arch]
            if not isinstance(state, str) and any(_touches(piece, state) for piece in group):
                found.append(arch)
        return tuple(found)

    def asked(
        self, groups: Mapping[str, Sequence[Piece]], tree: Callable[[str], Tree]
    ) -> MachineReview:
        """What the parts of a series switch, what comes of it, and which machine was not asked.

        :param groups: the parts by their names.
        :param tree: gives the base with one part alone, by its name.
        """
        before, how, every = self.states, self.how, list(self.states)
        wanted = {name: self.touched(group) for name, group in groups.items()}
        untold = [f"{arch}: {why}" for arch, why in before.items() if isinstance(why, str)]
        changed: dict[str, dict[str, MachineState]] = {arch: {} for arch in every}
        switches: dict[str, tuple[Switch, ...]] = {}
        costs: list[CostChange] = []
        for name, some in wanted.items():
            alone: dict[str, MachineState | str] = {}
            if some:
                paths = [piece.path for piece in groups[name]]
                named = under_old_names(self.base, tree(name), paths, FUNCTIONS)
                alone = states(named, some, how.cache_dir)
            for arch, state in alone.items():
                was = before[arch]
                if isinstance(was, str):
                    continue
                if isinstance(state, str):
                    untold.append(f"{arch} with {name}: {state}")
                    continue
                if found := tuple(switched(arch, was, state)):
                    switches[name] = (*switches.get(name, ()), *found)
                    changed[arch][name] = state
                    more, uncounted = _costs(arch, was, name, state)
                    costs += more
                    if uncounted:
                        what = ", ".join(f"{one}()" for one in uncounted)
                        untold.append(f"{arch} with {name}: what {what} cost is not compared")
        told: list[MachineHarm] = []
        for arch, parts in changed.items():
            state = before[arch]
            if parts and isinstance(state, MachineState):
                found_harms, unsure = harms(arch, state, parts, how.jobs)
                told += found_harms
                untold += unsure
                keys = dict.fromkeys(k for one in (state, *parts.values()) for k in one.beside)
                untold += (f"{arch}: the machine with {one}" for one in keys)
        return MachineReview(switches, tuple(told), tuple(costs), tuple(untold))


def _costs(
    arch: str, base: MachineState, name: str, state: MachineState
) -> tuple[tuple[CostChange, ...], tuple[str, ...]]:
    """What operations cost with a part of a series, where it is something else, or not counted."""
    with _installed(arch, base, {name: state}, [(), (name,)]):
        return cost_changes(name, arch, _release(()), _release((name,)))


def _touches(piece: Piece, state: MachineState) -> bool:
    """Whether a hunk changes what a machine was made from, as far as names tell."""
    names = {name.partition(":")[2] for name in piece.things}
    names |= {key.partition(b"@")[0].lstrip(b".").decode("latin-1") for key in piece.makes}
    if piece.path.startswith("arch/") and (not names or not piece.path.endswith((".c", ".h"))):
        return True
    return not names.isdisjoint(state.words)


def concerned(group: Sequence[Piece], arches: Collection[str]) -> tuple[str, ...]:
    """The machines that a part of a series may change."""
    found: set[str] = set()
    for piece in group:
        names = {name.partition(":")[2] for name in piece.things}
        if piece.path.startswith("arch/"):
            found.add(piece.path.split("/")[1])
        elif piece.path.startswith("include/") and names:
            found |= set(arches)
        elif names & FUNCTIONS:
            found.add("x86")
    return tuple(arch for arch in arches if arch in found)


def states(
    tree: Tree, arches: Sequence[str], cache_dir: str | os.PathLike[str] | None
) -> dict[str, MachineState | str]:
    """The machines of a tree; a sentence where one cannot be lifted."""
    found: dict[str, MachineState | str] = {}
    if not arches:
        return found
    with lifted(tree, arches, "coarse", cache_dir, " (reviewed)") as done:
        for one in done:
            if one.refused:
                found[one.arch] = one.refused
                continue
            state = found.get(one.arch)
            if one.keys and isinstance(state, MachineState):
                found[one.arch] = replace(state, beside=(*state.beside, one.keys))
                continue
            release, implementation = TREES[one.arch, one.tree]
            reached = implementation.lifted.reached  # type: ignore[attr-defined]
            code = _text(reached.codes)
            view = implementation.lifted.linker.view  # type: ignore[attr-defined]
            words = view.asked.names | FUNCTIONS | set(_WORD.findall(code))
            found[one.arch] = MachineState(release, implementation, one.row, code, frozenset(words))
    return found


def _text(codes: Sequence[Code]) -> str:
    """What some functions do, whatever they are called and wherever they stand."""
    numbers = {code.name: number for number, code in enumerate(codes)}
    steps = "\n".join(steps_of(codes))
    return _QUOTED.sub(lambda match: f"{numbers.get(match[1], match[0])}", steps)


def switched(arch: str, before: MachineState, after: MachineState) -> Iterator[Switch]:
    """The features of a machine that differ between two trees."""
    if before.code != after.code:
        rows = (before.row, after.row)
        changed = rows if rows[0] != rows[1] else (rows[0], f"{rows[1]}, other code")
        yield Switch(arch, _HOOKS, *changed)
    for field in fields(before.release.mm):
        values = [getattr(one.release.mm, field.name) for one in (before, after)]
        if values[0] != values[1]:
            yield Switch(arch, field.name, *map(_said, values))


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) or "none" if isinstance(value, tuple) else str(value)


@dataclass(frozen=True, slots=True)
class _Sweep:
    """The scenarios on one subset's machine.

    :param broken: what is broken, with the fewest preemptions.
    :param unsure: the scenarios that are inconclusive, with the reason.
    """

    broken: Mapping[tuple[str, str], int]
    unsure: Mapping[str, str]


def harms(
    arch: str,
    base: MachineState,
    parts: Mapping[str, MachineState],
    jobs: int | None,
) -> tuple[tuple[MachineHarm, ...], tuple[str, ...]]:
    """What the scenarios say with each subset of the parts that change a machine.

    Beside that, a sentence for each subset with which some were inconclusive.

    :param parts: the machine with each part alone, by the part's name.
    """
    scenarios = [one for one in map(named, shipped.names()) if one.machine.size == "small"]
    names = list(parts)
    subsets: list[tuple[str, ...]] = [()]
    for size in range(1, len(names) + 1 if len(names) <= _MOST_WHOLE else 3):
        subsets += itertools.combinations(names, size)
    with _installed(arch, base, parts, subsets):
        single = [one for one in subsets if len(one) < 2]
        swept = {one: _sweep(arch, one, scenarios, jobs) for one in single}
        # Only what some part changes can differ with several.
        keys = {
            key for one in single for key in swept[one].broken.items() ^ swept[()].broken.items()
        }
        differing = {scenario for (scenario, _), _ in keys}
        left = [one for one in scenarios if one.name in differing]
        for one in subsets:
            if len(one) > 1:
                rest = {k: n for k, n in swept[()].broken.items() if k[0] not in differing}
                some = _sweep(arch, one, left, jobs)
                swept[one] = _Sweep({**rest, **some.broken}, some.unsure)
    return tuple(_told(arch, subsets, swept)), tuple(_untold(arch, swept))


def _untold(arch: str, swept: Mapping[tuple[str, ...], _Sweep]) -> Iterator[str]:
    """Which scenarios nobody knows the end of, by the subset."""
    for subset, sweep in swept.items():
        if sweep.unsure:
            name, why = min(sweep.unsure.items())
            more = len(sweep.unsure) - 1
            others = f" and {more} more" if more else ""
            parts = f" with {' and '.join(subset)}" if subset else ""
            yield f"{arch}{parts}: scenario {name}{others}: {why}"


def _told(
    arch: str, subsets: Sequence[tuple[str, ...]], swept: Mapping[tuple[str, ...], _Sweep]
) -> Iterator[MachineHarm]:
    """What a subset brings that the base does not have, or not with so few preemptions."""
    before = swept[()].broken
    for subset in subsets:
        for (scenario, rule), preemptions in sorted(swept[subset].broken.items()):
            known = before.get((scenario, rule))
            if known is None or preemptions < known:
                yield MachineHarm(arch, subset, scenario, rule, preemptions, known)


def _sweep(
    arch: str, subset: tuple[str, ...], scenarios: Sequence[object], jobs: int | None
) -> _Sweep:
    runs = [Run(one, arch, _release(subset), "") for one in scenarios]  # type: ignore[arg-type]
    done, _ = search_pool.verdicts(runs, RunLimits(), jobs, None, None)
    broken: dict[tuple[str, str], int] = {}
    unsure: dict[str, str] = {}
    for run, verdict in done:
        if verdict.verdict is SearchOutcome.INCONCLUSIVE:
            unsure[run.scenario.name] = verdict.reason
        for rule, preemptions in _harmful(verdict):
            broken[run.scenario.name, rule] = preemptions
    return _Sweep(broken, unsure)


def _harmful(verdict: Verdict) -> Iterator[tuple[str, int]]:
    for one in verdict.violations:
        if one.rule in _HARMS:
            yield one.rule, one.preemptions


def _release(subset: tuple[str, ...]) -> str:
    return f"review: {'+'.join(subset) or 'base'}"


@contextlib.contextmanager
def _installed(
    arch: str,
    base: MachineState,
    parts: Mapping[str, MachineState],
    subsets: Sequence[tuple[str, ...]],
) -> Iterator[None]:
    """The machines of all subsets, beside all others while the context lasts."""
    made = {
        (arch, _release(subset)): _combined(base, [parts[name] for name in subset], subset)
        for subset in subsets
    }
    TREES.update(made)
    try:
        yield
    finally:
        for key in made:
            TREES.pop(key, None)


def _combined(
    base: MachineState, parts: Sequence[MachineState], subset: tuple[str, ...]
) -> tuple[Release, type[Arch]]:
    """A machine with the features of several parts, which are independent of each other."""
    release, implementation = base.release, base.implementation
    for one in parts:
        changed = {
            field.name: value
            for field in fields(base.release.mm)
            if (value := getattr(one.release.mm, field.name))
            != getattr(base.release.mm, field.name)
        }
        release = replace(release, mm=replace(release.mm, **changed))
        if one.code != base.code:
            implementation = one.implementation
            release = replace(release, mode=one.release.mode)
    return replace(release, name=_release(subset)), implementation
