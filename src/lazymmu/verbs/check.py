# SPDX-License-Identifier: GPL-2.0-or-later
"""`check`: hold source trees to the contract, and tell what of it was asked for."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, overload

from lazymmu.contract.rules import RULES
from lazymmu.problem import Problem
from lazymmu.snapshot.provenance import provenance
from lazymmu.verbs import allow_comments, baseline, names, reading, selection, suppressions
from lazymmu.verbs.change import change
from lazymmu.verbs.exit_code import ExitCode
from lazymmu.verbs.filters import Wanted, left
from lazymmu.verbs.given import Given, read, several
from lazymmu.verbs.lineage import by_release, lineage
from lazymmu.verbs.reading import TreeRequest
from lazymmu.verbs.selection import CheckOutcome, FailOn
from lazymmu.verbs.series import with_patches
from lazymmu.verbs.two_trees import two_trees
from lazymmu.witness.finding import CheckResult, Confidence
from lazymmu.witness.source import check as source

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from lazymmu.verbs.allow_comments import AllowComment
    from lazymmu.verbs.baseline import Baseline
    from lazymmu.verbs.lineage import Key
    from lazymmu.verbs.suppressions import Suppression
    from lazymmu.witness.finding import Finding
    from lazymmu.witness.source.check import Progress, TreeOptions, Where

__all__ = ["CheckAnswer", "CheckRequest", "check"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRequest(TreeRequest):
    """A question for `check`: all that `lazymmu check` can be asked.

    :param rules: names of `contract.rules.RULES`; without any, all that source can show.
    :param only: fingerprints of the findings that are told; without any, all.
    :param min_confidence: how sure a finding must be.
    :param since: what changed in the one git tree since its merge base with this revision; of a
        range `A..B`, in B since its merge base with A.
    :param exact: since the revision itself, whatever the branch has got from elsewhere.
    :param diff: what a patch changes, applied to the one tree or not.
    :param suppressions: a TOML file of findings that are left out, each with a reason.
    :param configured: suppressions of a configuration (`verbs.configuration`), besides.
    :param baseline: a file with what was there before, and is left out.
    :param allow: heed comments in the source that allow a finding.
    :param fail_on: the least that makes a check end with 1.
    :param provenance: ask the repository of each tree which commit it is.
    :param shown: with the code around each finding, and the counterexample of its harm, searched.
    """

    rules: Sequence[str] = ()
    only: Sequence[str] = ()
    min_confidence: Confidence = Confidence.MEDIUM
    since: str | None = None
    exact: bool = False
    diff: Given | None = None
    suppressions: Given | None = None
    configured: Sequence[Suppression] = ()
    baseline: Given | None = None
    allow: bool = True
    fail_on: FailOn = FailOn.BREAKS_TEXT
    provenance: bool = False
    shown: bool = False

    def __post_init__(self) -> None:
        """As for every tree; a confidence may be a word."""
        TreeRequest.__post_init__(self)
        object.__setattr__(self, "rules", several(self.rules))
        object.__setattr__(self, "only", several(self.only))
        object.__setattr__(self, "configured", several(self.configured))
        object.__setattr__(self, "min_confidence", Confidence(self.min_confidence))
        object.__setattr__(self, "fail_on", FailOn(self.fail_on))


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckAnswer:
    """The result of a check.

    :param request: the question.
    :param arches: the architectures that were asked for; None for all.
    :param outcomes: for each tree the findings that remain after all filters.
    :param results: for each tree everything that was found.
    :param suppressions: the entries of the request's file, then of its configuration.
    :param unread: a sentence for each of several trees that could not be checked.
    :param interrupted: whether the user broke off after some of several trees.
    """

    request: CheckRequest
    arches: tuple[str, ...] | None
    outcomes: tuple[CheckOutcome, ...]
    results: tuple[CheckResult, ...]
    suppressions: tuple[Suppression, ...] = ()
    unread: tuple[str, ...] = ()
    interrupted: bool = False

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings that remain, of all trees, information included."""
        return tuple(one for outcome in self.outcomes for one in outcome.result.findings)

    @property
    def verdicts(self) -> tuple[Finding, ...]:
        """The findings that say something is wrong."""
        return tuple(one for outcome in self.outcomes for one in outcome.verdicts)

    @property
    def stale(self) -> tuple[Suppression, ...]:
        """The suppressions that match nothing, if this check could have matched them."""
        # A run over part of the rules or architectures cannot tell stale entries from unasked ones.
        if self.arches is not None or self.request.rules or self.request.dialect is not None:
            return ()
        found = [finding for result in self.results for finding in result.findings]
        return suppressions.stale(self.suppressions, found)

    @property
    def unused_comments(self) -> tuple[AllowComment, ...]:
        """The comments that allow a finding which this check could have made and did not."""
        if self.arches is not None or self.request.rules or self.request.dialect is not None:
            return ()
        return tuple(
            comment
            for outcome, result in zip(self.outcomes, self.results, strict=True)
            if outcome.comments is not None
            for comment in outcome.comments.unused(result.findings)
        )

    @property
    def missing(self) -> tuple[str, ...]:
        """A sentence for each tree, and each architecture of a tree, without anything to check."""
        said = []
        for outcome in self.outcomes:
            result, path = outcome.result, outcome.result.tree.path
            said += [
                f"{path}: this tree does not implement the lazy MMU mode on {arch}"
                for arch in self.arches or ()
                if arch not in result.arches
            ]
            if not result.arches and self.arches is None:
                said.append(f"{path}: no architecture of this tree implements the lazy MMU mode")
            elif result.arches and not result.coverage.sections and result.module is None:
                said.append(f"{path}: no lazy MMU section found, so nothing was checked")
        return tuple(said)

    def lineage(self) -> dict[Key, Key]:
        """What each problem was in earlier releases, of those that changed file or function.

        Nothing is told of trees that are gone by now.
        """
        order = by_release([result.tree.release for result in self.results])
        trees = [self.request.trees[number] for number in order]
        found = [self.results[number].findings for number in order]
        try:
            opened = [reading.opened(tree, self.request.kernel) for tree in trees]
        except Problem:
            return {}
        return lineage(list(zip(opened, found, strict=True)))

    def exit_code(self, *, allow_loss: bool = False) -> ExitCode:
        """The exit code of the command.

        :param allow_loss: a loss that could hide a finding leaves the check clean.
        """
        if self.interrupted:
            return ExitCode.INTERRUPTED
        if self.unread:
            return ExitCode.FAILED
        if any(outcome.failing for outcome in self.outcomes):
            return ExitCode.FOUND
        blind = not allow_loss and any(outcome.blind for outcome in self.outcomes)
        return ExitCode.INCONCLUSIVE if self.missing or blind else ExitCode.CLEAN

    def new_baseline(self) -> tuple[str, int]:
        """A baseline of the one tree.

        It holds every verdict that is not suppressed, also the verdicts that other filters left
        out of this check. So the baseline of the request can be brought up to date in place.

        :returns: its text, and the number of findings in it.
        :raises lazymmu.Problem: the request has several trees.
        """
        if len(self.results) != 1:
            raise Problem("--write-baseline needs exactly one tree")
        (result,) = self.results
        comments = self.outcomes[0].comments
        verdicts = [
            finding
            for finding in CheckOutcome(result).verdicts
            if not any(one.holds(finding) for one in self.suppressions)
            and not (comments is not None and comments.holding(finding))
        ]
        losses = [lost.key for lost in result.coverage.blind]
        text = baseline.write(verdicts, losses, result.arches, result.tree.release)
        return text, len(verdicts)


