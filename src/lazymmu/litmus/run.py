# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenarios times implementations: which runs there are, and each of them run."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lazymmu.contract.deferral import ROWS
from lazymmu.contract.deferral.releases import nearest
from lazymmu.litmus import operations, shipped
from lazymmu.litmus.read import read

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from lazymmu.explore import Engine, SearchProgress
    from lazymmu.litmus.scenario import Scenario
    from lazymmu.witness.machine.verdict import Verdict

__all__ = [
    "Run",
    "RunLimits",
    "implementations",
    "library",
    "load",
    "named",
    "names",
    "runs",
    "verify",
]


@dataclass(frozen=True, slots=True)
class Run:
    """One scenario on one implementation.

    :param release: of the kernel.
    :param feature: its row of the deferral table for that architecture.
    """

    scenario: Scenario
    arch: str
    release: str
    feature: str


@dataclass(frozen=True, slots=True)
class RunLimits:
    """How far a search goes, and with which engine.

    :param bound: involuntary preemptions.
    :param seconds: of one search; None is no limit.
    :param obedient: only runs in which callers break nothing, for what is the implementation's own
        doing.
    """

    engine: Engine = "auto"
    bound: int | None = None
    max_states: int | None = None
    max_bytes: int | None = None
    seconds: float | None = None
    obedient: bool = False


def implementations() -> Iterator[tuple[str, str, str]]:
    """Every (architecture, release, feature) that there is a machine of.

    Oldest release first, and the historic ones at the end: the first with a feature stands for it.
    """
    from lazymmu.machine.releases import RELEASES

    for release in sorted(RELEASES.values(), key=lambda release: release.historic):
        for arch, implementation in release.arches.items():
            yield arch, release.name, implementation.row


def names() -> tuple[list[str], list[str], list[str]]:
    """The architectures, releases and features of all machines, each once."""
    columns = zip(*implementations(), strict=True)
    arches, releases, features = (list(dict.fromkeys(column)) for column in columns)
    return arches, releases, features


def known_as(name: str) -> str:
    """The release that stands for the one of this name, itself where nothing is like it.

    A series, such as 6.12, is the newest release of it; any other release is like one that was
    read.
    """
    from lazymmu.machine.releases import RELEASES

    branch = [one for one in RELEASES if one.startswith(f"{name}.")]
    if name in RELEASES or not branch:
        return nearest(name, RELEASES) or name
    return branch[-1]


def load(text: str, file: str) -> Scenario:
    """A scenario that a machine can be asked, from the text of its file.

    :raises LitmusError: with the reason.
    """
    arches, releases, features = names()
    # The table may know an implementation that there is no machine of (yet).
    rows = [row.name for rows in ROWS.values() for row in rows]
    return read(
        text,
        file,
        operations=operations.signatures(),
        implementations=(*arches, *features, *ROWS, *rows),
        releases=releases,
    )


@functools.cache
def named(name: str) -> Scenario:
    """The shipped scenario of this name.

    :raises KeyError: there is none.
    """
    return load(shipped.text(name), f"{name}{shipped.SUFFIX}")


def library() -> tuple[Scenario, ...]:
    """Every shipped scenario, in the order of names."""
    return tuple(named(name) for name in shipped.names())


def runs(
    scenarios: Iterable[Scenario],
    *,
    arches: Collection[str] | None = None,
    releases: Collection[str] | None = None,
    everything: bool = False,
    also: bool = True,
) -> list[Run]:
    """The runs that are worth making, in the order of scenarios, then of architectures' features.

    :param arches: only these.
    :param releases: only these, or those with a feature of this name.
    :param everything: each release, expected anything of or not. Without it an implementation that
        a scenario expects nothing of is left out (unless it expects nothing of any), and so is a
        release that differs from an earlier one neither in its feature nor in what is expected of
        it.
    :param also: what scenarios expect below `also` counts.
    """
    found = []
    order = names()[0]
    for scenario in scenarios:
        seen: set[tuple[str, str, int]] = set()
        mine = []
        for arch, release, feature in implementations():
            if arches is not None and arch not in arches:
                continue
            if releases is not None and not {release, feature}.intersection(releases):
                continue
            expected = scenario.expected(arch, feature, release)
            if not everything:
                if scenario.expect and expected is None:
                    continue
                if expected is not None and expected.also and not also:
                    continue
                number = -1 if expected is None else scenario.expect.index(expected)
                # Who names a release wants that one, whatever else it equals.
                if releases is None or feature in releases:
                    if (arch, feature, number) in seen:
                        continue
                    seen.add((arch, feature, number))
            mine.append(Run(scenario, arch, release, feature))
        found += sorted(mine, key=lambda run: order.index(run.arch))
    return found


def verify(
    run: Run,
    limits: RunLimits | None = None,
    progress: Callable[[SearchProgress], None] | None = None,
) -> Verdict:
    """Search everything that can happen in one run."""
    from lazymmu.litmus.to_config import to_query
    from lazymmu.witness.machine import own_faults
    from lazymmu.witness.machine import verify as machine

    limits = limits or RunLimits()
    search = own_faults.own_faults if limits.obedient else machine.verify
    return search(
        run.scenario.name,
        to_query(run.scenario, run.arch, run.release),
        engine=limits.engine,
        bound=limits.bound,
        max_states=limits.max_states,
        max_bytes=limits.max_bytes,
        deadline=limits.seconds,
        progress=progress,
    )
