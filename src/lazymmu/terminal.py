# SPDX-License-Identifier: GPL-2.0-or-later
"""What may reach a terminal: the one place that makes a stranger's text harmless to show.

Names of files, functions, tasks and revisions, and the messages of other programs, are a
stranger's. On a terminal some of their characters act instead of being seen: escape sequences
colour, erase and type; a newline begins a line that looks like one of ours; format characters turn
the order of letters round or hide them ("Trojan Source", CVE-2021-42574). Each such character is
spelt out as Python spells it in a string: ``\\x1b``, ``\\u202e``, ``\\U000e0041``. A backslash
itself stays as it is, so a name that holds those four letters looks the same; that is harmless.

A leaf: every layer that formats may import this module, and it imports none of ours.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["LONGEST", "clean", "clean_lines", "message_of"]

LONGEST: Final = 1000
"""Characters of one piece of text; of a longer one the middle is left out, and that is said."""

_MARK: Final = "[... {} characters left out ...]"

# Marks and letters that Unicode lets be drawn as nothing at all (DerivedCoreProperties.txt,
# Default_Ignorable_Code_Point), as far as `str.isprintable` takes them for printable.
_UNSEEN: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_ACTS_IN_ASCII: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def clean(text: str, longest: int = LONGEST) -> str:
    """`text` on one line, harmless on a terminal, and no longer than `longest` characters.

    Spelt out are control characters (newline and tab, too), format characters, separators other
    than the blank, surrogates (bytes of a file name that are not UTF-8), private and unassigned
    code points: all that `str.isprintable` denies, and what is drawn as nothing.
    """
    if len(text) <= longest and text.isprintable() and not _UNSEEN.search(text):
        return text
    # Of a text of megabytes no more than this can remain.
    head, tail = (text[:longest], text[-longest:]) if len(text) > 2 * longest else (text, "")
    spelt = [*map(_spelt, head), *map(_spelt, tail)]
    if not tail and sum(map(len, spelt)) <= longest:
        return "".join(spelt)
    room = (longest - len(_MARK) - len(str(len(text)))) // 2
    first, last = _fitting(spelt, room), _fitting(spelt[::-1], room)
    left_out = len(text) - len(first) - len(last)
    return "".join([*first, _MARK.format(left_out), *reversed(last)])


def clean_lines(text: str) -> str:
    """A report of many lines, harmless on a terminal: as `clean`, but newlines and tabs stay.

    For whole texts at the gate; each value in them was cleaned where it was put in, because here
    a newline in a name can no longer be told from one of ours. No length is limited.
    """
    if text.isascii():
        return _ACTS_IN_ASCII.sub(lambda hit: _spelt(hit[0]), text)
    return "\n".join(
        "\t".join(clean(part, max(len(part) * 10, 1)) for part in line.split("\t"))
        for line in text.split("\n")
    )


def message_of(error: BaseException) -> str:
    """What an exception says, also one whose own `__str__` fails: a port's may be anything."""
    try:
        return str(error)
    except BaseException as other:  # noqa: BLE001 - any code, which may raise anything
        return f"its message cannot be had ({type(other).__name__})"


def _spelt(character: str) -> str:
    """One character as it may be shown."""
    if character.isprintable() and not _UNSEEN.match(character):
        return character
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _fitting(pieces: list[str], room: int) -> list[str]:
    """As many of the first `pieces` as have room."""
    for at, piece in enumerate(pieces):
        room -= len(piece)
        if room < 0:
            return pieces[:at]
    return pieces
