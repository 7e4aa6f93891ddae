# SPDX-License-Identifier: GPL-2.0-or-later
"""The documentation that is made from the code: rules, dialects, options, findings, claims.

What the contract says stands in `lazymmu.contract` alone, and what an option does in its help;
these pages only lay it out.
"""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

import claims
import cost_tables
import option_pages
import pictures

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
        "options": option_pages.options(),
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
            (f":ref:`rule-{rule.name}`", _party(rule), option_pages.safe(rule.sentence))
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
    yield f"**{option_pages.safe(rule.sentence)}**"
    yield ""
    yield option_pages.safe(rule.why)
    yield ""
    yield f":Binds: {_party(rule)}"
    yield f":One instance per: {rule.key}"
    yield f":Shown by: {', '.join(rule.witnesses)}"
    statuses = ", ".join(f"{name} {rule.status(dialect)}" for name, dialect in DIALECTS.items())
    yield f":Dialects: {statuses}"
    yield f":Source: {option_pages.safe(rule.citation)}"
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
                option_pages.safe(what),
                ", ".join(verb for verb, names in formats.VERBS.items() if name in names),
            )
            for name, what in formats.FORMATS.items()
        ],
        widths=(15, 45, 40),
    )


def _dialects() -> Iterator[str]:
    yield from _table(
        ("dialect", "what the tree's text and API say"),
        [(f"``{name}``", option_pages.safe(dialect.label)) for name, dialect in DIALECTS.items()],
        widths=(20, 80),
    )


def _findings(home: Path) -> Iterator[str]:
    """The pages on real releases, as far as there are any (Sphinx warns of an empty list)."""
    pages = sorted(page.stem for suffix in ("rst", "md") for page in home.glob(f"*.{suffix}"))
    if pages:
        yield from (".. toctree::", "   :maxdepth: 1", "   :caption: Findings, by release", "")
        yield from (f"   findings/{page}" for page in pages)


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
