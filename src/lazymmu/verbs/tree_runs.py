# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs on machines of trees' own C: of one tree, or of two that are compared."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lazymmu.litmus.run import Run
from lazymmu.problem import Problem
from lazymmu.snapshot.tree import Tree
from lazymmu.verbs import search_pool
from lazymmu.verbs.given import read
from lazymmu.verbs.lifting import LiftedTree, lifted, same_name, with_lines
from lazymmu.verbs.two_trees import two_trees
from lazymmu.verbs.what_if import asked_for, each_subset
from lazymmu.witness.machine.verdict import SearchOutcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lazymmu.litmus.scenario import Scenario
    from lazymmu.snapshot.snapshots import Snapshot
    from lazymmu.verbs.search_pool import Show
    from lazymmu.verbs.verify import VerifyRequest
    from lazymmu.witness.machine.verdict import Verdict
    from lazymmu.witness.source.check import Where

__all__ = ["TreeRuns", "of_trees", "surely_differs"]


@dataclass(frozen=True, slots=True)
class TreeRuns:
    """What came of the runs on trees.

    :param lifted: what was lifted, and what was refused.
    :param done: the runs with their verdicts.
    :param wanted: how many there were to be.
    :param interrupted: whether the user broke off.
    """

    lifted: tuple[LiftedTree, ...]
    done: tuple[tuple[Run, Verdict], ...] = ()
    wanted: int = 0
    interrupted: bool = False


def of_trees(
    tree: Where | Snapshot, found: Sequence[Scenario], asked: VerifyRequest, progress: Show | None
) -> TreeRuns:
    """Run scenarios on a tree, or tell what differs between two.

    :raises Problem: with the reason.
    """
    if [asked.compare, asked.since, asked.diff].count(None) < 2:
        raise Problem("--compare, --since and --diff go one at a time")
    with contextlib.ExitStack() as stack:
        opened = stack.enter_context(_at_hand(tree))
        other: Where | None = None
        apart = " (compared)"
        if asked.compare is not None:
            other = stack.enter_context(_at_hand(asked.compare))
        elif asked.since is not None or asked.diff is not None:
            patch = None if asked.diff is None else read(asked.diff)
            two = two_trees(opened, since=asked.since, exact=asked.exact, patch=patch)
            both = stack.enter_context(two)
            opened, other, apart = both.present, both.former, " (before)"
        came = runs_of(opened, found, asked, progress)
        if other is None:
            return came
        again = apart if same_name(opened, other) else ""
        return compared(came, runs_of(other, found, asked, progress, again))


@contextlib.contextmanager
def _at_hand(tree: Where | Snapshot) -> Iterator[Where]:
    """What can be read: of a snapshot the open tree."""
    if isinstance(tree, (str, os.PathLike, Tree)):
        yield tree
        return
    with tree.opened() as opened:
        yield opened


def runs_of(
    tree: Where,
    found: Sequence[Scenario],
    asked: VerifyRequest,
    progress: Show | None,
    apart: str = "",
) -> TreeRuns:
    """Run scenarios on all machines that are asked for of one tree.

    :param apart: what is appended to the tree's name, to tell it from another one.
    """
    core = asked.core_mm == "lifted"
    with lifted(tree, asked.arches, asked.steps, asked.cache_dir, apart, core) as done:
        chosen = [
            Run(scenario, one.arch, one.tree, one.row)
            for scenario in found
            for one in done
            if not one.refused
        ]
        if not chosen:
            return TreeRuns(done)
        with each_subset(chosen, asked_for(asked.what_if)) as chosen:
            made, interrupted = search_pool.verdicts(
                chosen, asked.limits, asked.jobs, None, progress
            )
        shown = tuple((run, with_lines(verdict, tree)) for run, verdict in made)
        return TreeRuns(done, shown, len(chosen), interrupted)


def compared(one: TreeRuns, other: TreeRuns) -> TreeRuns:
    """What differs between two trees: of each scenario and machine, the runs of both.

    They differ when they have other verdicts, or break other rules; where one is inconclusive,
    that is not known.
    """
    mine, theirs = _by_name(one), _by_name(other)
    done: list[tuple[Run, Verdict]] = []
    for name, arch, keys in dict.fromkeys((*mine, *theirs)):
        # Static keys that one tree alone has are as they are defined in the other.
        here, there = (
            side.get((name, arch, keys)) or side.get((name, arch, "")) for side in (mine, theirs)
        )
        if here is not None and there is not None and _may_differ(here[1], there[1]):
            done += [here, there]
    return TreeRuns(
        (*one.lifted, *other.lifted),
        tuple(done),
        min(one.wanted, other.wanted),
        one.interrupted or other.interrupted,
    )


def _by_name(side: TreeRuns) -> dict[tuple[str, str, str], tuple[Run, Verdict]]:
    keys = {(one.arch, one.tree): one.keys for one in side.lifted}
    return {
        (run.scenario.name, run.arch, keys[run.arch, run.release]): (run, verdict)
        for run, verdict in side.done
    }


def _may_differ(one: Verdict, other: Verdict) -> bool:
    return _told(one) != _told(other) or one.verdict is SearchOutcome.INCONCLUSIVE


def surely_differs(done: Sequence[tuple[Run, Verdict]]) -> bool:
    """Whether a pair that was told has two answers, and not one that nobody knows."""
    unsure = SearchOutcome.INCONCLUSIVE
    pairs = zip(done[::2], done[1::2], strict=True)
    return any(unsure not in (one.verdict, other.verdict) for (_, one), (_, other) in pairs)


def _told(verdict: Verdict) -> tuple[object, ...]:
    return verdict.verdict, frozenset(broken.rule for broken in verdict.violations)
