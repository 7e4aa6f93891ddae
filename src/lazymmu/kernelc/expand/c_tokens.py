# SPDX-License-Identifier: GPL-2.0-or-later
"""Preprocessing tokens of C text, each with the place in the source that it stands for."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lazymmu.kernelc.parse.lexemes import CHAR, COMMENT, LINE_COMMENT, STRING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Origins", "Token", "joined", "tokens"]

_TOKEN: Final = re.compile(
    rb"((?>(?:\s|\\\r?\n|" + COMMENT + rb"|" + LINE_COMMENT + rb")*))"
    rb"(" + STRING + rb"|" + CHAR + rb"|[A-Za-z_]\w*+|\.?\d(?>(?:[eEpP][+-]|[\w.])*)"
    rb"|\.\.\.|->|##|<<=|>>=|[-+*/%&|^=!<>]=|\+\+|--|<<|>>|&&|\|\||[\s\S]|\Z)"
)  # fmt: skip
"""Space and comments, and the token behind them: none at the text's end."""


@dataclass(frozen=True, slots=True)
class Token:
    """One token.

    :param space: what stands before it, of a token of the source as it is written there.
    :param at: the offset in the source, for one of a macro's text that of the macro's use.
    :param own: whether the source has it there itself.
    :param hidden: macros that it is no use of, because it comes from their text.
    """

    text: bytes
    space: bytes
    at: int
    own: bool = True
    hidden: frozenset[bytes] = frozenset()

    @property
    def word(self) -> bool:
        """Whether it is an identifier."""
        return self.text[:1].isalpha() or self.text[:1] == b"_"


def tokens(text: bytes, start: int = 0) -> Iterator[Token]:
    """Return the tokens of a text, whose first byte has the offset `start` in the source."""
    for match in _TOKEN.finditer(text):
        if match[2]:
            yield Token(match[2], match[1], start + match.start(2))


class Origins:
    """Where the bytes of a text come from that is not as the source has it."""

    def __init__(self) -> None:
        """Start with a text of no bytes."""
        self._starts: list[int] = []
        self._places: list[tuple[int, bool]] = []

    def add(self, start: int, at: int, *, own: bool) -> None:
        """Say that what begins at `start` comes from `at` in the source, byte by byte if `own`."""
        self._starts.append(start)
        self._places.append((at, own))

    def moved(self, start: int) -> Origins:
        """Return the same for the text from `start` on."""
        made = Origins()
        made._starts = [at - start for at in self._starts]
        made._places = self._places
        return made

    def of(self, offset: int) -> int:
        """Return the offset in the source that an offset in the text stands for."""
        place = bisect_right(self._starts, offset) - 1
        if place < 0:
            return 0
        at, own = self._places[place]
        return at + offset - self._starts[place] if own else at


def joined(found: Iterable[Token]) -> tuple[bytes, Origins]:
    """Return the text of tokens, and where it comes from."""
    pieces: list[bytes] = []
    origins = Origins()
    length = 0
    before = b""
    for token in found:
        space = token.space
        if not space and before[-1:].isalnum() | (before[-1:] == b"_") and token.word:
            space = b" "
        length += len(space)
        origins.add(length, token.at, own=token.own)
        pieces += (space, token.text)
        length += len(token.text)
        before = token.text
    return b"".join(pieces), origins
