# SPDX-License-Identifier: GPL-2.0-or-later
"""All that scenarios can say: operations with what they take, and events with their fields."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, get_args, get_origin

from lazymmu.contract.event_fields import COMMON_FIELDS, field_types
from lazymmu.contract.events import EVENTS
from lazymmu.litmus import operations
from lazymmu.litmus.scenario import CONTEXT

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "OperationEntry",
    "event_lines",
    "events",
    "operation_lines",
    "operation_table",
    "page",
]

_OLD_NAMES: Final = ("lazy_mmu_mode_flush",)
"""Read as before, and written no more."""


@dataclass(frozen=True, slots=True)
class OperationEntry:
    """An operation: its name, what it takes, the kernel's file, and what it is."""

    name: str
    takes: str
    source: str
    summary: str


@functools.cache
def operation_table() -> tuple[OperationEntry, ...]:
    """Every operation that some machine has, by name."""
    found: dict[str, OperationEntry] = {}
    for machine in operations.machines():
        for name, one in machine.operations.items():
            if name in found or name in _OLD_NAMES:
                continue
            takes = [("word" if kind == "flag" else kind) for _, kind in one.params]
            if one.many:
                takes[-1] += "..."
            source = one.source if "/" in one.source and "<" not in one.source else ""
            found[name] = OperationEntry(
                name, " ".join(takes) + (" :" if one.body else ""), source, one.summary
            )
    return tuple(found[name] for name in sorted(found))


def events() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Every event: its name, its sentence, and its own fields with what they may be."""
    for name, kind in EVENTS.items():
        types = field_types(name)
        fields = tuple(
            f"{field} ({_may_be(hint)})" if _may_be(hint) else field
            for field, hint in types.items()
            if field not in COMMON_FIELDS
        )
        yield name, (kind.__doc__ or "").split("\n")[0], fields


def operation_lines() -> list[str]:
    """The operations as lines of text."""
    lines = ["operations, what they take, and where the kernel has them", ""]
    for one in operation_table():
        head = f"{one.name} {one.takes}".strip()
        lines.append(f"  {head}{f'  [{one.source}]' if one.source else ''}")
        lines.append(f"      {one.summary}")
    return lines


def event_lines() -> list[str]:
    """The events as lines of text."""
    lines = ["events of `occurs`, and their fields", ""]
    for name, sentence, fields in events():
        lines.append(f"  {name}")
        lines.append(f"      {sentence}")
        lines += [f"      {field}" for field in fields]
    lines += ["", "and of the task at the event:"]
    lines += [f"  {name}: {words}" for name, words in CONTEXT.items()]
    return lines


def page() -> str:
    """The page of the documentation, made of the same."""
    text = [
        ".. SPDX-License-Identifier: GPL-2.0-or-later",
        ".. Made by `python -m tools.operations_page --write`; do not edit.",
        "",
        "Operations and events",
        "=====================",
        "",
        "What programs of :doc:`litmus` files may do, and what their ``occurs`` may ask for. A",
        "release may lack an operation; a scenario that uses it does not apply there.",
        "``lazymmu litmus --list`` prints the same.",
        "",
        "Operations",
        "----------",
        "",
    ]
    for one in operation_table():
        text.append(f"``{f'{one.name} {one.takes}'.strip()}``")
        where = f" (``{one.source}``)" if one.source else ""
        text += [f"    {_plain(one.summary)}{where}", ""]
    text += ["Events", "------", ""]
    for name, sentence, fields in events():
        text.append(f"``{name}``")
        text.append(f"    {_plain(sentence)}")
        text += [f"    {', '.join(f'``{field}``' for field in fields)}"] * bool(fields)
        text.append("")
    return "\n".join(text).rstrip() + "\n"


def _plain(text: str) -> str:
    """Text in which nothing is markup."""
    return text.replace("\\", "\\\\").replace("`", "``").replace("*", "\\*").replace("_ ", "\\_ ")


def _may_be(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return ", ".join(map(str, get_args(hint)))
    return {bool: "yes, no", int: "a number"}.get(hint, "")