@overload
def check(asked: CheckRequest, *, progress: Progress | None = None) -> CheckAnswer: ...
@overload
def check(asked: Where, **options: Unpack[TreeOptions]) -> CheckResult: ...
def check(
    asked: CheckRequest | Where, *, progress: Progress | None = None, **options: Any
) -> CheckAnswer | CheckResult:
    """Check Linux source trees (not configured, not built) against the contract.

    :param asked: a request, whose answer has all that the command line can; or one tree, whose
        whole result is then returned, nothing left out.
    :param progress: called with a stage, how much of it is done, and of how much.
    :param options: of one tree alone, see `TreeOptions`.
    :returns: a `CheckAnswer` to a request, and a `CheckResult` of one tree.
    :raises lazymmu.Problem: the request cannot be met, for example because a path is no kernel
        tree, or a name does not exist; its text is one sentence for the user.
    :raises lazymmu.snapshot.tree.TreeError: `asked` is one path, and no kernel tree.
    :raises ValueError: `asked` is one tree, and an option has an unknown name in it.
    """
    if not isinstance(asked, CheckRequest):
        return source.check(asked, progress=progress, **options)
    if options:
        raise TypeError(f"a request has all options in it, also {', '.join(options)}")
    wanted = _wanted(asked)
    pairs: list[tuple[CheckResult, CheckOutcome]] = []
    unread: list[str] = []
    interrupted = False
    for tree, paths in zip(asked.trees, wanted.paths, strict=True):
        # Of several trees what some gave is told, whatever becomes of the others.
        try:
            pairs.append(_one(tree, paths, asked, wanted, _named(progress, tree, asked)))
        except Problem as problem:
            if len(asked.trees) == 1:
                raise
            unread.append(str(problem))
        except KeyboardInterrupt:
            if not pairs:
                raise
            interrupted = True
            break
    if not pairs:
        raise Problem("; ".join(unread))
    return CheckAnswer(
        unread=tuple(unread),
        interrupted=interrupted,
        request=asked,
        arches=wanted.arches,
        outcomes=tuple(outcome for _, outcome in pairs),
        results=tuple(result for result, _ in pairs),
        suppressions=(*wanted.suppressions, *asked.configured),
    )


