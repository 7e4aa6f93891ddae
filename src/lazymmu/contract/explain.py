# SPDX-License-Identifier: GPL-2.0-or-later
"""What `lazymmu explain` prints: a rule whole, an architecture's rows, a dialect's contract.

Pure functions from names to text of at most so many columns, each ending in a newline; the examples
and the contract's comment, which are code, are as wide as they are.
"""

from __future__ import annotations

import difflib
import textwrap
from typing import TYPE_CHECKING, Final, TypeVar

from lazymmu.contract.deferral import (
    HYPOTHETICAL_ROWS,
    ROWS,
    DeferralRow,
    cost_sentence,
    demonstrated_by,
    harm_sentence,
)
from lazymmu.contract.dialects import DIALECTS, Dialect, Status
from lazymmu.contract.known_commits import load
from lazymmu.contract.pgtable_comment import contract_text
from lazymmu.contract.rules import RULES, Rule
from lazymmu.contract.rules.implied import IMPLIED_BY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lazymmu.contract.examples import Example

_MAX_COLUMNS: Final = 100

_Value = TypeVar("_Value")


_GROUPS: Final[Mapping[str, Callable[[Rule], bool]]] = {
    "What callers must not do": lambda rule: rule.party == "caller",
    "What implementations must not do": lambda rule: (
        rule.party == "implementation" and rule.kind != "information"
    ),
    "What comes of it": lambda rule: rule.kind == "harm",
    "Worth knowing": lambda rule: rule.kind == "information",
}
"""The rules in groups, each of which has its rules in the contract's order."""


class UnknownNameError(ValueError):
    """A rule, architecture or dialect that does not exist; the text is one sentence."""


def explain_rules(dialect: Dialect | None = None, columns: int = _MAX_COLUMNS) -> str:
    """One line per rule, by whom it binds: its name and sentence; with a dialect, its standing."""
    parts = []
    for title, belongs in _GROUPS.items():
        lines = [f"{title}:"]
        for rule in filter(belongs, RULES.values()):
            note = "" if dialect is None else f" [{rule.status(dialect)}]"
            lines.append(_wrapped(f"  {rule.name}{note}", rule.sentence, columns))
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def explain_rule(name: str, dialect: Dialect | None = None, columns: int = _MAX_COLUMNS) -> str:
    """All there is to say of the rule `name`, for every dialect or for one.

    :raises UnknownNameError: there is no such rule.
    """
    rule = _known("rule", name, RULES)
    dialects = list(DIALECTS.values()) if dialect is None else [dialect]
    parts = [
        f"{rule.name}\n{'=' * len(rule.name)}",
        _filled(rule.sentence, columns),
        "\n".join(
            (
                _wrapped("binds", _binds(rule), columns),
                _wrapped("per", rule.key, columns),
                _wrapped("shown by", ", ".join(rule.witnesses), columns),
                _wrapped("source", rule.citation, columns),
            )
        ),
        _section("Why", _filled(rule.why, columns)),
        _section(
            "In each dialect",
            "\n".join(_wrapped(each.name, _standing(rule, each), columns) for each in dialects),
        ),
        _section("Who is hurt", _hurt(rule, columns)),
        *_history(name, columns),
        _example("Wrong", rule.examples.bad),
        _example("Right", rule.examples.good),
    ]
    return "\n\n".join(parts) + "\n"


def explain_arch(arch: str, row: DeferralRow | None = None, columns: int = _MAX_COLUMNS) -> str:
    """The rows of the deferral table for `arch`, or the one that a tree has.

    `arch` may also be what the table assumes: "none", "worst-case", "s390".

    :raises UnknownNameError: the table lacks the architecture.
    """
    rows = _known("architecture", arch, ROWS | HYPOTHETICAL_ROWS) if row is None else (row,)
    return "\n\n".join(_row(each, columns) for each in rows) + "\n"


def explain_contract(dialect: str | Dialect) -> str:
    """The contract of a dialect as the comment in pgtable.h should say it.

    :raises UnknownNameError: no dialect has that name.
    """
    if isinstance(dialect, Dialect):
        return contract_text(dialect)
    return contract_text(_known("dialect", dialect, DIALECTS))


def _known(kind: str, name: str, table: Mapping[str, _Value]) -> _Value:
    if name in table:
        return table[name]
    near = difflib.get_close_matches(name, table, 1)
    hint = f"did you mean `{near[0]}`?" if near else f"known are {', '.join(table)}"
    raise UnknownNameError(f"there is no {kind} `{name}`; {hint}")


