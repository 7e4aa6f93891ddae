# SPDX-License-Identifier: GPL-2.0-or-later
"""Print a rule whole, how an architecture has the mode, the contract, or an oops.

Without arguments, every rule in a line. What is asked for together is printed
one after the other. With --format dot, a rule's automaton for the kernel's
runtime verification: a missing edge is a violation.

With --oops, what a kernel printed when something was wrong: whether that has to
do with the mode, which implementation has it, since when, where it was mended,
which scenario shows it, and what to record next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.cli import options
from lazymmu.cli.console import emit, read_input, say, width
from lazymmu.problem import Problem
from lazymmu.verbs import names
from lazymmu.verbs.exit_code import ExitCode

if TYPE_CHECKING:
    import argparse

    from lazymmu.contract.dialects import Dialect

NAME = "explain"
SUMMARY = "print a rule, an architecture's way, or the contract"

FORMATS = ("text", "dot", "json", "sarif")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lazymmu explain`."""
    parser.add_argument("rule", metavar="RULE", nargs="?", help="the rule to explain")
    parser.add_argument(
        "--arch",
        metavar="NAME[,NAME]",
        action="append",
        default=[],
        help="how these architectures implement the mode, in each release that differs: "
        f"{', '.join(options.ARCHES)}, or all; and s390, as posted, none and worst-case",
    )
    parser.add_argument(
        "--dialect", metavar="NAME", help="in this dialect of the contract (default: all of them)"
    )
    parser.add_argument(
        "--contract",
        action="store_true",
        help="the contract of a dialect, by default the newest, as the comment in "
        "include/linux/pgtable.h should say it",
    )
    parser.add_argument(
        "--oops",
        metavar="FILE",
        help="the oopses, BUGs and warnings in FILE (- for standard input), text of dmesg, a "
        "journal, a mail or a serial console",
    )
    parser.add_argument(
        "--release",
        metavar="R",
        help="with --oops: release of that kernel (default: taken from the text)",
    )
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default=FORMATS[0],
        help="text (default), dot: the rule's automaton, as tools/verification/rvgen of the "
        "kernel takes it, or json or sarif, with --oops",
    )
    parser.add_argument(
        "--output", metavar="FILE", help="write to FILE (default: -, standard output)"
    )


def run(args: argparse.Namespace) -> ExitCode:
    """Print what was asked for."""
    from lazymmu.contract import explain
    from lazymmu.contract.dialects import DIALECTS
    from lazymmu.contract.rules import RULES

    names.dialect(args.dialect)
    if args.rule is not None:
        names.check("rule", [args.rule], RULES)
    arches = _arches(options.listed(args.arch))
    if args.oops is not None:
        if args.rule is not None or args.contract or args.dialect or args.format == "dot":
            raise Problem("--oops stands alone, but for --arch, --release, --format and --output")
        return _oops(args, arches)
    if args.release is not None or args.format in ("json", "sarif"):
        raise Problem("--release and --format json or sarif go with --oops")
    columns = min(width(args.output) or 100, 100)
    dialect = DIALECTS[args.dialect] if args.dialect else None
    if args.format == "dot":
        if args.rule is None or arches or args.contract:
            raise Problem("--format dot takes one RULE, and neither --arch nor --contract")
        return _dot(args.rule, dialect, args.output)
    parts = []
    if args.rule is not None:
        parts.append(explain.explain_rule(args.rule, dialect, columns))
    parts += [explain.explain_arch(arch, columns=columns) for arch in arches]
    if args.contract:
        parts.append(explain.explain_contract(dialect or list(DIALECTS.values())[-1]))
    text = "\n".join(parts or [explain.explain_rules(dialect, columns)])
    emit(text, args.output, prose=True)
    return ExitCode.CLEAN


def _oops(args: argparse.Namespace, arches: tuple[str, ...]) -> ExitCode:
    """Explain the splats of a text; one that was explained is no finding of this command."""
    from lazymmu.contract.rules import RULES
    from lazymmu.report.common.sarif import log
    from lazymmu.report.oops import json, sarif, text
    from lazymmu.verbs.given import Input
    from lazymmu.verbs.oops import explain_oops

    if len(arches) > 1:
        raise Problem("--oops takes one --arch")
    given = args.oops if args.oops != "-" else Input(read_input("-"), "<stdin>")
    answer = explain_oops(given, arch=arches[0] if arches else None, release=args.release)
    match args.format:
        case "json":
            said = json.render([answer])
        case "sarif":
            said = log([*sarif.runs([answer], RULES)])
        case _:
            said = text.render(answer)
    emit(said, args.output)
    return ExitCode.CLEAN if answer.found else answer.exit_code()


def _arches(named: list[str]) -> tuple[str, ...]:
    """The architectures of the deferral table, those that no kernel has among them."""
    from lazymmu.contract.deferral import HYPOTHETICAL_ROWS

    others = [name for name in named if name not in {"all", *options.ARCHES}]
    names.check(
        "architecture", others, [*options.ARCHES, *HYPOTHETICAL_ROWS], more=names.machines_have
    )
    taken = options.ARCHES if "all" in named else named
    return tuple(dict.fromkeys([*taken, *others]))


def _dot(name: str, dialect: Dialect | None, output: str | None) -> ExitCode:
    """Print the automaton of a rule; without a dialect, of the newest that has one."""
    from lazymmu.contract.automaton import NoAutomatonError, derive
    from lazymmu.contract.dialects import DIALECTS
    from lazymmu.contract.rules import RULES
    from lazymmu.report.explain import rv_dot

    reason = ""
    for each in [dialect] if dialect else reversed(DIALECTS.values()):
        try:
            automaton = derive(RULES[name], each)
        except NoAutomatonError as error:
            reason = reason or str(error)
            continue
        emit(rv_dot.dot(RULES[name], automaton), output)
        for sentence in rv_dot.needs(RULES[name], automaton):
            say(sentence)
        return ExitCode.CLEAN
    raise Problem(reason)
