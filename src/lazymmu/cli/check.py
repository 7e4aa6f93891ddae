# SPDX-License-Identifier: GPL-2.0-or-later
"""Check kernel source trees against the contract of the lazy MMU mode.

A tree is plain source: it need not be configured or built. Findings go to
standard output, one line each with the path to the culprit in notes below it;
a summary goes to standard error.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lazymmu.cli import options
from lazymmu.cli.console import emit, progress, read_input, say, width
from lazymmu.cli.outcome import ExitCode
from lazymmu.problem import Problem

if TYPE_CHECKING:
    import argparse

    from lazymmu.report.check.baseline import Baseline
    from lazymmu.report.check.select import Outcome
    from lazymmu.report.check.suppressions import Suppression
    from lazymmu.snapshot.tree import Tree
    from lazymmu.witness.finding import CheckResult

NAME = "check"
SUMMARY = "check source trees against the contract"
FORMATS = ("text", "json", "sarif", "mail")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lazymmu check`."""
    options.add_trees(parser)
    options.add_reading(parser)
    options.add_kernel(parser)
    which = parser.add_argument_group("which findings")
    options.add_path(which, "report only findings that touch")
    which.add_argument(
        "--rule",
        metavar="NAME",
        action="append",
        default=[],
        dest="rules",
        help="check only this rule (see `lazymmu explain`); also shows the information it gives",
    )
    which.add_argument(
        "--min-confidence",
        choices=("low", "medium", "high"),
        default="medium",
        help="how sure a finding must be (default: medium)",
    )
    new = which.add_mutually_exclusive_group()
    new.add_argument(
        "--since", metavar="REV", help="only what is new in this git tree since revision REV"
    )
    new.add_argument(
        "--diff",
        metavar="FILE",
        help="only what a patch brings that is applied to the tree (- for standard input)",
    )
    which.add_argument("--suppress", metavar="FILE", help="leave out what this TOML file names")
    which.add_argument("--baseline", metavar="FILE", help="leave out what this baseline holds")
    which.add_argument(
        "--write-baseline", metavar="FILE", help="write the findings as a baseline, and exit with 0"
    )
    output = options.add_output(parser, FORMATS)
    output.add_argument(
        "--compare", action="store_true", help="of several trees: a table, finding by release"
    )
    output.add_argument(
        "--exit-zero", action="store_true", help="exit with 0 even if there are findings"
    )
    output.add_argument(
        "--allow-loss",
        action="store_true",
        help="exit with 0 also if something was not seen that could hide a finding",
    )


@dataclass(frozen=True, slots=True)
class _Wish:
    """What the user asked for, read and checked before any tree is."""

    arches: tuple[str, ...] | None
    suppressions: tuple[Suppression, ...]
    baseline: Baseline | None
    patch: bytes | None
    paths: tuple[tuple[str, ...], ...]
    """For each tree what --path names in it."""


def run(args: argparse.Namespace) -> ExitCode:
    """Check each tree, keep what was asked for, print it, and say how it ended."""
    wish = _wish(args)
    outcomes = []
    everything: list[CheckResult] = []
    for tree, paths in zip(args.trees, wish.paths, strict=True):
        result, outcome = _one(tree, args, wish, paths)
        everything.append(result)
        outcomes.append(outcome)
    _report_stale(args, wish, everything)
    if args.write_baseline:
        _write_baseline(everything[0], args, wish)
    else:
        _print(outcomes, args)
    if not args.quiet:
        _summarise(outcomes, args)
    missing = _report_missing(outcomes, wish)
    _report_blind(outcomes)
    _report_modules(outcomes)
    if any(outcome.verdicts for outcome in outcomes) and not args.write_baseline:
        return ExitCode.CLEAN if args.exit_zero else ExitCode.FOUND
    blind = any(outcome.blind for outcome in outcomes) and not args.allow_loss
    if args.write_baseline:
        blind = False  # it is what the baseline is there to hold
    return ExitCode.INCONCLUSIVE if missing or blind else ExitCode.CLEAN


