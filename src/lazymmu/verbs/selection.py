# SPDX-License-Identifier: GPL-2.0-or-later
"""Which findings of a check remain after what the user asked for, and how many do not.

No verdict is dropped silently: a `CheckOutcome` carries the count and the reason of those
withheld.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from lazymmu.snapshot.beneath import LINK_OUT
from lazymmu.snapshot.conflict_markers import CONFLICT
from lazymmu.verbs.unseen import lost_arches
from lazymmu.witness.finding import Confidence, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from lazymmu.snapshot.provenance import Provenance
    from lazymmu.verbs.allow_comments import AllowComments
    from lazymmu.verbs.change import Change
    from lazymmu.verbs.shown import Shown
    from lazymmu.witness.finding import CheckResult, Finding, Lost

LossKey = tuple[str, str, str]
"""What names a loss when lines have moved: file, name, reason (`Lost.key`)."""

__all__ = [
    "CHANGES",
    "NOT_NEW",
    "CheckOutcome",
    "FailOn",
    "SetAside",
    "SetAsideBy",
    "above",
    "inside",
    "known",
    "ordered",
    "other_than",
    "place",
    "under",
]


NOT_NEW = "not new"
"""Why a finding is withheld that was there before a change, moved or not; see `change.Change`."""


class FailOn(StrEnum):
    """The least that makes a check end with 1."""

    HURTS = "hurts"
    """An architecture of the tree is hurt."""
    COSTS = "costs"
    """One is hurt, or loses time."""
    BREAKS_TEXT = "breaks-text"
    """The contract's text is broken, whoever is hurt."""
    INFORMATION = "information"
    """Anything, also what only informs."""
    NONE = "none"
    """Nothing: findings are told, and the check ends as if there were none."""

    @classmethod
    def _missing_(cls, value: object) -> FailOn | None:
        return cls.BREAKS_TEXT if value == "text" else None

    def counts(self, finding: Finding) -> bool:
        """Whether a finding makes a check end with 1."""
        match self:
            case FailOn.HURTS:
                return finding.severity is Severity.HURTS
            case FailOn.COSTS:
                informs = finding.severity is Severity.INFORMATION
                return finding.severity is Severity.HURTS or bool(finding.costs and not informs)
            case FailOn.BREAKS_TEXT:
                return finding.severity is not Severity.INFORMATION
            case FailOn.INFORMATION:
                return True
            case FailOn.NONE:
                return False


class SetAsideBy(StrEnum):
    """What says that a finding does not count, as it is read after a number."""

    SUPPRESSION = "suppressed"
    """An entry of a file of suppressions that the user named."""
    CONFIGURATION = "suppressed by the configuration"
    """An entry of the configuration that was found with the tree, or named."""
    COMMENT = "allowed by a comment in the source"
    BASELINE = "in the baseline"
    UNCHANGED = "unchanged"
    """It was there before the change that is asked about."""
    MOVED = "moved"
    """It was there before, in another place or under another name."""
    FIXED = "fixed"
    """It was there before, and is no more."""
    UNSEEN = "not seen any more"
    """It was there before, and what it is in was not seen."""


