# SPDX-License-Identifier: GPL-2.0-or-later
"""Run the rules over a list of events, without any kernel.

A list has one event a line; `lazymmu explain RULE` prints two for each rule.
The dialect is that of the option, of the list, or the newest, in this order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.cli import outputs
from lazymmu.cli.console import read_input, say
from lazymmu.problem import Problem
from lazymmu.report.common import formats
from lazymmu.verbs import names
from lazymmu.verbs.exit_code import ExitCode

if TYPE_CHECKING:
    import argparse

NAME = "replay"
SUMMARY = "run the rules over a list of events"
FORMATS = formats.VERBS[NAME]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lazymmu replay`."""
    parser.add_argument("events", metavar="FILE", help="list of events (- for standard input)")
    parser.add_argument("--dialect", metavar="NAME", help="judge by this dialect of the contract")
    parser.add_argument(
        "--rule",
        metavar="NAME",
        action="append",
        default=[],
        dest="rules",
        help="run only this rule, also if it only informs",
    )
    outputs.add_outputs(parser, FORMATS)


def run(args: argparse.Namespace) -> ExitCode:
    """Read the list, run the monitors, print what they say."""
    from lazymmu.contract import eventlist
    from lazymmu.contract.dialects import DIALECTS
    from lazymmu.contract.monitor import Runtime
    from lazymmu.contract.rules import RULES
    from lazymmu.contract.rules.rule import RuleKind
    from lazymmu.report.replay import json, text

    wanted = outputs.outputs(args, FORMATS)
    names.check("rule", args.rules, RULES)
    names.dialect(args.dialect)
    name = "<stdin>" if args.events == "-" else args.events
    try:
        listed = eventlist.parse(read_input(args.events).decode(), name)
    except UnicodeDecodeError:
        raise Problem(f"{name}: not text in UTF-8") from None
    except eventlist.EventListError as error:
        raise Problem(str(error)) from None
    names.dialect(listed.dialect or None)
    dialect = args.dialect or listed.dialect or list(DIALECTS)[-1]
    chosen = [rule for rule in RULES.values() if not args.rules or rule.name in args.rules]
    judged = eventlist.judge(listed, Runtime(chosen, DIALECTS[dialect]))
    broken = [v for v in judged if RULES[v[1].rule].kind is not RuleKind.INFORMATION]

    def render(form: str, _columns: int | None) -> str:
        if form == "json":
            return json.render(name, dialect, judged, RULES)
        return text.render(name, judged if args.rules else broken, RULES)

    outputs.deliver(wanted, render, coloured=("text",))
    if not args.quiet:
        counted = f"{len(broken)} {'violation' if len(broken) == 1 else 'violations'}"
        by = f"by dialect {dialect}"
        if not (args.dialect or listed.dialect):
            by += " (the newest; --dialect NAME judges by another)"
        say(f"{name}: {counted} in {len(listed.lines)} events, {by}")
        hidden = sorted({v.rule for _, v in judged} - {v.rule for _, v in broken})
        if hidden and not args.rules and any(output.format == "text" for output in wanted):
            say(f"information not shown; {' '.join(f'--rule {rule}' for rule in hidden)} shows it")
    if broken:
        return ExitCode.FOUND
    return ExitCode.CLEAN if listed.lines else ExitCode.INCONCLUSIVE
