# SPDX-License-Identifier: GPL-2.0-or-later
"""The lines of a text in which a kernel's complaints are, whatever carried it.

A serial console ends lines with CR LF, or with CR alone where it drew over them, and a terminal
breaks them at its edge; a mail may be quoted-printable, and breaks long lines; a page has entities;
kmsg and JSON of the journal escape; scripts put a file and a line where an offset was.
"""

from __future__ import annotations

import json
import quopri
import re
from typing import TYPE_CHECKING, Final

from lazymmu.ftrace.foreign import TextWrapping

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["lines_of_text", "with_offsets"]

_LINE_CHARACTERS: Final = 2000
"""Characters of a line that are looked at."""

_QUOTED_PRINTABLE: Final = re.compile(rb"(?im)^content-transfer-encoding:\s*quoted-printable\b")
_SOFT_BREAK: Final = re.compile(rb"=\r?\n(?:>[ \t]?)*")
_TITLE: Final = re.compile(rb"\x1b\][^\x07\x1b\n]{0,1000}(?:\x07|\x1b\\)")
"""What a terminal takes for its title, or a link (ECMA-48, OSC)."""

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+")
_ENDS: Final = re.compile(r"\r\n|\n|\r")


def lines_of_text(content: bytes) -> Iterator[tuple[int, str]]:
    """The lines, each with its number, from 1, in the text as it was given."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        content = content.decode("utf-16", "replace").encode()
    content = TextWrapping().off(content.removeprefix(b"\xef\xbb\xbf"))
    if b"\x1b]" in content:
        content = _TITLE.sub(b"", content)
    if _QUOTED_PRINTABLE.search(content[: 1 << 16]) or _SOFT_BREAK.search(content[: 1 << 16]):
        # A soft break joins lines: the number is that of the first.
        content = quopri.decodestring(content)
    for number, line in _unbroken([one.rstrip(b"\r") for one in content.split(b"\n")]):
        # A console that draws over a line ends it with CR alone.
        for part in _message(line).split(b"\r"):
            if part:
                yield number, _CONTROL.sub("", part[:_LINE_CHARACTERS].decode("utf-8", "replace"))


_STAMP: Final = re.compile(
    rb"\[ *\d{1,9}\.\d{3,6}\]|^\[?\d{4}-\d\d-\d\d[T ]|^<\d{1,3}>|^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:"
)
"""What printk, syslog and consoles put before each line: a broken line's rest has none."""

_WIDTHS: Final = (80, 100, 120, 132)
"""Columns of terminals whose text is taken for broken at its edge where no line has a time."""


def _unbroken(lines: list[bytes]) -> Iterator[tuple[int, bytes]]:
    """The lines, numbered, with those joined that a terminal has broken at its last column.

    Nothing is longer than the edge then, and what was broken ends there. The longest line of a text
    that a mail has broken is alone, or its rest has the mail's mark.
    """
    edge = max(map(len, lines), default=0)
    stamped = sum(1 for one in lines if _STAMP.search(one)) > 1
    full = sum(1 for one in lines if len(one) == edge)
    usual = edge in _WIDTHS
    broken = 60 <= edge <= 200 and (usual or full > 1 if stamped else usual and full > 1)
    first, held, last = 1, b"", 0
    for number, line in enumerate(lines, 1):
        rest = broken and last == edge and not line.startswith(b">")
        rest = rest and not (stamped and _STAMP.search(line))
        last = len(line)
        if rest:
            held += line
            continue
        yield first, held
        first, held = number, line
    yield first, held


def _message(line: bytes) -> bytes:
    """The message of a line of `journalctl -o json`; any other line as it is."""
    if not (line.startswith(b"{") and b'"MESSAGE"' in line):
        return line
    try:
        found = json.loads(line)["MESSAGE"]
        # What is no UTF-8 is a list of bytes there.
        return found.encode() if isinstance(found, str) else bytes(found)
    except (ValueError, TypeError, KeyError):
        return line


_DECODED: Final = re.compile(
    r"(?P<name>\b[A-Za-z_][\w.$]{0,200}) "
    r"(?P<place>\((?:\./)?[\w./+-]{1,200}\.[chS]:[\d?][^\n]{0,600}\)(?: \([A-Z]+\))?"
    r"(?: \[?[\w-]{1,64}\]?)?|(?:\./)?[\w./+-]{1,200}\.[chS]:\d{1,7} \[inline\])$"
)


def with_offsets(line: str) -> str:
    """A line with an offset behind the function that a script has put a source line behind.

    scripts/decode_stacktrace.sh of the kernel writes `f (mm/memory.c:12)`, syzbot for what is
    inlined `f mm/memory.c:12 [inline]`.
    """
    if ":" not in line or (not line.endswith((")", "]")) and " (" not in line):
        return line
    return _DECODED.sub(r"\g<name>+0x0/0x0 \g<place>", line.rstrip())
