# SPDX-License-Identifier: GPL-2.0-or-later
"""List every lazy MMU section of kernel source trees.

For each: user or kernel mappings, the page-table locks held where it begins
and ends, what pins the task, and what it reaches that sleeps, begins another
section or flushes the TLB.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lazymmu.cli import options
from lazymmu.cli.console import emit, progress, say, width
from lazymmu.cli.outcome import ExitCode
from lazymmu.terminal import clean

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from lazymmu.witness.finding import Sections

NAME = "sections"
SUMMARY = "list every section of source trees"
FORMATS = ("text", "json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lazymmu sections`."""
    options.add_trees(parser)
    options.add_reading(parser)
    options.add_kernel(parser)
    options.add_path(parser, "list only sections in")
    options.add_output(parser, FORMATS)


def run(args: argparse.Namespace) -> ExitCode:
    """Print the table of each tree."""
    from lazymmu.report.check import coverage, json
    from lazymmu.report.check import sections as report
    from lazymmu.report.common.words import count

    options.check_dialect(args.dialect)
    paths = options.paths(args.path, args.trees)
    trees = [(tree, _found(tree, args, mine)) for tree, mine in zip(args.trees, paths, strict=True)]
    if args.format == "json":
        emit(json.render_sections(trees), args.output)
    else:
        tables = [
            (f"{clean(tree)}:\n" if len(trees) > 1 else "")
            + report.render(found.rows, width(args.output))
            for tree, found in trees
        ]
        emit("\n".join(tables), args.output)
    if not args.quiet:
        for tree, found in trees:
            say(f"{tree}: {count(len(found.rows), 'section')}")
            if sentence := coverage.places(found.coverage):
                say(sentence)
    for _, found in trees:
        for sentence in coverage.losses(found.coverage.blind):
            say(sentence)
    return ExitCode.CLEAN if all(found.rows for _, found in trees) else ExitCode.INCONCLUSIVE


def _found(tree: str, args: argparse.Namespace, paths: Sequence[str]) -> Sections:
    from lazymmu.report.check.select import inside
    from lazymmu.snapshot.tree import TreeError
    from lazymmu.witness.finding import Coverage, Sections
    from lazymmu.witness.source.check import NothingToCheck, sections

    try:
        with progress(quiet=args.quiet) as show:
            found = sections(
                tree,
                arches=options.arches(args.arch, [tree]),
                dialect=args.dialect,
                jobs=args.jobs,
                cache_dir=options.cache_dir(args),
                progress=show,
                **options.of_module(args),
            )
    except TreeError as error:
        raise options.no_tree(error, tree, args.kernel) from None
    except NothingToCheck as error:
        say(str(error))
        return Sections((), Coverage(0, 0))
    rows = [row for row in found.rows if not args.path or inside(paths, [row.file])]
    rows.sort(key=lambda row: (row.file, row.line, row.arches))
    return replace(found, rows=tuple(rows))
