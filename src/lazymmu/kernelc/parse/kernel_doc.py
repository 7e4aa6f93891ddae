# SPDX-License-Identifier: GPL-2.0-or-later
"""Comments that say something about code: kernel-doc above definitions.

The form of kernel-doc is that of Documentation/doc-guide/kernel-doc.rst: a section is a word and
a colon at the beginning of a line ("Context:"), and goes on until the next section.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lazymmu.kernelc.parse.slices import RawDef

__all__ = ["doc_context"]

_SECTION = re.compile(r"(?:@[\w.]+(?:\.\.\.)?|[A-Z][A-Za-z]*(?: [A-Za-z]+)?)[ \t]*:(?:\s|\Z)")
_CONTEXT = re.compile(r"(?:context|contexts|locking|calling context)[ \t]*:[ \t]*", re.I)
_REACH = 1 << 16
"""How far above a definition its comment may begin, in bytes."""

_BETWEEN = re.compile(
    rb"(?>(?:\s|\#[ \t]*(?:if|ifdef|ifndef|else|elif|endif)\b[^\n]*+"
    rb"|(?:static|extern|inline|const|__\w+|asmlinkage|noinline)\b)*)\Z"
)
"""What may stand between a comment and the definition that it is about."""


def doc_context(text: bytes, rawdef: RawDef) -> str:
    """Return the Context section of the kernel-doc comment right above a definition.

    `text` is the file as read. Lines are joined by single spaces, several such sections by a
    newline. Empty if there is no kernel-doc comment right above, or no such section in it.
    """
    comment = _comment_before(text, rawdef.start)
    if not comment.startswith(b"/**") or comment.startswith(b"/***"):
        return ""
    found: list[str] = []
    inside = False
    for line in _lines(comment):
        if match := _CONTEXT.match(line):
            found.append(line[match.end() :])
            inside = True
        elif inside and _SECTION.match(line):
            inside = False
        elif inside and line:
            found[-1] = f"{found[-1]} {line}"
    return "\n".join(part.strip() for part in found if part.strip())


def _comment_before(text: bytes, at: int) -> bytes:
    """The block comment that ends right before offset `at`, or nothing."""
    close = text.rfind(b"*/", max(0, at - _REACH), at)
    if close < 0 or not _BETWEEN.match(text, close + 2, at):
        return b""
    opened = text.rfind(b"/*", max(0, close - _REACH), close)
    return text[opened : close + 2] if opened >= 0 else b""


def _lines(comment: bytes) -> list[str]:
    """The lines of a block comment without its marks."""
    inner = comment.decode("utf-8", "replace").removeprefix("/*").removesuffix("*/")
    return [line.strip().lstrip("*").strip() for line in inner.split("\n")]
