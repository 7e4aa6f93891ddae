# SPDX-License-Identifier: GPL-2.0-or-later
"""What a page shows beside the findings of a check: the code around, and counterexamples."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lazymmu.litmus import shipped
from lazymmu.litmus.run import Run, RunLimits, known_as, named, runs, verify
from lazymmu.verbs.reading import called
from lazymmu.verbs.texts import texts
from lazymmu.witness.machine.verdict import SearchOutcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lazymmu.witness.finding import Finding
    from lazymmu.witness.machine.verdict import Verdict
    from lazymmu.witness.source.check import Where

__all__ = ["Shown", "counterexamples", "shown"]

_LIMITS: Final = RunLimits(max_states=200_000)
"""Scenarios that show harms have some thousands of states; a page waits for no large one."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What belongs to the findings of one tree.

    :param sources: the text of each file that a path goes through, as it was when it was read;
        without those that cannot be read any more.
    :param runs: for the scenario and the architecture of a harm the way to it, on the machine
        nearest to the tree's release that can go it.
    """

    sources: Mapping[str, str] = field(default_factory=dict)
    runs: Mapping[tuple[str, str], tuple[Run, Verdict]] = field(default_factory=dict)


def shown(
    findings: Sequence[Finding], release: str, tree: Where, kernel: Where | None = None
) -> Shown:
    """What belongs to some findings.

    :param release: of the tree that was checked.
    :param tree: where the files of their paths are; kernel: where those are that a module's folder
        does not have.
    """
    files = dict.fromkeys(
        file for finding in findings for file in (finding.file, *(s.file for s in finding.path))
    )
    found = dict(texts(tree if kernel is None else kernel, files))
    if kernel is not None:
        # A module's files have the name of its folder before them.
        top = called(tree).rstrip("/") + "/"
        own = [file.removeprefix(top) for file in files if file.startswith(top)]
        found |= {top + file: text for file, text in texts(tree, own)}
    sources = {file: text.decode(errors="replace") for file, text in found.items()}
    return Shown(sources, counterexamples(findings, release))


def counterexamples(
    findings: Iterable[Finding], release: str
) -> dict[tuple[str, str], tuple[Run, Verdict]]:
    """The way to the first harm of each finding that a scenario shows, by scenario and arch.

    A release that there is no machine of is taken for the nearest; where the scenario's way cannot
    be gone on that, it is told on a machine where it can.
    """
    found: dict[tuple[str, str], tuple[Run, Verdict]] = {}
    for finding in findings:
        harm = next((harm for harm in finding.harms if harm.scenario in shipped.names()), None)
        if harm is None or (harm.scenario, harm.arch) in found:
            continue
        if way := _way(harm.scenario, harm.arch, release):
            found[harm.scenario, harm.arch] = way
    return found


def _way(scenario: str, arch: str, release: str) -> tuple[Run, Verdict] | None:
    asked = [named(scenario)]
    nearest = runs(asked, arches={arch}, releases={known_as(release)}, everything=True)
    for run in (*nearest, *runs(asked, arches={arch})):
        verdict = verify(run, _LIMITS)
        if verdict.verdict is SearchOutcome.VIOLATED:
            return run, verdict
    return None
