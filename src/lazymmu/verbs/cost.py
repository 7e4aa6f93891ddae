# SPDX-License-Identifier: GPL-2.0-or-later
"""`cost`: what sections of the mode save, and what they cost."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from lazymmu.costs import calibration, count
from lazymmu.costs.counts import Scope
from lazymmu.litmus import shipped
from lazymmu.litmus.run import named
from lazymmu.machine.config import ConfigError
from lazymmu.machine.releases import releases_of
from lazymmu.problem import Problem
from lazymmu.verbs import cost_recordings, names
from lazymmu.verbs.cost_rows import (
    ARCHES,
    CostRow,
    beside,
    machines,
    operation_rows,
    scenario_rows,
)
from lazymmu.verbs.exit_code import ExitCode
from lazymmu.verbs.given import Given, read, several
from lazymmu.verbs.lifting import lifted

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Sequence

    from lazymmu.costs.calibration import Calibration
    from lazymmu.costs.difference import Difference
    from lazymmu.verbs.cost_recordings import RecordingCost
    from lazymmu.verbs.trace import Stream
    from lazymmu.witness.source.check import Where

    Rows = Callable[[tuple[str, str]], Iterator[CostRow]]

__all__ = ["ENTRIES", "CostAnswer", "CostRequest", "cost", "operations"]

ENTRIES: Final = (1, 8, 32, 512)
"""How many entries without a choice."""

ScopeName = Literal["none", "table", "range"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRequest:
    """A question for `cost`: all that `lazymmu cost` can be asked.

    It is about one of an operation, scenarios and recordings. Collections may be of any kind, and
    one alone needs none around it; they are kept as tuples.

    :param operation: the kernel function whose cost is counted; of recordings, what each section is
        taken to do instead of what its caller says.
    :param scenarios: names of scenarios that ship, whose programs are counted.
    :param traces: recordings: what sections saved and cost there.
    :param arches: machines; without any, those that put something off.
    :param releases: releases of the kernel; without any, the newest that each machine has.
    :param tree: top directory of a Linux source tree, whose own C the machines run.
    :param entries: how many entries the operation changes, each a count of its own.
    :param space: ``user`` or ``kernel`` mappings; None for those that the operation is for.
    :param scopes: where sections stand, beside none at all.
    :param against: another release, with whose sections each count is held together.
    :param calibration: a file with what each takes on one machine; without one there are no times.
    :param cache_dir: folder of the tree's cache, None for nowhere.
    """

    operation: str = ""
    scenarios: Sequence[str] = ()
    traces: Sequence[str | os.PathLike[str] | Stream] = ()
    arches: Sequence[str] = ()
    releases: Sequence[str] = ()
    tree: Where | None = None
    entries: Sequence[int] = ENTRIES
    space: Literal["user", "kernel"] | None = None
    scopes: Sequence[ScopeName] = ("table", "range")
    against: str | None = None
    calibration: Given | None = None
    cache_dir: str | os.PathLike[str] | None = None

    def __post_init__(self) -> None:
        """Keep collections as tuples, so that a request cannot change once it is made."""
        for name in ("scenarios", "traces", "arches", "releases", "entries", "scopes"):
            object.__setattr__(self, name, several(getattr(self, name)))


@dataclass(frozen=True, slots=True, kw_only=True)
class CostAnswer:
    """What sections save and cost.

    :param request: the question.
    :param rows: the counts, in the order of machines, mappings and entries.
    :param recordings: what each recording shows.
    :param differences: how the second of two recordings differs from the first.
    :param refused: architecture, release, and why there is no count, a sentence.
    :param times: the calibration of the request.
    """

    request: CostRequest
    rows: tuple[CostRow, ...] = ()
    recordings: tuple[RecordingCost, ...] = ()
    differences: tuple[tuple[str, Difference], ...] = ()
    refused: tuple[tuple[str, str, str], ...] = ()
    times: Calibration | None = None

    def exit_code(self) -> ExitCode:
        """The exit code of the command: nothing counted is inconclusive."""
        shown = self.rows or any(one.counted for one in self.recordings)
        return ExitCode.CLEAN if shown else ExitCode.INCONCLUSIVE


def cost(
    asked: CostRequest, *, progress: Callable[[str, int, int], None] | None = None
) -> CostAnswer:
    """Count what sections save and cost: on machines, or in recordings.

    :param asked: the question.
    :param progress: called with a name, how much is done, and of how much.
    :returns: the counts.
    :raises lazymmu.Problem: the request cannot be met; its text is one sentence for the user.
    """
    times = None if asked.calibration is None else _calibration(asked.calibration)
    if asked.traces:
        if asked.tree is not None or asked.against is not None or asked.scenarios:
            raise Problem("a recording goes with neither --tree, --against nor --scenario")
        return _recorded(asked, times, progress)
    if bool(asked.operation) == bool(asked.scenarios):
        raise Problem("name an operation to count, a scenario or a recording, and one of these")
    with _machines(asked) as (chosen, refused):
        rows, more = _counted(asked, chosen, progress)
    return CostAnswer(request=asked, rows=tuple(rows), refused=(*refused, *more), times=times)


def operations() -> tuple[str, ...]:
    """All operations that can be counted on the newest release of some machine."""
    found = {name for arch in ARCHES for name in count.operations(arch, releases_of(arch)[-1].name)}
    return tuple(sorted(found))


@contextlib.contextmanager
def _machines(
    asked: CostRequest,
) -> Iterator[tuple[list[tuple[str, str]], list[tuple[str, str, str]]]]:
    """The machines of the request, for as long as a tree that some are lifted from is needed."""
    if asked.tree is None:
        yield machines(asked.arches, asked.releases)
        return
    if asked.releases:
        raise Problem("--tree is no release: it does not go with --release")
    with lifted(asked.tree, asked.arches, "coarse", asked.cache_dir) as found:
        count.forget()
        try:
            yield (
                [(one.arch, one.tree) for one in found if not one.refused],
                [(one.arch, one.tree, one.refused) for one in found if one.refused],
            )
        finally:
            count.forget()


def _counted(
    asked: CostRequest,
    chosen: Sequence[tuple[str, str]],
    progress: Callable[[str, int, int], None] | None,
) -> tuple[list[CostRow], list[tuple[str, str, str]]]:
    again = _asked(asked, chosen)
    if asked.against is not None:
        names.check("release or feature", [asked.against], _known())
    rows: list[CostRow] = []
    refused = []
    for done, machine in enumerate(chosen):
        if progress is not None:
            progress(" ".join(machine), done, len(chosen))
        found: list[CostRow] = []
        try:
            found.extend(again(machine))
        except (ConfigError, _unliftable()) as error:
            refused.append((*machine, str(error)))
        try:
            if asked.against is not None:
                found = [beside(row, asked.against, again) for row in found]
        except ConfigError as error:
            refused.append((machine[0], asked.against or "", str(error)))
        rows += found
    return rows, refused


def _unliftable() -> type[Exception]:
    from lazymmu.lift.problem import Unliftable  # needed by trees alone

    return Unliftable


def _asked(asked: CostRequest, chosen: Sequence[tuple[str, str]]) -> Rows:
    """What is counted on one machine; raises Problem for a name that there is not."""
    if asked.scenarios:
        names.check("scenario", asked.scenarios, shipped.names())
        found = [named(name) for name in asked.scenarios]
        return lambda machine: scenario_rows(machine, found)
    known = {name for machine in chosen for name in count.operations(*machine)}
    if chosen:
        names.check("operation that can be counted", [asked.operation], sorted(known))
    scopes = tuple(map(Scope, asked.scopes))
    return lambda machine: operation_rows(
        machine, asked.operation, asked.space, asked.entries, scopes
    )


def _known() -> list[str]:
    from lazymmu.litmus.run import names as there_are

    _arches, releases, features = there_are()
    return [*releases, *features]


def _calibration(given: Given) -> Calibration:
    file = read(given)
    try:
        return calibration.read(file.content)
    except calibration.CalibrationError as error:
        raise Problem(f"{file.name}: {error}") from None


def _recorded(
    asked: CostRequest,
    times: Calibration | None,
    progress: Callable[[str, int, int], None] | None,
) -> CostAnswer:
    from lazymmu.verbs.trace import TraceRequest, trace

    answer = trace(TraceRequest(traces=asked.traces, summary=True), progress=progress)
    chosen: list[tuple[str, str]] = []
    refused: list[tuple[str, str, str]] = []
    if asked.arches or asked.releases:
        chosen, refused = machines(asked.arches, asked.releases)
    forced: Any = None
    if asked.operation:
        names.check("operation that can be counted", [asked.operation], operations())
        forced = (asked.operation, asked.space or "user")
    stats = [tally for _, tally in answer.tallies]
    found = [
        cost_recordings.recording(result, tally, chosen, forced)
        for result, tally in zip(answer.watched, stats, strict=True)
    ]
    pairs = list(zip(found, stats, strict=True))
    differ = cost_recordings.differences(pairs) if len(pairs) == 2 else {}
    return CostAnswer(
        request=asked,
        recordings=tuple(found),
        differences=tuple(differ.items()),
        refused=tuple(refused),
        times=times,
    )
