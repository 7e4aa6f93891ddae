# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of claims: what `claims.toml` says of each, and what comes of the runs that it names."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lazymmu.contract.rules import RULES
from lazymmu.contract.rules.rule import RuleKind
from lazymmu.litmus.run import Run, named, verify
from lazymmu.machine.releases import find
from lazymmu.witness.machine.verdict import SearchOutcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lazymmu.witness.machine.verdict import Counterexample, Verdict

FILE = Path(__file__).with_name("claims.toml")

COST = "mode-not-effective"
"""A harm that costs time and nothing else."""


@dataclass(frozen=True, slots=True)
class Witness:
    """One run: a shipped scenario on an architecture at a release, and what must come of it.

    shows: `holds`, `never-occurs`, `not-applicable`, or the rules that are broken, parted by ", ".
    """

    scenario: str
    arch: str
    release: str
    shows: str

    @property
    def command(self) -> str:
        """What a reader types to see it."""
        return (
            f"lazymmu verify --scenario {self.scenario} --arch {self.arch} --release {self.release}"
        )

    def verdict(self) -> Verdict:
        """Make the run."""
        feature = find(self.arch, self.release)[1].row
        return verify(Run(named(self.scenario), self.arch, self.release, feature))


@dataclass(frozen=True, slots=True)
class Claim:
    """What was claimed, in words of our own, whether machines agree, and why or how far."""

    name: str
    says: str
    verdict: str
    why: str
    runs: tuple[Witness, ...]


def read() -> tuple[Claim, ...]:
    """The claims, in their order.  Raises KeyError and TypeError for a file that is not right."""
    found = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return tuple(
        Claim(
            name,
            claim["says"],
            claim["verdict"],
            claim["why"],
            tuple(Witness(*run) for run in claim["runs"]),
        )
        for name, claim in found.items()
    )


def shown(verdict: Verdict) -> str:
    """A verdict in the words of `Witness.shows`."""
    rules = dict.fromkeys(broken.rule for broken in verdict.violations)
    return ", ".join(_in_order(rules)) or str(verdict.verdict)


def _in_order(rules: Iterable[str]) -> list[str]:
    """As the contract lists them, the scenario's own words (`finally`) last."""
    order = list(RULES)
    return sorted(rules, key=lambda rule: order.index(rule) if rule in RULES else len(order))


def lines(claims: Sequence[Claim]) -> Iterator[str]:
    """The page below its introduction, as reStructuredText."""
    for claim in claims:
        title = f"{claim.name}: {WORDS[claim.verdict]}"
        yield from (title, "-" * len(title), "")
        yield from (f"*{_safe(claim.says)}*", "", _safe(claim.why), "")
        if claim.runs:
            yield from _table([_row(run, run.verdict()) for run in claim.runs])


WORDS = {"agree": "agreed", "partly": "agreed in part", "disagree": "disagreed"}


def _row(run: Witness, verdict: Verdict) -> tuple[str, str, str, str]:
    harms = [
        broken
        for broken in verdict.violations
        if broken.rule in RULES and RULES[broken.rule].kind is RuleKind.HARM
    ]
    first = (*harms, *verdict.violations)[:1]
    return (
        f"``{run.command}``",
        _said(verdict),
        ", ".join(_harm(broken, run.arch) for broken in harms) or "nobody",
        _way(first[0]) if first else "",
    )


def _said(verdict: Verdict) -> str:
    match verdict.verdict:
        case SearchOutcome.HOLDS:
            return f"holds ({verdict.states} states)"
        case SearchOutcome.VIOLATED:
            return f"violated: {', '.join(_name(rule) for rule in shown(verdict).split(', '))}"
        case SearchOutcome.NOT_APPLICABLE:
            return f"n/a: {_safe(verdict.reason)}"
        case SearchOutcome.NEVER_OCCURS:
            return f"never occurs: {_safe('; '.join(verdict.never))}"
        case _:
            return str(verdict.verdict)


def _name(rule: str) -> str:
    return f":ref:`rule-{rule}`" if rule in RULES else rule


def _harm(broken: Counterexample, arch: str) -> str:
    return f"{arch}: " + ("time" if broken.rule == COST else broken.rule)


def _way(broken: Counterexample) -> str:
    return f"{_many(broken.preemptions, 'preemption')}, {_many(broken.steps, 'step')}"


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _table(rows: Iterable[tuple[str, str, str, str]]) -> Iterator[str]:
    yield from (".. list-table::", "   :header-rows: 1", "   :widths: 40 30 15 15", "")
    for row in (("command", "verdict", "hurt", "shortest way"), *rows):
        for at, cell in enumerate(row):
            yield f"   {'* -' if at == 0 else '  -'} {cell}".rstrip()
    yield ""


def _safe(text: str) -> str:
    """Plain text as reStructuredText: whatever would be markup is escaped."""
    return "".join(f"\\{letter}" if letter in "\\`*|_" else letter for letter in text)
