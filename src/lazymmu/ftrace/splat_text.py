# SPDX-License-Identifier: GPL-2.0-or-later
"""The lines of a text in which a kernel's complaints are, whatever carried it.

A serial console ends lines with CR LF, or with CR alone where it drew over them; a mail may be
quoted-printable, and breaks long lines; a page has entities; kmsg and JSON of the journal escape.
"""

from __future__ import annotations

import quopri
import re
from typing import TYPE_CHECKING, Final

from lazymmu.ftrace.foreign import TextWrapping

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["lines_of_text"]

_LINE_CHARACTERS: Final = 2000
"""Characters of a line that are looked at."""

_QUOTED_PRINTABLE: Final = re.compile(rb"(?im)^content-transfer-encoding:\s*quoted-printable\b")
_SOFT_BREAK: Final = re.compile(rb"=\r?\n(?:>[ \t]?)*")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+")
_ENDS: Final = re.compile(r"\r\n|\n|\r")


def lines_of_text(content: bytes) -> Iterator[tuple[int, str]]:
    """The lines, each with its number, from 1, in the text as it was given."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        content = content.decode("utf-16", "replace").encode()
    content = TextWrapping().off(content.removeprefix(b"\xef\xbb\xbf"))
    if _QUOTED_PRINTABLE.search(content[: 1 << 16]) or _SOFT_BREAK.search(content[: 1 << 16]):
        # A soft break joins lines: the number is that of the first.
        content = quopri.decodestring(content)
    for number, line in enumerate(content.split(b"\n"), 1):
        # A console that draws over a line ends it with CR alone.
        for part in line.rstrip(b"\r").split(b"\r"):
            if part:
                yield number, _CONTROL.sub("", part[:_LINE_CHARACTERS].decode("utf-8", "replace"))