def _wish(args: argparse.Namespace) -> _Wish:
    from lazymmu.contract.rules import RULES
    from lazymmu.report.check import baseline, suppressions

    options.check_names("rule", args.rules, options.source_rules())
    options.check_dialect(args.dialect)
    several = len(args.trees) > 1
    if args.compare and not several:
        raise Problem("--compare needs at least two trees")
    if args.compare and args.format not in {"text", "json"}:
        raise Problem(f"--compare has no format {args.format}; it has text and json")
    for option, value in (
        ("--since", args.since),
        ("--diff", args.diff),
        ("--write-baseline", args.write_baseline),
    ):
        if value is not None and several:
            raise Problem(f"{option} needs exactly one tree")
    if args.kernel is not None and (args.since is not None or args.diff is not None):
        raise Problem("--since and --diff need a kernel tree, not a module")
    wanted = options.arches(args.arch, [args.kernel] if args.kernel else args.trees)
    try:
        return _Wish(
            arches=wanted,
            suppressions=suppressions.read(read_input(args.suppress), args.suppress, RULES)
            if args.suppress
            else (),
            baseline=baseline.read(read_input(args.baseline), args.baseline)
            if args.baseline
            else None,
            patch=read_input(args.diff) if args.diff is not None else None,
            paths=tuple(options.paths(args.path, args.trees)),
        )
    except (suppressions.SuppressionError, baseline.BaselineError) as error:
        raise Problem(str(error)) from None


def _one(
    tree: str, args: argparse.Namespace, wish: _Wish, paths: tuple[str, ...]
) -> tuple[CheckResult, Outcome]:
    """One tree's check, whole, and what remains of it."""
    from lazymmu.report.check import select
    from lazymmu.witness.finding import Confidence

    former = _former(tree, args, wish)
    result = select.ordered(_checked(tree, args, wish))
    outcome = select.Outcome(result)
    if former is not None:
        # First of all filters, because it counts equal fingerprints on both sides.
        old = _checked(_opened(tree).over(former), args, wish)
        outcome = outcome.without("not new", select.known(f.fingerprint for f in old.findings))
        outcome = outcome.knowing(lost.key for lost in old.coverage.blind).missing(old.arches)
    if wish.suppressions:
        outcome = outcome.without(
            "suppressed", lambda finding: any(s.holds(finding) for s in wish.suppressions)
        )
    if wish.baseline is not None:
        outcome = outcome.without("in the baseline", select.known(wish.baseline.fingerprints))
        outcome = outcome.knowing(wish.baseline.losses)
        asked = wish.arches or wish.baseline.arches
        outcome = outcome.missing(arch for arch in wish.baseline.arches if arch in asked)
    if args.path:
        outcome = outcome.without("outside --path", select.under(paths))
        outcome = replace(outcome, paths=tuple(paths))
    least = Confidence(args.min_confidence)
    return result, outcome.without(f"below {least} confidence", select.above(least))


def _opened(tree: str) -> Tree:
    from lazymmu.snapshot.tree import Tree, TreeError

    try:
        return Tree.open(tree)
    except TreeError as error:
        raise options.no_tree(error, tree, None) from None


def _checked(tree: str | Tree, args: argparse.Namespace, wish: _Wish) -> CheckResult:
    import lazymmu
    from lazymmu.snapshot.tree import Tree, TreeError
    from lazymmu.witness.finding import CheckResult, Coverage, TreeInfo
    from lazymmu.witness.source.check import NothingToCheck, spoken_by

    try:
        with progress(quiet=args.quiet) as show:
            return lazymmu.check(
                tree,
                arches=wish.arches,
                rules=args.rules or None,
                dialect=args.dialect,
                jobs=args.jobs,
                cache_dir=options.cache_dir(args),
                progress=show,
                **options.of_module(args),
            )
    except TreeError as error:
        raise options.no_tree(error, str(tree), args.kernel) from None
    except NothingToCheck as error:
        # An answer like any other: every format says it, and other trees are still checked.
        present = tree if isinstance(tree, Tree) else Tree.open(args.kernel or tree)
        dialect = args.dialect or spoken_by(present).name
        return CheckResult(
            TreeInfo(str(tree.root) if isinstance(tree, Tree) else tree, present.release, dialect),
            (),
            (),
            Coverage(0, 0, error.lost, blind=error.lost),
        )


def _former(tree: str, args: argparse.Namespace, wish: _Wish) -> dict[str, bytes | None] | None:
    """What the change that --since or --diff names replaced, None without either."""
    from lazymmu.snapshot import former_tree

    if args.since is not None:
        return former_tree.at_revision(tree, args.since)
    if wish.patch is not None:
        return former_tree.without_patch(tree, wish.patch, args.diff)
    return None


