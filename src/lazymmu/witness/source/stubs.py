# SPDX-License-Identifier: GPL-2.0-or-later
"""What a text says by itself: that a function only says no, that it includes another file."""

from __future__ import annotations

import re
from posixpath import basename

__all__ = ["includes", "says_no"]

_FLAG = re.compile(rb"(?:Page|folio_test_)(\w+)\Z")
"""What a question about a page is called that include/linux/page-flags.h makes of a flag."""


def says_no(text: bytes, name: str) -> bool:
    """Whether a file has a definition of that name that does nothing but say no.

    Those of page flags are made by macros such as PAGEFLAG_FALSE() (include/linux/page-flags.h).
    """
    word = name.encode()
    stub = rb"\b%s\s*\([^;{}]*\)\s*(?:\{\s*return\s+)?\(?(?:false|0|NULL)\b" % re.escape(word)
    flag = _FLAG.match(word)
    made = rb"\w+_FALSE\s*\([^)]*\b%s\b" % flag[1] if flag is not None else stub
    return any(re.search(pattern, text) is not None for pattern in {stub, made})


def includes(text: bytes, file: str) -> bool:
    """Whether a text includes a file by its name."""
    name = re.escape(basename(file)).encode()
    include = rb"^[ \t]*#[ \t]*include[ \t]*\"(?:[^\"\n]*/)?" + name + rb"\""
    return re.search(include, text, re.M) is not None