def _row(row: DeferralRow, columns: int) -> str:
    yes_no = {True: "yes", False: "no"}
    facts = (
        ("releases", row.seen),
        ("deferred", row.deferred.value),
        *([("for", " and ".join(row.spaces) + " mappings")] if row.spaces else []),
        ("state", row.owner.value),
        ("disables preemption", yes_no[row.pins]),
        ("section in section", row.nested_section.value),
        ("context switch", row.on_context_switch.value),
        ("update in interrupt", row.interrupt.value),
        ("flush without leaving", yes_no[row.flush]),
        *([("read of a pending entry", "sees what is pending")] if row.read_through else []),
        ("limit of a batch", str(row.limit) if row.limit else "none"),
        ("source", row.source),
    )
    head = f"{row.arch}: {row.label} ({row.name})"
    return "\n".join(
        [head, "-" * len(head), *(_wrapped(key, value, columns) for key, value in facts)]
    )


def _binds(rule: Rule) -> str:
    return {
        "caller": "callers: all code but the architectures' own",
        "implementation": "implementations: code under arch/",
        "nobody": "nobody by itself: it is the harm that a broken obligation does",
    }[rule.party] + ("; information, no fault" if rule.kind == "information" else "")


def _standing(rule: Rule, dialect: Dialect) -> str:
    status = rule.status(dialect)
    if rule.party == "nobody":
        return f"harm, whatever the text says ({dialect.label})"
    said = {
        Status.DOCUMENTED: "documented",
        Status.IMPLIED: f"implied: {IMPLIED_BY.get(rule.name, '')}",
        Status.OFF: "off: the dialect allows it, or has nothing to which it applies",
    }[status]
    return f"{said} ({dialect.label})"


def _hurt(rule: Rule, columns: int) -> str:
    """Every row that a violation hurts, or costs time, with the sentence and what shows it.

    Rows of which the same is said are one line.
    """
    lines: list[str] = []
    for verb, say in (("", harm_sentence), ("costs ", cost_sentence)):
        said: dict[tuple[str, str], list[str]] = {}
        for row in (row for rows in ROWS.values() for row in rows):
            sentence = say(rule.name, row, "unknown")
            if sentence is not None:
                shown = demonstrated_by(rule.name, row, "unknown")
                said.setdefault((sentence, shown), []).append(row.name)
        if not said and say is harm_sentence:
            lines.append("Nobody in the tree: a violation breaks the text alone.")
        for (sentence, shown), names in said.items():
            note = f" (shown by {shown})" if shown else ""
            lines.append(_wrapped(verb + ", ".join(names), sentence + note, columns))
    return "\n".join(lines)


def _history(rule: str, columns: int) -> list[str]:
    """What is known of where the rule was broken: since which commit, and until which."""
    lines = []
    for entry in load():
        if rule in entry.rules:
            said = [f"since {entry.introduced}"] if entry.introduced is not None else []
            said.append(f"until {entry.fixed}" if entry.fixed is not None else "not mended")
            place = f"{entry.file}, {', '.join(f'{name}()' for name in entry.functions)}"
            lines.append(_wrapped(place, "; ".join(said), columns))
    return [_section("Where it was broken", "\n".join(lines))] if lines else []


def _example(title: str, example: Example) -> str:
    if not example.c:
        return _section(f"{title}, as events", textwrap.indent(_events(example), "    "))
    code = "\n".join(example.c.splitlines()[2:])
    shown = textwrap.indent(code.expandtabs(8), "    ")
    listed = textwrap.indent(_events(example), "    ")
    return _section(f"{title}, in {example.file}", f"{shown}\n\n  as events:\n\n{listed}")


def _events(example: Example) -> str:
    """The list without its licence; what its comment says of it only where no C says it."""
    lines = example.events.splitlines()[1:]
    return "\n".join(line for line in lines if not example.c or not line.startswith("#"))


def _section(title: str, body: str) -> str:
    return f"{title}\n{'-' * len(title)}\n{body}"


def _filled(text: str, columns: int) -> str:
    return textwrap.fill(text, columns, break_long_words=False, break_on_hyphens=False)


def _wrapped(key: str, value: str, columns: int) -> str:
    return textwrap.fill(
        f"{key}: {value}",
        columns,
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
