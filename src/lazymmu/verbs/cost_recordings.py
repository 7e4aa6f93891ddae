# SPDX-License-Identifier: GPL-2.0-or-later
"""What sections saved and cost on a kernel that ran, by caller, and what the same would elsewhere.

A recording says how much each section put off; what that costs on another architecture or release
is asked of its machine. What a section changed is told by who began it: a function of core-mm that
machines have too; of any other caller it is taken to be what the recording's architecture puts off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lazymmu.costs import count, ground
from lazymmu.costs.counts import Scope
from lazymmu.costs.difference import Difference, Estimate, mean, rate
from lazymmu.machine.config import ConfigError
from lazymmu.witness.trace.stats_group import ranked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lazymmu.contract.event_words import Space
    from lazymmu.witness.trace.section_stats import SectionStats
    from lazymmu.witness.trace.stats_group import StatsGroup
    from lazymmu.witness.trace.values import TraceResult

__all__ = ["CallerCost", "RecordingCost", "ReplayedCost", "differences", "recording"]

_PUT_OFF: Final[Mapping[str, tuple[str, Space]]] = {
    "x86": ("set_pte", "user"),
    "arm64": ("set_pte", "kernel"),
    "powerpc": ("ptep_get_and_clear", "user"),
    "sparc": ("ptep_get_and_clear", "user"),
}
"""What each architecture puts off (contract.deferral): stores, or invalidations."""


@dataclass(frozen=True, slots=True)
class CallerCost:
    """The sections of one caller, or all.

    :param caller: the function that begins them, "" for all.
    :param sections: how many, and ``nested`` how many inside of them.
    :param idle: sections that put off nothing, or one entry: a loss.
    :param put_off: entries that waited.
    :param calls: hypercalls or flushes of a batch that they went in.
    :param nanoseconds: time in sections.
    """

    caller: str
    sections: int
    nested: int
    idle: int
    put_off: int
    calls: int
    nanoseconds: int

    @property
    def saved(self) -> int:
        """Hypercalls or invalidations that were saved."""
        return max(self.put_off - self.calls, 0)


@dataclass(frozen=True, slots=True)
class ReplayedCost:
    """The same writes in the same sections on a machine.

    :param without: hypercalls, barriers and invalidations without sections, and ``with_`` with.
    :param operations: what the sections of each caller are taken to do.
    :param why: why there is no count, "" where there is.
    """

    arch: str
    release: str
    without: int = 0
    with_: int = 0
    operations: tuple[tuple[str, str], ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class RecordingCost:
    """What a recording shows.

    :param name: of the file, ``arch`` and ``kernel`` of what it was recorded on.
    :param span: its length in nanoseconds.
    :param counted: whether it shows how much each section put off; without that nothing is known.
    :param whole: all sections, and ``callers`` those of each, the most time first.
    :param elsewhere: the same writes on machines.
    :param counts: its clock has no unit: times are counts, each a thousand.
    """

    name: str
    arch: str
    kernel: str
    span: int
    counted: bool
    whole: CallerCost
    callers: tuple[CallerCost, ...]
    elsewhere: tuple[ReplayedCost, ...] = ()
    counts: bool = False


def recording(
    result: TraceResult,
    stats: SectionStats,
    machines: Sequence[tuple[str, str]],
    forced: tuple[str, Space] | None = None,
) -> RecordingCost:
    """What a recording shows; machines: where the same writes are made again.

    :param forced: operation and space that each section is taken to do, instead of what its caller
        says.
    """
    callers = tuple(_caller(name, group) for name, group in ranked(stats.sites))
    again = [
        _replayed(result.arch, stats, arch, release, forced)
        for arch, release in (machines if stats.counted else ())
    ]
    return RecordingCost(
        name=result.name,
        arch=result.arch,
        kernel=", ".join(result.kernel),
        span=stats.span,
        counted=stats.counted,
        whole=_caller("", stats.everything),
        callers=callers,
        elsewhere=tuple(again),
        counts=stats.counts,
    )


def _caller(name: str, group: StatsGroup) -> CallerCost:
    return CallerCost(
        name, group.sections, group.nested, group.idle, group.queued, group.calls,
        group.lengths.total,
    )  # fmt: skip


def operation_of(
    caller: str, arch: str, machine: tuple[str, str], forced: tuple[str, Space] | None
) -> tuple[str, Space]:
    """What the sections of a caller are taken to do, and to which mappings.

    Core-mm walks tables by functions that differ in the level: copy_page_range() comes to
    copy_pte_range().
    """
    if forced is not None:
        return forced
    name = caller.lstrip("_")
    there = count.operations(*machine)
    for known in (name.replace("_page_range", "_pte_range"), name):
        if known in there:
            return known, count.spaces_of(*machine, known)[0]
    return _PUT_OFF.get(arch, _PUT_OFF["x86"])


def _replayed(
    arch: str, stats: SectionStats, machine: str, release: str, forced: tuple[str, Space] | None
) -> ReplayedCost:
    without = with_ = 0
    taken = []
    try:
        for caller, group in ranked(stats.sites):
            name, space = operation_of(caller, arch, (machine, release), forced)
            taken.append((caller, name))
            for entries, times in _sizes(group):
                for scope in (Scope.NONE, Scope.TABLE):
                    slow = count.operation(machine, release, name, entries, space, scope).slow
                    if scope is Scope.NONE:
                        without += times * slow
                    else:
                        with_ += times * slow
    except ConfigError as error:
        return ReplayedCost(machine, release, why=str(error))
    return ReplayedCost(machine, release, without, with_, tuple(taken))


def _sizes(group: StatsGroup) -> Iterator[tuple[int, int]]:
    """Entries that sections put off, and how many sections each; above 16 within a sixteenth."""
    for entries, times in group.entries.steps():
        bounded = min(max(entries, group.entries.least), group.entries.greatest, ground.MOST)
        if bounded:
            yield bounded, times


def differences(pairs: Sequence[tuple[RecordingCost, SectionStats]]) -> dict[str, Difference]:
    """How the second of two recordings differs from the first, and how sure that is.

    Sections are taken to be independent of each other; where they come in bursts it is less sure.
    """
    (first, one), (second, two) = pairs
    found = {}
    timed = not (first.counts or second.counts)
    if timed and one.everything.sections and two.everything.sections:
        found["sections in a second"] = Difference(_rate(first, one), _rate(second, two))
    if first.counted and second.counted:
        found["entries put off by a section"] = Difference(
            mean(one.everything.entries.steps()), mean(two.everything.entries.steps())
        )
        found["calls for 100 entries put off"] = Difference(_per(first), _per(second))
    return found


def _rate(cost: RecordingCost, stats: SectionStats) -> Estimate:
    return rate(stats.everything.sections, cost.span / 1e9)


def _per(cost: RecordingCost) -> Estimate:
    """Calls by entries, as if each call came by chance."""
    if not cost.whole.put_off:
        return Estimate(0.0, float("inf"), 0)
    return rate(cost.whole.calls, cost.whole.put_off / 100)
