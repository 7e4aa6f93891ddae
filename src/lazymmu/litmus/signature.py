# SPDX-License-Identifier: GPL-2.0-or-later
"""What operations take, as short texts, and whether a line of a program fits.

A signature is words parted by blanks: kinds of arguments in order, each perhaps with `?` (may be
missing), `*` (any number) or `+` (one or more), and at the end `:` for an operation that must have
an indented body::

    set_pte_at             entry value
    apply_to_page_range    entry+ :
    pte_offset_map_lock    lock
    if pte_none            entry :

`if` is one operation for each predicate. The kinds are those of `KINDS`; only the last of the
arguments may be missing or repeated.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lazymmu.litmus.scenario import BARE, FLAGS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["CURRENT", "KINDS", "bad_value", "describe", "misfit"]

CURRENT = "ptep"
"""In a callback's body, the entry that it is called for."""

KINDS = {
    "entry": "an entry",
    "lock": "a lock",
    "mutex": "a mutex",
    "task": "a task",
    "page": "a page",
    "value": "a value",
    "number": "a number",
    "word": "a word",
}
"""What an argument may be, in words for messages."""

_VALUE = re.compile(r"(?P<page>[A-Z]\w*)(?P<flags>(?::[a-z]\w*)*)\Z")
_WORD = re.compile(r"(?P<kind>[a-z]+)(?P<how>[?*+]?)\Z")


def misfit(
    signature: str, args: tuple[str, ...], names: Mapping[str, Collection[str]], *, body: bool
) -> str | None:
    """Why `args` do not fit `signature`, a sentence's end that begins after the operation's name.

    :param names: those declared, by kind (`entry`, `lock`, `task`).
    :param body: whether lines are below it.
    :raises ValueError: for a text that is no signature.
    """
    words = signature.split()
    needs_body = words[-1:] == [":"]
    if needs_body != body:
        return "needs indented lines below it" if needs_body else "takes no lines below it"
    kinds = [_kind(word) for word in words[: len(words) - needs_body]]
    least = sum(how in ("", "+") for _, how in kinds)
    most = len(kinds) if not any(how in ("*", "+") for _, how in kinds) else None
    if len(args) < least or (most is not None and len(args) > most):
        return f"takes {describe(signature)}"
    for at, argument in enumerate(args):
        kind = kinds[min(at, len(kinds) - 1)][0]
        wrong = _no(kind, argument, names)
        if wrong:
            return wrong
    return None


def describe(signature: str) -> str:
    """The arguments of a signature in words, such as `an entry and a value`."""
    how = {"": "", "?": " (or not)", "*": ", any number of times", "+": ", at least once"}
    kinds = [_kind(word) for word in signature.split() if word != ":"]
    return " and ".join(KINDS[kind] + how[times] for kind, times in kinds) or "nothing"


def bad_value(text: str) -> str | None:
    """Why `text` is no value, or None."""
    if text in BARE:
        return None
    found = _VALUE.match(text)
    if found is None:
        return f"`{text}` is no value: {', '.join(BARE)}, or a page such as A or A:ro"
    for flag in found["flags"].split(":")[1:]:
        if flag not in FLAGS:
            return f"a value has no flag `{flag}`; there are {', '.join(FLAGS)}"
    return None


def _no(kind: str, argument: str, names: Mapping[str, Collection[str]]) -> str | None:
    match kind:
        case "entry" | "lock" | "mutex" | "task":
            if argument in names[kind] or (kind == "entry" and argument == CURRENT):
                return None
            return f"names {KINDS[kind]} `{argument}` that is not declared"
        case "page":
            found = _VALUE.match(argument)
            return None if found and not found["flags"] else f"takes a page, not `{argument}`"
        case "value":
            wrong = bad_value(argument)
            return f"takes a value, but {wrong}" if wrong else None
        case "number":
            return None if argument.isdecimal() else f"takes a number, not `{argument}`"
    return None


def _kind(word: str) -> tuple[str, str]:
    found = _WORD.match(word)
    if found is None or found["kind"] not in KINDS:
        raise ValueError(f"`{word}` is no kind of argument")
    return found["kind"], found["how"]
