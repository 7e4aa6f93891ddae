# SPDX-License-Identifier: GPL-2.0-or-later
"""Indentation as tokens, and the parser that reads them: what of the format is not in the grammar.

lark has an indenter of its own; it says of a bad line neither which one it is nor what is wrong.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from lazymmu.litmus import parser_table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from lark import Lark, Tree

__all__ = ["Indentation", "LayoutError", "parse"]

MAX_INDENT_LEVELS = 8
"""Levels of indentation: more than any kernel function has, and no recursion worth the name."""

_TAB_COLUMNS = 8
"""Columns that a tab goes to, as in the kernel."""


class LayoutError(Exception):
    """(line, column, sentence): a text that the grammar does not allow."""

    def __init__(self, line: int, column: int, sentence: str) -> None:
        super().__init__(line, column, sentence)
        self.line = line
        self.column = column
        self.sentence = sentence


def parse(text: str) -> Tree[Token]:
    """The syntax tree of a litmus file.

    :raises LayoutError: for the first thing that is wrong.
    """
    for number, line in enumerate(text.split("\n"), 1):
        for column, character in enumerate(line, 1):
            if not character.isprintable() and character not in "\t\r":
                raise LayoutError(number, column, f"{character!a} has no meaning here")
    # The last line ends, too, so that every comment is followed by a line's end.
    text = text.replace("\r\n", "\n").replace("\r", "\n") + "\n"
    try:
        return _parser().parse(text)
    except UnexpectedToken as error:
        raise _of_token(error) from None
    except UnexpectedCharacters as error:
        found = "a string without its end" if error.char == '"' else f"`{error.char}`"
        raise LayoutError(error.line, error.column, f"{found} has no meaning here") from None
    except UnexpectedInput as error:
        raise LayoutError(error.line, error.column, "this is no litmus file") from None


class Indentation:
    """Puts _INDENT and _DEDENT where lines begin farther right or left than the one before."""

    always_accept = ("_NL",)

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        """The tokens of `stream` with those of indentation between; asks for none ahead."""
        open_at = [0]
        for token in stream:
            yield token
            if token.type != "_NL":
                continue
            indent = len(token.rpartition("\n")[2].expandtabs(_TAB_COLUMNS))
            if indent > open_at[-1]:
                if len(open_at) > MAX_INDENT_LEVELS:
                    raise LayoutError(
                        *_after(token), f"lines nest deeper than {MAX_INDENT_LEVELS} levels"
                    )
                open_at.append(indent)
                yield _made("_INDENT", token)
            while indent < open_at[-1]:
                open_at.pop()
                yield _made("_DEDENT", token)
            if indent != open_at[-1]:
                raise LayoutError(*_after(token), "no line above is indented like this one")
        yield from (Token("_DEDENT", "") for _ in open_at[1:])


def _after(token: Token) -> tuple[int, int]:
    """Where the line begins that a _NL token leads to."""
    return token.end_line or 1, token.end_column or 1


def _made(kind: str, after: Token) -> Token:
    line, column = _after(after)
    return Token(kind, "", line=line, column=column)


@functools.cache
def _parser() -> Lark:
    return parser_table.parser(Indentation())


def _of_token(error: UnexpectedToken) -> LayoutError:
    token = error.token
    line, column = token.line, token.column
    match token.type:
        case "$END":
            found = "the end of the file"
        case "_NL":
            found = "the end of the line"
        case "_INDENT":
            found = "a line that is indented more"
        case "_DEDENT":
            found = "a line that is indented less"
        case _:
            found = f"`{token}`"
    return LayoutError(line or 1, column or 1, _wanted(error.accepts or error.expected, found))


_WORDS = {
    "$END": "the end of the file",
    "_NL": "the end of the line",
    "_INDENT": "a line that is indented more",
    "_DEDENT": "a line that is indented less",
    "WORD": "a name",
    "NUMBER": "a number",
    "STRING": "a sentence in quotes",
    "FLAGGED": "a value such as `A:ro`",
    "RELEASES": "releases such as `6.6..6.14`",
    "CPU": "a CPU such as `cpu0`",
    "LEVEL": "a level (`pte`, `pmd`, `pud`, `p4d` or `pgd`)",
    "SPACE": "`user` or `kernel`",
    "KIND": "`hard` or `soft`",
    "WHICH": "`stored` or `effective`",
    "STAR": "`*`",
    "PREEMPTIONS": "`preemptions`",
    "STEPS": "`steps`",
    "_COLON": "`:`",
    "_COMMA": "`,`",
    "_SEMICOLON": "`;`",
    "_EQUALS": "`=`",
}


def _wanted(kinds: Collection[str], found: str) -> str:
    """`expected this, that or those, found ...`; keywords are named as they are written."""
    if "_LITMUS" in kinds:
        kinds = ["_LITMUS"]  # empty lines before it may be, but nobody misses them
    words = sorted(
        _WORDS.get(kind) or f"`{kind.strip('_').lower().replace('_', '-')}`" for kind in kinds
    )
    if not words:
        return f"{found} has no meaning here"
    listed = ", ".join(words[:-1]) + (" or " if words[1:] else "") + words[-1]
    return f"expected {listed}, found {found}"
