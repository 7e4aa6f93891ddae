# SPDX-License-Identifier: GPL-2.0-or-later
"""Handlers of interrupts that a file declares outside of functions.

static DECLARE_TASKLET(later, handler);
static struct irq_work later = IRQ_WORK_INIT_HARD(handler);
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from lazymmu.contract.event_words import IrqKind
from lazymmu.contract.vocabulary import load
from lazymmu.kernelc.configured_tree import ConfiguredTree

__all__ = ["DeclaredHandler", "declared", "declared_in"]


class DeclaredHandler(NamedTuple):
    """A function that runs in interrupts of a kind, and the macro and the file that say so."""

    function: str
    kind: IrqKind
    macro: str
    file: str


def declared(view: ConfiguredTree, file: str) -> tuple[DeclaredHandler, ...]:
    """The handlers that a file declares where it is compiled."""
    selection = view.headers.selection(file)
    found = tuple(
        one for at, one in declared_in(view.sources.read(file), file) if selection.is_compiled(at)
    )
    view.asked.check("handlers", file, "", list(map(repr, found)))
    return found


def declared_in(text: bytes, file: str) -> Iterator[tuple[int, DeclaredHandler]]:
    """The handlers that a text declares, each with its offset."""
    words = load()
    for match in _pattern().finditer(text):
        macro = (match[1] or match[2]).decode()
        word = words.handlers[macro]
        args = [arg.strip(b" \t\n&") for arg in match[3].split(b",")]
        if word.fn < len(args):
            function = args[word.fn].decode("latin-1")
            yield match.start(), DeclaredHandler(function, word.kind, macro, file)


@cache
def _pattern() -> re.Pattern[bytes]:
    known = load().handlers.items()
    names = "|".join(sorted(name for name, word in known if word.declared))
    values = "|".join(sorted(name for name, word in known if word.initialises))
    # At the left margin: what stands further in is in a function, or text of a macro.
    return re.compile(
        rb"^(?:(?:static[ \t]+)?(%s)|\w[^\n;{}=]*=[ \t\n]*(%s))[ \t]*\(([^()]*)\)"
        % (names.encode(), values.encode()),
        re.M,
    )
