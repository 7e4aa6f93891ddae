# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts on machines: which there are, and what an operation or a scenario comes to on each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from lazymmu.costs import count, tables
from lazymmu.costs.counts import Counts, Scope
from lazymmu.litmus.run import known_as
from lazymmu.litmus.run import names as there_are
from lazymmu.litmus.to_config import to_query
from lazymmu.machine.config import ConfigError
from lazymmu.machine.releases import find, releases_of
from lazymmu.verbs import names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from lazymmu.contract.event_words import Space
    from lazymmu.litmus.scenario import Scenario

__all__ = ["ARCHES", "CostRow", "machines", "operation_rows", "scenario_rows"]

ARCHES: Final = ("x86", "powerpc", "sparc", "arm64")
"""The machines that are asked without a choice: those that put something off in a release."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRow:
    """An operation on a number of entries, or a scenario, on one machine.

    :param arch: the machine's architecture.
    :param release: its release of the kernel, and ``feature`` its row of the deferral table.
    :param operation: the function, or the scenario.
    :param space: which mappings, "" of a scenario.
    :param entries: how many, and ``tables`` how many page tables they fill.
    :param counts: what it costs, by where sections stand.
    :param against: what it costs with the kernel's sections on what it is held against, None where
        it is held against nothing, or cannot be done there.
    """

    arch: str
    release: str
    feature: str
    operation: str
    space: str
    entries: int
    tables: int
    counts: dict[Scope, Counts]
    against: Counts | None = None

    def saved(self, scope: Scope) -> int:
        """How many hypercalls, barriers and invalidations sections there save."""
        return self.counts[Scope.NONE].slow - self.counts[scope].slow

    @property
    def kept(self) -> float | None:
        """Which part of what one section around all saves is saved by sections of one table.

        None where that saves nothing, or was not counted.
        """
        if not {Scope.TABLE, Scope.RANGE} <= set(self.counts):
            return None
        most = self.saved(Scope.RANGE)
        return self.saved(Scope.TABLE) / most if most > 0 else None


Refused = tuple[str, str, str]


def machines(
    arches: Sequence[str], releases: Sequence[str]
) -> tuple[list[tuple[str, str]], list[Refused]]:
    """Each architecture with each release, and those that there are none of, with the reason.

    :raises Problem: for a name that there is not.
    """
    known_arches, known_releases, features = there_are()
    wanted = [one for one in arches if one]
    names.check("architecture", set(wanted) - {"all"}, known_arches)
    chosen = known_arches if "all" in wanted else wanted or ARCHES
    known = [one if one in features else known_as(one) for one in releases if one]
    names.check("release or feature", known, [*known_releases, *features])
    found: dict[tuple[str, str], None] = {}
    refused = []
    for arch in dict.fromkeys(chosen):
        for release in known or [releases_of(arch)[-1].name]:
            try:
                found[arch, find(arch, release)[0].name] = None
            except ConfigError as error:
                refused.append((arch, release, str(error)))
    return list(found), refused


def operation_rows(
    machine: tuple[str, str],
    operation: str,
    space: Space | None,
    entries: Iterable[int],
    scopes: Iterable[Scope],
) -> Iterator[CostRow]:
    """The counts of an operation; what cannot be counted is raised behind all that can.

    :raises ConfigError: with the reason.
    """
    arch, release = machine
    lost: ConfigError | None = None
    spaces = count.spaces_of(arch, release, operation) if space is None else (space,)
    wanted = tuple(dict.fromkeys((Scope.NONE, *scopes)))
    for mapping in spaces:
        for number in entries:
            try:
                counts = {
                    scope: count.operation(arch, release, operation, number, mapping, scope)
                    for scope in wanted
                }
            except ConfigError as error:
                lost = lost or error
                continue
            yield CostRow(
                arch=arch,
                release=release,
                feature=find(arch, release)[1].row,
                operation=operation,
                space=mapping,
                entries=number,
                tables=-(-number // tables.width(arch)[0]),
                counts=counts,
            )
    if lost is not None:
        raise lost


def scenario_rows(machine: tuple[str, str], scenarios: Iterable[Scenario]) -> Iterator[CostRow]:
    """What the programs of scenarios cost, one task after another.

    :raises ConfigError: with the reason.
    """
    arch, release = machine
    for scenario in scenarios:
        config = to_query(scenario, arch, release).config
        yield CostRow(
            arch=arch,
            release=release,
            feature=find(arch, release)[1].row,
            operation=scenario.name,
            space="",
            entries=len(scenario.entries),
            tables=1,
            counts={scope: count.run(config, scope) for scope in (Scope.NONE, Scope.TABLE)},
        )


def beside(
    row: CostRow, release: str, again: Callable[[tuple[str, str]], Iterator[CostRow]]
) -> CostRow:
    """The row held against another release of its architecture.

    :raises ConfigError: with the reason.
    """
    other = find(row.arch, release)[0].name
    for one in again((row.arch, other)):
        if (one.operation, one.space, one.entries) == (row.operation, row.space, row.entries):
            return replace(row, against=one.counts[Scope.TABLE])
    return row
