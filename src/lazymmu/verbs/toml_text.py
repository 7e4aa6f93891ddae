# SPDX-License-Identifier: GPL-2.0-or-later
"""TOML that may be a stranger's: read with Python's own reader, less what takes it for ever."""

from __future__ import annotations

import re
import tomllib
from typing import Any, Final

__all__ = ["MOST", "NotTomlError", "load"]

MOST: Final = 4 << 20
"""Bytes of a file: some twenty thousand entries of suppressions."""

# Possessive, and from a word's beginning: it takes time as long as the text.
_DOTTED: Final = re.compile(
    rb"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){100}"""
)


class NotTomlError(ValueError):
    """A text is not what `load` reads; the text of the error is a phrase."""


def load(text: bytes) -> dict[str, Any]:
    """The tables of a TOML text.

    :raises NotTomlError: and nothing else, for a text that is none, or longer than `MOST`, or of
        what takes the library the square of its length.
    """
    if len(text) > MOST:
        raise NotTomlError(f"it holds more than {MOST >> 20} MiB")
    if _DOTTED.search(text):
        raise NotTomlError("a key of 100 parts")
    try:
        return tomllib.loads(text.decode())
    except UnicodeDecodeError:
        raise NotTomlError("it is not text in UTF-8") from None
    except RecursionError:
        raise NotTomlError("it is nested too deeply") from None
    except tomllib.TOMLDecodeError as error:
        raise NotTomlError(str(error)) from None
    except (ValueError, OverflowError):
        # A number of thousands of digits, a day that no month has: the library lets it through.
        raise NotTomlError("it holds a number that cannot be read") from None
