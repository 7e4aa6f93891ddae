# SPDX-License-Identifier: GPL-2.0-or-later
"""What walking a function comes to: violations, and the ways in which it returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from lazymmu.contract.monitor import Product, Violation
from lazymmu.kernelc.ir.abstract_value import Value
from lazymmu.kernelc.ir.expr import Expr
from lazymmu.witness.finding import Step
from lazymmu.witness.source.function.names import EntryName
from lazymmu.witness.source.function.state import State
from lazymmu.witness.source.path.path_trace import PathTrace


@dataclass(frozen=True, slots=True)
class RawReport:
    """A violation, where it happened, the path to it, and what lies below the call there."""

    violation: Violation
    trail: PathTrace | None
    step: Step
    more: tuple[Step, ...] = ()
    conditions: frozenset[str] = frozenset()
    ambiguous: bool = False
    tests: int = 0
    via: Step | None = None
    """The call that hands a function to be called back, where the path begins below it."""
    cause: ReportKey | None = None
    """The report that speaks for the mistake of which this one comes, where that is another."""

    @property
    def key(self) -> ReportKey:
        """What the report has in common with others of the same mistake at the same place."""
        return (self.violation.rule, self.step.file, self.step.line, self.step.column)


ReportKey: TypeAlias = tuple[str, str, int, int]
"""A rule, and the place (file, line, column) at which it is broken."""


@dataclass(slots=True)
class WalkOutcome:
    """What walking a function once, from one state, came to.

    ``exits`` are the ways in which it returns: product, what is known of the value, and the
    name of what is returned; each with the path that leads there first.
    """

    exits: dict[tuple[Product, Value, EntryName], PathTrace | None] = field(default_factory=dict)
    returns: dict[tuple[Product, int, int], PathTrace] = field(default_factory=dict)
    """By the place of each return as well: what is wrong at one of them is no other's fault."""
    raw_reports: dict[ReportKey, RawReport] = field(default_factory=dict)
    spaces: set[str] = field(default_factory=set)
    blurred: bool = False
    """Something that was not read in full was walked: what happens there is a guess."""
    begins: frozenset[tuple[str, str]] | None = None
    """File and function of sections, as of `begun`, where the ways out are not known."""

    @property
    def begun(self) -> frozenset[tuple[str, str]]:
        """File and function of each section that a way out has begun."""
        if self.begins is not None:
            return self.begins
        notes = (note for trail in self.exits.values() if trail is not None for note in trail)
        return frozenset(
            (note.step.file, note.step.function)
            for note in notes
            if note.step is not None and note.mark == "begin"
        )

    def add(self, raw: RawReport) -> None:
        """Keep the first, hence shortest, way to each culprit of each rule."""
        self.raw_reports.setdefault(raw.key, raw)

    def leave(self, product: Product, value: Value, name: EntryName, after: PathTrace) -> None:
        """Note one way out, at the place that the path's last note names."""
        self.exits.setdefault((product, value, name), after)
        if after.step is not None:
            self.returns.setdefault((product, after.step.line, after.step.column), after)


class Returned(NamedTuple):
    """What a call returned: what is known of it, and the name of the lock that it is."""

    value: Value
    name: EntryName | None


Results: TypeAlias = Mapping[Expr, Returned]


@dataclass(frozen=True, slots=True)
class Path:
    """One path in the middle of an expression: calls that were made already have results."""

    state: State
    trail: PathTrace | None
    results: Results

    def returned(self, call: Expr, value: Value, name: EntryName | None) -> Path:
        """The path behind a call, with what that is known to have returned."""
        if value is None and name is None:
            return self
        return Path(self.state, self.trail, {**self.results, call: Returned(value, name)})
