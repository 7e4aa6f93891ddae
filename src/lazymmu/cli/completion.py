# SPDX-License-Identifier: GPL-2.0-or-later
"""Print a shell's completion script for lazymmu.

For bash, write it to ~/.local/share/bash-completion/completions/lazymmu; for
fish, to ~/.config/fish/completions/lazymmu.fish; for zsh, to a file named
_lazymmu in a directory of $fpath.
"""

from __future__ import annotations

import argparse

from lazymmu.cli.console import emit
from lazymmu.verbs.exit_code import ExitCode

NAME = "completion"
SUMMARY = "print a shell's completion script"

SHELLS = ("bash", "zsh", "fish", "tcsh")
"""The shells whose scripts are tried in the tests as far as the shell is there."""

_FILES = {
    "suppress",
    "baseline",
    "write_baseline",
    "diff",
    "config",
    "output",
    "events",
    "litmus",
    "replay",
    "plot",
    "port",
    "series",
    "traces",
}
_DIRECTORIES = {"trees", "tree", "stable", "cache_dir", "folder"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `lazymmu completion`."""
    parser.add_argument("shell", choices=SHELLS, help="which shell")


def run(args: argparse.Namespace) -> ExitCode:
    """Print the script."""
    emit(script(args.shell))
    return ExitCode.CLEAN


def script(shell: str) -> str:
    """The completion script for one of `SHELLS`; a wheel holds those of bash, zsh and fish."""
    import shtab

    from lazymmu.cli.command import build_parser

    parser = build_parser()
    _teach(parser)
    return shtab.complete(parser, shell=shell) + "\n"


def _teach(parser: argparse.ArgumentParser, verb: str = "") -> None:
    """Tell shtab what each argument is: names that exist, files, directories.

    Done here and not where the arguments are declared, because the rules are heavier to import
    than a parser, and because a wrong name deserves a better sentence than argparse's list.
    """
    import shtab

    from lazymmu.cli.options import ARCHES
    from lazymmu.contract.dialects import DIALECTS
    from lazymmu.contract.rules import RULES
    from lazymmu.contract.rules.rule import Witness
    from lazymmu.litmus import run, shipped
    from lazymmu.report.common import formats
    from lazymmu.verbs.names import source_rules

    names = {"rule": sorted(RULES), "rules": source_rules(), "dialect": sorted(DIALECTS)}
    names["arch"] = [*ARCHES, "all"]
    names["scenarios"] = shipped.names()
    names["machines"], *releases = run.names()
    names["releases"] = [name for part in releases for name in part]
    names["formats"] = list(formats.VERBS.get(verb, ()))
    names["watched"] = [name for name, rule in RULES.items() if Witness.MACHINE in rule.witnesses]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, sub in action.choices.items():
                _teach(sub, name)
        elif action.dest in names and action.choices is None:
            action.choices = names[action.dest]
        elif action.dest in _FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif action.dest in _DIRECTORIES:
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
