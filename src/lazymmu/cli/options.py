# SPDX-License-Identifier: GPL-2.0-or-later
"""Options that several verbs share, and the checks of their values."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lazymmu.cli.console import say
from lazymmu.problem import Problem
from lazymmu.terminal import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = [
    "ARCHES",
    "add_kernel",
    "add_output",
    "add_path",
    "add_reading",
    "add_trees",
    "arches",
    "cache_dir",
    "check_dialect",
    "check_names",
    "no_tree",
    "of_module",
    "paths",
    "positive",
    "source_rules",
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
        "architecture, or all (default), which is those whose tree implements the mode",
    )
    group.add_argument(
        "--dialect",
        metavar="NAME",
        help="hold the tree to another dialect of the contract than its own text",
    )
    group.add_argument(
        "--jobs", metavar="N", type=positive, help="processes (default: one per processor)"
    )
    group.add_argument(
        "--cache-dir",
        metavar="DIR",
        help="where to keep what was learnt of a tree (default: $XDG_CACHE_HOME/lazymmu)",
    )
    group.add_argument("--no-cache", action="store_true", help="neither read nor write the cache")


def add_kernel(parser: argparse.ArgumentParser) -> None:
    """--kernel, with which the positional arguments are folders of modules."""
    parser.add_argument(
        "--kernel",
        metavar="TREE",
        help="TREE... are folders of modules out of tree, each built for this kernel",
    )


def of_module(args: argparse.Namespace) -> dict[str, str]:
    """What --kernel adds to what a check is asked for."""
    return {} if args.kernel is None else {"kernel": args.kernel}


def no_tree(error: Exception, path: str, kernel: str | None) -> Problem:
    """The problem that a path is no kernel tree, with what to do when it is a module's folder."""
    try:
        names = os.listdir(path)
    except (OSError, ValueError):
        names = []
    module = "arch" not in names and any(
        name in ("Kbuild", "Makefile") or name.endswith(".c") for name in names
    )
    hint = "; a module's folder is checked with --kernel TREE" if module and not kernel else ""
    return Problem(f"{error}{hint}")


def add_path(parser: argparse._ActionsContainer, what: str) -> None:
    """--path P, which narrows what is shown; what: the beginning of its help."""
    parser.add_argument(
        "--path",
        metavar="P",
        action="append",
        default=[],
        help=f"{what} this file or directory, as it stands in the tree or from where you are",
    )


def add_output(parser: argparse.ArgumentParser, formats: Sequence[str]) -> argparse._ArgumentGroup:
    """In which format, and where to; returns the group, for what a verb adds to it."""
    group = parser.add_argument_group("output")
    group.add_argument(
        "--format", choices=formats, default=formats[0], help=f"default: {formats[0]}"
    )
    group.add_argument(
        "--output", metavar="FILE", help="write results to FILE (default: -, standard output)"
    )
    group.add_argument("-q", "--quiet", action="store_true", help="no summary and no progress")
    return group


def arches(values: Iterable[str], trees: Iterable[str] = ()) -> tuple[str, ...] | None:
    """The architectures of all --arch options in our order, or None for all; raises Problem.

    trees: those whose own architectures may be named as well.
    """
    named = {name.strip() for value in values for name in value.split(",")}
    if not named or named == {"all"}:
        return None
    others = named - {"all", *ARCHES}
    if others:
        check_names("architecture", others, [*ARCHES, *_directories(trees)])
    if "all" in named:
        return None
    return (*(name for name in ARCHES if name in named), *sorted(others))


def _directories(trees: Iterable[str]) -> Iterator[str]:
    """The directories below arch/ of trees, of those that can be listed."""
    from lazymmu.snapshot.tree import Tree, TreeError

    for tree in trees:
        with contextlib.suppress(TreeError):
            yield from (entry.name for entry in Tree.open(tree).entries("arch") if entry.directory)


def source_rules() -> list[str]:
    """The names of the rules that source can show, in the contract's order."""
    from lazymmu.contract.rules import RULES
    from lazymmu.contract.rules.rule import Witness

    return [name for name, rule in RULES.items() if Witness.SOURCE in rule.witnesses]


def check_dialect(name: str | None) -> None:
    """Raise Problem unless `name` is a dialect, or None."""
    from lazymmu.contract.dialects import DIALECTS

    if name is not None:
        check_names("dialect", [name], DIALECTS)


def paths(given: Sequence[str], trees: Sequence[str]) -> list[tuple[str, ...]]:
    """What the --path options name in each of `trees`, relative to it, "" for all of it.

    A relative path is looked for in the tree first, then from the current directory. It must be in
    one of the trees at least; a tree that lacks it has nothing of it. Raises Problem for a path
    that names nothing, and for one that is in none of the trees: a gate that looks at nothing would
    be green for ever.
    """
    found: list[list[str]] = [[] for _ in trees]
    for path in given:
        if not path:
            raise Problem("--path is empty; it names a file or directory of the tree")
        inside = [_inside(path, tree) for tree in trees]
        if all(one is None for one in inside):
            where = trees[0] if len(trees) == 1 else "any of the trees"
            if os.path.lexists(path) or any(os.path.lexists(os.path.join(t, path)) for t in trees):
                raise Problem(f"--path {clean(path)}: is not inside {clean(where)}")
            raise Problem(f"--path {clean(path)}: there is no such thing in {clean(where)}")
        for mine, one in zip(found, inside, strict=True):
            mine += [one] if one is not None else []
    return [tuple(mine) for mine in found]


def _inside(path: str, tree: str) -> str | None:
    """A path relative to `tree`, None if nothing in it is called so."""
    if not os.path.isdir(tree):
        return os.path.normpath(path)  # who reads the tree says what is wrong with it
    top = os.path.abspath(tree)
    for base in (top, os.curdir):  # an absolute path is the same from both
        try:
            there = os.path.abspath(os.path.join(base, path))
        except OSError:
            continue  # the current directory is gone
        if not os.path.lexists(there):
            continue
        # By name, so that a link keeps its name; or by another name of the tree, through links.
        for whole, part in ((top, there), (os.path.realpath(top), os.path.realpath(there))):
            if os.path.commonpath([whole, part]) == whole:
                return "" if part == whole else os.path.relpath(part, whole)
    return None


FEW_NAMES: Final = 30
"""As many names as a message may list."""


def check_names(kind: str, names: Iterable[str], there_are: Iterable[str]) -> None:
    """Raise Problem for the first of `names` that does not exist, with the nearest that does."""
    all_names = sorted(there_are)
    for name in sorted(names):
        if name not in all_names:
            near = difflib.get_close_matches(name, all_names, n=1)
            few = len(all_names) <= FEW_NAMES
            hint = f"there are {', '.join(all_names)}" if few else "--list names all of them"
            hint = f"did you mean {near[0]}?" if near else hint
            raise Problem(f"there is no {kind} {name!r}; {hint}")


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
