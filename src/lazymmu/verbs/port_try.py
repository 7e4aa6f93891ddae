# SPDX-License-Identifier: GPL-2.0-or-later
"""`port try`: every scenario on an implementation of one's own, sorted by whose mistake it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from lazymmu.contract.deferral import ROWS
from lazymmu.contract.rules import RULES
from lazymmu.contract.rules.rule import Party, RuleKind, Witness
from lazymmu.litmus import shipped
from lazymmu.litmus.port import ARCH, NEWEST
from lazymmu.litmus.run import Run, RunLimits, library, runs
from lazymmu.verbs import names, search_pool
from lazymmu.verbs.exit_code import ExitCode
from lazymmu.verbs.port import ported
from lazymmu.witness.machine.verdict import DEADLOCK, FINALLY, SearchOutcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lazymmu.verbs.search_pool import Show
    from lazymmu.witness.machine.verdict import Counterexample, Verdict

__all__ = ["OWN_RULES", "PortTrial", "try_port"]

OWN_RULES: Final = (
    *(
        rule.name
        for rule in RULES.values()
        if Witness.MACHINE in rule.witnesses
        and rule.party is not Party.CALLER
        and rule.kind is not RuleKind.INFORMATION
    ),
    FINALLY,
    DEADLOCK,
)
"""What an implementation answers for while its callers obey: its obligations, and every harm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortTrial:
    """What came of the scenarios on an implementation, and on those of the newest release.

    :param beside: every run with all rules watched, on all architectures.
    :param alone: every run of the implementation's in which callers obey.
    :param interrupted: whether the user broke off.
    """

    beside: tuple[tuple[Run, Verdict], ...]
    alone: tuple[tuple[Run, Verdict], ...]
    interrupted: bool = False

    @property
    def arches(self) -> tuple[str, ...]:
        """The implementation, and what stands beside it."""
        return tuple(dict.fromkeys((ARCH, *(run.arch for run, _ in self.beside))))

    @property
    def faults(self) -> dict[str, list[tuple[Run, Verdict, Counterexample]]]:
        """By what it breaks: the runs that show it, the shortest way first.

        Whether a caller obeys is seen from what an implementation does: pages that are freed before
        the TLB is flushed may be the fault of a flush that does nothing. So harm also counts where
        callers break something on this implementation, and on none of the others beside it.
        """
        found: dict[str, list[tuple[Run, Verdict, Counterexample]]] = {}
        for run, verdict in (*self.alone, *self._mine_alone()):
            for broken in verdict.violations:
                if not _callers(broken.rule) and broken.rule in OWN_RULES:
                    found.setdefault(broken.rule, []).append((run, verdict, broken))
        for ways in found.values():
            ways.sort(key=lambda way: (way[2].preemptions, way[2].steps))
        return found

    def _mine_alone(self) -> Iterator[tuple[Run, Verdict]]:
        """The runs of the implementation in which callers break what they break nowhere else."""
        elsewhere: dict[str, set[str]] = {}
        for run, verdict in self.beside:
            if run.arch != ARCH and verdict.verdict is not SearchOutcome.NOT_APPLICABLE:
                broken = elsewhere.setdefault(run.scenario.name, set())
                broken.update(one.rule for one in verdict.violations if _callers(one.rule))
        for run, verdict in self.beside:
            rules = {one.rule for one in verdict.violations}
            callers = {rule for rule in rules if _callers(rule)}
            others = elsewhere.get(run.scenario.name)
            if run.arch == ARCH and callers and others is not None and not callers & others:
                yield run, replace(verdict, violations=_harms(verdict))

    @property
    def made(self) -> int:
        """How many scenarios its kernel can play, so that they could show a fault."""
        return sum(verdict.verdict is not SearchOutcome.NOT_APPLICABLE for _, verdict in self.alone)

    @property
    def open(self) -> tuple[str, ...]:
        """The scenarios whose searches of the implementation ended at a bound."""
        return tuple(
            run.scenario.name
            for run, verdict in self.alone
            if verdict.verdict is SearchOutcome.INCONCLUSIVE
        )

    def mistakes(self, rule: str = "") -> dict[str, tuple[int, int]]:
        """By architecture: in how many scenarios callers break `rule`, and how many hurt it.

        :param rule: "" for any obligation of callers.
        """
        counts = dict.fromkeys(self.arches, (0, 0))
        for run, verdict in self.beside:
            broken = {one.rule for one in verdict.violations}
            if any(_callers(name) and rule in ("", name) for name in broken):
                made, hurt = counts[run.arch]
                counts[run.arch] = made + 1, hurt + any(_harm(name) for name in broken)
        return counts

    def exit_code(self) -> ExitCode:
        """How the command ends: only what the implementation does wrong by itself is found."""
        if self.faults:
            return ExitCode.FOUND
        unsure = self.interrupted or self.open or not self.made
        return ExitCode.INCONCLUSIVE if unsure else ExitCode.CLEAN


def try_port(
    file: str,
    limits: RunLimits,
    *,
    scenarios: Sequence[str] = (),
    everything: bool = False,
    jobs: int | None = None,
    progress: Show | None = None,
) -> PortTrial:
    """Run the file, and every scenario on the implementation in it.

    :param scenarios: only these; without any, all.
    :param everything: large scenarios, too.
    :raises Problem: with the reason.
    """
    names.check("scenario", scenarios, shipped.names())
    with ported(file):
        found = [
            one
            for one in library()
            if one.name in scenarios
            or (not scenarios and (everything or one.machine.size == "small"))
        ]
        mine = runs(found, arches={ARCH}, releases={NEWEST}, everything=True)
        alone, interrupted = search_pool.verdicts(
            mine, replace(limits, obedient=True), jobs, file, progress
        )
        beside: list[tuple[Run, Verdict]] = []
        if not interrupted:
            every = [replace(one, watch=()) for one in found]
            all_runs = runs(every, arches={ARCH, *ROWS}, releases={NEWEST}, everything=True)
            beside, interrupted = search_pool.verdicts(all_runs, limits, jobs, file, progress)
    return PortTrial(beside=tuple(beside), alone=tuple(alone), interrupted=interrupted)


def _callers(name: str) -> bool:
    return name in RULES and RULES[name].party is Party.CALLER


def _harm(name: str) -> bool:
    return name not in RULES or RULES[name].kind is RuleKind.HARM


def _harms(verdict: Verdict) -> tuple[Counterexample, ...]:
    return tuple(one for one in verdict.violations if _harm(one.rule))
