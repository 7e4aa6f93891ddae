# SPDX-License-Identifier: GPL-2.0-or-later
"""Options that several verbs share, and the checks of their values."""

from __future__ import annotations

import argparse
import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lazymmu.cli.console import read_input, say
from lazymmu.problem import Problem
from lazymmu.terminal import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lazymmu.verbs.given import Given

__all__ = [
    "ARCHES",
    "add_cache",
    "add_kernel",
    "add_path",
    "add_reading",
    "add_trees",
    "cache_dir",
    "given",
    "listed",
    "maybe_given",
    "positive",
    "reading",
]

ARCHES = ("x86", "powerpc", "sparc", "arm64")
"""The architecture profiles, as --arch takes them."""


def add_trees(parser: argparse.ArgumentParser) -> None:
    """TREE..., the positional arguments."""
    parser.add_argument(
        "trees", metavar="TREE", nargs="+", help="top directory of a Linux source tree"
    )


def add_reading(parser: argparse.ArgumentParser) -> None:
    """What to read of a tree, and how."""
    group = parser.add_argument_group("reading")
    group.add_argument(
        "--arch",
        metavar="NAME[,NAME]",
        action="append",
        default=[],
        help=f"architecture profiles: {', '.join(ARCHES)}, a directory below arch/ of another "
        "architecture, or all (default): every one on which the tree implements the mode",
    )
    group.add_argument(
        "--dialect",
        metavar="NAME",
        help="hold the tree to another dialect of the contract than its own text",
    )
    group.add_argument(
        "--jobs", metavar="N", type=positive, help="processes (default: one per processor)"
    )
    add_cache(group)


def add_cache(group: argparse._ActionsContainer) -> None:
    """--cache-dir and --no-cache."""
    group.add_argument(
        "--cache-dir",
        metavar="DIR",
        help="folder of the cache (default: $XDG_CACHE_HOME/lazymmu)",
    )
    group.add_argument("--no-cache", action="store_true", help="neither read nor write the cache")


def add_kernel(parser: argparse.ArgumentParser) -> None:
    """--kernel, with which the positional arguments are folders of modules."""
    parser.add_argument(
        "--kernel",
        metavar="TREE",
        help="TREE... are folders of modules out of tree, each built for this kernel",
    )


def add_path(parser: argparse._ActionsContainer, what: str) -> None:
    """--path P, which narrows what is shown; what: the beginning of its help."""
    parser.add_argument(
        "--path",
        metavar="P",
        action="append",
        default=[],
        help=f"{what} this file or directory, as it stands in the tree or from where you are",
    )


def reading(args: argparse.Namespace) -> dict[str, Any]:
    """What the options above say of trees, as fields of a `verbs.reading.TreeRequest`."""
    return {
        "trees": args.trees,
        "arches": listed(args.arch),
        "dialect": args.dialect,
        "paths": args.path,
        "kernel": args.kernel,
        "jobs": args.jobs,
        "cache_dir": cache_dir(args),
    }


def listed(values: Iterable[str]) -> list[str]:
    """The names that several uses of an option give, each with commas between them."""
    return [name.strip() for value in values for name in value.split(",")]


def given(path: str, name: str | None = None) -> Given:
    """The file that an option names; standard input, ``-``, is this process's and is read now.

    :param name: of standard input in messages, ``-`` by default.
    """
    from lazymmu.verbs.given import Input

    return Input(read_input(path), name or path) if path == "-" else path


def maybe_given(path: str | None, name: str | None = None) -> Given | None:
    """As `given`, of an option that need not be used."""
    return None if path is None else given(path, name)


def cache_dir(args: argparse.Namespace) -> Path | None:
    """The cache's directory as asked for, None for no cache.

    A directory that is not the user's own is no cache either, and is said once.
    """
    from lazymmu.snapshot.cache import Cache, default_directory

    if args.no_cache:
        return None
    if args.cache_dir:
        try:
            os.lstat(args.cache_dir)
        except (OSError, ValueError) as error:
            # A directory that is not there will be made, and one that cannot be does without.
            if isinstance(error, ValueError) or error.errno == errno.ENAMETOOLONG:
                why = "no directory can be called so"
                raise Problem(f"--cache-dir {clean(args.cache_dir)}: {why}") from None
    directory = Path(args.cache_dir) if args.cache_dir else default_directory()
    if directory is None:
        return None
    warning = Cache(directory).warning
    if warning is not None:
        say(warning)
        args.no_cache = True
        return None
    return directory


def positive(text: str) -> int:
    """The number that an option names, 1 or more."""
    number = int(text)  # argparse reports the ValueError
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number