CHANGES = (SetAsideBy.FIXED, SetAsideBy.UNSEEN, SetAsideBy.MOVED)
"""What is told of the findings that were there before a change; the others are as they were."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """A finding that was found and does not count; reason: what somebody gave for it, or ""."""

    finding: Finding
    by: SetAsideBy
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """One check as the user wants to see it.

    :param result: the check with the findings that remain.
    :param withheld: the reason and the number of the other verdicts; a reason reads well after a
        number, as in "2 in the baseline".
    :param known: keys of losses that were there before, and so do not make this check blind.
    """

    result: CheckResult
    withheld: tuple[tuple[str, int], ...] = ()
    known: tuple[LossKey, ...] = ()
    paths: tuple[str, ...] = ()
    """Only losses inside these count; empty: all do."""
    gone: tuple[str, ...] = ()
    """Architectures that had the mode before, and were not looked at now."""
    aside: tuple[SetAside, ...] = ()
    """Of those withheld the ones that somebody has judged or known: formats for programs say so."""
    fail_on: FailOn = FailOn.BREAKS_TEXT
    """What makes the check end with 1."""
    comments: AllowComments | None = None
    """The comments in the source that allow findings, where they are heeded."""
    compared: bool = False
    """Whether it was asked what was there before: by a former tree, or by a baseline."""
    provenance: Provenance | None = None
    """Which commit it is, where that was asked for and is known."""
    change: Change | None = None
    """What became of the findings of the tree as it was, where that was asked for."""
    shown: Shown | None = None
    """The code around the findings, and counterexamples, where that was asked for."""

    @property
    def blind(self) -> tuple[Lost, ...]:
        """What was lost that could hide a finding, and counts: without findings not clean."""
        left = Counter(self.known)
        new: list[Lost] = []
        for lost in self.result.coverage.blind:
            if left[lost.key] > 0:
                left[lost.key] -= 1
            elif not self.paths or not lost.line or inside(self.paths, [lost.file]):
                new.append(lost)
        return (*new, *lost_arches(self.gone))

    @property
    def links_out(self) -> int:
        """How many files are links that lead out of the tree, and were not read."""
        return sum(lost.reason == LINK_OUT for lost in self.result.coverage.unparsed)

    @property
    def torn(self) -> tuple[str, ...]:
        """Files with an unresolved merge conflict, which is not read."""
        lost = self.result.coverage.unparsed
        return tuple(sorted({one.file for one in lost if one.reason == CONFLICT}))

    @property
    def not_counted(self) -> tuple[SetAside, ...]:
        """Everything that is known and does not count, each with what says so."""
        if self.change is None:
            return self.aside
        moved = (
            SetAside(one.finding, SetAsideBy.MOVED, f"from {place(one.origin)}")
            for one in self.change.moved
        )
        fixed = (SetAside(one, SetAsideBy.FIXED) for one in self.change.fixed)
        hidden = (SetAside(one, SetAsideBy.UNSEEN) for one in self.change.unseen)
        unchanged = (SetAside(one, SetAsideBy.UNCHANGED) for one in self.change.unchanged)
        return (*self.aside, *fixed, *hidden, *moved, *unchanged)

    def since(self, new: tuple[Finding, ...], change: Change) -> CheckOutcome:
        """This outcome with the new findings alone, and what became of the others beside them."""
        less = replace(self, result=replace(self.result, findings=new), change=change)
        known = len(self.verdicts) - len(less.verdicts)
        return replace(less, withheld=(*less.withheld, (NOT_NEW, known))) if known else less

    def knowing(self, losses: Iterable[LossKey]) -> CheckOutcome:
        """This outcome with losses that were there before."""
        return replace(self, known=(*self.known, *losses))

    def missing(self, arches: Iterable[str]) -> CheckOutcome:
        """This outcome less the architectures that were looked at before, those that still are."""
        gone = sorted({*self.gone, *arches}.difference(self.result.arches))
        return replace(self, gone=tuple(gone))

    @property
    def verdicts(self) -> tuple[Finding, ...]:
        """The findings that say something is wrong."""
        return tuple(f for f in self.result.findings if f.severity is not Severity.INFORMATION)

    @property
    def information(self) -> tuple[Finding, ...]:
        """The findings that only inform."""
        return tuple(f for f in self.result.findings if f.severity is Severity.INFORMATION)

    @property
    def failing(self) -> tuple[Finding, ...]:
        """The findings that make the check end with 1."""
        return tuple(f for f in self.result.findings if self.fail_on.counts(f))

    def without(self, reason: str, drop: Callable[[Finding], bool]) -> CheckOutcome:
        """This outcome less the findings that `drop` is true of, counted under `reason`.

        What only informs is dropped likewise but not counted: "3 not shown" must mean verdicts.
        What was set aside before is dropped with them, and was counted then.
        """
        kept = tuple(f for f in self.result.findings if not drop(f))
        aside = tuple(one for one in self.aside if not drop(one.finding))
        change = None if self.change is None else self.change.less(drop)
        result = replace(self.result, findings=kept)
        less = replace(self, result=result, aside=aside, change=change)
        gone = len(self.verdicts) - len(less.verdicts)
        return replace(less, withheld=(*less.withheld, (reason, gone))) if gone else less

    def setting_aside(self, by: SetAsideBy, judge: Callable[[Finding], str | None]) -> CheckOutcome:
        """This outcome less the findings that do not count, which are kept in `aside`.

        :param judge: why a finding does not count, "" without a reason, None for one that does.
        """
        kept: list[Finding] = []
        aside: list[SetAside] = []
        for finding in self.result.findings:
            reason = judge(finding)
            if reason is None:
                kept.append(finding)
            else:
                aside.append(SetAside(finding, by, reason))
        gone = sum(one.finding.severity is not Severity.INFORMATION for one in aside)
        change = self.change
        if change is not None and by is not SetAsideBy.BASELINE:
            change = change.less(lambda finding: judge(finding) is not None)
        return replace(
            self,
            change=change,
            result=replace(self.result, findings=tuple(kept)),
            withheld=(*self.withheld, (by.value, gone)) if gone else self.withheld,
            aside=(*self.aside, *aside),
        )


def place(finding: Finding) -> str:
    """Where a finding is, as `file:line function()`."""
    function = f" {finding.function}()" if finding.function else ""
    return f"{finding.file}:{finding.line}{function}"


def ordered(result: CheckResult) -> CheckResult:
    """`result` with its findings by place, so that two runs can be compared by diff."""
    findings = sorted(
        result.findings, key=lambda f: (f.file, f.line, f.column, f.rule, f.fingerprint)
    )
    return replace(result, findings=tuple(findings))


def above(least: Confidence) -> Callable[[Finding], bool]:
    """A test for findings less sure than `least`."""
    return lambda finding: finding.confidence.rank < least.rank


def under(paths: Sequence[str]) -> Callable[[Finding], bool]:
    """A test for findings outside all of `paths`: files or directories, relative to the tree.

    A finding is inside if its culprit is, or any step of its path: what a maintainer of a
    directory asks is what their code takes part in.
    """
    return lambda finding: not inside(paths, [finding.file, *(step.file for step in finding.path)])


def inside(paths: Sequence[str], files: Iterable[str]) -> bool:
    """Whether any of `files` is one of `paths` or below it; both relative to the tree."""
    tops = {_plain(path) for path in paths}
    return any(top in {"", file} or file.startswith(top + "/") for file in files for top in tops)


def other_than(fingerprints: Collection[str]) -> Callable[[Finding], bool]:
    """A test for findings of other fingerprints."""
    return lambda finding: finding.fingerprint not in fingerprints


def known(fingerprints: Iterable[str]) -> Callable[[Finding], bool]:
    """A test for findings whose fingerprint is among `fingerprints`, each as often as it is there.

    Two causes can share a fingerprint (the same mistake twice in one function); knowing one of
    them must not hide a second, so each fingerprint given is spent once. Ask in order, once each.
    """
    left = Counter(fingerprints)

    def spent(finding: Finding) -> bool:
        if left[finding.fingerprint] <= 0:
            return False
        left[finding.fingerprint] -= 1
        return True

    return spent


def _plain(path: str) -> str:
    """`path` as findings spell it: no leading ``./``, no trailing or doubled slashes."""
    return re.sub(r"^(\./)+|^\.$", "", re.sub(r"/+", "/", path)).strip("/")