def _named(progress: Progress | None, tree: Where, asked: CheckRequest) -> Progress | None:
    """Progress that says which of several trees it is about."""
    if progress is None or len(asked.trees) == 1:
        return progress
    name = os.path.basename(os.path.abspath(reading.called(tree)))

    def show(stage: str, done: int, total: int) -> None:
        progress(f"{name}: {stage}", done, total)

    return show


def _wanted(request: CheckRequest) -> Wanted:
    names.rules_of_source(request.rules)
    names.dialect(request.dialect)
    for option, value in (("--since", request.since), ("--diff", request.diff)):
        if value is not None and len(request.trees) > 1:
            raise Problem(f"{option} needs exactly one tree")
        if value is not None and request.kernel is not None:
            raise Problem("--since and --diff need a kernel tree, not a module")
    if request.exact and request.since is None:
        raise Problem("--exact goes with --since")
    if request.since is not None and request.diff is not None:
        raise Problem("--since and --diff cannot be combined")
    for fingerprint in request.only:
        if not re.fullmatch("[0-9a-f]{16}", fingerprint):
            raise Problem(f"--only: {fingerprint!r} is not a fingerprint, which has 16 hex digits")
    arches = reading.arches_of(request)
    try:
        return Wanted(
            arches=arches,
            suppressions=_suppressions(request.suppressions),
            baseline=_baseline(request.baseline),
            patch=None if request.diff is None else read(request.diff),
            paths=tuple(reading.paths_of(request)),
        )
    except (suppressions.SuppressionError, baseline.BaselineError) as error:
        raise Problem(str(error)) from None


def _suppressions(given: Given | None) -> tuple[Suppression, ...]:
    if not given:
        return ()
    file = read(given)
    return suppressions.read(file.content, file.name, RULES)


def _baseline(given: Given | None) -> Baseline | None:
    if not given:
        return None
    file = read(given)
    return baseline.read(file.content, file.name)


def _one(
    tree: Where,
    paths: tuple[str, ...],
    request: CheckRequest,
    wanted: Wanted,
    progress: Progress | None,
) -> tuple[CheckResult, CheckOutcome]:
    """One tree's check, whole, and what remains of it."""

    def look(where: Where) -> CheckResult:
        return reading.read(
            source.check, where, request, wanted.arches, progress, rules=request.rules or None
        )

    with two_trees(tree, since=request.since, exact=request.exact, patch=wanted.patch) as two:
        result = selection.ordered(look(two.present))
        outcome = CheckOutcome(
            result,
            fail_on=request.fail_on,
            compared=two.former is not None or wanted.baseline is not None,
            comments=allow_comments.comments_of(two.present, result) if request.allow else None,
            provenance=provenance(reading.called(tree)) if request.provenance else None,
        )
        if two.former is not None and two.base is not None:
            # First of all filters, because it counts equal fingerprints on both sides.
            old = look(two.former)
            before = (two.former, selection.ordered(old).findings)
            outcome = outcome.knowing(lost.key for lost in old.coverage.blind).missing(old.arches)
            after = (reading.opened(two.present), result.findings)
            outcome = outcome.since(*change(two.base, before, after, outcome.blind))
            if two.patched is not None:
                outcome = with_patches(outcome, two.patched, tree, look)
        outcome = left(outcome, paths, request, wanted, two.present)
        if request.shown:
            from lazymmu.verbs.shown import shown

            release = result.tree.release
            beside = shown(outcome.verdicts, release, two.present, request.kernel)
            outcome = replace(outcome, shown=beside)
        return result, outcome
