# SPDX-License-Identifier: GPL-2.0-or-later
"""``--config`` and ``--no-config``: the configuration of a tree, beneath what the user says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.cli.console import say
from lazymmu.problem import Problem
from lazymmu.report.common import formats
from lazymmu.verbs import names

if TYPE_CHECKING:
    import argparse

    from lazymmu.verbs.configuration import Configuration

__all__ = ["add_config", "configure"]


def add_config(parser: argparse.ArgumentParser) -> None:
    """Declare both options."""
    group = parser.add_argument_group("configuration")
    which = group.add_mutually_exclusive_group()
    which.add_argument(
        "--config",
        metavar="FILE",
        help="take this configuration (default: .lazymmu.toml, or pyproject.toml with a "
        "[tool.lazymmu], in the tree or above it)",
    )
    which.add_argument("--no-config", action="store_true", help="take no configuration")


def configure(args: argparse.Namespace) -> Configuration | None:
    """Read the configuration, put what it says where the user said nothing, and tell of it.

    :raises Problem: for a configuration that cannot be met.
    """
    from lazymmu.verbs import configuration

    if args.no_config:
        return None
    read = configuration.read(args.config) if args.config else configuration.found(args.trees)
    if read is None:
        return None
    overridden = _placed(args, read)
    # Also to who wants no summary: what a tree's own file leaves out must not go unsaid.
    if told := read.told(overridden):
        say(told)
    return read


def _placed(args: argparse.Namespace, read: Configuration) -> set[str]:
    """Put what it says into the arguments; returns the keys that do not matter to this run."""
    checks = hasattr(args, "fail_on")
    overridden = set() if checks else {"fail-on", "min-confidence", "baseline", "suppress"}
    offered = formats.TABLES if getattr(args, "compare", False) else formats.VERBS[args.verb]
    try:
        names.arches(read.arches, [args.kernel] if args.kernel else args.trees)
        names.check("format", [read.format] if read.format else [], formats.FORMATS)
    except Problem as problem:
        raise Problem(f"{read.file}: {problem}") from None
    if args.arch:
        overridden.add("arches")
    else:
        args.arch = list(read.arches)
    if args.formats or read.format not in offered:
        overridden.add("format")
    else:
        args.default_format = read.format
    if getattr(args, "baseline", None):
        overridden.add("baseline")
    for key, dest, value in (
        ("fail-on", "fail_on", read.fail_on),
        ("min-confidence", "min_confidence", read.min_confidence),
    ):
        if getattr(args, dest, None) is not None:
            overridden.add(key)
        elif checks:
            setattr(args, dest, value)
    return overridden
