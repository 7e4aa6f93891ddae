# SPDX-License-Identifier: GPL-2.0-or-later
"""Options of the verbs that search machines of a tree's own C, and what is said beside results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lazymmu.cli import options
from lazymmu.cli.console import say
from lazymmu.cli.search_options import shown

if TYPE_CHECKING:
    import argparse

    from lazymmu.verbs.verify import VerifyAnswer

__all__ = ["add_change", "add_tree", "change", "tell", "tree"]


def add_tree(which: argparse._ArgumentGroup) -> None:
    """Which tree, and how its C becomes steps."""
    which.add_argument(
        "--tree",
        metavar="TREE",
        help="top directory of a Linux source tree: run scenarios on its own C, as far as it can "
        "be lifted (docs: lift)",
    )
    which.add_argument(
        "--steps",
        choices=("coarse", "fine"),
        default="fine",
        help="of the tree's C: each access is a step (default), or a whole hook is",
    )
    which.add_argument(
        "--core-mm",
        choices=("lifted", "by-hand"),
        default="by-hand",
        help="core-mm code is the machine's own (default), or the tree's as far as it can be "
        "lifted, and what cannot is named",
    )
    options.add_cache(which)


def add_change(which: argparse._ArgumentGroup) -> None:
    """Another tree beside it, or the tree before a change."""
    two = which.add_mutually_exclusive_group()
    two.add_argument(
        "--compare",
        metavar="TREE",
        help="with --tree: tell only what differs from this tree, with the shortest ways",
    )
    two.add_argument(
        "--since",
        metavar="REV",
        help="with --tree: tell only what differs from the merge base with this revision of its "
        "git repository; A..B: in commit B from its merge base with A",
    )
    two.add_argument(
        "--diff",
        metavar="FILE",
        help="with --tree: tell only what this patch, mail or mailbox changes, whether it is "
        "applied or not (- for standard input)",
    )
    which.add_argument(
        "--exact", action="store_true", help="with --since: since REV itself, not the merge base"
    )


def tree(args: argparse.Namespace) -> dict[str, Any]:
    """The fields of a `verbs.verify.VerifyRequest` for the first."""
    return {
        "tree": args.tree,
        "steps": args.steps,
        "core_mm": args.core_mm,
        "cache_dir": None if args.tree is None else options.cache_dir(args),
    }


def change(args: argparse.Namespace) -> dict[str, Any]:
    """Those for the second."""
    return {
        "compare": args.compare,
        "since": args.since,
        "exact": args.exact,
        "diff": options.maybe_given(args.diff, "<stdin>" if args.diff == "-" else None),
    }


def tell(answer: VerifyAnswer, diff: str | None = None) -> None:
    """Say what could not be lifted, and how much differs; diff: the patch that it differs by."""
    for one in answer.lifted:
        if one.refused:
            say(f"{one.tree} cannot be lifted on {one.arch}: {one.refused}")
    asked = answer.request
    if asked.tree is None or not asked.differs or not answer.wanted:
        return
    if asked.diff is not None:
        by = f"by {shown(diff or '')}"
    elif asked.since is not None:
        by = f"since {asked.since}"
    else:
        by = f"between {asked.tree} and {asked.compare}"
    if answer.same_machines:
        where = ", ".join(dict.fromkeys(one.arch for one in answer.lifted))
        say(f"nothing of what was lifted differs {by} ({where}): there is nothing to compare")
    else:
        say(f"{len(answer.done) // 2} of {answer.wanted} runs differ {by}")
