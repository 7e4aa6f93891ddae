# SPDX-License-Identifier: GPL-2.0-or-later
"""The lexer of `#if` expressions: words, operators and strings as text, numbers as values."""

from __future__ import annotations

import re
from typing import Final

from lazymmu.kernelc.preprocess.if_values import MAX_UNSIGNED, Value, wrap

__all__ = ["PaintedName", "Token", "is_name", "tokenise"]

Token = str | Value


class PaintedName(str):
    """A macro's name that stood in its own text: it is never replaced (C11 6.10.3.4)."""

    __slots__ = ()


_TOKEN: Final = re.compile(
    r"[ \t\r\n\f]*(?:"
    r"([A-Za-z_$]\w*)"
    r"|(0[xX][0-9a-fA-F]+|0[bB][01]+|\d+)([uUlLzZ]*)"
    r"|'((?:[^'\\]|\\.)+)'"
    r"|(##|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%<>()!~&|^?:,#.])"
    r'|("(?:[^"\\]|\\.)*")'
    r"|(\S))"
)
_QUOTES: Final = frozenset("'\"")
_ESCAPES: Final = {"n": 10, "t": 9, "r": 13, "a": 7, "b": 8, "f": 12, "v": 11, "e": 27}
_CHARACTER: Final = re.compile(r"\\x([0-9a-fA-F]+)|\\([0-7]{1,3})|\\(.)|(.)", re.DOTALL)
_MAX_KEPT_CHARACTERS: Final = 2_000
"""Length of a text whose tokens are kept."""

_MAX_KEPT_TEXTS: Final = 20_000
"""How many texts' tokens are kept at once."""

_kept: dict[str, tuple[Token, ...]] = {}


def is_name(token: str) -> bool:
    """Tell whether a token is an identifier."""
    return token[0].isalpha() or token[0] in "_$"


def tokenise(text: str) -> tuple[Token, ...]:
    """Return the tokens of a text without comments and line continuations."""
    known = _kept.get(text)
    if known is not None:
        return known
    tokens: list[Token] = []
    stripped = text.strip()
    position = 0
    while position < len(stripped):
        match = _TOKEN.match(stripped, position)
        if match is None:
            break
        position = match.end()
        name, number, suffix, character, operator, string, other = match.groups()
        if number is not None:
            tokens.append(_number(number, suffix))
        elif character is not None:
            tokens.append(Value(_code(character)))
        else:
            tokens.append(name or operator or string or other)
            if other in _QUOTES:
                # One that nothing closes: whatever follows, this is no expression.
                break
    found = tuple(tokens)
    if len(text) <= _MAX_KEPT_CHARACTERS:
        if len(_kept) > _MAX_KEPT_TEXTS:
            _kept.clear()
        _kept[text] = found
    return found


def _code(text: str) -> int:
    """Return the value of what stands between the quotes of a character constant.

    Of several characters each is a byte of an int, as GCC has it ("Implementation-defined
    behavior", in its manual).
    """
    value = 0
    for hexadecimal, octal, escape, plain in _CHARACTER.findall(text):
        if hexadecimal or octal:
            byte = int(hexadecimal or octal, 16 if hexadecimal else 8)
        else:
            byte = _ESCAPES.get(escape, ord(escape)) if escape else ord(plain)
        value = (value << 8 | byte & 0xFF) & 0xFFFF_FFFF
    return value


def _number(digits: str, suffix: str) -> Value:
    base = 8 if len(digits) > 1 and digits.isdigit() and digits[0] == "0" else 0
    try:
        value = int(digits, base)
    except ValueError:
        value = 0
    return wrap(value, "u" in suffix.lower() or value > MAX_UNSIGNED >> 1)
