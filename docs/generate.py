# SPDX-License-Identifier: GPL-2.0-or-later
"""The documentation that is made from the code: rules, dialects, options, findings, claims.

What the contract says stands in `lazymmu.contract` alone, and what an option does in its help;
these pages only lay it out. The options are laid out here and not by a Sphinx extension, because
those that read argparse know neither argument groups below a verb nor man pages.
"""

from __future__ import annotations

import argparse
import re
import textwrap
from typing import TYPE_CHECKING

import claims
import cost_tables
import pictures

from lazymmu.cli.command import build_parser
from lazymmu.contract.dialects import DIALECTS
from lazymmu.contract.rules import RULES
from lazymmu.report.common import formats

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from lazymmu.contract.rules.rule import Rule

_NOTE = (
    ".. SPDX-License-Identifier: GPL-2.0-or-later\n.. Made by docs/generate.py; do not edit.\n\n"
)


def write(target: Path) -> None:
    """Write every generated page and picture into `target`; what did not change is left alone."""
    target.mkdir(exist_ok=True)
    pages = {
        "rules": _rules(),
        "dialects": _dialects(),
        "options": options(),
        "findings": _findings(target.parent / "findings"),
        "formats": _formats(),
        "claims": claims.lines(claims.read()),
        "costs-kept": _table(
            (
                "on",
                "operation",
                "entries",
                "no section",
                "sections of a table",
                "one around all",
                "kept",
            ),
            cost_tables.kept(),
            widths=(12, 20, 14, 15, 15, 15, 9),
        ),
        "costs-nested": _table(
            ("release", "entries", "no section", "sections of a table"),
            cost_tables.nested(),
            widths=(20, 20, 30, 30),
        ),
        "costs-counters": _table(
            ("operation", "release", "entries", "sections begun", "no section", "with sections"),
            cost_tables.counters(),
            widths=(30, 12, 10, 12, 18, 18),
        ),
    }
    made = {f"{name}.rst.inc": _NOTE + "\n".join(lines) + "\n" for name, lines in pages.items()}
    made |= pictures.pictures()
    made |= {f"pages/{name}": text for name, text in pictures.pages().items()}
    (target / "pages").mkdir(exist_ok=True)
    for name, text in made.items():
        page = target / name
        if not page.exists() or page.read_text() != text:
            page.write_text(text)


def _rules() -> Iterator[str]:
    yield from _table(
        ("rule", "binds", "says"),
        [
            (f":ref:`rule-{rule.name}`", _party(rule), _safe(rule.sentence))
            for rule in RULES.values()
        ],
        widths=(25, 20, 55),
    )
    for rule in RULES.values():
        yield from _rule(rule)


def _rule(rule: Rule) -> Iterator[str]:
    yield f".. _rule-{rule.name}:"
    yield ""
    yield rule.name
    yield "-" * len(rule.name)
    yield ""
    yield f"**{_safe(rule.sentence)}**"
    yield ""
    yield _safe(rule.why)
    yield ""
    yield f":Binds: {_party(rule)}"
    yield f":One instance per: {rule.key}"
    yield f":Shown by: {', '.join(rule.witnesses)}"
    statuses = ", ".join(f"{name} {rule.status(dialect)}" for name, dialect in DIALECTS.items())
    yield f":Dialects: {statuses}"
    yield f":Source: {_safe(rule.citation)}"
    yield ""
    for title, example in (("Wrong", rule.examples.bad), ("Right", rule.examples.good)):
        for language, code in (("c", example.c), ("none", example.events)):
            if not code:
                continue
            yield f"{title}{', as C' if language == 'c' else ', as events'}:"
            yield ""
            yield f".. code-block:: {language}"
            yield ""
            yield textwrap.indent(_body(code), "   ")
            yield ""


def _formats() -> Iterator[str]:
    yield from _table(
        ("format", "what for", "verbs"),
        [
            (
                f"``{name}``",
                _safe(what),
                ", ".join(verb for verb, names in formats.VERBS.items() if name in names),
            )
            for name, what in formats.FORMATS.items()
        ],
        widths=(15, 45, 40),
    )


def _dialects() -> Iterator[str]:
    yield from _table(
        ("dialect", "what the tree's text and API say"),
        [(f"``{name}``", _safe(dialect.label)) for name, dialect in DIALECTS.items()],
        widths=(20, 80),
    )


def _findings(home: Path) -> Iterator[str]:
    """The pages on real releases, as far as there are any (Sphinx warns of an empty list)."""
    pages = sorted(page.stem for suffix in ("rst", "md") for page in home.glob(f"*.{suffix}"))
    if pages:
        yield from (".. toctree::", "   :maxdepth: 1", "   :caption: Findings, by release", "")
        yield from (f"   findings/{page}" for page in pages)


def options() -> Iterator[str]:
    """A section for each verb, a definition list for each group of its options."""
    parser = build_parser()
    yield from _groups(parser)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, verb in action.choices.items():
                yield name
                yield "~" * len(name)
                yield ""
                yield _safe(verb.description or "")
                yield from _groups(verb)


def _groups(parser: argparse.ArgumentParser) -> Iterator[str]:
    usual = {"positional arguments", "options", "verbs"}
    for group in parser._action_groups:
        actions = [a for a in group._group_actions if not isinstance(a, argparse._SubParsersAction)]
        if actions and group.title not in usual:
            yield f"*{group.title}*"
            yield ""
        for action in actions:
            yield _term(action)
            yield textwrap.indent(_safe((action.help or "") % vars(action)), "   ")
            yield ""


def _term(action: argparse.Action) -> str:
    value = action.metavar or ("|".join(action.choices) if action.choices else action.dest)
    value = f"*{_safe(str(value))}*"
    if not action.option_strings:
        return value
    names = ", ".join(f"**{_safe(name)}**" for name in action.option_strings)
    return names if action.nargs == 0 else f"{names} {value}"


def _party(rule: Rule) -> str:
    return f"{rule.party}" + (f" ({rule.kind})" if rule.kind != "obligation" else "")


def _body(code: str) -> str:
    """An example without its licence line and the line that says which file it stands for."""
    head = re.compile(r"SPDX-License-Identifier|/\* dialect: ")
    return "\n".join(line for line in code.strip().splitlines() if not head.search(line))


def _table(
    heads: Iterable[str], rows: Iterable[Iterable[str]], *, widths: Iterable[int]
) -> Iterator[str]:
    yield ".. list-table::"
    yield "   :header-rows: 1"
    yield f"   :widths: {' '.join(map(str, widths))}"
    yield ""
    for row in (heads, *rows):
        for at, cell in enumerate(row):
            yield f"   {'* -' if at == 0 else '  -'} {cell}"
    yield ""


def _safe(text: str) -> str:
    """Plain text as reStructuredText: whatever would be markup is escaped."""
    return re.sub(r"([\\`*|_])", r"\\\1", text)
