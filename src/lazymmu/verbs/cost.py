# SPDX-License-Identifier: GPL-2.0-or-later
"""`cost`: what sections of the mode save, and what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from lazymmu.costs import count, tables
from lazymmu.costs.counts import Counts, Scope
from lazymmu.litmus.run import known_as
from lazymmu.litmus.run import names as there_are
from lazymmu.machine.config import ConfigError
from lazymmu.machine.releases import find, releases_of
from lazymmu.verbs import names
from lazymmu.verbs.exit_code import ExitCode
from lazymmu.verbs.given import several

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lazymmu.contract.event_words import Space

__all__ = ["ARCHES", "ENTRIES", "CostAnswer", "CostRequest", "CostRow", "cost", "operations"]

ARCHES: Final = ("x86", "powerpc", "sparc", "arm64")
"""The machines that are asked without a choice: those that put something off in a release."""

ENTRIES: Final = (1, 8, 32, 512)
"""How many entries without a choice."""

ScopeName = Literal["none", "table", "range"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRequest:
    """A question for `cost`: all that `lazymmu cost` can be asked.

    Collections may be of any kind, and one alone needs none around it; they are kept as tuples.

    :param operation: the kernel function whose cost is counted.
    :param arches: machines; without any, those that put something off.
    :param releases: releases of the kernel; without any, the newest that each machine has.
    :param entries: how many entries the operation changes, each a count of its own.
    :param space: ``user`` or ``kernel`` mappings; None for those that the operation is for.
    :param scopes: where sections stand, beside none at all.
    """

    operation: str
    arches: Sequence[str] = ()
    releases: Sequence[str] = ()
    entries: Sequence[int] = ENTRIES
    space: Literal["user", "kernel"] | None = None
    scopes: Sequence[ScopeName] = ("table", "range")

    def __post_init__(self) -> None:
        """Keep collections as tuples, so that a request cannot change once it is made."""
        for name in ("arches", "releases", "entries", "scopes"):
            object.__setattr__(self, name, several(getattr(self, name)))


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRow:
    """An operation on a number of entries, on one machine.

    :param arch: the machine's architecture.
    :param release: its release of the kernel, and ``feature`` its row of the deferral table.
    :param space: which mappings.
    :param entries: how many, and ``tables`` how many page tables they fill.
    :param counts: what it costs, by where sections stand.
    """

    arch: str
    release: str
    feature: str
    operation: str
    space: Space
    entries: int
    tables: int
    counts: dict[Scope, Counts]

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


@dataclass(frozen=True, slots=True, kw_only=True)
class CostAnswer:
    """What an operation costs.

    :param request: the question.
    :param rows: the counts, in the order of machines, mappings and entries.
    :param refused: architecture, release, and why there is no count, a sentence.
    """

    request: CostRequest
    rows: tuple[CostRow, ...] = ()
    refused: tuple[tuple[str, str, str], ...] = ()

    def exit_code(self) -> ExitCode:
        """The exit code of the command: nothing counted is inconclusive."""
        return ExitCode.CLEAN if self.rows else ExitCode.INCONCLUSIVE


def cost(
    asked: CostRequest, *, progress: Callable[[str, int, int], None] | None = None
) -> CostAnswer:
    """Count what an operation costs with sections, without, and with other ones.

    :param asked: the question.
    :param progress: called with a machine's name, how many are counted, and of how many.
    :returns: the counts.
    :raises lazymmu.Problem: the request cannot be met; its text is one sentence for the user.
    """
    chosen, refused = _machines(asked)
    known = {name for arch, release in chosen for name in count.operations(arch, release)}
    if chosen:
        names.check("operation that can be counted", [asked.operation], sorted(known))
    rows: list[CostRow] = []
    for done, (arch, release) in enumerate(chosen):
        if progress is not None:
            progress(f"{arch} {release}", done, len(chosen))
        try:
            rows += _rows(asked, arch, release)
        except ConfigError as error:
            refused.append((arch, release, str(error)))
    return CostAnswer(request=asked, rows=tuple(rows), refused=tuple(refused))


def operations() -> tuple[str, ...]:
    """All operations that can be counted on the newest release of some machine."""
    found = {name for arch in ARCHES for name in count.operations(arch, releases_of(arch)[-1].name)}
    return tuple(sorted(found))


def _machines(asked: CostRequest) -> tuple[list[tuple[str, str]], list[tuple[str, str, str]]]:
    """Each architecture with each release, and those that there are none of, with the reason.

    Raises Problem for a name that there is not.
    """
    arches, releases, features = there_are()
    wanted = [one for one in asked.arches if one]
    names.check("architecture", set(wanted) - {"all"}, arches)
    machines = arches if "all" in wanted else wanted or ARCHES
    given = [one for one in asked.releases if one]
    known = [one if one in features else known_as(one) for one in given]
    names.check("release or feature", known, [*releases, *features])
    found: dict[tuple[str, str], None] = {}
    refused = []
    for arch in dict.fromkeys(machines):
        for release in known or [releases_of(arch)[-1].name]:
            try:
                found[arch, find(arch, release)[0].name] = None
            except ConfigError as error:
                refused.append((arch, release, str(error)))
    return list(found), refused


def _rows(asked: CostRequest, arch: str, release: str) -> Iterator[CostRow]:
    spaces = count.spaces_of(arch, release, asked.operation)
    scopes = dict.fromkeys((Scope.NONE, *map(Scope, asked.scopes)))
    for space in spaces if asked.space is None else (asked.space,):
        for entries in asked.entries:
            yield CostRow(
                arch=arch,
                release=release,
                feature=find(arch, release)[1].row,
                operation=asked.operation,
                space=space,
                entries=entries,
                tables=-(-entries // tables.width(arch)[0]),
                counts={
                    scope: count.operation(arch, release, asked.operation, entries, space, scope)
                    for scope in scopes
                },
            )
