# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines of C, coloured: a class on each piece that the lexer tells apart, for the style sheet."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from markupsafe import Markup, escape
from pygments.lexers.c_cpp import CLexer  # type: ignore[import-untyped]
from pygments.token import (  # type: ignore[import-untyped]
    Comment,
    Keyword,
    Literal,
    Name,
    _TokenType,
)

from lazymmu.terminal import clean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["coloured", "coloured_lines", "coloured_window"]

_CLASSES: Final = (
    (Comment.Preproc, "cp"),
    (Comment.PreprocFile, "s"),
    (Comment, "co"),
    (Keyword, "k"),
    (Literal.String, "s"),
    (Literal.Number, "n"),
    (Name.Function, "f"),
)
"""What is coloured, the first that fits."""


_ABOVE: Final = 200
"""Lines above in which the beginning of a comment is looked for."""


def coloured(text: str) -> Markup:
    """Some C as markup, each line harmless to show."""
    return Markup("\n").join(coloured_lines(text))


def coloured_lines(text: str) -> list[Markup]:
    """Each line of some C as markup, as many as `text` has."""
    lines = text.expandtabs(8).split("\n")
    # What acts instead of being seen is spelt out before the lexer splits it up.
    harmless = "\n".join(clean(line) for line in lines)
    found: list[list[Markup]] = [[]]
    for kind, value in _tokens(harmless):
        for at, part in enumerate(value.split("\n")):
            if at:
                found.append([])
            if part:
                found[-1].append(_marked(kind, part))
    whole = [Markup("").join(parts) for parts in found]
    return (whole + [Markup("")] * len(lines))[: len(lines)]


def _tokens(text: str) -> Iterator[tuple[_TokenType, str]]:
    """The text in pieces; none of it is lost, and nothing added but a newline at the end."""
    yield from _lexer().get_tokens(text)


@functools.cache
def _lexer() -> CLexer:
    return CLexer(stripnl=False, ensurenl=True)


@functools.cache
def _class(kind: _TokenType) -> str:
    return next((name for family, name in _CLASSES if kind in family), "")


def _marked(kind: _TokenType, part: str) -> Markup:
    name = _class(kind)
    return Markup('<span class="{}">{}</span>').format(name, part) if name else escape(part)


def coloured_window(lines: Sequence[str], first: int, last: int) -> list[Markup]:
    """Some lines of a file of C, as `coloured_lines`; a comment that begins above them goes on.

    :param lines: of the whole file.
    :param first: number of the first line that is wanted, from 1; last: of the last.
    """
    above = "\n".join(lines[max(first - 1 - _ABOVE, 0) : first - 1])
    inside = above.rfind("/*") > above.rfind("*/")
    wanted = list(lines[first - 1 : last])
    if not inside:
        return coloured_lines("\n".join(wanted))
    return coloured_lines("\n".join(["/*", *wanted]))[1:]
