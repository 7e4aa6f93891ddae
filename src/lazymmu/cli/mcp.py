# SPDX-License-Identifier: GPL-2.0-or-later
"""Serve review robots by the Model Context Protocol, over stdio or HTTP.

A robot asks what a patch brings, which sections a tree has, and what machines
show. Only the trees that are named here are read, nothing of them is run, and
no answer takes longer than 20 seconds: what does comes later, by a handle.
"""

from __future__ import annotations

import importlib.util
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lazymmu.cli import options
from lazymmu.cli.console import say
from lazymmu.problem import Problem, needs_package
from lazymmu.terminal import clean
from lazymmu.verbs.exit_code import ExitCode

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

NAME = "mcp"
SUMMARY = "serve review robots (Model Context Protocol)"

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lazymmu mcp`."""
    group = parser.add_argument_group("serving")
    group.add_argument(
        "--tree",
        metavar="[NAME=]DIR",
        action="append",
        default=[],
        dest="trees",
        help="a source tree that may be asked about, and what robots call it (default: the name of "
        "its folder); may be repeated",
    )
    group.add_argument(
        "--http",
        metavar="[HOST:]PORT",
        help="Streamable HTTP on this loopback address, at /mcp, with the bearer token in "
        "$LAZYMMU_MCP_TOKEN (default: stdio)",
    )
    group.add_argument(
        "--warm", action="store_true", help="read the trees at once, before anybody asks"
    )
    limits = parser.add_argument_group("limits")
    limits.add_argument(
        "--seconds",
        metavar="S",
        type=options.positive,
        default=600,
        help="end a question after S seconds (default: 600)",
    )
    limits.add_argument(
        "--max-memory",
        metavar="MIB",
        type=options.positive,
        default=4096,
        help="memory of each process of a question in mebibytes (default: 4096)",
    )
    limits.add_argument(
        "--at-once",
        metavar="N",
        type=options.positive,
        default=2,
        help="questions at work at a time (default: 2); 16 more wait",
    )
    options.add_cache(limits)


def run(args: argparse.Namespace) -> ExitCode:
    """Serve until the end."""
    if importlib.util.find_spec("mcp") is None:
        raise Problem(needs_package("lazymmu mcp", "mcp", "mcp"))
    from lazymmu.robots.jobs import JobLimits
    from lazymmu.robots.questions import ServedTrees
    from lazymmu.robots.serve import serve

    trees = ServedTrees(_trees(args.trees), options.cache_dir(args))
    limits = JobLimits(args.seconds, args.max_memory, args.at_once)
    serve(trees, limits, http=args.http, first=args.warm, say=say)
    return ExitCode.CLEAN


def _trees(given: Sequence[str]) -> dict[str, Path]:
    """Trees by name; raises Problem for one that is none, and for two of one name."""
    from lazymmu.verbs import reading

    found: dict[str, Path] = {}
    for text in given:
        name, sign, where = text.partition("=")
        if not sign:
            name, where = os.path.basename(os.path.abspath(text)).lower(), text
        if not _NAME.match(name):
            raise Problem(f"{clean(name, 80)!r} is no name of a tree; say NAME={clean(where, 80)}")
        if name in found:
            raise Problem(f"there are two trees {name}")
        reading.opened(where)
        found[name] = Path(os.path.realpath(where))
    if not found:
        raise Problem("name a tree that may be asked about, --tree NAME=DIR")
    return found
