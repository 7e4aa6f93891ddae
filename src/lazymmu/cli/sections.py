# SPDX-License-Identifier: GPL-2.0-or-later
"""List every lazy MMU section of kernel source trees.

For each: user or kernel mappings, the page-table locks held where it begins
and ends, what pins the task, and what it reaches that sleeps, begins another
section or flushes the TLB.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.cli import config, options, outputs
from lazymmu.cli.console import progress, say
from lazymmu.report.common import formats

if TYPE_CHECKING:
    import argparse

    from lazymmu.verbs.exit_code import ExitCode

NAME = "sections"
SUMMARY = "list every section of source trees"
FORMATS = formats.VERBS[NAME]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lazymmu sections`."""
    options.add_trees(parser)
    options.add_reading(parser)
    options.add_kernel(parser)
    config.add_config(parser)
    options.add_path(parser, "list only sections in")
    outputs.add_outputs(parser, FORMATS)


def run(args: argparse.Namespace) -> ExitCode:
    """Ask, and print the table of each tree."""
    import lazymmu
    from lazymmu.report.check import coverage
    from lazymmu.report.check.formats import of_sections
    from lazymmu.report.common.words import count

    config.configure(args)
    wanted = outputs.outputs(args, FORMATS, getattr(args, "default_format", ""))
    request = lazymmu.SectionsRequest(**options.reading(args))
    with progress(quiet=args.quiet) as show:
        answer = lazymmu.sections(request, progress=show)
    for sentence in answer.missing:
        say(sentence)
    trees = answer.trees
    outputs.deliver(wanted, of_sections(trees))
    if not args.quiet:
        for tree, found in trees:
            say(f"{tree}: {count(len(found.rows), 'section')}")
            if sentence := coverage.places(found.coverage):
                say(sentence)
    for _, found in trees:
        for sentence in coverage.losses(found.coverage.blind):
            say(sentence)
    return answer.exit_code()