def _write_baseline(result: CheckResult, args: argparse.Namespace, wish: _Wish) -> None:
    """Keep every verdict but the suppressed: what else narrows this run must not narrow the next.

    That holds for --baseline above all, so that a baseline can be brought up to date in place.
    """
    from lazymmu.report.check import baseline, select

    verdicts = [
        finding
        for finding in select.Outcome(result).verdicts
        if not any(suppression.holds(finding) for suppression in wish.suppressions)
    ]
    losses = [lost.key for lost in result.coverage.blind]
    text = baseline.write(verdicts, losses, result.arches, result.tree.release)
    emit(text, args.write_baseline)
    if not args.quiet:
        say(f"{args.write_baseline}: baseline written, {len(verdicts)} in it")


def _report_stale(args: argparse.Namespace, wish: _Wish, everything: list[CheckResult]) -> None:
    """Name the suppressions that nothing matches, where this run could have matched them."""
    from lazymmu.report.check import suppressions

    # A run over part of the rules or architectures cannot tell stale entries from unasked ones.
    if wish.arches is None and not args.rules and args.dialect is None:
        findings = [finding for result in everything for finding in result.findings]
        for entry in suppressions.stale(wish.suppressions, findings):
            say(f"{args.suppress}: {entry} is stale: no finding matches it")


def _report_missing(outcomes: list[Outcome], wish: _Wish) -> bool:
    """Say which trees had nothing to check; whether there was one."""
    missing = False
    for outcome in outcomes:
        result = outcome.result
        for arch in wish.arches or ():
            if arch not in result.arches:
                say(f"{result.tree.path}: this tree does not implement the lazy MMU mode on {arch}")
                missing = True
        if not result.arches and wish.arches is None:
            say(f"{result.tree.path}: no architecture of this tree implements the lazy MMU mode")
            missing = True
        elif result.arches and not result.coverage.sections and result.module is None:
            say(f"{result.tree.path}: no lazy MMU section found, so nothing was checked")
            missing = True
    return missing


def _report_blind(outcomes: list[Outcome]) -> None:
    """Name what was lost that could hide a finding: a gate that ends with 3 must say why."""
    from lazymmu.report.check import coverage
    from lazymmu.snapshot.beneath import LINK_OUT

    for outcome in outcomes:
        out = sum(lost.reason == LINK_OUT for lost in outcome.result.coverage.unparsed)
        if out:
            which = "file is a link that leads" if out == 1 else "files are links that lead"
            say(f"{outcome.result.tree.path}: {out} {which} out of the tree, and not read")
        for sentence in coverage.losses(outcome.blind):
            say(sentence)


def _report_modules(outcomes: list[Outcome]) -> None:
    """Say of modules that have nothing to do with the mode that all of them was read."""
    from lazymmu.report.common.words import clean, count

    for outcome in outcomes:
        result, module = outcome.result, outcome.result.module
        if module is not None and result.arches and not module.uses and not outcome.blind:
            sources = count(module.sources, "source file")
            say(
                clean(
                    f"{result.tree.path}: {sources} read: nothing uses the mode, or hands a "
                    "callback to what may run it inside of a section"
                )
            )


def _print(outcomes: list[Outcome], args: argparse.Namespace) -> None:
    from lazymmu.report.check import compare, json, mail, sarif, text
    from lazymmu.report.common import table

    asked = frozenset(args.rules)
    if args.compare:
        comparison = compare.compare(outcomes, asked=asked)
        if args.format == "json":
            emit(json.render_comparison(comparison), args.output)
        else:
            emit(table.plain(compare.table(comparison), width(args.output)), args.output)
        return
    match args.format:
        case "json":
            emit(json.render(outcomes), args.output)
        case "sarif":
            import lazymmu
            from lazymmu.contract.rules import RULES

            emit(sarif.render(outcomes, version=lazymmu.__version__, rules=RULES), args.output)
        case "mail":
            emit(mail.render(outcomes, asked=asked), args.output)
        case _:
            emit(text.render(outcomes, asked=asked), args.output, colour=True)


def _summarise(outcomes: list[Outcome], args: argparse.Namespace) -> None:
    from lazymmu.report.check import summary

    listed = args.format in {"json", "sarif"} and not args.write_baseline
    for outcome in outcomes:
        for sentence in summary.sentences(outcome, asked=frozenset(args.rules), listed=listed):
            say(sentence)
