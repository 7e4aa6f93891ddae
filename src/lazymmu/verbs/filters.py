# SPDX-License-Identifier: GPL-2.0-or-later
"""What remains of a check after all that somebody has judged, known, or not asked about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lazymmu.kernelc.parse.slices import definitions
from lazymmu.verbs import reading, selection
from lazymmu.verbs.selection import SetAsideBy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lazymmu.verbs.allow_comments import AllowComments
    from lazymmu.verbs.baseline import Baseline
    from lazymmu.verbs.check import CheckRequest
    from lazymmu.verbs.given import Input
    from lazymmu.verbs.selection import CheckOutcome
    from lazymmu.verbs.suppressions import Suppression
    from lazymmu.witness.finding import Finding
    from lazymmu.witness.source.check import Where

__all__ = ["Wanted", "left"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request whose names were looked up and whose files were read, before any tree is."""

    arches: tuple[str, ...] | None
    suppressions: tuple[Suppression, ...]
    baseline: Baseline | None
    patch: Input | None
    paths: tuple[tuple[str, ...], ...]
    """For each tree what the request's paths name in it."""


def left(
    outcome: CheckOutcome,
    paths: tuple[str, ...],
    request: CheckRequest,
    wanted: Wanted,
    tree: Where,
) -> CheckOutcome:
    """What remains of a check after all that somebody has judged, known, or not asked about."""
    for by, entries in (
        (SetAsideBy.SUPPRESSION, wanted.suppressions),
        (SetAsideBy.CONFIGURATION, request.configured),
    ):
        outcome = outcome.setting_aside(by, _judged(entries))
    if outcome.comments is not None and outcome.comments.all:
        outcome = outcome.setting_aside(SetAsideBy.COMMENT, _allowed(outcome.comments))
    if wanted.baseline is not None:
        before = wanted.baseline.known(outcome.result.findings, _defines(tree, request.kernel))
        outcome = outcome.setting_aside(SetAsideBy.BASELINE, _unjustified(before))
        outcome = outcome.knowing(wanted.baseline.losses)
        asked = wanted.arches or wanted.baseline.arches
        outcome = outcome.missing(arch for arch in wanted.baseline.arches if arch in asked)
    if request.only:
        outcome = outcome.without("other than --only", selection.other_than(request.only))
    if request.paths:
        outcome = outcome.without("outside --path", selection.under(paths))
        outcome = replace(outcome, paths=paths)
    least = request.min_confidence
    return outcome.without(f"below {least} confidence", selection.above(least))


def _defines(tree: Where, kernel: Where | None) -> Callable[[str, str], bool]:
    """A test for whether a file of a tree, by path, defines a function; of a module: it may."""

    def defines(rel: str, function: str) -> bool:
        if kernel is not None:
            return True
        here = reading.opened(tree)
        text = here.read(rel) if here.has(rel) else b""
        return any(one.name == function for one in definitions(text))

    return defines


def _judged(entries: Sequence[Suppression]) -> Callable[[Finding], str | None]:
    """The reason of the first entry that holds for a finding, for `CheckOutcome.setting_aside`."""
    return lambda finding: next((one.reason for one in entries if one.holds(finding)), None)


def _allowed(comments: AllowComments) -> Callable[[Finding], str | None]:
    """The reason of the comment at a finding's culprit, for `CheckOutcome.setting_aside`."""

    def judge(finding: Finding) -> str | None:
        held = comments.holding(finding)
        return f"{held[0]}: {held[0].reason}" if held else None

    return judge


def _unjustified(test: Callable[[Finding], bool]) -> Callable[[Finding], str | None]:
    """A test as a judge of `CheckOutcome.setting_aside` that gives no reasons."""
    return lambda finding: "" if test(finding) else None
